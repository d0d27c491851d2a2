//! The witness of reload mode: the include file, and workers younger than it.

use async_trait::async_trait;
use bluegreen_core::{Profile, ProfileResolver, Profiles, ResolveError, Route};
use bluegreen_http::ProfileEndpoint;

use super::{
    IncludeError, IncludeFile, Says,
    include::{Content, parse},
};
use crate::{Master, drain::listeners_on, text::one_line};

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

    /// The file, if the workers have read it.
    fn in_effect(&self) -> Result<Content, ResolveError> {
        let unknown = |error: &dyn ToString| ResolveError::Unknown(error.to_string());
        let workers = self.master.workers().map_err(|error| unknown(&error))?;
        let content = self.include.content().map_err(|error| match error {
            IncludeError::Missing(_) => ResolveError::NotSetUp(error.to_string()),
            error => unknown(&error),
        })?;
        if workers.started_after(content.modified) {
            return Ok(content);
        }
        let path = self.include.path().display();
        Err(ResolveError::Unknown(format!(
            "{path} is newer than nginx's workers: a reload is pending or was refused; see nginx's error log, then reload it"
        )))
    }

    fn route(&self, content: &Content) -> Result<Route, ResolveError> {
        let path = self.include.path().display();
        match parse(&content.text) {
            Says::Port(port) => {
                let found = self.profiles.on_port(port).cloned().map(Route::solo);
                found.ok_or_else(|| ResolveError::Unmanaged(format!("{path} leads to port {port}")))
            }
            Says::Elsewhere(url) => Err(ResolveError::Unmanaged(format!("{path} leads to {}", one_line(&url)))),
            Says::Nothing => Err(ResolveError::Unknown(format!("{path} has no `set $service_url http://...;`"))),
        }
    }
}

#[async_trait]
impl ProfileResolver for IncludeResolver {
    async fn resolve(&self) -> Result<Route, ResolveError> {
        let route = self.route(&self.in_effect()?)?;
        let Some(endpoint) = &self.endpoint else { return Ok(route) };
        let listeners = listeners_on(route.active.port());
        if listeners.map_err(|error| ResolveError::Unknown(format!("cannot see who listens: {error}")))?.is_empty() {
            return Ok(route);
        }
        let told = endpoint.resolve().await?;
        if told == route {
            return Ok(route);
        }
        let (told, file): (Profile, Profile) = (told.active, route.active);
        Err(ResolveError::Unknown(format!("the include file says {file}, but {told} answers")))
    }
}
