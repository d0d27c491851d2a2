//! What must hold, whatever happens.

use bluegreen_core::{Kind, Occupant, Policy, Profile, Route, State, Step, machine::Effect, testing::World};

use super::host::{Host, answers_well, former};

/// The promises, by name. The first five are the design's invariants 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Promise {
    /// Invariant 1: the route moves, back too, only to a profile whose current process is proven healthy in the same effect, or to
    /// the foreign one that had it before us. A standby likewise, and never one that failed.
    RouteOnlyToTheProven,
    /// Invariant 2: nothing ends a process of a profile that the proxy uses, as active or standby. "Uses" is what the proxy does,
    /// also while nobody can read it.
    WhatServesIsNotTouched,
    /// Invariant 3: of two tools only one is past the lock.
    OneWriter,
    /// Invariant 4: a process that is not ours, or not the very one that was looked at, is left alone.
    StrangersAreLeftAlone,
    /// Invariant 5: from every reachable state one undisturbed recover ends, breaks nothing, and finds or starts what should serve,
    /// or says that it cannot; a second one does nothing.
    OneRecoverIsSafe,
    /// After that recover nothing runs that nobody knows of.
    NothingIsLeftBehind,
    /// Who got a good answer before an effect of the tool gets one after it.
    NoStepIsAnOutage,
    /// What is confirmed has answered through the front door, alone.
    ConfirmedHasAnswered,
    /// A state that is lost is never taken for a fresh machine's: what is written instead is what is seen, nothing is started that
    /// nobody has called good, recovery says that a person is needed when nothing serves, and no way back leads to what was only
    /// prepared.
    NeverFailsOpen,
    /// A release that failed is not the last good one.
    FailedIsNotGood,
    /// After recover and abort a plain deploy of a good release works.
    APlainDeployWorks,
    /// Where the owner has a say nothing is stopped for a deploy, and no process of it gets the traffic, that he did not let through.
    TheOwnerIsAsked,
}

impl Promise {
    pub(crate) const ALL: [Self; 12] = [
        Self::RouteOnlyToTheProven,
        Self::WhatServesIsNotTouched,
        Self::OneWriter,
        Self::StrangersAreLeftAlone,
        Self::OneRecoverIsSafe,
        Self::NothingIsLeftBehind,
        Self::NoStepIsAnOutage,
        Self::ConfirmedHasAnswered,
        Self::FailedIsNotGood,
        Self::NeverFailsOpen,
        Self::APlainDeployWorks,
        Self::TheOwnerIsAsked,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RouteOnlyToTheProven => "1 the route moves only to the proven",
            Self::WhatServesIsNotTouched => "2 what serves is not touched",
            Self::OneWriter => "3 one writer",
            Self::StrangersAreLeftAlone => "4 strangers are left alone",
            Self::OneRecoverIsSafe => "5 one recover is safe",
            Self::NothingIsLeftBehind => "nothing is left behind",
            Self::NoStepIsAnOutage => "no step is an outage",
            Self::ConfirmedHasAnswered => "what is confirmed has answered",
            Self::NeverFailsOpen => "a lost state never fails open",
            Self::FailedIsNotGood => "what failed is not good",
            Self::APlainDeployWorks => "a plain deploy works",
            Self::TheOwnerIsAsked => "the owner is asked",
        }
    }
}

