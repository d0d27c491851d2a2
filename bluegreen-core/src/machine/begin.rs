use crate::{
    Cause, Command, Failure, Kind, Occupant, Policy, Previous, Process, Profile, Refusal, ReleaseId, Seen, State, Step,
    Traffic, Transaction,
    machine::{Recovery, Tried, recover},
};

/// What [`begin`] decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Save this state, which has a transaction, and walk it.
    Go(Box<State>),
    /// First walk this one to its end, then ask again: it abandons what rests.
    First(Box<State>),
    /// It is so already; the text says what is.
    Already(String),
    /// It cannot begin.
    Refuse(Refusal),
}

/// Finds the idle profile and opens a transaction, goes on with the one that rests, or refuses. Touches nothing.
///
/// The state has been recovered before: an open transaction here is one that rests, or one that could not be finished.
pub fn begin(state: &State, command: &Command, seen: &Seen, policy: &Policy) -> Begin {
    let leftover = state.transaction.as_ref().is_some_and(|tx| tx.undo.is_some());
    let state = &closed_if_only_stopping(state, command, seen);
    if let Some(tx) = &state.transaction
        && let Some(gone) = tx.profiles().find(|profile| !seen.profiles.contains(profile))
    {
        return Begin::Refuse(Refusal::ProfilesChanged(format!("{gone}:{}", gone.port())));
    }
    // recovery answers by itself, and an `abort` of nothing touches nothing
    let touches = match command {
        Command::Recover => false,
        Command::Abort { release } => is_about(state, release.as_ref()),
        _ => true,
    };
    if let Some(refusal) = unseen(state, command, seen).filter(|_| touches) {
        return Begin::Refuse(refusal);
    }
    if let Some(lost) = lost(state, command, seen) {
        return Begin::Refuse(lost);
    }
    if let Some(answer) = not_meant(state, command, seen) {
        return answer;
    }
    match (command, &state.transaction) {
        (Command::Recover, _) => match recover(state, seen, policy, Tried::default()) {
            Recovery::Blind(blind) => Begin::Refuse(Refusal::Blind(blind)),
            _ => Begin::Already("nothing has to be recovered".to_owned()),
        },
        (Command::Deploy { .. } | Command::Promote { .. }, Some(tx)) if tx.undo.is_none() => {
            go_on(state, tx, command, seen)
        }
        (Command::Deploy { release, .. }, None) if is_unchanged(command, seen) => {
            Begin::Already(format!("release {release} has the traffic already"))
        }
        (Command::Deploy { .. }, None) => deploy(state, command, seen, leftover),
        (Command::Promote { .. }, None) if state.last_good().is_some() => {
            Begin::Already("nothing waits to be promoted".to_owned())
        }
        (Command::Promote { .. }, None) => Begin::Refuse(Refusal::NothingPrepared),
        (Command::Abort { .. }, None) => Begin::Already("nothing is prepared that could be taken back".to_owned()),
        (Command::Abort { .. }, Some(tx)) => Begin::Go(Box::new(abandon(state, tx))),
        (_, Some(tx)) => Begin::Refuse(Refusal::Waiting(Box::new(tx.clone()))),
        (Command::Rollback { release, .. }, None) => rollback(state, release.as_ref(), seen),
        (Command::Up, None) => up(state, seen, policy),
    }
}

/// Whether the open transaction is about `release`; about any, when none is named.
fn is_about(state: &State, release: Option<&ReleaseId>) -> bool {
    state.transaction.as_ref().is_some_and(|tx| release.is_none_or(|release| tx.release == *release))
}

/// What waits has its transaction, and that is gone with the state: what runs without traffic, and never had any as far as is
/// written down, may be what is meant.
fn lost(state: &State, command: &Command, seen: &Seen) -> Option<Refusal> {
    let (Command::Promote { release: named, .. } | Command::Abort { release: named }) = command else { return None };
    let idle = seen.idle()?;
    let runs = &seen.ours(idle)?.release;
    let known =
        state.confirmed.contains(runs) || state.has_failed(runs) || state.lost_traffic.contains_key(idle.name());
    let meant = named.as_ref().is_none_or(|named| named == runs);
    (state.transaction.is_none() && meant && (state.lost || !known)).then(|| Refusal::Lost(runs.clone(), idle.clone()))
}

/// The answer to a command that names a release, where that is not the one it would be about.
fn not_meant(state: &State, command: &Command, seen: &Seen) -> Option<Begin> {
    match command {
        Command::Promote { release: Some(named), .. } => {
            let rests = state.transaction.as_ref().is_some_and(|tx| tx.undo.is_none() && tx.release == *named);
            (!rests).then(|| {
                if has_traffic(seen, named) {
                    Begin::Already(format!("release {named} has the traffic already"))
                } else {
                    Begin::Refuse(Refusal::NotPrepared(named.clone()))
                }
            })
        }
        Command::Abort { release: Some(named) } if !is_about(state, Some(named)) => {
            Some(Begin::Already(format!("release {named} does not wait")))
        }
        Command::Rollback { only: Some(named), .. } if serves(state, seen) != Some(named) => {
            Some(Begin::Already(format!("release {named} has not the traffic")))
        }
        _ => None,
    }
}

