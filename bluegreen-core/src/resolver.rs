//! The witness: what does the proxy do now?

use std::{
    fmt::{self, Debug},
    ops::Deref,
};

use async_trait::async_trait;

use crate::{Blind, Profiles, Route};

/// Reads the route from the proxy. The **witness** of every switch: what it reads is the only commit.
///
/// # Contract
/// Asks the proxy itself, over fresh connections, not a file that we wrote. Answers [`Ok`] only for what is in effect now:
/// while a change is pending, or file and effect differ, the answer is [`Blind`]. It never guesses: an error page, a target
/// that it cannot follow or an unknown name is neither one of the two profiles nor [`Traffic::Elsewhere`]. A resolver that cannot
/// see a standby must not be wired to a proxy that has one.
///
/// # Idempotency
/// Changes nothing; may be called at any time and at once with any other call.
///
/// # Crash
/// Leaves nothing behind.
///
/// # Cancellation
/// May be dropped at any await.
///
/// # Errors
/// [`Blind`], bounded in time (a few seconds). The engine asks again for a while before it believes it.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ProfileResolver: Debug + Send + Sync {
    /// What is in effect now.
    async fn resolve(&self) -> Result<Traffic, Blind>;
}

#[async_trait]
impl<P: Deref<Target: ProfileResolver> + Debug + Send + Sync> ProfileResolver for P {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        (**self).resolve().await
    }
}

/// Where the proxy is known to send new requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// To one of the two profiles.
    Ours(Route),
    /// Somewhere that is **proven** to be neither profile (as the article's port 8080), with the words for where. The proxy can be
    /// switched.
    Elsewhere(String),
    /// The proxy answers, but it does not know the app yet, with the words for what it says. `prepare` works, a switch cannot.
    NotSetUp(String),
}

impl Traffic {
    /// The same, when it is about these profiles.
    ///
    /// # Errors
    /// It leads to one that is none of the two: then nothing was seen that we know.
    pub(crate) fn among(&self, profiles: &Profiles) -> Result<&Self, Blind> {
        let named = self.route().map(|route| [Some(&route.active), route.standby.as_ref()]);
        let foreign = named.into_iter().flatten().flatten().find(|profile| !profiles.contains(profile));
        foreign.map_or(Ok(self), |foreign| {
            let port = foreign.port();
            Err(Blind::Differs(format!("it leads to {foreign} on port {port}, which is none of the two profiles")))
        })
    }

    /// The route, when it leads to a profile.
    pub fn route(&self) -> Option<&Route> {
        match self {
            Self::Ours(route) => Some(route),
            Self::Elsewhere(_) | Self::NotSetUp(_) => None,
        }
    }
}

impl From<Route> for Traffic {
    fn from(route: Route) -> Self {
        Self::Ours(route)
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(route) => write!(f, "{route}"),
            Self::Elsewhere(to) => write!(f, "neither profile has the traffic: {to}"),
            Self::NotSetUp(why) => write!(f, "the proxy is not set up: {why}"),
        }
    }
}