/// What `effect` has broken, from what was before and what is after: judged by what the proxy does in truth, and by what the tool
/// knows, which is what it has written, whatever became of that.
pub(crate) fn judge_effect(
    before: &World,
    truth: Option<&Route>,
    effect: &Effect,
    known: &State,
    after: &Host,
) -> Vec<Promise> {
    let mut broken = Vec::new();
    let now = after.truth();
    if let (Some(route), true) = (now, truth != now) {
        let moved = truth.is_none_or(|old| old.active != route.active).then_some(&route.active);
        let standby = route.standby.as_ref().filter(|new| truth.and_then(|old| old.standby.as_ref()) != Some(*new));
        let proven = |profile: &Profile| before.strangers.get(profile).is_none_or(|who| *who == former());
        let good = |profile: &&Profile| before.healthy(profile) && proven(profile);
        let failed =
            |profile: &&Profile| before.running.get(*profile).is_some_and(|p| known.has_failed(&p.process.release));
        if moved.is_some_and(|p| !good(&p)) || standby.is_some_and(|p| !good(&p) || failed(&p)) {
            broken.push(Promise::RouteOnlyToTheProven);
        }
        if let (Some(to), Some(tx)) = (moved, &known.transaction)
            && matches!(tx.kind, Kind::Flip | Kind::Rollback)
            && !(tx.started || tx.undo.is_some() || known.confirmed.contains(&tx.release) || after.has_served(to))
        {
            broken.push(Promise::NeverFailsOpen);
        }
    }
    if let (Effect::Start { release, .. }, Some(tx)) = (effect, &known.transaction)
        && matches!(tx.kind, Kind::Up | Kind::Warm)
        && !known.confirmed.contains(release)
    {
        broken.push(Promise::NeverFailsOpen);
    }
    for (profile, process) in &before.running {
        if after.world.running.get(profile) == Some(process) {
            continue;
        }
        if truth.is_some_and(|route| route.uses(profile)) {
            broken.push(Promise::WhatServesIsNotTouched);
        }
        if !matches!(effect, Effect::Stop { process: meant, .. } if meant.start == process.process.start) {
            broken.push(Promise::StrangersAreLeftAlone);
        }
    }
    if before.strangers != after.world.strangers {
        broken.push(Promise::StrangersAreLeftAlone);
    }
    // who moves the route by hand in the middle may move it to something sick
    if !after.meddled && answers_well(before, truth) && !answers_well(&after.world, now) {
        broken.push(Promise::NoStepIsAnOutage);
    }
    broken
}

/// What `effect` has done without the owner's yes.
pub(crate) fn judge_gates(
    policy: &Policy,
    before: &World,
    effect: &Effect,
    known: &State,
    host: &Host,
) -> Vec<Promise> {
    let Some(tx) = known.transaction.as_ref().filter(|tx| tx.kind == Kind::Deploy && tx.undo.is_none()) else {
        return Vec::new();
    };
    let asked = match effect {
        Effect::Switch { to, .. } if policy.gates.before_switch.is_some() => {
            // of a switch that was refused, or that is a lie, nobody gets anything
            let moved = host.truth().is_some_and(|route| route.active == *to);
            !moved || before.running.get(to).map(|it| &it.process) == host.passed.as_ref()
        }
        effect if tx.step <= Step::Start && effect.changes() && policy.gates.before_stop.is_some() => {
            host.admitted == tx.number
        }
        _ => true,
    };
    if asked { Vec::new() } else { vec![Promise::TheOwnerIsAsked] }
}

/// What writing `after` over `before` has broken; `proved` is the transaction whose release last answered.
pub(crate) fn judge_save(before: &State, after: &State, proved: u64) -> Vec<Promise> {
    let mut broken = Vec::new();
    if after.confirmed.iter().any(|release| after.has_failed(release)) {
        broken.push(Promise::FailedIsNotGood);
    }
    let new = after.last_good().filter(|good| !before.confirmed.contains(good));
    if new.is_some() && before.transaction.as_ref().map(|tx| tx.number) != Some(proved) {
        broken.push(Promise::ConfirmedHasAnswered);
    }
    broken
}

/// What writing `after` in place of a state that cannot be read has broken: our process that has the traffic is good, and
/// nothing else is known.
pub(crate) fn judge_rebuilt(world: &World, after: &State) -> Vec<Promise> {
    let active = world.route().map(|route| world.occupant(&route.active));
    let serving = active.as_ref().filter(|it| it.listens()).and_then(Occupant::ours).map(|process| &process.release);
    let seen = after.confirmed.iter().eq(serving) && after.failed.is_empty() && after.transaction.is_none();
    if seen { Vec::new() } else { vec![Promise::NeverFailsOpen] }
}
