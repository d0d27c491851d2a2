//! The witness: what does the proxy do now?

use std::fmt::Debug;

use async_trait::async_trait;

use crate::Route;

/// Reads the route from the proxy. The **witness** of every switch: what it reads is the only commit.
///
/// # Contract
/// Asks the proxy itself, over fresh connections, not a file that we wrote. Answers [`Ok`] only for what is in effect now:
/// while a change is pending, or file and effect differ, the answer is [`ResolveError::Unknown`]. It never guesses: an
/// error page, a third port or an unknown name is never one of the two profiles. A resolver that cannot see a standby must
/// not be wired to a proxy that has one.
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
/// [`ResolveError`] says which kind of "no answer" it was; each is bounded in time (a few seconds).
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ProfileResolver: Debug + Send + Sync {
    /// The route in effect now.
    async fn resolve(&self) -> Result<Route, ResolveError>;
}

/// Why there is no route to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The proxy is down, does not answer in time, a change is pending, or what it says makes no sense.
    #[error("the route is not known: {0}")]
    Unknown(String),
    /// The proxy answers, but it does not know the app yet. `prepare` works, a switch cannot.
    #[error("the proxy is not set up: {0}")]
    NotSetUp(String),
    /// The proxy can be switched, but sends traffic to neither profile now (as the article's port 8080).
    #[error("neither profile has the traffic: {0}")]
    Unmanaged(String),
    /// What the proxy says contradicts the configuration (other names or ports).
    #[error("the proxy's set-up differs from the configuration: {0}")]
    Differs(String),
}
