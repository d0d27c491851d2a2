//! Designs that were not chosen. Each must break a promise somewhere, or the model is blind there.

use bluegreen_core::{
    Blind, Cause, Failure, Occupant, Policy, Route, Seen, State, Step, Traffic,
    machine::{self, Acted, Effect, Next, Recovery, Sacrifice, Then, Tried, recover},
};

use super::{host::Host, promise::Promise, tool::Tool};

/// One wrong design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mutant {
    /// The route moves without a probe in the same effect.
    SwitchUnprobed,
    /// As above, but only on the way back: "the old one was fine".
    RevertUnprobed,
    /// As the article: the route moves before anybody asked whether the release is healthy.
    SwitchBeforeHealth,
    /// The standby is given without a probe.
    StandbyUnprobed,
    /// The switch gives the old one as standby at once, before the new one is proven solo.
    StandbyBeforeProof,
    /// The standby is kept while the idle profile is touched.
    StandbyKept,
    /// A resolver that does not see the standby.
    StandbyUnseen,
    /// The standby is taken away while it is what answers.
    IsolateServing,
    /// Nobody asks the proxy once more before the standby is taken away.
    IsolateUnasked,
    /// Nobody asks the proxy once more before a stop.
    StopUnasked,
    /// Whoever is on the port is stopped, as `lsof -ti` would have it: no identity is checked.
    StopWhoever,
    /// What a pid file says is what runs.
    PidFileTrusted,
    /// What ran before the last boot is taken for running.
    BootIgnored,
    /// The article's: an error means that the second one is active.
    ErrorMeansSecond,
    /// Where nobody can be seen, nobody is.
    UnseenIsNobody,
    /// Whoever answers where the proxy points is good.
    StrangerServes,
    /// A switch that failed is taken for done.
    FailedSwitchIsDone,
    /// A switch that failed is taken for not done, though it was.
    DoneSwitchIsFailed,
    /// The old one is retired before the new one has answered through the front door.
    RetireBeforeProof,
    /// An undo ends the new process before the traffic is away from it.
    UndoStopsFirst,
    /// An undo goes back to whoever has the port by now.
    RevertToWhoever,
    /// The state is written after the effect.
    SaveLate,
    /// The transaction is not written at all.
    NoJournal,
    /// Nobody writes down which release failed.
    FailureForgotten,
    /// Recovery leaves everything as it is.
    RecoverNothing,
    /// Recovery goes by what the state says of the route, not by the proxy.
    RecoverTrustsState,
    /// Recovery looks once, not until it finds nothing more to do.
    RecoverOnce,
    /// Recovery forgets what it has tried in vain.
    TriedForgotten,
    /// Recovery starts nothing.
    NeverStartAgain,
    /// A transaction that rests is kept, whatever became of the live side.
    RestHidesTheDead,
    /// A state that cannot be read is taken for that of a fresh machine.
    FailOpen,
    /// So is it, and a release from the store is started where the proxy points.
    FailOpenStarts,
    /// Whatever of ours runs is taken for good when the state cannot be read.
    RebuildGuesses,
    /// Whatever runs where no traffic is counts as the warm one when the state cannot be read.
    PreparedIsWarm,
    /// A lock that does not hold, as on some network file systems, or that is broken when its holder seems to sleep.
    NoLock,
    /// The state is read before the lock is taken.
    LoadBeforeLock,
    /// What rested was let through when it was prepared.
    RestIsAYes,
    /// A yes is about the release, whichever process runs it by now.
    YesToWhoever,
    /// What is in the way is cleared before the owner is asked.
    AskedTooLate,
}

