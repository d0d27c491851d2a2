//! The witness of marker mode.

use async_trait::async_trait;
use bluegreen_core::{Blind, Name, ProfileResolver, Traffic, Unhealthy};
use bluegreen_http::Answer;

use super::{
    ProofLocation, RouteDir,
    proof::{Lead, Proof},
    proof_location,
};
use crate::{
    Master, MasterError,
    text::{chain, one_line},
};

/// Asks nginx, at the front door and over fresh connections, which route it follows.
///
/// It answers only when four answers agree and say what `live` says too. They come from one worker or several, as nginx takes
/// the connections.
#[derive(Debug, Clone)]
pub struct MarkerResolver {
    app: Name,
    route: RouteDir,
    proof: ProofLocation,
    master: Master,
}

impl MarkerResolver {
    /// One that asks at `proof` about the route of `app`.
    pub fn new(app: Name, route: RouteDir, proof: ProofLocation) -> Self {
        Self { app, route, proof, master: Master::new() }
    }

    /// The same, which takes no proof of another user who listens where `master` should.
    #[must_use = "returns the resolver"]
    pub fn with_master(self, master: Master) -> Self {
        Self { master, ..self }
    }

    /// Whether nginx has a proof of this app at all, of whatever route.
    pub(crate) async fn is_set_up(&self) -> Result<bool, Blind> {
        Ok(proof_in(&self.ask().await?).is_some())
    }

    /// Where nginx leads, whatever `live` says: `None` where it has no proof of this app, or is down and leads nobody.
    pub(crate) async fn leads(&self) -> Result<Option<Lead>, Blind> {
        let is_down = || matches!(self.master.pid(), Err(MasterError::NotRunning(_) | MasterError::PidFile(_)));
        let answer = match self.proof.ask().await {
            Err(Unhealthy::Refused(_)) if is_down() => return Ok(None),
            answer => answer.map_err(|error| self.unanswered(&error))?,
        };
        self.master.has_the_door().map_err(|error| Blind::Route(error.to_string()))?;
        match proof_in(&answer) {
            Some(proof) => proof.leads(&self.app),
            None => self.read(&answer).map(|_| None),
        }
    }

    async fn ask(&self) -> Result<Answer, Blind> {
        self.proof.ask().await.map_err(|error| self.unanswered(&error))
    }

    fn unanswered(&self, error: &Unhealthy) -> Blind {
        let proof = &self.proof;
        Blind::Route(match error {
            Unhealthy::Refused(_) => format!("nginx does not answer on {proof}: is it running?"),
            error => format!("nginx on {proof} gives {error}"),
        })
    }

    fn read(&self, answer: &Answer) -> Result<Traffic, Blind> {
        let (app, door, path) = (&self.app, &self.proof, proof_location::path(&self.app));
        if let (200, Some(proof)) = (answer.status, proof_in(answer)) {
            return proof.route(app, self.route.profiles()).map(Traffic::Ours);
        }
        // the way of a server block that only sends everybody elsewhere; an app redirects to a page of its own
        if let Some(target) = answer.location.as_deref().and_then(|location| location.strip_suffix(&path)) {
            let target = one_line(target);
            return Err(Blind::Route(format!("{door} redirects to {target}, which is not asked")));
        }
        if matches!(answer.status, 429 | 503) {
            return Err(Blind::Route(format!("nginx on {door} refuses to say: {}", answer.describe())));
        }
        Ok(Traffic::NotSetUp(format!(
            "{door} has no proof of {app} ({} at {path}); if it was set up, that is another server block",
            answer.status
        )))
    }
}

#[async_trait]
impl ProfileResolver for MarkerResolver {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        // all at once: half the time of one after the other, and as many workers are seen
        let (a, b, c, d) = tokio::join!(self.ask(), self.ask(), self.ask(), self.ask());
        let traffic = self.read(&a?)?;
        for answer in [b, c, d] {
            let again = self.read(&answer?)?;
            if again != traffic {
                return Err(Blind::Route(format!(
                    "nginx's answers differ: {traffic}, then {again}; a change is under way, or workers of an old \
                     configuration still answer"
                )));
            }
        }
        let Some(route) = traffic.route() else { return Ok(traffic) };
        self.master.has_the_door().map_err(|error| Blind::Route(error.to_string()))?;
        // a lost `live` is a route too: nginx and we read it the same way
        let named = self.route.read().map_err(|e| Blind::Route(chain(&e)))?;
        let named = named.unwrap_or_else(|| self.route.fallback());
        if named == *route {
            return Ok(traffic);
        }
        Err(Blind::Route(format!(
            "{} says {named}, nginx says {route}: its workers cannot enter the directory, open_file_cache is on in the \
             server block, or nginx looks at another path",
            self.route.path().join("live").display()
        )))
    }
}

fn proof_in(answer: &Answer) -> Option<Proof> {
    Proof::parse(std::str::from_utf8(&answer.body).ok()?)
}

#[cfg(test)]
mod tests;