/// The release that has the traffic, or should have it.
fn serves<'a>(state: &'a State, seen: &'a Seen) -> Option<&'a ReleaseId> {
    let active = &seen.route()?.active;
    seen.ours(active).map(|process| &process.release).or(state.last_good())
}

/// Why a command may not touch anything: what it would touch, or whether that has the traffic, is not known. What waits stays.
fn unseen(state: &State, command: &Command, seen: &Seen) -> Option<Refusal> {
    if let Some(blind) = seen.blind() {
        return Some(Refusal::Blind(blind.clone()));
    }
    // a release that waits may be what a set-up of another name sends the traffic to
    let goes_on = state.transaction.is_some()
        && match command {
            Command::Deploy { until, .. } | Command::Promote { until, .. } => *until > Step::Health,
            Command::Abort { .. } => true,
            _ => false,
        };
    match &seen.traffic {
        Ok(Traffic::NotSetUp(why)) if goes_on => Some(Refusal::NotSetUp(why.clone())),
        _ => seen.permits(state).err().map(Refusal::Blind),
    }
}

/// What has only a process left to stop holds up nobody: a deploy whose traffic is right and whose old release would not
/// go, and for another deploy, which stops what is in its way itself, one that is undone but for the process. Recovery has
/// just tried again.
fn closed_if_only_stopping(state: &State, command: &Command, seen: &Seen) -> State {
    let stops = |tx: &Transaction| match &tx.undo {
        // who died since is no reason to forget its standby: the next recovery flips to it
        None => tx.step == Step::Retire && seen.listens(&tx.to),
        Some(_) => matches!(command, Command::Deploy { .. }) && seen.route().is_some_and(|route| !route.uses(&tx.to)),
    };
    State { transaction: state.transaction.clone().filter(|tx| !stops(tx)), ..state.clone() }
}

/// A transaction that [`recover`](crate::machine::recover) and [`begin`] open the same way.
pub(super) fn open(
    state: &State,
    kind: Kind,
    to: &Profile,
    release: ReleaseId,
    step: Step,
    seen: &Seen,
) -> Transaction {
    let active = seen.route().map(|route| route.active.clone());
    let from = active.filter(|active| active != to && !seen.is_free(active));
    let old_release = from.as_ref().and_then(|p| seen.ours(p)).map(|process| process.release.clone());
    Transaction {
        number: state.number + 1,
        kind,
        from,
        to: to.clone(),
        release,
        old_release,
        step,
        until: if kind == Kind::Warm { Step::Health } else { Step::Retire },
        breaking: false,
        drain: false,
        admitted: false,
        started: false,
        proven: None,
        answered: false,
        standby_settled: false,
        // recovery comes first, and did not go there: whether the standby is healthy, the effect finds out
        sacrifices_standby: kind != Kind::Flip && seen.failed_over(),
        undo: None,
    }
}

/// `state` with `tx` as its open transaction.
pub(super) fn with(state: &State, tx: Transaction) -> State {
    State { number: tx.number, transaction: Some(tx), ..state.clone() }
}

/// The release that runs warm on `idle`: it had the traffic, and did not fail. One that was only prepared is not warm. As
/// long as the state is known that one has its open transaction; when the state was lost, what runs there may be either,
/// and traffic is not given on a guess.
pub(super) fn warm<'a>(state: &State, seen: &'a Seen, idle: &Profile) -> Option<&'a ReleaseId> {
    let Ok(Occupant::Ours { process: Process { release, .. }, listening: true }) = seen.on(idle) else { return None };
    let had_traffic = state.confirmed.contains(release)
        || state.lost_traffic.contains_key(idle.name())
        || seen.route().is_some_and(|route| route.uses(idle));
    Some(release).filter(|release| had_traffic && !state.has_failed(release))
}

fn go(state: &State, tx: Transaction) -> Begin {
    Begin::Go(Box::new(with(state, tx)))
}

fn abandon(state: &State, tx: &Transaction) -> State {
    let failure = Failure::new(tx.step, Cause::Aborted, format!("{} of {} was aborted", tx.kind, tx.release));
    with(state, Transaction { undo: Some(failure), ..tx.clone() })
}

