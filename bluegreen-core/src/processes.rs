//! What runs on a profile, and how it is started and stopped.

use std::{fmt::Debug, net::SocketAddr, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Profile, ReleaseId};

/// What runs on a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Process {
    /// The release that it was started from.
    pub release: ReleaseId,
    /// An opaque identity that no other process ever has, not even after a reboot or a reused pid.
    pub id: String,
}

/// Who is on a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Occupant {
    /// No process of ours, and nobody listens on the port.
    Nobody,
    /// A live process of ours, and of nobody else.
    Ours {
        /// Which one.
        process: Process,
        /// Whether the port's listeners are its own. `false`: it has not bound the port, nor has anybody else.
        listening: bool,
    },
    /// The port is held by somebody else, or it cannot be told whose it is.
    Stranger {
        /// Who, for a person to read.
        who: String,
        /// A live process of ours that does not have the port.
        beside: Option<Process>,
    },
}

/// The text of a stranger behind words that name the port already: `pid 41234 (user deploy): java`.
pub(crate) fn who_holds<'a>(profile: &Profile, who: &'a str) -> &'a str {
    who.strip_prefix(&format!("port {} is held by ", profile.port())).unwrap_or(who)
}

impl Occupant {
    /// Somebody else, and nothing of ours.
    pub fn stranger(who: impl Into<String>) -> Self {
        Self::Stranger { who: who.into(), beside: None }
    }

    /// Our process, listening or not.
    pub fn ours(&self) -> Option<&Process> {
        match self {
            Self::Ours { process, .. } => Some(process),
            _ => None,
        }
    }

    /// Whether somebody listens on the port, as far as can be told.
    pub fn listens(&self) -> bool {
        matches!(self, Self::Ours { listening: true, .. } | Self::Stranger { .. })
    }
}

/// How a process ended, for a person to read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Autopsy {
    /// The exit code or signal in words, when it could be seen.
    pub exit: Option<String>,
    /// The last lines of its log, without control and escape sequences.
    pub log: Vec<String>,
    /// Where it listens, as far as that can be seen.
    #[serde(default)]
    pub listens: Vec<SocketAddr>,
}

/// Runs releases on profiles.
///
/// # Contract
/// Only a process that is proven to be ours is ever signalled; "cannot tell" is [`Occupant::Stranger`]. A started process
/// outlives the caller and holds none of its locks, pipes or descriptors.
///
/// # Idempotency
/// `inspect` changes nothing. `start` on a profile where that release of ours runs already does nothing; with anything else
/// on the profile it is an error. `stop` of a process that is gone succeeds; it does nothing to any other process that has
/// taken its place.
///
/// # Crash
/// Killed at any instant, the next `inspect` finds what was started, whether or not it had been recorded.
///
/// # Cancellation
/// The engine never drops `start` and `stop` half-way. `inspect` may be dropped.
///
/// # Errors
/// `start` returns once the program runs (exec succeeded), not when it is ready. `stop` returns when every process of the
/// group is gone and the port is free, else it is an error.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ProcessManager: Debug + Send + Sync {
    /// Who is on `profile` now. Milliseconds; the engine asks several times a second.
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, ProcessError>;

    /// Starts `release` on `profile`.
    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError>;

    /// Asks `process` to end, waits up to `grace`, then ends it.
    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError>;

    /// What is known of the last process that `start` put on `profile`.
    async fn autopsy(&self, profile: &Profile) -> Autopsy;
}

/// Why a process could not be looked at, started or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It could not be found out who is on the profile.
    #[error("cannot see what runs on {profile}: {reason}")]
    Inspect {
        /// The profile's name.
        profile: String,
        /// What went wrong.
        reason: String,
    },
    /// The program could not be started.
    #[error("cannot start {release} on {profile}: {reason}")]
    Start {
        /// The profile's name.
        profile: String,
        /// The release's short id.
        release: String,
        /// What went wrong.
        reason: String,
    },
    /// The process, or its port, did not go away.
    #[error("cannot stop what runs on {profile}: {reason}")]
    Stop {
        /// The profile's name.
        profile: String,
        /// What went wrong.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_a_port_is_said_once() {
        let profile = Profile::new("real2".parse().unwrap(), 8082).unwrap();
        for who in ["port 8082 is held by pid 7 (user deploy): java", "pid 7 (user deploy): java"] {
            assert_eq!(who_holds(&profile, who), "pid 7 (user deploy): java");
        }
        assert_eq!(who_holds(&profile, "cannot tell"), "cannot tell");
    }
}
