//! The address that users dial: who answers there?

use std::net::{Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use bluegreen_core::{HealthProbe, Profile, Profiles, Unhealthy};
use reqwest::{
    Url,
    header::{HeaderName, HeaderValue},
};

use crate::{Answer, Client, ClientError, InvalidUrl, Options};

/// The front door: a request as a user sends it, whose answer is compared with the profile's own answer to the same request.
///
/// Each check costs two requests in parallel, and up to three more when the answers differ. Nothing is remembered between
/// checks: a remembered answer could be that of a process that is gone. Where both releases answer with the same bytes it
/// cannot tell them apart; then the resolver alone does. Where an answer differs from one request to the next (a date, a
/// token), status and content type are all that is compared: choose a page that names its profile, as `/profile`.
#[derive(Debug)]
pub struct FrontDoor {
    door: Client,
    profiles: Profiles,
    own: [Client; 2],
}

impl FrontDoor {
    /// The front door at `url`, dialled as `options` say.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(url: &str, profiles: &Profiles, options: &Options) -> Result<Self, ClientError> {
        let door = Client::new(url, options)?;
        let [first, second] = profiles.both().map(|profile| own(url, profile, options));
        Ok(Self { door, profiles: profiles.clone(), own: [first?, second?] })
    }

    fn own(&self, profile: &Profile) -> &Client {
        &self.own[usize::from(profile != self.profiles.first())]
    }

    /// The answers differ: finds out whose the front door's is.
    async fn explain(&self, profile: &Profile, seen: &Answer, own: &Answer) -> Result<(), Unhealthy> {
        // asked again: an answer that changes from one request to the next proves nothing by its bytes
        let again = self.own(profile).get().await?;
        if same(&again, seen) {
            return Ok(());
        }
        if !same(&again, own) && (again.status, &again.content_type) == (seen.status, &seen.content_type) {
            return Ok(());
        }
        let other = self.profiles.other(profile);
        if self.own(other).get().await.is_ok_and(|answer| same(&answer, seen)) {
            return Err(Unhealthy::Other(format!("{other} did: {}", seen.describe())));
        }
        let (seen, own) = (seen.describe(), again.describe());
        Err(Unhealthy::Other(format!(
            "{seen}; {profile} itself says {own}: set proxy.nginx.url to an address of this app"
        )))
    }
}

/// A client of the same request to the profile itself.
fn own(url: &str, profile: &Profile, options: &Options) -> Result<Client, ClientError> {
    let syntax = |reason: String| ClientError::Url { url: url.to_owned(), source: InvalidUrl::Syntax(reason) };
    let mut direct = Url::parse(url).map_err(|error| syntax(error.to_string()))?;
    let secure = direct.scheme() == "https";
    direct.set_scheme("http").map_err(|()| syntax("it has no host".to_owned()))?;
    let connect = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, profile.port())));
    let client = Client::new(direct.as_str(), &Options { connect, ..options.clone() })?;
    // as nginx does in front of it: else many apps answer with a redirect to https
    let forwarded = (HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"));
    Ok(if secure { client.with_header(forwarded.0, forwarded.1) } else { client })
}

/// Whether two answers are the same as far as a user sees.
fn same(a: &Answer, b: &Answer) -> bool {
    a.status == b.status && a.body == b.body
}

#[async_trait]
impl HealthProbe for FrontDoor {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let (seen, own) = tokio::join!(self.door.get(), self.own(profile).get());
        let seen = seen?;
        if seen.status >= 500 {
            return Err(Unhealthy::Sick(seen.describe()));
        }
        if seen.is_redirect() {
            let text = format!("{}: set proxy.nginx.url to the address and page that users reach", seen.describe());
            return Err(Unhealthy::Other(text));
        }
        match own {
            Ok(own) if same(&own, &seen) => Ok(()),
            Ok(own) => self.explain(profile, &seen, &own).await,
            Err(error) => Err(Unhealthy::Other(format!("{}; {profile} itself: {error}", seen.describe()))),
        }
    }
}
