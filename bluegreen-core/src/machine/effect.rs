use std::time::Duration;

use crate::{Failure, Occupant, Process, Profile, ReleaseId, Step};

/// One idempotent, bounded thing done towards a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Takes the standby away; the active profile stays what it is.
    Isolate {
        /// The active profile.
        active: Profile,
        /// Whether also when the active profile is silent and the standby is what answers.
        sacrifice: Sacrifice,
    },
    /// Waits `settle`, drains and stops a process of ours on a profile that the proxy does not use.
    Stop {
        /// Where it runs.
        profile: Profile,
        /// Which one.
        process: Process,
        /// How long to wait before that, because the profile lost its traffic only just now.
        settle: Duration,
    },
    /// Starts a release.
    Start {
        /// Where.
        profile: Profile,
        /// What.
        release: ReleaseId,
    },
    /// Asks the owner whether the deploy may go on.
    Gate {
        /// To this step: [`Step::Stop`] or [`Step::Switch`].
        before: Step,
        /// The process that would get the traffic; `None` before there is one.
        process: Option<Process>,
    },
    /// Waits until a process is healthy, or until that is hopeless.
    AwaitHealthy {
        /// Where it runs.
        profile: Profile,
        /// Which one.
        process: Process,
        /// Whether an earlier run of it has ended in this step: the next end is a death.
        again: bool,
    },
    /// Proves the occupant healthy and moves the route to it, solo.
    Switch {
        /// Where to.
        to: Profile,
        /// Who must be there, before and after the probes.
        expect: Occupant,
    },
    /// Waits until the front door answers with the profile.
    Prove {
        /// Which one.
        profile: Profile,
    },
    /// Proves the other occupant healthy and makes it the standby.
    Standby {
        /// The active profile.
        active: Profile,
        /// The failover.
        standby: Profile,
        /// Who must be there.
        expect: Occupant,
    },
    /// Watches a process under real traffic.
    Bake {
        /// Where it runs.
        profile: Profile,
        /// Which one.
        process: Process,
    },
}

/// Which standby may be taken away although it is what answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sacrifice {
    /// None.
    Never,
    /// One that is not healthy, as a proof inside of the effect says: the next recovery moves the traffic to any other.
    Sick,
    /// Any: recovery never moves the traffic to it, so a deploy is the only way on.
    Always,
}

impl Effect {
    /// Whether it changes the world; the others only look, or ask the owner.
    pub fn changes(&self) -> bool {
        !matches!(self, Self::AwaitHealthy { .. } | Self::Prove { .. } | Self::Bake { .. } | Self::Gate { .. })
    }
}

/// An effect that was done, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acted {
    /// What was done.
    pub effect: Effect,
    /// How it went.
    pub result: Result<(), Failure>,
}
