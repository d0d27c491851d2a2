//! The engine's loop, cut into the steps between which it can be killed, or suspended for any time.

use bluegreen_core::{
    Cause, Command, Failure, Outcome, Profile, Route, Seen, State, Step,
    machine::{Acted, Begin, Effect, Interrupt, Recovery, Then, Tried, begin},
};

use super::{
    host::Host,
    machine::Machine,
    mutant::{self, Mutant},
    promise,
};

/// One run of the tool, as far as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tool {
    pub(crate) command: Command,
    /// Recovery comes first; `None` once it is over.
    pub(crate) recovering: Option<Tried>,
    interrupted: bool,
    /// What a mutant thinks that the route is, whatever the proxy says.
    pub(crate) believes: Option<Route>,
    /// Who had the traffic, and listened, when the command began.
    served: Option<Profile>,
    /// What a mutant read before it had the lock.
    pub(crate) stale: Option<Box<State>>,
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

/// How an effect goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Strike {
    /// It fails, and did nothing.
    Refused,
    /// It fails, and happened all the same.
    Late,
    /// It says yes, and did nothing.
    Lie,
}

/// Where a tool is after a micro-step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it lives for one step")]
pub(crate) enum Went {
    On(Tool),
    /// It is over; `true`: it said that a person is needed.
    Over {
        degraded: bool,
    },
}

impl Tool {
    pub(crate) fn launch(command: Command) -> Self {
        let recovering = Some(Tried::default());
        Self { command, recovering, interrupted: false, believes: None, served: None, stale: None, at: At::Deciding }
    }

    pub(crate) fn interrupt(&mut self) -> bool {
        !std::mem::replace(&mut self.interrupted, true)
    }

    /// The effect that it is about to do.
    pub(crate) fn about_to(&self) -> Option<&Effect> {
        if let At::Acting { effect, .. } = &self.at { Some(effect) } else { None }
    }

    /// The effect that it has just done.
    pub(crate) fn has_just(&self) -> Option<&Acted> {
        if let At::Walking { last, .. } = &self.at { last.as_ref() } else { None }
    }

    /// One micro-step: look and decide and save, or act.
    pub(crate) fn go(mut self, host: &mut Host, machine: &Machine, strike: Option<Strike>) -> Went {
        if let Some(stale) = self.stale.take() {
            host.disk = *stale;
        }
        match std::mem::replace(&mut self.at, At::Deciding) {
            At::Deciding => self.decide(host, machine),
            At::Walking { state, last } => self.walk(host, machine, &state, last),
            At::Acting { state, effect } => {
                let (before, truth) = (host.world.clone(), host.truth().cloned());
                let result = self.act(host, machine, &effect, &state, strike);
                // a route that the tool has written can be read again
                host.hidden = host.hidden.take().filter(|_| host.world.traffic.is_err());
                if result.is_ok() {
                    host.broken.extend(promise::judge_gates(&machine.policy, &before, &effect, &state, host));
                }
                host.broken.extend(promise::judge_effect(&before, truth.as_ref(), &effect, &state, host));
                host.note_served();
                let last = Some(Acted { effect, result });
                Went::On(Self { at: At::Walking { state, last }, ..self })
            }
        }
    }

    fn act(
        &mut self,
        host: &mut Host,
        machine: &Machine,
        effect: &Effect,
        state: &State,
        strike: Option<Strike>,
    ) -> Result<(), Failure> {
        let injected = || Err(Failure::new(Step::Stop, Cause::Process, "injected"));
        let step = state.transaction.as_ref().map_or(Step::Stop, |tx| tx.step);
        let result = match strike {
            Some(Strike::Refused) => injected(),
            Some(Strike::Lie) => Ok(()),
            Some(Strike::Late) => mutant::act(machine.mutant, host, effect, state, self).and_then(|()| injected()),
            None => mutant::act(machine.mutant, host, effect, state, self),
        };
        // the world does not know which step it is
        let result = result.map_err(|failure| Failure { step, ..failure });
        if let (Effect::Prove { .. }, Ok(()), Some(tx)) = (effect, &result, &state.transaction) {
            host.proved = tx.number;
        }
        if let (Effect::Gate { process, .. }, Ok(()), Some(tx)) = (effect, &result, &state.transaction) {
            match process {
                None => host.admitted = tx.number,
                process => host.passed.clone_from(process),
            }
        }
        mutant::believe(machine.mutant, host, effect, result, self)
    }

