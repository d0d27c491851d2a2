//! The witness of reload mode: the include file, and workers younger than it.

use std::{fs, net::Ipv4Addr, path::Path};

use async_trait::async_trait;
use bluegreen_core::{Blind, ProfileResolver, Profiles, Route, Traffic};
use bluegreen_http::ProfileEndpoint;
use bluegreen_linux::ports::is_answered;

use super::{
    IncludeError, IncludeFile, Says,
    address::{Address, parse},
    include::Content,
    leads::Leads,
    site::Site,
};
use crate::{Master, master::Workers, text::one_line};

/// Reads the route from the include file, when nginx's workers were started after it was written.
///
/// A file that is newer than a worker that takes connections is a reload that is pending, or that nginx refused without a
/// word: the route is not known. Times of files are by the wall clock: after it was set back, reload nginx once.
///
/// The file may name a port of this machine, or an upstream group that leads to one: then the rest of nginx's configuration is
/// asked, as far as this user may read it. What it does not say is [`Blind`], and never taken for a route to somewhere else.
#[derive(Debug)]
pub struct IncludeResolver {
    include: IncludeFile,
    profiles: Profiles,
    master: Master,
    endpoint: Option<ProfileEndpoint>,
}

impl IncludeResolver {
    /// The witness of `include`, as the workers of `master` have read it.
    pub fn new(include: IncludeFile, profiles: &Profiles, master: Master) -> Self {
        Self { include, profiles: profiles.clone(), master, endpoint: None }
    }

    /// `GET /profile` must say the same, as the scripts ask it. Where nobody listens on the port in the include file, the
    /// file alone decides: the answer could only be an error page.
    #[must_use = "returns the resolver"]
    pub fn with_endpoint(mut self, endpoint: ProfileEndpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// The file, if these workers have read it; else what its absence says.
    fn in_effect(&self, workers: &Workers) -> Result<Result<Content, Traffic>, Blind> {
        let content = match self.include.content() {
            Ok(content) => content,
            Err(error @ IncludeError::Missing(_)) => return Ok(Err(Traffic::NotSetUp(error.to_string()))),
            Err(error) => return Err(Blind::Route(error.to_string())),
        };
        if workers.started_after(content.modified) { Ok(Ok(content)) } else { Err(newer(self.include.path())) }
    }

    async fn traffic(&self, content: &Content, workers: &Workers) -> Result<Traffic, Blind> {
        let path = self.include.path().display();
        match parse(&content.text) {
            Says::To(address) => self.follow(&address, workers).await,
            Says::Unclear(why) => Err(Blind::Route(format!("{path}: {}", one_line(&why)))),
            Says::Nothing => Err(Blind::Route(format!("{path} has no `set $service_url http://...;`"))),
        }
    }

    async fn follow(&self, address: &Address, workers: &Workers) -> Result<Traffic, Blind> {
        let path = self.include.path();
        let found = Site::of(&self.master).await.leads(path, address, &self.profiles);
        for file in found.files {
            let modified = fs::metadata(&file).and_then(|meta| meta.modified());
            let modified = modified.map_err(|e| Blind::Route(format!("cannot look at {}: {e}", file.display())))?;
            if !workers.started_after(modified) {
                return Err(newer(&file));
            }
        }
        match found.leads {
            Leads::To(profile) => Ok(Traffic::Ours(Route::solo(profile))),
            Leads::Elsewhere(to) => Ok(Traffic::Elsewhere(format!("{} leads to {}", path.display(), one_line(&to)))),
            Leads::Unclear(why) => Err(Blind::Route(format!("{}: {}", path.display(), one_line(&why)))),
        }
    }
}

fn newer(path: &Path) -> Blind {
    Blind::Route(format!(
        "{} is newer than nginx's workers: a reload is pending or was refused; see nginx's error log, then reload it",
        path.display()
    ))
}

#[async_trait]
impl ProfileResolver for IncludeResolver {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        let workers = self.master.workers().map_err(|error| Blind::Route(error.to_string()))?;
        let traffic = match self.in_effect(&workers)? {
            Ok(content) => self.traffic(&content, &workers).await?,
            Err(absent) => return Ok(absent),
        };
        let (Some(endpoint), Some(route)) = (&self.endpoint, traffic.route()) else { return Ok(traffic) };
        let answered = is_answered((Ipv4Addr::LOCALHOST, route.active.port()).into());
        if !answered.map_err(|error| Blind::Route(format!("cannot see who listens: {error}")))? {
            return Ok(traffic);
        }
        let told = endpoint.resolve().await?;
        if told == traffic {
            return Ok(traffic);
        }
        let told = told.route().map_or_else(|| told.to_string(), |route| format!("{} answers", route.active));
        Err(Blind::Route(format!("the include file says {}, but {told}", route.active)))
    }
}
