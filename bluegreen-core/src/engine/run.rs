use std::time::Duration;

use tokio::time::Instant;

use super::{Deployer, Options, Report, RunError, interrupts::Interrupts, sight::Darkness, watch::Watch};
use crate::{
    Cause, Command, EventKind, Failure, Kind, Lease, Outcome, Refusal, Seen, State, Step, StoreError, Transaction,
    machine::{Acted, Begin, Next, Recovery, Then, Tried, begin, hears, rebuild, recover, step},
    millis,
};

/// How often a run that waits for the lock tries again.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// One command under the lock.
pub(super) struct Run<'a> {
    pub(super) deployer: &'a Deployer,
    pub(super) interrupts: Interrupts,
    /// Watches the front door around a switch.
    pub(super) watch: Option<Watch>,
    /// What the last effect saw, for the line of its step.
    pub(super) detail: String,
    /// Whether the effect under way may be interrupted.
    hears: bool,
    /// Whether this is the recovery before the command.
    recovers: bool,
    /// The deadline has cut that off.
    cut: bool,
    /// Since when something cannot be seen.
    pub(super) darkness: Darkness,
    pub(super) lease: &'a Lease,
    state: State,
    /// The last transaction that this run walked.
    pub(super) walked: Option<Transaction>,
    pub(super) step_began: Instant,
    /// The last step of this transaction that was told as done.
    told: Option<Step>,
}

impl<'a> Run<'a> {
    pub(super) async fn start(
        deployer: &'a Deployer,
        lease: &'a Lease,
        interrupts: Interrupts,
    ) -> Result<Self, RunError> {
        let (state, lost) = match deployer.store.load() {
            Err(StoreError::Corrupt { path, reason }) => {
                (State::default(), Some(format!("{path} is damaged: {reason}")))
            }
            loaded => (loaded?, None),
        };
        let (watch, detail, walked, step_began, told) = (None, String::new(), None, Instant::now(), None);
        let (hears, recovers, cut, darkness) = (true, false, false, Darkness::default());
        let mut run = Self {
            deployer,
            interrupts,
            watch,
            detail,
            hears,
            recovers,
            cut,
            darkness,
            lease,
            state,
            walked,
            step_began,
            told,
        };
        if let Some(lost) = lost {
            run.rebuild(&lost).await?;
        }
        Ok(run)
    }

    /// Nothing of the state can be read. What is seen takes its place, and nothing is guessed.
    async fn rebuild(&mut self, lost: &str) -> Result<(), RunError> {
        let state = rebuild(&self.look(None).await)
            .map_err(|blind| RunError::Refused { refusal: Refusal::Blind(blind), recovered: None })?;
        let found = match state.last_good() {
            Some(good) => format!("release {good}, which has the traffic, counts as good"),
            None => "nothing of ours has the traffic, so no release counts as good".to_owned(),
        };
        self.deployer.events.warn(format!("{lost}; what was written there is forgotten: {found}"));
        self.deployer.store.save(self.lease, &state).map_err(RunError::Unsaved)?;
        self.state = state;
        Ok(())
    }

    pub(super) async fn command(mut self, command: &Command) -> Result<Report, RunError> {
        let (recovered, mut seen) = self.recover().await?;
        let only_recovery = matches!(command, Command::Recover | Command::Up);
        if let (true, Some(Outcome::Degraded { .. })) = (only_recovery || self.cut, &recovered) {
            return Ok(self.report(None, None, recovered).await);
        }
        loop {
            match begin(&self.state, command, &seen, &self.deployer.policy) {
                Begin::Go(state) => {
                    let outcome = self.walk(*state).await?;
                    let outcome = self.leaves_well(outcome, &seen).await?;
                    return Ok(self.report(Some(outcome), None, recovered).await);
                }
                Begin::First(state) => {
                    let undone = self.walk(*state).await?;
                    if matches!(undone, Outcome::Degraded { .. }) {
                        return Ok(self.report(Some(undone), None, recovered).await);
                    }
                    self.watch = None;
                    seen = self.look(None).await;
                }
                // what waited for the promotion was taken back: a yes that changed nothing is a no
                Begin::Already(_) | Begin::Refuse(Refusal::NotPrepared(_) | Refusal::NothingPrepared)
                    if recovered.is_some() && self.walked_what_is_promoted(command) =>
                {
                    return Ok(self.report(recovered, None, None).await);
                }
                Begin::Already(what) => return Ok(self.report(None, Some(what), recovered).await),
                Begin::Refuse(refusal) => {
                    return Err(RunError::Refused { refusal, recovered: recovered.map(Box::new) });
                }
            }
        }
    }

