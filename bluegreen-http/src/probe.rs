//! Health over HTTP.

use async_trait::async_trait;
use bluegreen_core::{HealthProbe, Name, Profile, Profiles, Template, Unhealthy};

use crate::{Body, Client, ClientError, Options, StatusRanges};

/// Asks a profile itself, on its own port.
#[derive(Debug)]
pub struct HttpProbe {
    app: Name,
    profiles: Profiles,
    clients: [Client; 2],
    status: StatusRanges,
    body: Body,
}

impl HttpProbe {
    /// A probe of `url`, in which `{app}`, `{profile}`, `{port}` and `{other_port}` are filled in. 200 to 299 is healthy.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(app: &Name, profiles: &Profiles, url: &Template, options: &Options) -> Result<Self, ClientError> {
        let client = |profile| Client::new(&url.render(|name| value(app, profiles, profile, name)), options);
        let clients = [client(profiles.first())?, client(profiles.second())?];
        let (app, profiles) = (app.clone(), profiles.clone());
        Ok(Self { app, profiles, clients, status: StatusRanges::default(), body: Body::Any })
    }

    /// Other status codes are healthy.
    #[must_use = "returns the probe"]
    pub fn status(mut self, status: StatusRanges) -> Self {
        self.status = status;
        self
    }

    /// The body matters.
    #[must_use = "returns the probe"]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

/// What a placeholder stands for; a release's own (`{version}`, ...) stay as they are.
fn value(app: &Name, profiles: &Profiles, profile: &Profile, name: &str) -> Option<String> {
    match name {
        "app" => Some(app.to_string()),
        "profile" => Some(profile.name().to_string()),
        "port" => Some(profile.port().to_string()),
        "other_port" => Some(profiles.other(profile)?.port().to_string()),
        _ => None,
    }
}

#[async_trait]
impl HealthProbe for HttpProbe {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let client = &self.clients[usize::from(profile != self.profiles.first())];
        let answer = client.get().await?;
        if !self.status.contain(answer.status) {
            return Err(Unhealthy::Sick(answer.describe()));
        }
        let complaint = self.body.complaint(&answer, |name| value(&self.app, &self.profiles, profile, name));
        complaint.map_or(Ok(()), |text| Err(Unhealthy::Sick(text)))
    }
}
