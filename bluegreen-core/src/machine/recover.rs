use super::begin::{open, warm, with};
use crate::{
    Cause, Failover, Failure, Kind, Next, Occupant, Outcome, Policy, Profile, ResolveError, Route, Seen, State, Step,
    Then, Transaction, step,
};

/// What a state that somebody left behind needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: a release that should serve does, or none was ever deployed.
    Stable,
    /// Nothing: a transaction rests, and the live side is well.
    Rests(Step),
    /// Save this state and walk its transaction, then ask again.
    Walk(Box<State>),
    /// A person is needed; the text says what is so.
    Degraded(String),
}

/// What this run of recovery has tried in vain, so that it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tried {
    /// Moving the route to the other process.
    pub flip: bool,
    /// Starting a good release.
    pub up: bool,
    /// So many of the confirmed releases, newest first, cannot be started at all: an adopted one, or one that is not in
    /// the release store any more.
    pub unstartable: usize,
}

impl Tried {
    /// Notes what recovery begins. One that an earlier run opened was not tried by this one: the world may be another
    /// since.
    pub fn begins(&mut self, before: &State, opened: &State) {
        if let (None, Some(tx)) = (&before.transaction, &opened.transaction) {
            self.flip |= tx.kind == Kind::Flip;
            self.up |= tx.kind == Kind::Up;
        }
    }

    /// Notes how that ended: what could not even be started may give way to the release confirmed before it.
    pub fn ended(&mut self, outcome: &Outcome) {
        if let Outcome::Degraded { failure: Failure { step: Step::Start, cause: Cause::Process, .. }, .. } = outcome
            && std::mem::take(&mut self.up)
        {
            self.unstartable += 1;
        }
    }
}

/// One rule: the proxy decides, unless the transaction has written that it undoes.
///
/// Asked again until it does not say [`Recovery::Walk`]: that fixed point is safe and has a name.
pub fn recover(state: &State, seen: &Seen, policy: &Policy, tried: Tried) -> Recovery {
    match &state.transaction {
        Some(tx) => open_transaction(state, tx, seen, policy),
        None => live_side(state, seen, policy, tried),
    }
}

fn open_transaction(state: &State, tx: &Transaction, seen: &Seen, policy: &Policy) -> Recovery {
    if let Some(gone) = tx.profiles().find(|profile| !seen.profiles.contains(profile)) {
        return Recovery::Degraded(format!("a {} on {gone} is open, which the configuration does not have", tx.kind));
    }
    let go_on = || Recovery::Walk(Box::new(state.clone()));
    let undo = |cause, message: &str| {
        let undo = Some(Failure::new(tx.step, cause, message));
        Recovery::Walk(Box::new(with(state, Transaction { undo, ..tx.clone() })))
    };
    if tx.undo.is_some() || matches!(tx.kind, Kind::Up | Kind::Warm) {
        return go_on();
    }
    if let (Some(error), true) = (seen.route_unknown(), tx.step != Step::Switch) {
        return Recovery::Degraded(error.to_string());
    }
    // before the first deploy nobody is where the proxy points, and that is as it should be
    let dead = |route: &Route| *seen.on(&route.active) == Occupant::Nobody && state.last_good().is_some();
    let live = !seen.route.as_ref().is_ok_and(dead);
    if live && rests(state, seen, policy) {
        let active = seen.route.as_ref().ok().map(|route| &route.active);
        let served = state.last_good().is_some() || state.lost;
        let Some(silent) = active.filter(|active| !seen.on(active).listens() && served) else {
            return Recovery::Rests(tx.step);
        };
        if *silent != tx.to {
            // to promote it is the repair, so it is not taken back
            return Recovery::Degraded(format!(
                "{}; {} of {} waits on {}",
                unanswered(silent),
                tx.kind,
                tx.release,
                tx.to
            ));
        }
    }
    if tx.step >= Step::Switch && seen.is_active(&tx.to) {
        return match seen.on(&tx.to).ours() {
            Some(process) if process.release == tx.release && (tx.step != tx.until || seen.on(&tx.to).listens()) => {
                go_on()
            }
            // nobody saw why, and a reboot is not its fault
            _ => undo(Cause::Crashed, "the release died while nobody looked"),
        };
    }
    undo(
        Cause::Crashed,
        match tx.until {
            _ if !live => "the live side died while this one waited",
            until if until == tx.step => "the release died while it waited",
            _ => "an earlier run ended half-way",
        },
    )
}

/// A pause is a crash we chose: it holds as long as its step is true.
fn rests(state: &State, seen: &Seen, policy: &Policy) -> bool {
    let calm = Seen { interrupt: None, last: None, ..seen.clone() };
    matches!(step(state, &calm, policy), Next { then: Then::End(Outcome::Paused(_)), .. })
}

/// What silence where the proxy points needs. A flip ends no process, also none that is deaf and was never confirmed: it is
/// stopped by the transaction that started it, or by the one that needs its place, and a person may want to look at it. It
/// does not come back into the traffic, because only who listens is warm.
fn live_side(state: &State, seen: &Seen, policy: &Policy, tried: Tried) -> Recovery {
    let route = match &seen.route {
        Ok(route) => route,
        Err(ResolveError::NotSetUp(_) | ResolveError::Unmanaged(_)) => return Recovery::Stable,
        Err(error) => return Recovery::Degraded(error.to_string()),
    };
    if seen.on(&route.active).listens() {
        return Recovery::Stable;
    }
    let dead = *seen.on(&route.active) == Occupant::Nobody;
    let walk = |kind, to: &Profile, release, step| {
        Recovery::Walk(Box::new(with(state, open(state, kind, to, release, step, seen))))
    };
    let other = seen.profiles.other(&route.active);
    match (warm(state, seen, other), state.confirmed.get(tried.unstartable)) {
        (Some(warm), _) if !tried.flip && policy.failover != Failover::Never => {
            walk(Kind::Flip, other, warm.clone(), Step::Health)
        }
        (_, Some(good)) if dead && !tried.up => walk(Kind::Up, &route.active, good.clone(), Step::Start),
        _ if state.lost => Recovery::Degraded("the state was lost: deploy what should run".to_owned()),
        _ if dead && state.last_good().is_none() => Recovery::Stable,
        _ => Recovery::Degraded(unanswered(&route.active)),
    }
}

fn unanswered(active: &Profile) -> String {
    format!("{active} has the traffic, and nothing answers there")
}