    fn walk(mut self, host: &mut Host, machine: &Machine, state: &State, last: Option<Acted>) -> Went {
        if machine.mutant == Some(Mutant::SaveLate) && last.is_some() {
            host.save(state, machine.mutant);
        }
        let seen = Seen { last, interrupt: self.heard(), ..mutant::see(machine.mutant, host, &self) };
        let next = mutant::step(machine.mutant, state, &seen, &machine.policy);
        host.broken.extend(promise::judge_save(state, &next.state, host.proved));
        if machine.mutant != Some(Mutant::SaveLate) || !matches!(next.then, Then::Do(_)) {
            host.save(&next.state, machine.mutant);
        }
        let outcome = match next.then {
            Then::Do(effect) => {
                let at = At::Acting { state: Box::new(next.state), effect };
                return Went::On(Self { at, ..self });
            }
            Then::End(outcome) => outcome,
        };
        let degraded = matches!(outcome, Outcome::Degraded { .. });
        let Some(tried) = &mut self.recovering else {
            if self.asks_again(degraded) {
                return Went::On(self);
            }
            // what was taken back may have taken the live side with it
            let undone = matches!(outcome, Outcome::Undone(_)) && next.state.transaction.is_none();
            if let Some(served) = self.served.take().filter(|_| undone)
                && !mutant::see(machine.mutant, host, &self).listens(&served)
            {
                return Went::On(Self { command: Command::Recover, recovering: Some(Tried::default()), ..self });
            }
            return Went::Over { degraded };
        };
        // recovery asks again, unless it cannot get any further
        if next.state.transaction.is_none() && machine.mutant != Some(Mutant::RecoverOnce) {
            tried.ended(&outcome);
            return Went::On(self);
        }
        if degraded && self.only_recovers() {
            return Went::Over { degraded };
        }
        self.recovering = None;
        Went::On(self)
    }

    /// After what rested was abandoned for another release.
    fn asks_again(&mut self, degraded: bool) -> bool {
        match &mut self.command {
            Command::Deploy { replace, .. } => std::mem::take(replace) && !degraded,
            _ => false,
        }
    }

    fn only_recovers(&self) -> bool {
        matches!(self.command, Command::Recover | Command::Up)
    }

    fn heard(&self) -> Option<Interrupt> {
        (self.interrupted && self.recovering.is_none()).then_some(Interrupt::Cancelled)
    }

    fn decide(mut self, host: &mut Host, machine: &Machine) -> Went {
        let seen = mutant::see(machine.mutant, host, &self);
        if host.damaged {
            match mutant::rebuild(machine.mutant, &seen) {
                Ok(state) => host.rebuild(state),
                // said in words, and nothing is written
                Err(_) => return Went::Over { degraded: true },
            }
        }
        if let Some(mut tried) = self.recovering {
            match mutant::recovery(machine.mutant, &host.disk, &seen, &machine.policy, tried) {
                Recovery::Walk(state) => {
                    host.broken.extend(promise::judge_save(&host.disk, &state, host.proved));
                    tried.begins(&host.disk, &state);
                    self.recovering =
                        Some(if machine.mutant == Some(Mutant::TriedForgotten) { Tried::default() } else { tried });
                    return Went::On(Self { at: At::Walking { state, last: None }, ..self });
                }
                // said in words, as a refusal is
                Recovery::Degraded(_) | Recovery::Blind(_) if self.only_recovers() => {
                    return Went::Over { degraded: true };
                }
                _ => self.recovering = None,
            }
        }
        let begun = begin(&host.disk, &self.command, &seen, &machine.policy);
        let (Begin::Go(state) | Begin::First(state)) = &begun else { return Went::Over { degraded: false } };
        host.broken.extend(promise::judge_save(&host.disk, state, host.proved));
        let at = At::Walking { state: state.clone(), last: None };
        self.served = seen.route().map(|route| route.active.clone()).filter(|active| seen.listens(active));
        if let Begin::Go(_) = begun {
            // it ends with this one
            self.asks_again(true);
        }
        Went::On(Self { at, ..self })
    }
}
