//! The engine's loop, cut into the steps between which it can be killed.

use bluegreen_core::{
    Acted, Begin, Command, Effect, Interrupt, Outcome, Policy, Recovery, State, Then, Tried, begin, machine,
    testing::World,
};

use super::mutant::{self, Mutant};

/// One run of the tool, as far as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tool {
    command: Command,
    /// Recovery comes first; `None` once it is over.
    recovering: Option<Tried>,
    interrupted: bool,
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum At {
    /// About to look and to decide what to do.
    Deciding,
    /// About to look at an open transaction; `state` is in memory.
    Walking { state: Box<State>, last: Option<Acted> },
    /// Saved, about to act.
    Acting { state: Box<State>, effect: Effect },
}

impl Tool {
    pub(crate) fn launch(command: Command) -> Self {
        Self { command, recovering: Some(Tried::default()), interrupted: false, at: At::Deciding }
    }

    pub(crate) fn interrupt(&mut self) -> bool {
        !std::mem::replace(&mut self.interrupted, true)
    }

    /// One micro-step: look and decide and save, or act. `None`: it is over.
    pub(crate) fn go(
        mut self,
        world: &mut World,
        disk: &mut State,
        policy: &Policy,
        mutant: Option<Mutant>,
    ) -> Option<Self> {
        match std::mem::replace(&mut self.at, At::Deciding) {
            At::Deciding => self.decide(world, disk, policy, mutant),
            At::Walking { state, last } => {
                if mutant == Some(Mutant::SaveLate) && last.is_some() {
                    *disk = (*state).clone();
                }
                let seen = mutant::see(mutant, bluegreen_core::Seen { last, ..world.seen() }, self.heard());
                let next = machine::step(&state, &seen, policy);
                match mutant {
                    Some(Mutant::NoJournal) => *disk = State { transaction: None, ..next.state.clone() },
                    Some(Mutant::SaveLate) if matches!(next.then, Then::Do(_)) => {}
                    _ => *disk = next.state.clone(),
                }
                match next.then {
                    Then::Do(effect) => Some(self.on(At::Acting { state: Box::new(next.state), effect })),
                    Then::End(_) if self.recovering.is_none() => None,
                    // recovery asks again, unless it cannot get any further
                    Then::End(_) if disk.transaction.is_none() => Some(self.on(At::Deciding)),
                    Then::End(Outcome::Degraded { .. }) if matches!(self.command, Command::Recover | Command::Up) => {
                        None
                    }
                    Then::End(_) => {
                        self.recovering = None;
                        Some(self.on(At::Deciding))
                    }
                }
            }
            At::Acting { state, effect } => {
                let result = mutant::act(mutant, world, &effect, &state);

                Some(self.on(At::Walking { state, last: Some(Acted { effect, result }) }))
            }
        }
    }

    fn heard(&self) -> Option<Interrupt> {
        (self.interrupted && self.recovering.is_none()).then_some(Interrupt::Cancelled)
    }

    fn decide(mut self, world: &World, disk: &State, policy: &Policy, mutant: Option<Mutant>) -> Option<Self> {
        let seen = mutant::see(mutant, world.seen(), None);
        if let Some(mut tried) = self.recovering {
            match mutant::recovery(mutant, disk, &seen, policy, tried) {
                Recovery::Walk(state) => {
                    if let (None, Some(tx)) = (&disk.transaction, &state.transaction) {
                        tried.flip |= tx.kind == bluegreen_core::Kind::Flip;
                        tried.up |= tx.kind == bluegreen_core::Kind::Up;
                    }
                    self.recovering = Some(tried);
                    return Some(self.on(At::Walking { state, last: None }));
                }
                Recovery::Degraded(_) if matches!(self.command, Command::Recover | Command::Up) => return None,
                _ => self.recovering = None,
            }
        }
        match begin(disk, &self.command, &seen, policy) {
            // `First` abandons what rests; a later launch asks again
            Begin::Go(state) | Begin::First(state) => Some(self.on(At::Walking { state, last: None })),
            Begin::Already(_) | Begin::Refuse(_) => None,
        }
    }

    fn on(mut self, at: At) -> Self {
        self.at = at;
        self
    }
}
