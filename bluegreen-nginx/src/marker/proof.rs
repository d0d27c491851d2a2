//! What nginx itself says about its route.

use bluegreen_core::{Blind, Name, Profiles, Route};

/// The answer of the proof location, as `bluegreen 1 my-shop real1=8081 real2=8082 my-shop.real1.solo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    app: String,
    /// Names and ports as nginx has them, as `real1=8081 real2=8082`.
    places: String,
    group: String,
}

/// Where nginx leads, by the ports that it has, whatever the profiles are called and whatever `live` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) port: u16,
    /// Whether that is the second place of its set-up, which is what a marker says.
    pub(crate) second: bool,
    pub(crate) solo: bool,
}

impl Lead {
    /// The same among these profiles; `None`: none of them has that port.
    pub(crate) fn route(self, profiles: &Profiles) -> Option<Route> {
        let active = profiles.on_port(self.port)?.clone();
        let standby = profiles.other(&active)?.clone();
        Some(if self.solo { Route::solo(active) } else { Route::with_standby(active, standby) })
    }
}

impl Proof {
    /// Reads the answer; `None` when it is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // a space and nothing behind it is a proof too: of a variable that was never set
        let words: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split(' ').collect();
        let ["bluegreen", "1", app, first, second, group] = words[..] else { return None };
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b".=-".contains(&b));
        let place = |word: &str| word.split_once('=').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if ![app, first, second, group].into_iter().all(plain) || !place(first) || !place(second) {
            return None;
        }
        Some(Self { app: app.to_owned(), places: format!("{first} {second}"), group: group.to_owned() })
    }

    /// Where nginx leads; `None`: it is another app's, or leads nowhere, as it has not looked.
    pub(crate) fn leads(&self, app: &Name) -> Result<Option<Lead>, Blind> {
        if self.app != app.as_str() || self.group.is_empty() {
            return Ok(None);
        }
        let (group, solo) = self.group.strip_suffix(".solo").map_or((&*self.group, false), |group| (group, true));
        let place = |(at, place): (usize, &str)| {
            let (name, port) = place.split_once('=')?;
            let is_it = group.strip_prefix(app.as_str())?.strip_prefix('.')? == name;
            Some(Lead { port: port.parse().ok()?, second: at == 1, solo }).filter(|_| is_it)
        };
        self.places.split(' ').enumerate().find_map(place).map(Some).ok_or_else(|| self.no_route())
    }

    fn no_route(&self) -> Blind {
        Blind::Route(format!("nginx says {:?}, which is no route of {}", self.group, self.app))
    }

    /// The route that nginx follows, if it is set up for this very app.
    pub(crate) fn route(&self, app: &Name, profiles: &Profiles) -> Result<Route, Blind> {
        let places = profiles.both().map(|p| format!("{p}={}", p.port())).join(" ");
        if self.app != app.as_str() || self.places != places {
            return Err(Blind::Differs(format!(
                "nginx has {} with {}, the configuration has {app} with {places}",
                self.app, self.places
            )));
        }
        let unlooked = "nginx answers without having looked at the route: a `return` or `rewrite` stands before bluegreen's include, \
                        which must be the first line of its server block";
        let lead = self.leads(app)?.ok_or_else(|| Blind::Route(unlooked.to_owned()))?;
        lead.route(profiles).ok_or_else(|| self.no_route())
    }
}

#[cfg(test)]
mod tests {
    use bluegreen_core::Profile;

    use super::*;

    fn profiles() -> Profiles {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
    }

    fn route(text: &str) -> Result<String, Blind> {
        let proof = Proof::parse(text).expect("a proof");
        proof.route(&"my-shop".parse().unwrap(), &profiles()).map(|r| r.to_string())
    }

    #[test]
    fn reads_the_four_routes() {
        for (group, wanted) in [
            ("my-shop.real1", "real1 with real2 as standby"),
            ("my-shop.real2", "real2 with real1 as standby"),
            ("my-shop.real1.solo", "real1 solo"),
            ("my-shop.real2.solo", "real2 solo"),
        ] {
            assert_eq!(route(&format!("bluegreen 1 my-shop real1=8081 real2=8082 {group}\n")).unwrap(), wanted);
        }
    }

    #[test]
    fn anything_else_is_no_proof() {
        for text in [
            "",
            "real1",
            "<html>",
            "bluegreen 2 my-shop real1=8081 real2=8082 my-shop.real1",
            "bluegreen 1 my-shop real1=8081 real2=8082 my-shop.real1 more",
            "bluegreen 1 my-shop real1=8081 real2=8082",
            "bluegreen 1 my-shop real1=x real2=8082 my-shop.real1",
            "bluegreen 1 my-shop real1=8081 real2=8082 \x1b[2J",
        ] {
            assert_eq!(Proof::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn says_both_sides_of_a_difference() {
        let error = route("bluegreen 1 my-shop real1=9081 real2=8082 my-shop.real1").unwrap_err();
        assert!(matches!(&error, Blind::Differs(text)
            if text.contains("real1=9081 real2=8082") && text.contains("real1=8081 real2=8082")));
        let error = route("bluegreen 1 shop real1=8081 real2=8082 shop.real1").unwrap_err();
        assert!(matches!(error, Blind::Differs(_)));
        let swapped = route("bluegreen 1 my-shop real2=8082 real1=8081 my-shop.real1").unwrap_err();
        assert!(matches!(swapped, Blind::Differs(_)));
    }

    #[test]
    fn a_port_that_leads_somewhere_keeps_leading_there_under_another_name() {
        let leads = |text: &str| {
            let leads = Proof::parse(text).unwrap().leads(&"my-shop".parse().unwrap());
            leads.map(|lead| lead.map(|lead| (lead.port, lead.second, lead.solo)))
        };
        let now = |text: &str| leads(&format!("bluegreen 1 my-shop {text}"));
        assert_eq!(now("real1=8082 real2=8081 my-shop.real1.solo"), Ok(Some((8082, false, true))));
        assert_eq!(now("blue=8081 green=8082 my-shop.green"), Ok(Some((8082, true, false))));
        assert_eq!(now("real1=9081 real2=8082 my-shop.real1"), Ok(Some((9081, false, false))));
        assert_eq!(leads("bluegreen 1 shop real1=8081 real2=8082 shop.real1"), Ok(None));
        assert_eq!(now("real1=8081 real2=8082 "), Ok(None), "it has not looked");
        assert!(now("real1=8081 real2=8082 my-shop.real3").is_err(), "what is not understood is not nowhere");
    }

    #[test]
    fn never_guesses_a_group() {
        for group in ["my-shop.real3", "my-shop", "real1", "my-shop.real1.solo.solo", ""] {
            let error = route(&format!("bluegreen 1 my-shop real1=8081 real2=8082 {group}")).unwrap_err();
            assert!(matches!(error, Blind::Route(_)), "{group}");
        }
    }
}
