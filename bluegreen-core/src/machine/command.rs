use crate::{Blind, Profile, ReleaseId, Step, Transaction};

/// What a run is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Command {
    /// Brings a release onto the idle profile and the traffic to it. With a transaction of the same release that rests, it
    /// goes on.
    Deploy {
        /// What.
        release: ReleaseId,
        /// Rest when this is true; [`Step::Retire`] goes all the way, [`Step::Health`] is `prepare`.
        until: Step,
        /// The two releases cannot live side by side: no failover, and the old one is stopped in the end.
        breaking: bool,
        /// Abandon another release that rests.
        replace: bool,
        /// Do nothing when this release has the traffic already.
        if_changed: bool,
    },
    /// Goes on with the transaction that rests.
    Promote {
        /// Only if this release rests; nothing when it has the traffic already, else refused.
        release: Option<ReleaseId>,
        /// Rest when this is true.
        until: Step,
        /// Stop the old release in the end, whatever the policy says. It is written down: a run that goes on after a kill does it too.
        drain: bool,
    },
    /// Takes back the transaction that rests.
    Abort {
        /// Only if it is about this release.
        release: Option<ReleaseId>,
    },
    /// Back to the last confirmed release, or to the one named.
    Rollback {
        /// Which one.
        release: Option<ReleaseId>,
        /// Only if this release is the one that should have the traffic now.
        only: Option<ReleaseId>,
    },
    /// Starts what should run, after a reboot.
    Up,
    /// Nothing of its own: only the recovery that comes before every command.
    Recover,
}

impl Command {
    /// A whole deploy of `release`.
    pub fn deploy(release: ReleaseId) -> Self {
        Self::Deploy { release, until: Step::Retire, breaking: false, replace: false, if_changed: false }
    }

    /// Its word, for the lock and for messages.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Deploy { until: Step::Health, .. } => "prepare",
            Self::Deploy { .. } => "deploy",
            Self::Promote { .. } => "promote",
            Self::Abort { .. } => "abort",
            Self::Rollback { .. } => "rollback",
            Self::Up => "up",
            Self::Recover => "recover",
        }
    }
}

/// Why a command does not even begin. Nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// What it would touch cannot be seen.
    #[error("what is so cannot be seen, and nothing is touched on a guess")]
    Blind(#[source] Blind),
    /// The proxy does not know the app.
    #[error("the proxy is not set up: {0}")]
    NotSetUp(String),
    /// It needs a profile with the traffic, and neither has it.
    #[error("neither profile has the traffic: {0}")]
    Elsewhere(String),
    /// Another transaction rests.
    #[error("{} of {} waits on {} after {}", .0.kind, .0.release, .0.to, .0.step)]
    Waiting(Box<Transaction>),
    /// `promote` without anything to promote.
    #[error("nothing is prepared")]
    NothingPrepared,
    /// `promote` or `abort` beside a release that runs without traffic, of which a state that was lost said why.
    #[error("whether {0}, which runs on {1}, waits is not known, as the state was lost")]
    Lost(ReleaseId, Profile),
    /// `promote` of a release that does not rest, and has not the traffic either.
    #[error("release {0} is not prepared, and has not the traffic either")]
    NotPrepared(ReleaseId),
    /// There is no confirmed release to go back to.
    #[error("there is no confirmed release to go back to")]
    NothingToRollBack,
    /// The release failed, so no rollback leads to it.
    #[error("release {0} has failed: no rollback leads to it, deploy it again if you mean it")]
    HasFailed(ReleaseId),
    /// The profiles were renamed or moved to other ports while a transaction was open.
    #[error("the open transaction is about {0}, which the configuration does not have any more")]
    ProfilesChanged(String),
}
