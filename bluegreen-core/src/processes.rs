//! What runs on a profile, and how it is started and stopped.

use std::{
    fmt::{self, Debug},
    net::SocketAddr,
    ops::Deref,
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Blind, Profile, ReleaseId};

/// What runs on a profile. Its identities are opaque, and never come back, not even after a reboot or a reused pid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// The release that it was started from.
    pub release: ReleaseId,
    /// The identity of the run: what is proven, and watched.
    pub run: String,
    /// The identity of the start: what a stop ends. A supervisor that runs it again, after it ended by itself, keeps this.
    pub start: String,
}

impl Process {
    /// One that nobody runs again: its only run is its start.
    pub fn new(release: ReleaseId, id: impl Into<String>) -> Self {
        let run = id.into();
        Self { release, start: run.clone(), run }
    }
}

/// Who is on a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Occupant {
    /// No process of ours, and nobody listens on the port.
    Nobody,
    /// A live process of ours, and of nobody else; also one that ended, between two runs, as long as its supervisor will run it
    /// again.
    Ours {
        /// Which one.
        process: Process,
        /// Whether the port's listeners are its own. `false`: it has not bound the port, nor has anybody else.
        listening: bool,
    },
    /// The port is held by somebody else, or it cannot be told whose it is.
    Stranger {
        /// Who.
        who: Stranger,
        /// A live process of ours that does not have the port.
        beside: Option<Process>,
    },
}

/// Somebody who listens where a profile is dialled, and is not ours. What this user may not see of him is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Stranger {
    /// One of the processes that hold the socket.
    pub pid: Option<u32>,
    /// The name of the user that opened it, or the number of one without a name.
    pub user: Option<String>,
    /// What the process calls itself: for people, never to tell who it is.
    pub program: Option<String>,
    /// Where he listens. `None`: nobody does, and yet somebody answers, as through a rule of the firewall.
    pub address: Option<SocketAddr>,
}

impl Stranger {
    /// One of whom nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }
}

/// `pid 41234 (user deploy): java`, or `a hidden process of user deploy`.
impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.user) {
            (Some(pid), Some(user)) => write!(f, "pid {pid} (user {user})")?,
            (Some(pid), None) => write!(f, "pid {pid} (unknown user)")?,
            (None, Some(user)) => write!(f, "a hidden process of user {user}")?,
            (None, None) if self.address.is_none() => {
                f.write_str("somebody who listens elsewhere, as behind a rule of the firewall")?;
            }
            (None, None) => f.write_str("a hidden process of another user")?,
        }
        self.program.iter().try_for_each(|program| write!(f, ": {program}"))
    }
}

impl Occupant {
    /// Somebody else, and nothing of ours.
    pub fn stranger(who: Stranger) -> Self {
        Self::Stranger { who, beside: None }
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
    /// Where it listens; `None` where that cannot be seen.
    #[serde(default)]
    pub listens: Option<Vec<SocketAddr>>,
}

/// Runs releases on profiles.
///
/// # Contract
/// Only a process that is proven to be ours is ever signalled; a listener of which it cannot be told whose it is counts as an
/// [`Occupant::Stranger`]. Nobody is signalled who answers on the other profile, or is an ancestor of who does: that is
/// [`ProcessError::Shared`]. Only who receives what the proxy dials is on a profile, wherever else on its port others listen. A
/// started process outlives the caller and holds none of its locks, pipes or descriptors.
///
/// # Idempotency
/// `inspect` changes nothing. `start` on a profile where that release of ours runs already does nothing; with anything else
/// on the profile it is an error. `stop` of a process that is gone succeeds; it ends the start, in whichever run that is by now, and
/// does nothing to any other that has taken its place.
///
/// # Crash
/// Killed at any instant, the next `inspect` finds what was started, whether or not it had been recorded.
///
/// # Cancellation
/// The engine never drops `start` and `stop` half-way. `inspect` may be dropped.
///
/// # Errors
/// `start` returns once the program runs (exec succeeded), not when it is ready: that it ends at once is no error of it. `stop` returns when every process of the
/// group is gone, else it is an error; it gives the port a moment to become free, and whoever else has taken it, the next `inspect` names.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ProcessManager: Debug + Send + Sync {
    /// Who is on `profile` now. Milliseconds; the engine asks several times a second.
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind>;

    /// Starts `release` on `profile`.
    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError>;

    /// Asks `process` to end, waits up to `grace`, then ends it.
    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError>;

    /// What is known of the last process that `start` put on `profile`.
    async fn autopsy(&self, profile: &Profile) -> Autopsy;
}

#[async_trait]
impl<P: Deref<Target: ProcessManager> + Debug + Send + Sync> ProcessManager for P {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        (**self).inspect(profile).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        (**self).start(profile, release).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        (**self).stop(profile, process, grace).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        (**self).autopsy(profile).await
    }
}

/// Why a process could not be started or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program could not be started.
    #[error("cannot start {release} on {profile}: {reason}")]
    Start {
        /// The profile's name.
        profile: String,
        /// The release's short id.
        release: String,
        /// What went wrong.
        reason: String,
        /// Whether there is nothing that could be started: the release is not in the store, or not all of it, or it cannot be
        /// executed. Then recovery makes way for an older one. `false`: at another time the same may work.
        unstartable: bool,
    },
    /// Somebody has the port without listening on it, so nothing was started: on the other profile it may be.
    #[error("cannot start {release} on {profile}: it could not listen: {reason}")]
    Taken {
        /// The profile's name.
        profile: String,
        /// The release's short id.
        release: String,
        /// Who has it.
        reason: String,
    },
    /// What answers on the other profile would have ended too, so nothing was signalled.
    #[error(
        "{profile} and {other} share processes: what runs on {profile} cannot be ended without {who}, which answers on {other}"
    )]
    Shared {
        /// The name of the profile that was to be freed.
        profile: String,
        /// The other profile's name.
        other: String,
        /// Who answers there.
        who: Box<Stranger>,
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
    fn a_stranger_is_told_as_far_as_he_is_seen() {
        let all = Stranger { pid: Some(7), user: Some("deploy".into()), program: Some("java".into()), address: None };
        assert_eq!(all.to_string(), "pid 7 (user deploy): java");
        assert_eq!(Stranger { program: None, user: None, ..all.clone() }.to_string(), "pid 7 (unknown user)");
        let hidden = Stranger { pid: None, program: None, ..all };
        assert_eq!(hidden.to_string(), "a hidden process of user deploy");
        let listens = Stranger { user: None, address: Some(([127, 0, 0, 1], 8081).into()), ..hidden };
        assert_eq!(listens.to_string(), "a hidden process of another user");
        assert!(Stranger::new().to_string().starts_with("somebody who listens elsewhere"), "nobody was seen to listen");
    }
}
