//! The witness of marker mode.

use std::io::ErrorKind;

use async_trait::async_trait;
use bluegreen_core::{Name, ProfileResolver, ResolveError, Route};

use super::{Proof, RouteDir, proof, switcher::chain};
use crate::{FrontDoor, front_door::Answer};

/// Asks nginx, at the front door and over fresh connections, which route it follows.
///
/// It answers only when several answers agree (they come from several workers) and say what `live` says too.
#[derive(Debug, Clone)]
pub struct MarkerResolver {
    app: Name,
    route: RouteDir,
    door: FrontDoor,
}

/// Answers that must agree.
const ANSWERS: usize = 4;

impl MarkerResolver {
    /// One that asks at `door` about the route of `app`.
    pub fn new(app: Name, route: RouteDir, door: FrontDoor) -> Self {
        Self { app, route, door }
    }

    async fn ask(&self) -> Result<Route, ResolveError> {
        let door = &self.door;
        let answer = door.get(&proof::path(&self.app)).await.map_err(|e| match e.kind() {
            ErrorKind::ConnectionRefused => {
                ResolveError::Unknown(format!("nginx does not answer on {door}: is it running?"))
            }
            ErrorKind::TimedOut => ResolveError::Unknown(format!("no answer from {door} in time")),
            _ => ResolveError::Unknown(format!("no answer from {door}: {e}")),
        })?;
        self.read(&answer)
    }

    fn read(&self, answer: &Answer) -> Result<Route, ResolveError> {
        let (app, door) = (&self.app, &self.door);
        if let (300..400, Some(location)) = (answer.status, &answer.location) {
            let target = printable(location.split("/.well-known/bluegreen/").next().unwrap_or(location));
            return Err(ResolveError::Unknown(format!(
                "{door} redirects to {target}: write url = \"{target}/\" under [proxy.nginx], and `connect` if another \
                 address is to be dialled"
            )));
        }
        match (answer.status, Proof::parse(&answer.body)) {
            (200, Some(proof)) => proof.route(app, self.route.profiles()),
            (500.., _) => Err(ResolveError::Unknown(format!("nginx answers {} on {door}", answer.status))),
            _ => Err(ResolveError::NotSetUp(format!(
                "{door} has no proof of {app} ({} at {}); run `bluegreen setup`, or check proxy.nginx.url: it may reach \
                 another server block",
                answer.status,
                proof::path(app)
            ))),
        }
    }
}

#[async_trait]
impl ProfileResolver for MarkerResolver {
    async fn resolve(&self) -> Result<Route, ResolveError> {
        let route = self.ask().await?;
        for _ in 1..ANSWERS {
            let again = self.ask().await?;
            if again != route {
                return Err(ResolveError::Unknown(format!(
                    "nginx's answers differ: {route}, then {again}; a change is under way, or workers of an old \
                     configuration still answer"
                )));
            }
        }
        // a lost `live` is a route too: nginx and we read it the same way
        let named = self.route.read().map_err(|e| ResolveError::Unknown(chain(&e)))?;
        let named = named.unwrap_or_else(|| self.route.fallback());
        if named == route {
            return Ok(route);
        }
        Err(ResolveError::Unknown(format!(
            "{} says {named}, nginx says {route}: its workers cannot enter the directory, open_file_cache is on in the \
             server block, or nginx looks at another path; run `bluegreen setup --check`",
            self.route.path().join("live").display()
        )))
    }
}

/// Text from a server, safe to print: at most 200 characters, none that controls a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(200).collect()
}

#[cfg(test)]
mod tests;
