//! The witness of reload mode: the include file, and workers younger than it.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use bluegreen_core::{Blind, ProfileResolver, Profiles, Route, Traffic};
use bluegreen_http::ProfileEndpoint;
use bluegreen_linux::ports::is_answered;

use super::{
    IncludeError, IncludeFile, Says,
    include::{Content, parse},
};
use crate::{Master, text::one_line};

/// Reads the route from the include file, when nginx's workers were started after it was written.
///
/// A file that is newer than a worker that takes connections is a reload that is pending, or that nginx refused without a
/// word: the route is not known. Times of files are by the wall clock: after it was set back, reload nginx once.
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

    /// The file, if the workers have read it; else what its absence says.
    fn in_effect(&self) -> Result<Result<Content, Traffic>, Blind> {
        let workers = self.master.workers().map_err(|error| Blind::Route(error.to_string()))?;
        let content = match self.include.content() {
            Ok(content) => content,
            Err(error @ IncludeError::Missing(_)) => return Ok(Err(Traffic::NotSetUp(error.to_string()))),
            Err(error) => return Err(Blind::Route(error.to_string())),
        };
        if workers.started_after(content.modified) {
            return Ok(Ok(content));
        }
        let path = self.include.path().display();
        Err(Blind::Route(format!(
            "{path} is newer than nginx's workers: a reload is pending or was refused; see nginx's error log, then reload it"
        )))
    }

    fn leads(&self, content: &Content) -> Result<Traffic, Blind> {
        let path = self.include.path().display();
        match parse(&content.text) {
            Says::Port(port) => {
                let elsewhere = || Traffic::Elsewhere(format!("{path} leads to port {port}"));
                Ok(self.profiles.on_port(port).cloned().map(Route::solo).map_or_else(elsewhere, Traffic::Ours))
            }
            Says::Elsewhere(url) => Ok(Traffic::Elsewhere(format!("{path} leads to {}", one_line(&url)))),
            Says::Nothing => Err(Blind::Route(format!("{path} has no `set $service_url http://...;`"))),
        }
    }
}

#[async_trait]
impl ProfileResolver for IncludeResolver {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        let traffic = match self.in_effect()? {
            Ok(content) => self.leads(&content)?,
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
        Err(Blind::Route(format!("the include file says {route}, but who answers says {told}")))
    }
}