impl Mutant {
    /// Each with the promise that it breaks.
    pub(crate) const ALL: [(Self, Promise); 39] = [
        (Self::SwitchUnprobed, Promise::RouteOnlyToTheProven),
        (Self::RevertUnprobed, Promise::RouteOnlyToTheProven),
        (Self::SwitchBeforeHealth, Promise::RouteOnlyToTheProven),
        (Self::StandbyUnprobed, Promise::RouteOnlyToTheProven),
        (Self::StandbyBeforeProof, Promise::RouteOnlyToTheProven),
        (Self::StandbyKept, Promise::WhatServesIsNotTouched),
        (Self::StandbyUnseen, Promise::APlainDeployWorks),
        (Self::IsolateServing, Promise::NoStepIsAnOutage),
        (Self::IsolateUnasked, Promise::NoStepIsAnOutage),
        (Self::StopUnasked, Promise::WhatServesIsNotTouched),
        (Self::StopWhoever, Promise::StrangersAreLeftAlone),
        (Self::PidFileTrusted, Promise::StrangersAreLeftAlone),
        (Self::BootIgnored, Promise::OneRecoverIsSafe),
        (Self::ErrorMeansSecond, Promise::WhatServesIsNotTouched),
        (Self::UnseenIsNobody, Promise::NothingIsLeftBehind),
        (Self::StrangerServes, Promise::OneRecoverIsSafe),
        (Self::FailedSwitchIsDone, Promise::WhatServesIsNotTouched),
        (Self::DoneSwitchIsFailed, Promise::WhatServesIsNotTouched),
        (Self::RetireBeforeProof, Promise::ConfirmedHasAnswered),
        (Self::UndoStopsFirst, Promise::WhatServesIsNotTouched),
        (Self::RevertToWhoever, Promise::RouteOnlyToTheProven),
        (Self::SaveLate, Promise::NothingIsLeftBehind),
        (Self::NoJournal, Promise::NothingIsLeftBehind),
        (Self::FailureForgotten, Promise::NothingIsLeftBehind),
        (Self::RecoverNothing, Promise::OneRecoverIsSafe),
        (Self::RecoverTrustsState, Promise::WhatServesIsNotTouched),
        (Self::RecoverOnce, Promise::OneRecoverIsSafe),
        (Self::TriedForgotten, Promise::OneRecoverIsSafe),
        (Self::NeverStartAgain, Promise::OneRecoverIsSafe),
        (Self::RestHidesTheDead, Promise::OneRecoverIsSafe),
        (Self::FailOpen, Promise::NeverFailsOpen),
        (Self::FailOpenStarts, Promise::NeverFailsOpen),
        (Self::RebuildGuesses, Promise::NeverFailsOpen),
        (Self::PreparedIsWarm, Promise::NeverFailsOpen),
        (Self::NoLock, Promise::OneWriter),
        (Self::LoadBeforeLock, Promise::NothingIsLeftBehind),
        (Self::RestIsAYes, Promise::TheOwnerIsAsked),
        (Self::YesToWhoever, Promise::TheOwnerIsAsked),
        (Self::AskedTooLate, Promise::TheOwnerIsAsked),
    ];

    fn reads_pid_files(self) -> bool {
        matches!(self, Self::PidFileTrusted | Self::BootIgnored)
    }

    /// Its own idea of the route is also what it asks before a stop.
    fn has_eyes_of_its_own(self) -> bool {
        matches!(
            self,
            Self::StandbyKept
                | Self::ErrorMeansSecond
                | Self::FailedSwitchIsDone
                | Self::DoneSwitchIsFailed
                | Self::RecoverTrustsState
        )
    }
}

