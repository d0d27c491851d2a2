//! What could not be seen. It is never the same as nothing.

use serde::{Deserialize, Serialize};

/// Why it cannot be told what is so. Whatever it is about may be anything, so nothing of it may be touched: only the undo of a
/// switch goes on, which orders the old route again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Blind {
    /// The proxy is down, does not answer in time, a change is pending, or what it says makes no sense.
    #[error("the route is not known: {0}")]
    Route(String),
    /// What the proxy says contradicts the configuration (other names or ports).
    #[error("the proxy's set-up differs from the configuration: {0}")]
    Differs(String),
    /// It could not be found out who is on a profile.
    #[error("cannot see what runs on {profile}: {reason}")]
    Profile {
        /// The profile's name.
        profile: String,
        /// What went wrong.
        reason: String,
    },
    /// It could not be found out whether the proxy has something open to a profile.
    #[error("cannot see what is open to {profile}: {reason}")]
    Requests {
        /// The profile's name.
        profile: String,
        /// What went wrong.
        reason: String,
    },
}
