//! The engine: one loop of four verbs over the state machine.

mod act;
mod along;
mod bake;
mod gate;
mod health;
mod interrupts;
mod prove;
mod run;
mod sight;
#[cfg(test)]
mod tests;
mod watch;

use std::{sync::Arc, time::Duration};

use crate::{
    Blind, Cancel, Command, Events, FrontDoor, Gate, HealthProbe, Holder, Lease, Outcome, Policy, ProcessManager,
    Profile, ProfileResolver, Profiles, ProxySwitcher, Receipt, Refusal, ReleaseId, Seen, StateStore, StoreError,
    Traffic, Transaction,
};
use interrupts::Interrupts;
use run::Run;

/// Deploys one app: the four traits, a store, and what the owner wants.
///
/// Every method that changes something takes the lock, recovers what an earlier run may have left, and then does its own
/// work. Do not drop the future of a run half-way (ask its [`Cancel`] instead): what is left is safe, but open, and the
/// next run takes it up.
#[derive(Debug, Clone)]
pub struct Deployer {
    profiles: Profiles,
    resolver: Arc<dyn ProfileResolver>,
    processes: Arc<dyn ProcessManager>,
    probe: Arc<dyn HealthProbe>,
    switcher: Arc<dyn ProxySwitcher>,
    store: Arc<dyn StateStore>,
    front_door: Option<Arc<dyn FrontDoor>>,
    gate: Option<Arc<dyn Gate>>,
    policy: Policy,
    events: Events,
}

/// How one run goes, apart from what it does.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who asks; shown to others who want the lock.
    pub holder: Holder,
    /// Heard until the bake ends.
    pub cancel: Cancel,
    /// The time that the whole command may take; then it is taken back like a cancelled one. The recovery before it is not
    /// taken back: it is cut off, and the next run goes on with it.
    pub deadline: Option<Duration>,
    /// Wait for the lock instead of giving up at once.
    pub wait: bool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// How it ended; `None` when it was so already.
    pub outcome: Option<Outcome>,
    /// Why there was nothing to do, for an [`EventKind::Already`](crate::EventKind::Already).
    pub already: Option<String>,
    /// What recovery had to do before, or could not.
    pub recovered: Option<Outcome>,
    /// The last transaction that was walked, as it was in its last step.
    pub transaction: Option<Transaction>,
    /// The release that it was about.
    pub release: Option<ReleaseId>,
    /// Where the traffic goes at the end.
    pub traffic: Result<Traffic, Blind>,
    /// What our own probes saw; `None` without a front door.
    pub receipt: Option<Receipt>,
}

/// Why a run did nothing of its own.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The state could not be locked, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command cannot begin.
    #[error("{refusal}")]
    Refused {
        /// Why not.
        #[source]
        refusal: Refusal,
        /// What the recovery before it had to do, or could not.
        recovered: Option<Box<Outcome>>,
    },
    /// The state could not be saved in the middle of a transaction: it stays open, the next run takes it up.
    #[error("the state could not be saved, so nothing more was done")]
    Unsaved(#[source] StoreError),
}

impl Deployer {
    /// Wires the parts. Without [`with_front_door`](Self::with_front_door) the proof of a deploy ends at the resolver.
    pub fn new(
        profiles: Profiles,
        resolver: impl ProfileResolver + 'static,
        processes: impl ProcessManager + 'static,
        probe: impl HealthProbe + 'static,
        switcher: impl ProxySwitcher + 'static,
        store: impl StateStore + 'static,
    ) -> Self {
        Self {
            profiles,
            resolver: Arc::new(resolver),
            processes: Arc::new(processes),
            probe: Arc::new(probe),
            switcher: Arc::new(switcher),
            store: Arc::new(store),
            front_door: None,
            gate: None,
            policy: Policy::default(),
            events: Events::default(),
        }
    }

    /// Proves each switch at the address that users dial.
    #[must_use]
    pub fn with_front_door(self, door: impl FrontDoor + 'static) -> Self {
        Self { front_door: Some(Arc::new(door)), ..self }
    }

    /// Who is asked where the policy has [`gates`](Policy::gates).
    #[must_use]
    pub fn with_gate(self, gate: impl Gate + 'static) -> Self {
        Self { gate: Some(Arc::new(gate)), ..self }
    }

    /// What the owner wants instead of [`Policy::default`].
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Who is told what happens.
    #[must_use]
    pub fn with_events(self, events: Events) -> Self {
        Self { events, ..self }
    }

    /// Deploys `release` all the way.
    ///
    /// # Errors
    /// As [`Deployer::run`]. A deploy that failed and was taken back is no error: see [`Report::outcome`].
    pub async fn deploy(&self, release: ReleaseId) -> Result<Report, RunError> {
        self.run(&Command::deploy(release), &Options::default()).await
    }

    /// Goes back to the last confirmed release.
    ///
    /// # Errors
    /// As [`Deployer::run`]; [`Refusal`] when there is nothing to go back to.
    pub async fn rollback(&self) -> Result<Report, RunError> {
        self.run(&Command::Rollback { release: None, only: None }, &Options::default()).await
    }

    /// Takes the lock, recovers, and does what `command` says.
    ///
    /// # Errors
    /// [`RunError`], when it did nothing of its own or could not save the state. What it did and how that ended, well or badly, is
    /// the [`Report`].
    pub async fn run(&self, command: &Command, options: &Options) -> Result<Report, RunError> {
        let interrupts = Interrupts::of(options);
        let lease = run::lock(self, options, &interrupts).await?;
        Run::start(self, &lease, interrupts).await?.command(command).await
    }

    /// Takes the lock, for several commands between which nobody else may come, as the halves of a deploy with work between
    /// them. Waits for it when `options` say so.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with who has it, also when the wait was interrupted.
    pub async fn lock(&self, options: &Options) -> Result<Lease, RunError> {
        run::lock(self, options, &Interrupts::of(options)).await
    }

    /// As [`run`](Self::run), under a lock that was taken before.
    ///
    /// # Errors
    /// As there.
    pub async fn run_locked(&self, lease: &Lease, command: &Command, options: &Options) -> Result<Report, RunError> {
        Run::start(self, lease, Interrupts::of(options)).await?.command(command).await
    }

    /// What is so now. Needs no lock and changes nothing.
    pub async fn look(&self) -> Seen {
        let [first, second] = self.profiles.both();
        let inspect = |profile| self.processes.inspect(profile);
        let (traffic, a, b) = tokio::join!(self.traffic(), inspect(first), inspect(second));
        Seen {
            profiles: self.profiles.clone(),
            traffic,
            occupants: [a, b],
            now: self.store.now(),
            interrupt: None,
            last: None,
        }
    }

    /// One health attempt on `profile`.
    ///
    /// # Errors
    /// What the probe says, when the profile is not healthy.
    pub async fn check(&self, profile: &Profile) -> Result<(), crate::Unhealthy> {
        self.probe.check(profile).await
    }
}
