//! The four backends of an app.

use bluegreen_core::{Name, Profiles, Route};

/// Named `APP.ACTIVE` and `APP.ACTIVE.STANDBY`.
#[derive(Debug, Clone)]
pub(crate) struct Backends {
    pub(crate) app: Name,
    pub(crate) profiles: Profiles,
}

impl Backends {
    pub(crate) fn of(&self, route: &Route) -> String {
        let solo = format!("{}.{}", self.app, route.active);
        route.standby.as_ref().map_or(solo.clone(), |standby| format!("{solo}.{standby}"))
    }

    pub(crate) fn routes(&self) -> [Route; 4] {
        let [a, b] = self.profiles.both();
        let solo = [a, b].map(|profile| Route::solo(profile.clone()));
        let both = [(a, b), (b, a)].map(|(a, b)| Route::with_standby(a.clone(), b.clone()));
        let ([first, second], [third, fourth]) = (solo, both);
        [first, second, third, fourth]
    }

    pub(crate) fn has(&self, backend: &str) -> bool {
        self.routes().iter().any(|route| self.of(route) == backend)
    }

    pub(crate) fn text(&self) -> String {
        self.routes().iter().map(|route| self.backend(route)).collect()
    }

    fn backend(&self, route: &Route) -> String {
        let head = format!("backend {}\n    mode http\n", self.of(route));
        let server = format!("    server {} 127.0.0.1:{}", route.active, route.active.port());
        match &route.standby {
            None => format!("{head}{server}\n"),
            // the active is marked down by its first failed connection, and the same request goes to the backup
            Some(standby) => format!(
                "{head}    option redispatch 1\n    retries 3\n    retry-on conn-failure\n    \
                 default-server inter 500ms fastinter 100ms fall 2 rise 1\n\
                 {server} check observe layer4 error-limit 1 on-error mark-down\n    server {standby} 127.0.0.1:{} backup\n",
                standby.port()
            ),
        }
    }
}