/// The effect, as the mutant does it.
pub(crate) fn act(
    mutant: Option<Mutant>,
    host: &mut Host,
    effect: &Effect,
    state: &State,
    tool: &Tool,
) -> Result<(), Failure> {
    let (world, tx) = (&mut host.world, state.transaction.as_ref());
    let undoing = tx.is_some_and(|tx| tx.undo.is_some());
    let Some(mutant) = mutant else { return world.act(effect) };
    match (mutant, effect) {
        (Mutant::SwitchUnprobed | Mutant::SwitchBeforeHealth, Effect::Switch { to, .. }) => {
            world.switch(&Route::solo(to.clone()));
        }
        (Mutant::RevertUnprobed, Effect::Switch { to, .. }) if undoing => world.switch(&Route::solo(to.clone())),
        (Mutant::StandbyUnprobed, Effect::Standby { active, standby, .. }) => {
            world.switch(&Route::with_standby(active.clone(), standby.clone()));
        }
        (Mutant::StandbyBeforeProof, Effect::Switch { to, .. }) if !undoing => {
            world.act(effect)?;
            world.switch(&Route::with_standby(to.clone(), world.profiles.other(to).unwrap().clone()));
        }
        (Mutant::StopWhoever | Mutant::PidFileTrusted, Effect::Stop { profile, .. }) => {
            world.strangers.remove(profile);
            world.running.remove(profile);
        }
        (Mutant::StopUnasked, Effect::Stop { profile, process, .. }) => world.stop(profile, process),
        (Mutant::UndoStopsFirst, Effect::Stop { profile, process, .. }) if undoing => world.stop(profile, process),
        (m, Effect::Stop { profile, process, .. }) if m.has_eyes_of_its_own() => {
            if see(Some(m), host, tool).route().is_some_and(|route| route.uses(profile)) {
                return Err(Failure::new(Step::Stop, Cause::Route, "in use again"));
            }
            host.world.stop(profile, process);
        }
        (Mutant::IsolateServing, Effect::Isolate { active, .. }) => {
            return world.act(&Effect::Isolate { active: active.clone(), sacrifice: Sacrifice::Always });
        }
        (Mutant::IsolateUnasked, Effect::Isolate { active, .. }) => world.switch(&Route::solo(active.clone())),
        (m, Effect::Start { profile, .. }) if m.reads_pid_files() => {
            world.act(effect)?;
            host.pid_file.extend(world.running.get(profile).map(|p| (profile.clone(), p.process.clone())));
        }
        _ => return world.act(effect),
    }
    Ok(())
}

/// What the mutant makes of how an effect went.
pub(crate) fn believe(
    mutant: Option<Mutant>,
    host: &Host,
    effect: &Effect,
    result: Result<(), Failure>,
    tool: &mut Tool,
) -> Result<(), Failure> {
    let ordered = match effect {
        Effect::Switch { to, .. } => Route::solo(to.clone()),
        Effect::Isolate { active, .. } => Route::solo(active.clone()),
        Effect::Standby { active, standby, .. } => Route::with_standby(active.clone(), standby.clone()),
        _ => return result,
    };
    match (mutant, &result) {
        (Some(Mutant::FailedSwitchIsDone), Err(_)) => {
            tool.believes = Some(ordered);
            return Ok(());
        }
        (Some(Mutant::DoneSwitchIsFailed), Err(_)) => {
            let other = host.world.profiles.other(&ordered.active).unwrap();
            tool.believes = Some(Route::solo(other.clone()));
        }
        _ => {}
    }
    result
}

/// What the mutant sees.
pub(crate) fn see(mutant: Option<Mutant>, host: &Host, tool: &Tool) -> Seen {
    let mut seen = host.world.seen();
    let Some(mutant) = mutant else { return seen };
    if let Some(route) = &tool.believes {
        seen.traffic = Ok(route.clone().into());
    }
    seen.traffic = match (mutant, seen.traffic, &host.disk.transaction) {
        (Mutant::StandbyUnseen | Mutant::StandbyKept, Ok(Traffic::Ours(route)), _) => {
            Ok(Route::solo(route.active).into())
        }
        (Mutant::ErrorMeansSecond, Err(_), _) => Ok(Route::solo(seen.profiles.second().clone()).into()),
        (Mutant::RecoverTrustsState, _, Some(tx)) if tool.recovering.is_some() => {
            let to = if tx.step > Step::Switch { &tx.to } else { seen.profiles.other(&tx.to).unwrap() };
            Ok(Route::solo(to.clone()).into())
        }
        (_, traffic, _) => traffic,
    };
    if mutant == Mutant::UnseenIsNobody {
        seen.occupants = seen.occupants.map(|occupant| Ok(occupant.unwrap_or(Occupant::Nobody)));
    }
    if mutant.reads_pid_files() {
        let this_boot = format!("boot{}-", host.world.boot);
        for (profile, process) in &host.pid_file {
            let old = !process.start.starts_with(&this_boot);
            let gone = seen.ours(profile).is_none();
            if gone && (mutant == Mutant::PidFileTrusted || (old && seen.is_free(profile))) {
                let index = usize::from(profile != seen.profiles.first());
                seen.occupants[index] = Ok(Occupant::Ours { process: process.clone(), listening: true });
            }
        }
    }
    seen
}