    /// Whether the recovery has just walked what `command` was to promote.
    fn walked_what_is_promoted(&self, command: &Command) -> bool {
        match command {
            Command::Promote { release: Some(named), .. } => {
                self.walked.as_ref().is_some_and(|tx| tx.release == *named)
            }
            Command::Promote { release: None, .. } => true,
            _ => false,
        }
    }

    /// Brings what an earlier run left, or an accident did, to a safe state with a name. Nobody takes it back; the deadline cuts
    /// it off, which is as safe as a kill: the next run goes on with it. Also the sight by which that is so: the command begins
    /// by it, so that nothing happens between the two that recovery would have answered.
    pub(super) async fn recover(&mut self) -> Result<(Option<Outcome>, Seen), RunError> {
        let deadline = self.interrupts.only_deadline();
        let interrupts = std::mem::replace(&mut self.interrupts, deadline);
        self.recovers = true;
        let outcome = self.recover_to_fixed_point().await;
        self.recovers = false;
        self.interrupts = interrupts;
        self.watch = None;
        outcome
    }

    async fn recover_to_fixed_point(&mut self) -> Result<(Option<Outcome>, Seen), RunError> {
        let (mut tried, mut done) = (Tried::default(), None);
        loop {
            let seen = self.living().await;
            let state = match recover(&self.state, &seen, &self.deployer.policy, tried) {
                // what is blind is refused by `begin`, with what was done so far
                Recovery::Stable | Recovery::Rests(_) | Recovery::Blind(_) => return Ok((done, seen)),
                Recovery::Degraded(reason) => return Ok((Some(self.degraded(reason)), seen)),
                Recovery::Walk(state) => state,
            };
            tried.begins(&self.state, &state);
            let outcome = self.walk(*state).await?;
            let before = tried;
            tried.ended(&outcome);
            if tried.again && !before.again {
                self.deployer.events.warn("it did not start, which may be for a moment only: it is tried once more");
                // whoever wants us to stop is heard in the next walk
                let _ = self.interrupts.sleep(self.current(), self.deployer.policy.blindness).await;
            }
            let closed = self.state.transaction.is_none();
            done = Some(outcome);
            if !closed {
                return Ok((done, self.living().await));
            }
        }
    }

    fn degraded(&self, reason: String) -> Outcome {
        let tx = self.state.transaction.as_ref();
        let step = tx.map_or(Step::Stop, |tx| tx.step);
        let unknown = || Failure::new(step, Cause::Route, reason.clone());
        Outcome::Degraded { failure: tx.and_then(|tx| tx.undo.clone()).unwrap_or_else(unknown), reason }
    }

    /// The engine: look, step, save, act.
    async fn walk(&mut self, opened: State) -> Result<Outcome, RunError> {
        self.announce(&opened);
        let (mut state, mut last) = (opened, None);
        loop {
            let seen = self.look(last).await;
            let mut next = step(&state, &seen, &self.deployer.policy);
            self.explain(&mut next).await;
            self.tell(&next);
            self.save(&next.state)?;
            self.hears = next.state.transaction.as_ref().is_some_and(|tx| hears(tx, &seen));
            state = next.state;
            match next.then {
                Then::End(outcome) => return Ok(outcome),
                Then::Do(effect) => {
                    let result = self.act(&effect).await;
                    if let (true, Some(interrupt)) = (self.recovers, self.interrupts.now()) {
                        self.cut = true;
                        let reason =
                            "the deadline has passed in the recovery before the command; the next one goes on with it";
                        let failure = interrupt.failure(self.current());
                        self.deployer.events.emit(EventKind::Failed { failure: failure.clone() });
                        return Ok(Outcome::Degraded { failure, reason: reason.to_owned() });
                    }
                    last = Some(Acted { effect, result });
                }
            }
        }
    }

    pub(super) async fn look(&self, last: Option<Acted>) -> Seen {
        // what is recovered is not taken back because another command has no time
        let interrupt = self.interrupts.now().filter(|_| !self.recovers);
        Seen { interrupt, last, ..self.sight().await }
    }

    /// Durable when it returns; what is written already is not written again.
    fn save(&mut self, state: &State) -> Result<(), RunError> {
        if *state != self.state {
            self.deployer.store.save(self.lease, state).map_err(RunError::Unsaved)?;
            self.state = state.clone();
        }
        Ok(())
    }

