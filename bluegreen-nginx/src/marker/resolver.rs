//! The witness of marker mode.

use async_trait::async_trait;
use bluegreen_core::{Name, ProfileResolver, ResolveError, Route, Unhealthy};

use super::{
    RouteDir,
    proof::{self, Proof},
    switcher::chain,
};
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

    /// Whether nginx has a proof of this app at all, of whatever route.
    pub(crate) async fn is_set_up(&self) -> Result<bool, ResolveError> {
        Ok(proof_in(&self.ask().await?).is_some())
    }

    async fn ask(&self) -> Result<Answer, ResolveError> {
        let door = &self.door;
        let path = proof::path(&self.app);
        door.get(&path).await.map_err(|e| match e {
            Unhealthy::Refused(_) => ResolveError::Unknown(format!("nginx does not answer on {door}: is it running?")),
            e => ResolveError::Unknown(format!("nginx on {door} gives {e}")),
        })
    }

    fn read(&self, answer: &Answer) -> Result<Route, ResolveError> {
        let (app, door, path) = (&self.app, &self.door, proof::path(&self.app));
        if let (200, Some(proof)) = (answer.status, proof_in(answer)) {
            return proof.route(app, self.route.profiles());
        }
        // the way of a server block that only sends everybody elsewhere; an app redirects to a page of its own
        if let Some(target) = answer.location.as_deref().and_then(|location| location.strip_suffix(&path)) {
            let target = printable(target);
            return Err(ResolveError::Unknown(format!(
                "{door} redirects to {target}: write url = \"{target}/\" under [proxy.nginx], and `connect` if another \
                 address is to be dialled"
            )));
        }
        Err(ResolveError::NotSetUp(format!(
            "{door} has no proof of {app} ({} at {path}); run `bluegreen setup`, or check proxy.nginx.url: it may reach \
             another server block",
            answer.status
        )))
    }
}

#[async_trait]
impl ProfileResolver for MarkerResolver {
    async fn resolve(&self) -> Result<Route, ResolveError> {
        let route = self.read(&self.ask().await?)?;
        for _ in 1..ANSWERS {
            let again = self.read(&self.ask().await?)?;
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

fn proof_in(answer: &Answer) -> Option<Proof> {
    Proof::parse(std::str::from_utf8(&answer.body).ok()?)
}

/// Text from a server, safe to print: at most 200 characters, none that controls a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(200).collect()
}

#[cfg(test)]
mod tests;