/// What the mutant does next.
pub(crate) fn step(mutant: Option<Mutant>, state: &State, seen: &Seen, policy: &Policy) -> Next {
    let mut state = state.clone();
    if let Some(tx) = &mut state.transaction {
        match mutant {
            Some(Mutant::IsolateServing) => tx.sacrifices_standby = true,
            Some(Mutant::SwitchBeforeHealth) => tx.proven = seen.ours(&tx.to).map(|process| process.run.clone()),
            Some(Mutant::RetireBeforeProof) => tx.answered = true,
            Some(Mutant::RevertToWhoever) => tx.old_release = None,
            _ => {}
        }
    }
    let (mut seen, mut policy) = (seen.clone(), policy.clone());
    match (mutant, &mut state.transaction) {
        (Some(Mutant::RestIsAYes), Some(tx)) if tx.proven.is_some() && seen.last.is_none() => {
            policy.gates.before_switch = None;
        }
        (Some(Mutant::AskedTooLate), Some(tx)) => tx.admitted = true,
        (Some(Mutant::YesToWhoever), Some(tx)) => {
            if let (Some(now), Some(Acted { effect: Effect::Gate { process: Some(asked), .. }, .. })) =
                (seen.ours(&tx.to).cloned(), &mut seen.last)
            {
                tx.proven = Some(now.run.clone());
                *asked = now;
            }
        }
        _ => {}
    }
    let (seen, policy) = (&seen, &policy);
    let mut next = machine::step(&state, seen, policy);
    if let (Some(Mutant::UndoStopsFirst), Some(tx), Then::Do(Effect::Switch { to, .. })) =
        (mutant, &next.state.transaction, &next.then)
        && let (true, Some(process)) = (tx.undo.is_some() && *to != tx.to, seen.ours(&tx.to))
    {
        let (profile, process) = (tx.to.clone(), process.clone());
        next.then = Then::Do(Effect::Stop { profile, process, settle: policy.settle });
    }
    next
}

/// What the mutant writes in place of a state that cannot be read.
pub(crate) fn rebuild(mutant: Option<Mutant>, seen: &Seen) -> Result<State, Blind> {
    let mut state = machine::rebuild(seen)?;
    match mutant {
        Some(Mutant::FailOpen) => state = State::default(),
        Some(Mutant::RebuildGuesses) => {
            seen.profiles
                .both()
                .into_iter()
                .filter_map(|p| seen.ours(p))
                .for_each(|process| state.confirm(&process.release));
        }
        Some(Mutant::PreparedIsWarm) => {
            state.lost = false;
            seen.profiles.both().into_iter().for_each(|profile| state.note_traffic(profile, true, &seen.now));
        }
        _ => {}
    }
    Ok(state)
}

/// What the mutant does about what it finds.
pub(crate) fn recovery(mutant: Option<Mutant>, state: &State, seen: &Seen, policy: &Policy, tried: Tried) -> Recovery {
    let resting = state.transaction.as_ref().filter(|tx| tx.step == tx.until && tx.undo.is_none());
    match (mutant, resting) {
        (Some(Mutant::FailOpenStarts), None) if state.lost => {
            let guess = State { confirmed: vec!["v1".parse().unwrap()], ..state.clone() };
            match recover(&guess, seen, policy, tried) {
                Recovery::Walk(opened) => Recovery::Walk(Box::new(State { confirmed: Vec::new(), ..*opened })),
                other => other,
            }
        }
        (Some(Mutant::RecoverNothing), _) => Recovery::Stable,
        (Some(Mutant::StrangerServes), None)
            if seen.route().is_some_and(|r| matches!(seen.on(&r.active), Ok(Occupant::Stranger { .. }))) =>
        {
            Recovery::Stable
        }
        (Some(Mutant::RestHidesTheDead), Some(tx)) => Recovery::Rests(tx.step),
        (Some(Mutant::NeverStartAgain), _) => recover(state, seen, policy, Tried { up: true, ..tried }),
        (Some(Mutant::IsolateServing), _) => recover(state, seen, policy, Tried { flip: true, ..tried }),
        _ => recover(state, seen, policy, tried),
    }
}
