//! Marker mode: a route and what is behind it.

use std::{os::unix::fs::symlink, path::Path};

use bluegreen_core::{Name, Route};
use bluegreen_nginx::{MarkerResolver, RouteDir, Snippet};

use super::{App, Nginx, profiles};

/// A marker route with two apps on it.
pub(crate) struct Shop {
    pub(crate) app: Name,
    pub(crate) route: RouteDir,
    pub(crate) first: Option<App>,
    pub(crate) second: Option<App>,
}

impl Shop {
    pub(crate) async fn start(app: &str, home: &Path) -> Self {
        let (first, second) = (App::start("real1").await, App::start("real2").await);
        let route = RouteDir::new(home.join(app).join("route"), profiles(first.port, second.port)).unwrap();
        route.create().unwrap();
        Self { app: app.parse().unwrap(), route, first: Some(first), second: Some(second) }
    }

    /// The four routes.
    pub(crate) fn routes(&self) -> [Route; 4] {
        let [first, second] = self.route.profiles().both().map(Clone::clone);
        [
            Route::solo(first.clone()),
            Route::with_standby(first.clone(), second.clone()),
            Route::solo(second.clone()),
            Route::with_standby(second, first),
        ]
    }

    /// Moves the route as somebody with `ln` and `mv` would.
    pub(crate) fn lead_to(&self, route: &Route) {
        let standby = if route.standby.is_some() { "+standby" } else { "" };
        let new = self.route.path().join("by-hand");
        symlink(format!("{}{standby}", route.active), &new).unwrap();
        std::fs::rename(new, self.route.path().join("live")).unwrap();
    }

    pub(crate) fn snippet(&self) -> Snippet {
        Snippet::new(self.app.clone(), self.route.clone())
    }

    pub(crate) fn resolver(&self, nginx: &Nginx) -> MarkerResolver {
        MarkerResolver::new(self.app.clone(), self.route.clone(), nginx.proof(&self.app))
    }

    /// The http level with one server block for it.
    pub(crate) fn http(&self) -> String {
        let snippet = self.snippet();
        format!(
            "{}server {{ {} listen 127.0.0.1:{{port}}; location / {{ {} }} }}",
            snippet.http(),
            snippet.server(true),
            snippet.location()
        )
    }
}