    fn announce(&mut self, opened: &State) {
        let Some(tx) = &opened.transaction else { return };
        let resumed = self.state.transaction.as_ref().is_some_and(|old| old.number == tx.number);
        self.told = None;
        self.deployer.events.set_deploy(tx.number);
        let (kind, from, to, release) = (tx.kind, tx.from.clone(), tx.to.clone(), tx.release.clone());
        self.deployer.events.emit(EventKind::Began { kind, from, to, release, resumed });
        self.begin_step(tx);
        self.walked = Some(tx.clone());
    }

    fn begin_step(&mut self, tx: &Transaction) {
        self.step_began = Instant::now();
        match &tx.undo {
            Some(failure) => self.deployer.events.emit(EventKind::Undoing { failure: failure.clone() }),
            None => self.deployer.events.emit(EventKind::StepStarted { step: tx.step, profile: tx.to.clone() }),
        }
    }

    /// Tells what `next` means compared with what was so far.
    fn tell(&mut self, next: &Next) {
        next.warnings.iter().for_each(|warning| self.deployer.events.warn(warning));
        let Some(before) = self.walked.take() else { return };
        let now = next.state.transaction.as_ref();
        let ended = matches!(next.then, Then::End(Outcome::DONE | Outcome::Paused(_)));
        // a step is done when the transaction is past it, or ends well
        let passed = |step: Step| step >= before.step && (ended || now.is_some_and(|tx| tx.step > step));
        let last = if let Then::End(Outcome::Paused(step)) = next.then { step } else { before.until };
        if before.undo.is_none() {
            Step::ALL.into_iter().filter(|step| passed(*step) && *step <= last).for_each(|step| self.done(step));
        }
        // when there is nothing to take back, the end is the only place where the failure stands
        let failure = match &next.then {
            Then::End(Outcome::Undone(failure) | Outcome::Degraded { failure, .. }) => Some(failure),
            _ => now.and_then(|tx| tx.undo.as_ref()),
        };
        let failed = failure.filter(|_| before.undo.is_none());
        if let Some(failure) = failed {
            self.deployer.events.emit(EventKind::Failed { failure: failure.clone() });
        }
        if let Some(tx) = now.filter(|tx| failed.is_some() || (tx.undo.is_none() && tx.step > before.step)) {
            self.begin_step(tx);
        }
        self.walked = Some(now.cloned().unwrap_or(before));
    }

    /// Tells that `step` is done, unless that was told: what is asked between two steps belongs to neither.
    pub(super) fn done(&mut self, step: Step) {
        if self.told < Some(step) {
            let (took_ms, detail) = (millis(self.step_began.elapsed()), std::mem::take(&mut self.detail));
            self.deployer.events.emit(EventKind::StepDone { step, took_ms, detail });
            self.told = Some(step);
        }
        self.step_began = Instant::now();
    }

    async fn report(mut self, outcome: Option<Outcome>, already: Option<String>, recovered: Option<Outcome>) -> Report {
        let receipt = match self.watch.take() {
            Some(watch) => Some(watch.finish().await),
            None => None,
        };
        let seen = self.deployer.look().await;
        let serving = seen.route().and_then(|route| seen.ours(&route.active));
        // the warm release gets no traffic: what serves is what it was about
        let walked = self.walked.as_ref().filter(|tx| tx.kind != Kind::Warm);
        let release = walked.map(|tx| tx.release.clone()).or(serving.map(|p| p.release.clone()));
        Report { outcome, already, recovered, transaction: self.walked, release, traffic: seen.traffic, receipt }
    }

    pub(super) fn open(&self) -> Option<&Transaction> {
        self.state.transaction.as_ref()
    }

    /// The step under way.
    pub(super) fn current(&self) -> Step {
        self.state.transaction.as_ref().map_or(Step::Stop, |tx| tx.step)
    }

    /// What may end a wait now.
    pub(super) fn interrupts(&self) -> Interrupts {
        if self.hears || self.recovers { self.interrupts.clone() } else { Interrupts::never() }
    }
}

pub(super) async fn lock(deployer: &Deployer, options: &Options, interrupts: &Interrupts) -> Result<Lease, RunError> {
    let mut told = None;
    loop {
        match deployer.store.lock(&options.holder) {
            Err(StoreError::Locked(holder)) if options.wait && interrupts.now().is_none() => {
                let holder = holder.map_or_else(|| "another process".to_owned(), |holder| holder.to_string());
                if told.as_ref() != Some(&holder) {
                    deployer.events.emit(EventKind::LockWaiting { holder: holder.clone() });
                    told = Some(holder);
                }
                // an interrupt is seen in the next round
                let _ = interrupts.sleep(Step::Stop, LOCK_POLL).await;
            }
            result => return Ok(result?),
        }
    }
}
