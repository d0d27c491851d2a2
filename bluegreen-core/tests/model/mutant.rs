//! Designs that were not chosen. Each must break a promise somewhere, or the model is blind there.

use bluegreen_core::{
    Effect, Failure, Interrupt, Policy, Recovery, Route, Seen, State, Tried, recover, testing::World,
};

/// One wrong design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mutant {
    /// The route moves without a probe in the same effect.
    SwitchUnprobed,
    /// As above, but only on the way back: "the old one was fine".
    RevertUnprobed,
    /// The standby is given without a probe.
    StandbyUnprobed,
    /// Whoever is on the port is stopped, as `lsof -ti` would have it.
    StopWhoever,
    /// Nobody asks the proxy once more before a stop.
    StopUnasked,
    /// Nobody asks the proxy once more before the standby is taken away.
    IsolateUnasked,
    /// A resolver that does not see the standby.
    StandbyUnseen,
    /// The article's: an error means that the second one is active.
    ErrorMeansSecond,
    /// The state is written after the effect.
    SaveLate,
    /// The transaction is not written at all.
    NoJournal,
    /// Recovery leaves everything as it is.
    RecoverNothing,
    /// A transaction that rests is kept, whatever became of the live side.
    RestHidesTheDead,
    /// Recovery does not flip to the one that lives.
    NeverStartAgain,
}

impl Mutant {
    pub(crate) const ALL: [Self; 13] = [
        Self::SwitchUnprobed,
        Self::RevertUnprobed,
        Self::StandbyUnprobed,
        Self::StopWhoever,
        Self::StopUnasked,
        Self::IsolateUnasked,
        Self::StandbyUnseen,
        Self::ErrorMeansSecond,
        Self::SaveLate,
        Self::NoJournal,
        Self::RecoverNothing,
        Self::RestHidesTheDead,
        Self::NeverStartAgain,
    ];
}

/// The effect, as the mutant does it.
pub(crate) fn act(mutant: Option<Mutant>, world: &mut World, effect: &Effect, state: &State) -> Result<(), Failure> {
    let undoing = state.transaction.as_ref().is_some_and(|tx| tx.undo.is_some());
    match (mutant, effect) {
        (Some(Mutant::SwitchUnprobed), Effect::Switch { to, .. }) => world.switch(&Route::solo(to.clone())),
        (Some(Mutant::RevertUnprobed), Effect::Switch { to, .. }) if undoing => world.switch(&Route::solo(to.clone())),
        (Some(Mutant::StandbyUnprobed), Effect::Standby { active, standby, .. }) => {
            world.switch(&Route::with_standby(active.clone(), standby.clone()));
        }
        (Some(Mutant::StopWhoever), Effect::Stop { profile, .. }) => {
            if world.strangers.remove(profile).is_some() {
                world.broken.push(format!("stopped a stranger on {profile}"));
            }
            world.running.remove(profile);
        }
        (Some(Mutant::StopUnasked), Effect::Stop { profile, process, .. }) => world.stop(profile, process),
        (Some(Mutant::IsolateUnasked), Effect::Isolate { active, .. }) => world.switch(&Route::solo(active.clone())),
        _ => return world.act(effect),
    }
    Ok(())
}

/// What the mutant sees.
pub(crate) fn see(mutant: Option<Mutant>, seen: Seen, interrupt: Option<Interrupt>) -> Seen {
    let route = match (mutant, seen.route) {
        (Some(Mutant::StandbyUnseen), Ok(route)) => Ok(Route::solo(route.active)),
        (Some(Mutant::ErrorMeansSecond), Err(_)) => Ok(Route::solo(seen.profiles.second().clone())),
        (_, route) => route,
    };
    Seen { route, interrupt, ..seen }
}

/// What the mutant does about what it finds.
pub(crate) fn recovery(mutant: Option<Mutant>, state: &State, seen: &Seen, policy: &Policy, tried: Tried) -> Recovery {
    let resting = state.transaction.as_ref().filter(|tx| tx.step == tx.until && tx.undo.is_none());
    match (mutant, resting) {
        (Some(Mutant::RecoverNothing), _) => Recovery::Stable,
        (Some(Mutant::RestHidesTheDead), Some(tx)) => Recovery::Rests(tx.step),
        (Some(Mutant::NeverStartAgain), _) => recover(state, seen, policy, Tried { up: true, ..tried }),
        _ => recover(state, seen, policy, tried),
    }
}
