use std::time::Duration;

use crate::{
    Blind, Cause, Failure, Kind, Occupant, Outcome, Policy, Process, Profile, Route, Seen, State, Step, Transaction,
    machine::{Acted, Effect},
};

/// What to write down, and what to do then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The state to save before anything else is done.
    pub state: State,
    /// What then.
    pub then: Then,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// What to do once the state is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// This, then look again.
    Do(Effect),
    /// Nothing: the run is over.
    End(Outcome),
}

/// Walks the open transaction: from what was written down and what is so to what to write down and do. Total: every state
/// and every sight has an answer. Without a transaction there is nothing to do.
pub fn step(state: &State, seen: &Seen, policy: &Policy) -> Next {
    let mut state = state.clone();
    if let Some(route) = seen.route() {
        seen.profiles.both().into_iter().for_each(|p| state.note_traffic(p, route.uses(p), &seen.now));
    }
    let Some(tx) = state.transaction.take() else {
        return Next { state, then: Then::End(Outcome::DONE), warnings: Vec::new() };
    };
    let mut walk = Walk { state, tx, seen, policy, last: seen.last.as_ref(), warnings: Vec::new(), open: true };
    let then = walk.walk();
    let Walk { mut state, tx, warnings, open, .. } = walk;
    state.transaction = open.then_some(tx);
    Next { state, then, warnings }
}

/// A request to stop is heard until the bake ends; in the bake only when there is something to go back to.
pub(crate) fn hears(tx: &Transaction, seen: &Seen) -> bool {
    tx.undo.is_none() && (tx.step < Step::Bake || (tx.step == Step::Bake && way_back(tx, seen).is_some()))
}

/// The profile that the traffic came from, when it is answered there by ours, or by a stranger that had it before us: one
/// that took the place of ours, meanwhile or before a flip, gets nothing.
fn way_back<'a>(tx: &'a Transaction, seen: &Seen) -> Option<&'a Profile> {
    tx.from.as_ref().filter(|from| match seen.on(from) {
        Ok(Occupant::Ours { listening, .. }) => *listening,
        Ok(Occupant::Stranger { .. }) => tx.old_release.is_none() && tx.kind != Kind::Flip,
        Ok(Occupant::Nobody) | Err(_) => false,
    })
}

/// One call of [`step`].
pub(super) struct Walk<'a> {
    pub(super) state: State,
    pub(super) tx: Transaction,
    pub(super) seen: &'a Seen,
    pub(super) policy: &'a Policy,
    /// The effect just done, until the step that asked for it has seen it.
    pub(super) last: Option<&'a Acted>,
    pub(super) warnings: Vec<String>,
    /// Whether the transaction stays open.
    pub(super) open: bool,
}

/// Whether a fact is so.
pub(super) enum Fact {
    True,
    Needs(Effect),
    Fails(Failure),
}

