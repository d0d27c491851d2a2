//! One look at the health of a profile.

use std::{fmt::Debug, ops::Deref};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Profile, Stranger};

/// Asks once whether a profile is healthy.
///
/// # Contract
/// ONE attempt over a fresh connection; the engine counts, waits and gives up. Bounded in time and in bytes read.
///
/// # Idempotency
/// A probe must not change the app.
///
/// # Crash
/// Leaves nothing behind.
///
/// # Cancellation
/// May be dropped at any await.
///
/// # Errors
/// [`Unhealthy`] says what the attempt found instead.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait HealthProbe: Debug + Send + Sync {
    /// One attempt.
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy>;
}

#[async_trait]
impl<P: Deref<Target: HealthProbe> + Debug + Send + Sync> HealthProbe for P {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        (**self).check(profile).await
    }
}

/// Why an attempt did not find a healthy profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Unhealthy {
    /// Nobody listens yet. What the system calls it, as `Connection refused`, says no more.
    #[error("nobody listens")]
    Refused(String),
    /// The connection broke, or no answer came in time.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer that says "not healthy", or an error of the proxy.
    #[error("{0}")]
    Sick(String),
    /// A good answer, and not of the release: somebody else has the address that is asked.
    #[error("answered by {0}, which is not the release")]
    NotOurs(Box<Stranger>),
}
