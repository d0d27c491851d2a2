//! The actor: makes the proxy send traffic somewhere else.

use std::{fmt::Debug, ops::Deref, time::Duration};

use async_trait::async_trait;

use crate::{Blind, Profile, Route};

/// Moves the route. The **actor**; it never proves its own work: that is what the [`ProfileResolver`] is for.
///
/// [`ProfileResolver`]: crate::ProfileResolver
///
/// # Contract
/// `switch_to` returns [`Ok`] when the change has settled: requests that arrive from now on follow `route`. It keeps every
/// connection and every request in flight that the proxy lets it keep. The engine proves health before it calls, and the
/// effect after.
///
/// # Idempotency
/// Switching to the route in effect does nothing and succeeds.
///
/// # Crash
/// Killed at any instant, the proxy has the old route or the new one, never a third.
///
/// # Cancellation
/// `switch_to` is never dropped half-way. `drain` may be dropped.
///
/// # Errors
/// A refused change has been taken back before the error returns, or [`SwitchError::Unsettled`] says that it was not. A `drain` that
/// cannot see is [`Blind`].
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ProxySwitcher: Debug + Send + Sync {
    /// Makes `route` the route in effect.
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError>;

    /// Waits until the proxy has no request open to `profile`, at most `within`, and says how many it still has, or connections
    /// with one. Running out of time is not an error: what is left (streams, WebSockets) is the caller's to end.
    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind>;
}

#[async_trait]
impl<P: Deref<Target: ProxySwitcher> + Debug + Send + Sync> ProxySwitcher for P {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        (**self).switch_to(route).await
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        (**self).drain(profile, within).await
    }
}

/// Why the route did not move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The proxy refused, or the change could not be written. The old route is in effect.
    #[error("the proxy did not take the route: {0}")]
    Refused(String),
    /// It is not certain which route is in effect.
    #[error("the route may be half changed: {0}")]
    Unsettled(String),
}
