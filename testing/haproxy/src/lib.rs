//! HAProxy as witness and actor: a prototype, which shows that the traits of the core fit another proxy.
//!
//! `use_backend %[str(APP),map(FILE)]` chooses one of four backends: each profile alone, and each with the other as `backup`. One
//! `set map` in each worker moves the route, and a map file of one line keeps it over a restart.

mod backends;
mod master;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use bluegreen_core::{Blind, Name, Profile, ProfileResolver, Profiles, ProxySwitcher, Route, SwitchError, Traffic};
use bluegreen_linux::files::{self, Replace, Rule};
use tokio::time::{Instant, sleep};

use backends::Backends;
use master::{Failed, Master, Worker};

/// One app behind HAProxy. Cheap to clone: witness and actor are the same value.
#[derive(Debug, Clone)]
pub struct Haproxy {
    backends: Backends,
    map: PathBuf,
    master: Master,
}

impl Haproxy {
    /// `map` is the file that `use_backend` names; it and its directory belong to who deploys. `master` is the socket of
    /// `haproxy -W -S`, which shows every worker: after a reload an old one goes on with its own copy of the map.
    pub fn new(app: Name, profiles: Profiles, map: &Path, master: &Path) -> Self {
        Self { backends: Backends { app, profiles }, map: map.to_owned(), master: Master(master.to_owned()) }
    }

    /// What an administrator puts into haproxy.cfg, once: the rule for the frontend, and the backends.
    pub fn snippet(&self) -> (String, String) {
        (format!("use_backend %[str({}),map({})]", self.backends.app, self.map.display()), self.backends.text())
    }

    /// Writes the map file: HAProxy does not start without it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, route: &Route) -> io::Result<()> {
        self.keep(&self.backends.of(route))
    }

    fn keep(&self, backend: &str) -> io::Result<()> {
        let line = format!("{} {backend}\n", self.backends.app);
        Ok(files::replace(&self.map, line.as_bytes(), &Replace::public())?)
    }

    /// The backend that the file names, which the next worker sends to.
    fn kept(&self) -> io::Result<String> {
        let text = files::text(&self.map, Rule::ANY, 1 << 16)?;
        let named = text.lines().find_map(|line| line.strip_prefix(self.backends.app.as_str())?.strip_prefix(' '));
        named
            .map(|backend| backend.trim().to_owned())
            .ok_or_else(|| io::Error::other("the map file has no line of the app"))
    }

    /// Sets the map in every worker. They are listed after the file was written: a reload that has read the file before is
    /// at its end when the master answers, and one that begins later reads the new one.
    async fn tell(&self, backend: &str, route: &Route) -> Result<(), Failed> {
        for worker in self.master.workers().await? {
            // proven healthy by the engine; what HAProxy saw of this port before was another process
            let up = match route.standby {
                Some(_) => worker.order(&format!("set server {backend}/{} health up", route.active)).await,
                None => Ok(()),
            };
            let set = format!("set map {} {} {backend}", self.map.display(), self.backends.app);
            match if up.is_ok() { worker.order(&set).await } else { up } {
                Err(Failed::Gone) if worker.old => {}
                told => told?,
            }
        }
        Ok(())
    }

    /// Where a worker sends requests that go to `backend`.
    async fn leads(&self, worker: &Worker, backend: &str) -> Result<Traffic, Blind> {
        let servers = worker.servers(backend).await?;
        let profiles = &self.backends.profiles;
        let ours = |(name, port): &(String, u16)| profiles.named(name).is_some_and(|profile| profile.port() == *port);
        match self.backends.routes().into_iter().find(|route| self.backends.of(route) == backend) {
            Some(route) if !servers.is_empty() && servers.iter().all(ours) => Ok(route.into()),
            None if servers.iter().all(|(_, port)| profiles.on_port(*port).is_none()) => {
                Ok(Traffic::Elsewhere(format!("to the backend {backend}")))
            }
            _ => Err(Blind::Differs(format!("the backend {backend} has the servers {servers:?}"))),
        }
    }

    async fn open_to(&self, profile: &Profile) -> Result<usize, Failed> {
        let mut sum = 0;
        for worker in self.master.workers().await? {
            sum += match worker.open(|backend| self.backends.has(backend), profile.name().as_str()).await {
                Err(Failed::Gone) if worker.old => 0,
                open => open?,
            };
        }
        Ok(sum)
    }
}

#[async_trait]
impl ProfileResolver for Haproxy {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        let (mut effective, mut current) = (None, None);
        for worker in self.master.workers().await? {
            let backend = match worker.mapped(&self.map, self.backends.app.as_str()).await {
                Err(Failed::Gone) if worker.old => continue,
                Ok(None) if !worker.old => return Ok(Traffic::NotSetUp(format!("no map {}", self.map.display()))),
                backend => backend?,
            };
            if effective.get_or_insert_with(|| backend.clone()) != &backend {
                return Err(Blind::Route(format!("workers differ: {effective:?} and {backend:?}")));
            }
            current = Some(worker).filter(|worker| !worker.old).or(current);
        }
        let (Some(Some(backend)), Some(worker)) = (effective, current) else {
            return Err(Blind::Route("HAProxy has no worker".to_owned()));
        };
        let kept = self.kept().map_err(|e| Blind::Route(e.to_string()))?;
        if kept != backend {
            return Err(Blind::Route(format!("pending: {backend} in effect, {kept} in the file")));
        }
        self.leads(&worker, &backend).await
    }
}

#[async_trait]
impl ProxySwitcher for Haproxy {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        let refused = |e: &dyn ToString| SwitchError::Refused(e.to_string());
        // nobody to tell: nothing is written
        self.master.workers().await.map_err(|e| refused(&e))?;
        let before = self.kept().map_err(|e| refused(&e))?;
        let old = self.backends.routes().into_iter().find(|route| self.backends.of(route) == before);
        // first the file: a restart between the two gives the new route, and until then the witness says "pending"
        self.write(route).map_err(|e| refused(&e))?;
        let Err(error) = self.tell(&self.backends.of(route), route).await else { return Ok(()) };
        match (self.keep(&before), self.tell(&before, old.as_ref().unwrap_or(route)).await) {
            (Ok(()), Ok(())) => Err(refused(&error)),
            _ => Err(SwitchError::Unsettled(error.to_string())),
        }
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        let until = Instant::now() + within;
        loop {
            let unseen = |e: Failed| Blind::Requests { profile: profile.to_string(), reason: e.to_string() };
            let left = self.open_to(profile).await.map_err(unseen)?;
            if left == 0 || Instant::now() >= until {
                return Ok(left);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
