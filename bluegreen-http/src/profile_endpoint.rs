//! `GET /profile` through the proxy, as the scripts do it.

use async_trait::async_trait;
use bluegreen_core::{Blind, ProfileResolver, Profiles, Route, Traffic};

use crate::{Answer, Client, answer::plain};

/// The longest body that can be a name, in bytes.
const NAME_LIMIT: usize = 64;

/// Reads the active profile's name from the app, through the proxy. It cannot see a standby.
///
/// Unlike the scripts it takes only the exact name of one of the two profiles; an error page is never "the other one".
#[derive(Debug)]
pub struct ProfileEndpoint {
    client: Client,
    profiles: Profiles,
}

impl ProfileEndpoint {
    /// Asks with `client`.
    pub fn new(client: Client, profiles: &Profiles) -> Self {
        Self { client, profiles: profiles.clone() }
    }
}

#[async_trait]
impl ProfileResolver for ProfileEndpoint {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        let answer = self.client.get().await.map_err(|error| Blind::Route(error.to_string()))?;
        route(&self.profiles, &answer).map(Traffic::Ours).map_err(Blind::Route)
    }
}

/// The route that `answer` names, or what it says instead.
pub(crate) fn route(profiles: &Profiles, answer: &Answer) -> Result<Route, String> {
    if !(200..300).contains(&answer.status) || answer.is_html() || answer.body.len() > NAME_LIMIT {
        return Err(format!("expected a profile's name, got {}", answer.describe()));
    }
    let text = answer.text();
    let [first, second] = profiles.both().map(bluegreen_core::Profile::name);
    let found = profiles.named(text.trim()).cloned().map(Route::solo);
    found.ok_or_else(|| format!("expected {first} or {second}, got {:?}", plain(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bluegreen_core::Profile;

    fn read(status: u16, body: &str) -> Result<Route, String> {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
        let answer =
            Answer { status, content_type: String::new(), location: None, body: body.into(), truncated: false };
        route(&profiles, &answer)
    }

    #[test]
    fn only_an_exact_name_is_a_route() {
        assert_eq!(read(200, "real2").unwrap().active.port(), 8082);
        assert_eq!(read(200, " real1\r\n").unwrap().active.port(), 8081);
        for body in ["", "Real1", "\"real1\"", "\u{feff}real1", "real1,oauth", "real3", "real1 real2"] {
            assert!(read(200, body).unwrap_err().starts_with("expected real1 or real2"), "{body:?}");
        }
    }

    #[test]
    fn anything_else_is_unknown() {
        assert_eq!(read(500, "real1").unwrap_err(), "expected a profile's name, got 500 Internal Server Error: real1");
        assert_eq!(read(302, "real1").unwrap_err(), "expected a profile's name, got 302 Found: real1");
        assert!(read(200, "<!doctype html>real1").unwrap_err().ends_with("200 OK: an HTML page"));
        assert!(read(200, &format!("real1{}", " ".repeat(60))).is_err());
    }
}