fn go_on(state: &State, tx: &Transaction, command: &Command, seen: &Seen) -> Begin {
    let (release, until, (breaking, drain), replace) = match command {
        Command::Deploy { release, until, breaking, replace, .. } => (release, *until, (*breaking, false), *replace),
        Command::Promote { until, drain, .. } => (&tx.release, *until, (tx.breaking, *drain), false),
        _ => unreachable!("only deploy and promote go on"),
    };
    // nothing was started yet, so another release may still take its place
    let unstarted = tx.kind == Kind::Deploy && tx.step == Step::Stop && !is_unchanged(command, seen);
    if *release != tx.release && !unstarted {
        return if replace {
            Begin::First(Box::new(abandon(state, tx)))
        } else {
            Begin::Refuse(Refusal::Waiting(Box::new(tx.clone())))
        };
    }
    if until < tx.step {
        return Begin::Already(format!("{} of {} rests after {} already", tx.kind, tx.release, tx.step));
    }
    // another release is asked about anew
    let admitted = tx.admitted && *release == tx.release;
    let (breaking, drain) = (breaking || tx.breaking, drain || tx.drain);
    go(state, Transaction { release: release.clone(), until, admitted, breaking, drain, ..tx.clone() })
}

/// Whether a deploy has nothing to do.
fn is_unchanged(command: &Command, seen: &Seen) -> bool {
    matches!(command, Command::Deploy { release, if_changed: true, .. } if has_traffic(seen, release))
}

fn has_traffic(seen: &Seen, release: &ReleaseId) -> bool {
    seen.route().is_some_and(|route| seen.serves(&route.active, release))
}

fn deploy(state: &State, command: &Command, seen: &Seen, leftover: bool) -> Begin {
    let Command::Deploy { release, until, breaking, .. } = command else { unreachable!("only deploys come here") };
    let to = match (&seen.traffic, seen.idle()) {
        (_, Some(idle)) => idle,
        // before the set-up a release can be prepared, so that the set-up has something to send the traffic to
        (Ok(Traffic::NotSetUp(why)), None) if *until > Step::Health => {
            return Begin::Refuse(Refusal::NotSetUp(why.clone()));
        }
        _ => seen.profiles.first(),
    };
    let tx = open(state, Kind::Deploy, to, release.clone(), Step::Stop, seen);
    // what an undone one could not stop is this one's to stop, also when it is undone itself
    go(state, Transaction { until: *until, breaking: *breaking, started: leftover, ..tx })
}

fn rollback(state: &State, wanted: Option<&ReleaseId>, seen: &Seen) -> Begin {
    let idle = match idle(seen) {
        Ok(idle) => idle,
        Err(refusal) => return Begin::Refuse(refusal),
    };
    if let Some(bad) = wanted.filter(|release| state.has_failed(release)) {
        return Begin::Refuse(Refusal::HasFailed(bad.clone()));
    }
    if let Some(same) = wanted.filter(|release| has_traffic(seen, release)) {
        return Begin::Already(format!("release {same} has the traffic already"));
    }
    let target = match wanted {
        Some(release) => Target { release, warm: warm(state, seen, idle) == Some(release) },
        None => match rollback_target(state, seen) {
            Some(target) => target,
            None => return Begin::Refuse(Refusal::NothingToRollBack),
        },
    };
    let step = if target.warm { Step::Health } else { Step::Stop };
    go(state, open(state, Kind::Rollback, idle, target.release.clone(), step, seen))
}

/// Where a rollback that names no release goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Which release.
    pub release: &'a ReleaseId,
    /// Whether it runs on the idle profile, so that one move of the route is enough.
    pub warm: bool,
}

/// Where a rollback that names no release would go: to a good one that differs from what serves and did not crash. `None` also when
/// the route is not known.
pub fn rollback_target<'a>(state: &'a State, seen: &'a Seen) -> Option<Target<'a>> {
    let (idle, serves) = (seen.idle()?, serves(state, seen));
    let other = |release: &&ReleaseId| Some(*release) != serves && !state.crashed.contains(release);
    let warm = warm(state, seen, idle).filter(other);
    let release = warm.or_else(|| state.confirmed.iter().find(other))?;
    Some(Target { release, warm: warm.is_some() })
}

/// The idle profile of a command that needs one.
fn idle(seen: &Seen) -> Result<&Profile, Refusal> {
    let traffic = seen.traffic.as_ref().map_err(Clone::clone).and_then(|traffic| traffic.among(&seen.profiles));
    match traffic.map_err(Refusal::Blind)? {
        Traffic::Ours(route) => Ok(seen.profiles.other(&route.active).expect("it is among the two")),
        Traffic::Elsewhere(to) => Err(Refusal::Elsewhere(to.clone())),
        Traffic::NotSetUp(why) => Err(Refusal::NotSetUp(why.clone())),
    }
}

fn up(state: &State, seen: &Seen, policy: &Policy) -> Begin {
    let idle = match idle(seen) {
        Ok(idle) => idle,
        Err(refusal) => return Begin::Refuse(refusal),
    };
    let Some(active) = state.last_good() else {
        return Begin::Already("nothing was deployed yet".to_owned());
    };
    // `recover` came before and started the active one, if it was not there
    let previous = state.confirmed.iter().find(|release| *release != active && !state.crashed.contains(release));
    match previous {
        Some(release) if policy.previous == Previous::Warm && seen.is_free(idle) => {
            go(state, open(state, Kind::Warm, idle, release.clone(), Step::Start, seen))
        }
        _ => Begin::Already("everything runs".to_owned()),
    }
}