impl Walk<'_> {
    fn walk(&mut self) -> Then {
        if let Some(failure) = self.tx.undo.clone() {
            return self.undo(failure);
        }
        if let Some(failure) = self.interrupted() {
            return self.fail(failure);
        }
        loop {
            match self.fact() {
                Fact::Needs(effect) => return Then::Do(effect),
                Fact::Fails(failure) => return self.fail(failure),
                Fact::True => {}
            }
            match self.tx.step.next() {
                _ if self.tx.step == Step::Health && self.tx.kind == Kind::Warm => return self.end(Outcome::DONE),
                None => return self.end(Outcome::DONE),
                Some(_) if self.tx.step == self.tx.until => return Then::End(Outcome::Paused(self.tx.step)),
                Some(next) => self.tx.step = next,
            }
            self.last = None;
        }
    }

    fn interrupted(&self) -> Option<Failure> {
        let interrupt = self.seen.interrupt?;
        hears(&self.tx, self.seen).then(|| interrupt.failure(self.tx.step))
    }

    /// Forward is over: undo, as far as that makes sense.
    fn fail(&mut self, failure: Failure) -> Then {
        // an effect that failed does not hide that the release died, or that its standby is what answers
        let serves = self.seen.ours(&self.tx.to).is_some() && !self.seen.failed_over();
        if self.tx.step == Step::Retire && failure.cause != Cause::Died && serves {
            return Then::End(Outcome::Done { unfinished: Some(failure) });
        }
        let confirmed = self.tx.step == Step::Retire;
        // without the route there is no way back, and whoever cannot be asked condemns nobody
        let routeless = self.tx.step == Step::Bake && self.seen.traffic.is_err();
        if failure.cause == Cause::Blind && (confirmed || routeless) {
            // the next run goes on with what this one could not see
            return Then::End(Outcome::Degraded { reason: failure.message.clone(), failure });
        }
        if self.tx.kind == Kind::Up {
            // it belongs where the proxy points: there is nothing to go back to, and nothing to stop
            let reason = format!("{} has the traffic, and {} does not serve it", self.tx.to, self.tx.release);
            return self.degraded(failure, reason);
        }
        self.tx.undo = Some(failure.clone());
        self.last = None;
        self.undo(failure)
    }

    /// Closes the transaction.
    pub(super) fn end(&mut self, outcome: Outcome) -> Then {
        self.open = false;
        Then::End(outcome)
    }

    pub(super) fn degraded(&mut self, failure: Failure, reason: impl Into<String>) -> Then {
        self.end(Outcome::Degraded { failure, reason: reason.into() })
    }

    /// The process on `to`, when it is the one that was proven healthy and still listens.
    pub(super) fn proven(&self) -> Option<&Process> {
        let process = self.seen.ours(&self.tx.to).filter(|p| self.tx.proven.as_ref() == Some(&p.run))?;
        self.seen.listens(&self.tx.to).then_some(process)
    }

    /// The profile that the traffic can go back to.
    pub(super) fn way_back(&self) -> Option<&Profile> {
        way_back(&self.tx, self.seen)
    }

    /// How the effect just done went, if it was one of these.
    pub(super) fn did(&self, which: impl Fn(&Effect) -> bool) -> Option<&Result<(), Failure>> {
        self.last.filter(|acted| which(&acted.effect)).map(|acted| &acted.result)
    }

    /// An [`Effect::Stop`] of `process` after what is left of the settle time.
    pub(super) fn stop(&self, profile: &Profile, process: &Process) -> Effect {
        let lost = self.state.lost_traffic.get(profile.name()).and_then(Option::as_ref);
        let waited = lost.and_then(|lost| self.seen.now.since(lost));
        // who never had the traffic has nothing to settle; after a loss nobody knows who that is
        let unknown = if self.state.lost { self.policy.settle } else { Duration::ZERO };
        let settle = waited.map_or(unknown, |waited| self.policy.settle.saturating_sub(waited));
        Effect::Stop { profile: profile.clone(), process: process.clone(), settle }
    }

    /// The route; `None`: it is known that neither profile has the traffic.
    pub(super) fn route(&self) -> Result<Option<&Route>, Failure> {
        self.seen.permits(&self.state).map_err(|blind| self.blind(&blind))
    }

    /// Who is on `profile`.
    pub(super) fn on(&self, profile: &Profile) -> Result<&Occupant, Failure> {
        self.seen.on(profile).map_err(|blind| self.blind(blind))
    }

    fn blind(&self, blind: &Blind) -> Failure {
        let message = match blind {
            Blind::Profile { profile, .. } => format!("lost sight of {profile}"),
            _ => "lost sight of the route".to_owned(),
        };
        self.failure(Cause::Blind, message).because(blind)
    }

    pub(super) fn failure(&self, cause: Cause, message: impl Into<String>) -> Failure {
        Failure::new(self.tx.step, cause, message)
    }
}
