//! The address that users dial.

use std::{fmt::Debug, ops::Deref};

use async_trait::async_trait;

use crate::Profile;

/// Asks once, as a user would, and says who answered.
///
/// # Contract
/// ONE request over a fresh connection; the engine counts, waits and judges. Bounded in time and in bytes read. An answer is
/// [`Answer::Release`] or [`Answer::Sick`] only by evidence that the expected profile gave it; what merely may be its answer is
/// [`Answer::Other`].
///
/// # Idempotency
/// A request must not change the app.
///
/// # Crash
/// Leaves nothing behind.
///
/// # Cancellation
/// May be dropped at any await.
///
/// # Errors
/// None: that nobody answers is an answer.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait FrontDoor: Debug + Send + Sync {
    /// Who answers now; `expected` is the profile that gets the traffic.
    async fn ask(&self, expected: &Profile) -> Answer;

    /// Whether the proxy is known to limit requests there: the users share the limit, so it is asked seldom from the first request on.
    fn is_limited(&self) -> bool {
        false
    }
}

#[async_trait]
impl<P: Deref<Target: FrontDoor> + Debug + Send + Sync> FrontDoor for P {
    async fn ask(&self, expected: &Profile) -> Answer {
        (**self).ask(expected).await
    }

    fn is_limited(&self) -> bool {
        (**self).is_limited()
    }
}

/// Who answered at the front door.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The expected profile, well. Where both profiles answer alike it may be the other one: the engine asks before the switch too.
    Release,
    /// The expected profile, with an error of its own.
    Sick {
        /// The status of the answer.
        status: u16,
        /// In words.
        says: String,
    },
    /// The proxy, which got no answer of the profile: an error of its own, or what the other profile said in its place.
    Gateway {
        /// The status of the answer: 502 or 504 as a rule, that of the other profile where it stood in.
        status: u16,
        /// In words.
        says: String,
    },
    /// The proxy, which refuses requests beyond a limit of its own: whoever asks less often helps the users.
    Limited(String),
    /// Somebody else, or it cannot be told: the other profile, another server block, a cache, a page that wants a password.
    Other {
        /// The status of the answer.
        status: u16,
        /// In words, and what to do if that is known.
        says: String,
    },
    /// The other profile, or a cache that keeps its page: nobody can tell the two apart.
    Beside {
        /// The status of the answer.
        status: u16,
        /// In words.
        says: String,
    },
    /// Nobody: the connection broke, or no answer came in time.
    Nobody(String),
    /// Nobody listens there: the proxy is down, which is no word about a release.
    Down(String),
}

impl Answer {
    /// In words, what it was instead of a good answer of the expected profile.
    pub fn says(&self) -> &str {
        match self {
            Self::Release => "answered",
            Self::Sick { says, .. }
            | Self::Gateway { says, .. }
            | Self::Other { says, .. }
            | Self::Beside { says, .. }
            | Self::Limited(says)
            | Self::Nobody(says)
            | Self::Down(says) => says,
        }
    }

    /// Whether a user who sent this request would have got no proper answer.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Sick { .. } | Self::Nobody(_) | Self::Down(_) => true,
            Self::Gateway { status, .. } | Self::Other { status, .. } | Self::Beside { status, .. } => *status >= 500,
            Self::Release | Self::Limited(_) => false,
        }
    }

    /// Its status, as far as it is an error of a server.
    pub(crate) fn error(&self) -> Option<u16> {
        match self {
            Self::Sick { status, .. } | Self::Gateway { status, .. } | Self::Other { status, .. } => {
                Some(*status).filter(|status| *status >= 500)
            }
            Self::Release | Self::Beside { .. } | Self::Limited(_) | Self::Nobody(_) | Self::Down(_) => None,
        }
    }
}
