//! The address that users dial: who answers there?

use std::net::{Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use bluegreen_core::{Answer as Answered, Profile, Profiles, Unhealthy};
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
    limits: Vec<u16>,
}

impl FrontDoor {
    /// The front door at `url`, dialled as `options` say.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn new(url: &str, profiles: &Profiles, options: &Options) -> Result<Self, ClientError> {
        let door = Client::new(url, options)?;
        let [first, second] = profiles.both().map(|profile| own(url, profile, options));
        Ok(Self { door, profiles: profiles.clone(), own: [first?, second?], limits: Vec::new() })
    }

    /// The proxy limits the requests there, and answers so beyond that: nginx's `limit_req_status` and `limit_conn_status`, where 444
    /// closes the connection. Such an answer is nobody's, and the door is asked seldom from the first request on.
    #[must_use]
    pub fn with_limits(self, limits: Vec<u16>) -> Self {
        Self { limits, ..self }
    }

    /// What `profile` itself answers to the same request.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn own_answer(&self, profile: &Profile) -> Result<Answer, Unhealthy> {
        self.own(profile).get().await
    }

    fn own(&self, profile: &Profile) -> &Client {
        &self.own[usize::from(profile != self.profiles.first())]
    }

    /// A good answer that differs from the profile's own: finds out whose it is.
    async fn explain(&self, profile: &Profile, seen: &Answer, own: &Answer) -> Result<Answered, Unhealthy> {
        let other = |says: String| Ok(Answered::Other { status: seen.status, says });
        // asked again: an answer that changes from one request to the next proves nothing by its bytes
        let again = self.own(profile).get().await?;
        if same(&again, seen) {
            return Ok(Answered::Release);
        }
        if !same(&again, own) && (again.status, &again.content_type) == (seen.status, &seen.content_type) {
            return Ok(Answered::Release);
        }
        if let Some(beside) = self.beside(profile, seen).await {
            let says = format!("{beside} did: {}", seen.describe());
            return Ok(Answered::Beside { status: seen.status, says });
        }
        let (seen, own) = (seen.describe(), again.describe());
        other(format!("{seen}; {profile} itself says {own}"))
    }

    /// The profile beside `profile`, when this is what it answers.
    async fn beside(&self, profile: &Profile, seen: &Answer) -> Option<&Profile> {
        let beside = self.profiles.other(profile)?;
        self.own(beside).get().await.is_ok_and(|answer| same(&answer, seen)).then_some(beside)
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

/// What the proxy says when it could not reach the app, or not in time.
const GATEWAY: [u16; 2] = [502, 504];
/// How nginx calls it that a connection is closed without an answer.
const CLOSED: u16 = 444;
/// What it says beyond a limit of requests or connections.
const LIMITED: [u16; 2] = [429, 503];

#[async_trait]
impl bluegreen_core::FrontDoor for FrontDoor {
    async fn ask(&self, expected: &Profile) -> Answered {
        let (seen, own) = tokio::join!(self.door.get(), self.own(expected).get());
        let seen = match seen {
            Ok(seen) => seen,
            Err(error @ Unhealthy::Refused(_)) => return Answered::Down(error.to_string()),
            // nginx closes a connection that is beyond a limit, where it is told to
            Err(error) if self.limits.contains(&CLOSED) => return Answered::Limited(error.to_string()),
            Err(error) => return Answered::Nobody(error.to_string()),
        };
        let (status, says) = (seen.status, seen.describe());
        if self.limits.contains(&status) {
            return Answered::Limited(says);
        }
        let its_own = own.as_ref().is_ok_and(|own| same(own, &seen));
        if status >= 500 || LIMITED.contains(&status) {
            // an error that the profile gives by itself too is its own; whoever else made it, is not known
            return match status {
                status if its_own && status >= 500 => Answered::Sick { status, says },
                status if GATEWAY.contains(&status) => Answered::Gateway { status, says },
                status if LIMITED.contains(&status) => Answered::Limited(says),
                _ => Answered::Other { status, says },
            };
        }
        if seen.is_redirect() {
            return Answered::Other { status, says };
        }
        let failed = match &own {
            Ok(own) => Some(own.describe()).filter(|_| own.status >= 500),
            Err(error) => Some(error.to_string()),
        };
        // a failover hides the failure from users, for as long as there is one
        if let Some(failed) = failed
            && let Some(beside) = self.beside(expected, &seen).await
        {
            return Answered::Gateway { status, says: format!("{beside} answered in place of {expected}: {failed}") };
        }
        let explained = match own {
            Ok(_) if its_own => return Answered::Release,
            Ok(own) => self.explain(expected, &seen, &own).await,
            Err(error) => Err(error),
        };
        explained
            .unwrap_or_else(|error| Answered::Other { status, says: format!("{says}; {expected} itself: {error}") })
    }

    fn is_limited(&self) -> bool {
        !self.limits.is_empty()
    }
}
