use super::begin::{open, warm, with};
use crate::{
    Blind, Cause, Failover, Failure, Kind, Occupant, Outcome, Policy, Profile, Route, Seen, State, Step, Stranger,
    Transaction,
    machine::{Next, Then, step},
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
    /// It cannot be told: what may be so cannot be seen. Nothing is touched, and what waits stays.
    Blind(Blind),
}

/// What this run of recovery has tried in vain, so that it ends.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tried {
    /// Moving the route to the other process.
    pub flip: bool,
    /// Starting a good release.
    pub up: bool,
    /// So many of the confirmed releases, newest first, cannot be started at all: an adopted one, or one that is not in
    /// the release store any more.
    pub unstartable: usize,
    /// The release that was tried last turned out to be sick.
    pub sick: bool,
    /// Nothing can listen on the active profile, though nobody answers there: somebody has its port.
    pub taken: bool,
    /// A start that was no verdict on the release has failed, and is tried once more.
    pub again: bool,
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

    /// Notes how that ended: where there is nothing that could be started, the release confirmed before it may serve; where
    /// the port cannot be had, the other profile; and one hiccup is no verdict.
    pub fn ended(&mut self, outcome: &Outcome) {
        let failure = outcome.failure().filter(|_| self.up || self.flip);
        self.sick = failure.is_some_and(|failure| failure.cause.blames_release());
        let Some(Failure { step, cause, facts, .. }) = failure else { return };
        match cause {
            Cause::Process if facts.unstartable => {
                (self.up, self.flip, self.unstartable) = (false, false, self.unstartable + 1);
            }
            Cause::PortTaken if self.up && *step == Step::Start => self.taken = true,
            Cause::Process | Cause::Blind | Cause::Died if !self.again && *step <= Step::Health => {
                (self.up, self.flip, self.again) = (false, false, true);
            }
            _ => {}
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
    if tx.undo.is_some() {
        return go_on();
    }
    match seen.permits(state) {
        // a switch that may have happened is undone by the order of the old route
        Err(_) if tx.step == Step::Switch => {}
        Err(blind) => return Recovery::Blind(blind),
        Ok(_) => {
            if let Some(blind) = seen.blind() {
                return Recovery::Blind(blind.clone());
            }
        }
    }
    if matches!(tx.kind, Kind::Up | Kind::Warm) {
        return go_on();
    }
    // before the first deploy nobody is where the proxy points, and that is as it should be
    let dead = |route: &Route| seen.is_free(&route.active) && state.last_good().is_some();
    let live = !seen.route().is_some_and(dead);
    if live && rests(state, seen, policy) {
        let active = seen.route().map(|route| &route.active).filter(|_| served(state));
        let trouble = active.and_then(|active| Some((active, trouble(state, seen, active)?)));
        let Some((active, trouble)) = trouble else { return Recovery::Rests(tx.step) };
        if *active != tx.to {
            // to promote it is the repair, so it is not taken back
            return Recovery::Degraded(format!("{trouble}; {} of {} waits on {}", tx.kind, tx.release, tx.to));
        }
    }
    if tx.step >= Step::Switch && seen.is_active(&tx.to) {
        return match seen.ours(&tx.to) {
            Some(process) if process.release == tx.release && (tx.step != tx.until || seen.listens(&tx.to)) => go_on(),
            // nobody saw why, and a reboot is not its fault
            _ => undo(Cause::Crashed, "the release died while nobody looked"),
        };
    }
    // what was written last is lost, as that it was proven: so it is proven again, beside a live side that was good
    let beside = live && state.last_good().is_some();
    if beside && state.lost && tx.step == tx.until && seen.ours(&tx.to).is_some_and(|it| it.release == tx.release) {
        return go_on();
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

/// Whether a release of ours should serve, as far as is known.
fn served(state: &State) -> bool {
    state.last_good().is_some() || state.lost
}

/// What is wrong where the proxy points: silence, or somebody else's answer where a release of ours should serve.
fn trouble(state: &State, seen: &Seen, active: &Profile) -> Option<String> {
    match seen.on(active) {
        Ok(Occupant::Stranger { who, .. }) if served(state) => Some(usurped(active, who)),
        Ok(Occupant::Ours { listening: false, .. }) => Some(hung(active)),
        Ok(Occupant::Nobody) => Some(unanswered(active)),
        _ => None,
    }
}

/// What silence where the proxy points needs, or somebody else who took the place of a release of ours. A flip ends no process,
/// also none that is deaf and was never confirmed: it is stopped by the transaction that started it, or by the one that needs its
/// place, and a person may want to look at it. It does not come back into the traffic, because only who listens is warm.
fn live_side(state: &State, seen: &Seen, policy: &Policy, tried: Tried) -> Recovery {
    let (active, other) = match (seen.permits(state), seen.idle()) {
        (Ok(Some(route)), Some(idle)) => (&route.active, idle),
        (Ok(_), _) => return Recovery::Stable,
        (Err(blind), _) => return Recovery::Blind(blind),
    };
    let occupant = match seen.on(active) {
        Ok(occupant) => occupant,
        Err(blind) => return Recovery::Blind(blind.clone()),
    };
    let Some(trouble) = trouble(state, seen, active) else { return standby(state, seen, active, tried) };
    if let Err(blind) = seen.on(other) {
        return Recovery::Blind(blind.clone());
    }
    let dead = *occupant == Occupant::Nobody;
    // where somebody else has the port, the other profile is the only way on
    let usurped = tried.taken || matches!(occupant, Occupant::Stranger { .. });
    let flips = !tried.flip && (usurped || policy.failover != Failover::Never);
    let leaves = !tried.flip && (usurped || !dead);
    let walk = |kind, to: &Profile, release, step| {
        Recovery::Walk(Box::new(with(state, open(state, kind, to, release, step, seen))))
    };
    match (warm(state, seen, other), state.confirmed.get(tried.unstartable)) {
        (Some(warm), _) if flips => walk(Kind::Flip, other, warm.clone(), Step::Health),
        // nobody is there to go to, and there is a place for one that was proven; what was started there and was sick counts as good
        // no more, so the next one is another. What hangs may hang for a reason that another one has too: once is enough
        (None, Some(good)) if (leaves || usurped && tried.sick) && seen.is_free(other) => {
            walk(Kind::Flip, other, good.clone(), Step::Start)
        }
        (_, Some(good)) if dead && !tried.up => {
            let mut state = state.clone();
            // an older one comes back, and those that cannot be started are nothing to go back to
            state.confirmed.clone().iter().take(tried.unstartable).rev().for_each(|gone| state.mark_crashed(gone));
            Recovery::Walk(Box::new(with(&state, open(&state, Kind::Up, active, good.clone(), Step::Start, seen))))
        }
        _ if state.lost => Recovery::Degraded("the state was lost: deploy what should run".to_owned()),
        _ if dead && state.last_good().is_none() => Recovery::Stable,
        _ => Recovery::Degraded(trouble),
    }
}

/// The live side is well; whoever has taken the port of its standby would get its users.
fn standby(state: &State, seen: &Seen, active: &Profile, tried: Tried) -> Recovery {
    let standby = seen.route().and_then(|route| route.standby.as_ref());
    match (standby, seen.ours(active)) {
        (Some(standby), Some(serves)) if served(state) && matches!(seen.on(standby), Ok(Occupant::Stranger { .. })) => {
            if tried.up {
                return Recovery::Degraded(format!(
                    "{standby} is the failover of {active}, and who is there is not ours"
                ));
            }
            let release = serves.release.clone();
            Recovery::Walk(Box::new(with(state, open(state, Kind::Up, active, release, Step::Start, seen))))
        }
        _ => Recovery::Stable,
    }
}

fn unanswered(active: &Profile) -> String {
    format!("{active} has the traffic, and nothing answers there")
}

fn hung(active: &Profile) -> String {
    format!("{active} has the traffic, and what runs there gives no answer, as one that hangs")
}

fn usurped(active: &Profile, who: &Stranger) -> String {
    format!("{active} has the traffic, and who answers there is not ours: {who}")
}
