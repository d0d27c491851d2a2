use super::step::{Fact, Walk};
use crate::{
    Cause, Failover, Failure, Kind, Occupant, Previous, Process, Profile, Step, Stranger,
    machine::{Acted, Effect, Sacrifice},
};

impl Walk<'_> {
    /// Whether the step under way is true, and what it needs if not.
    pub(super) fn fact(&mut self) -> Fact {
        // what an effect says counts against a step, never for it: a yes that changed nothing is a no
        let forgiven = |e: &Effect| matches!(e, Effect::Standby { .. });
        if let Some(Err(failure)) = self.did(|e| !forgiven(e))
            && (failure.cause != Cause::Died || !self.runs_again())
        {
            return Fact::Fails(failure.clone());
        }
        let fact = match self.tx.step {
            Step::Stop => self.idle_is_free(),
            Step::Start => self.release_runs(),
            Step::Health => self.is_healthy(),
            Step::Switch => self.has_traffic(),
            Step::Bake => self.is_confirmed(),
            Step::Retire => self.old_is_retired(),
        };
        fact.unwrap_or_else(Fact::Fails)
    }

    fn idle_is_free(&mut self) -> Result<Fact, Failure> {
        if self.is_gated(Step::Stop) && !self.tx.admitted {
            if self.did(|e| matches!(e, Effect::Gate { .. })).is_none() {
                return Ok(Fact::Needs(Effect::Gate { before: Step::Stop, process: None }));
            }
            self.tx.admitted = true;
        }
        let to = &self.tx.to;
        if let Some(route) = self.route()? {
            if route.active == *to {
                return Err(self.failure(Cause::Route, format!("somebody moved the route to {to}")));
            }
            if route.standby.as_ref() == Some(to) {
                // while the standby is what answers, taking it away would be the outage
                return if self.seen.failed_over() && !self.tx.sacrifices_standby {
                    let message = format!("{} does not answer, and its standby {to} does", route.active);
                    Err(self.failure(Cause::Route, message))
                } else {
                    self.isolated(&route.active.clone())
                };
            }
        }
        Ok(match self.on(to)? {
            Occupant::Nobody => Fact::True,
            Occupant::Ours { process, .. } => self.stopped(to, process),
            Occupant::Stranger { who, .. } => Fact::Fails(self.taken(who)),
        })
    }

    fn release_runs(&mut self) -> Result<Fact, Failure> {
        Ok(match self.on(&self.tx.to)? {
            Occupant::Nobody if self.did(|e| matches!(e, Effect::Start { .. })).is_some() => Fact::Fails(self.died()),
            Occupant::Nobody => {
                self.tx.started = true;
                Fact::Needs(Effect::Start { profile: self.tx.to.clone(), release: self.tx.release.clone() })
            }
            Occupant::Ours { process, .. } if process.release == self.tx.release => Fact::True,
            Occupant::Ours { process, .. } => {
                let message = format!("{} runs release {}", self.tx.to, process.release);
                Fact::Fails(self.failure(Cause::Process, message))
            }
            Occupant::Stranger { who, .. } => Fact::Fails(self.taken(who)),
        })
    }

    fn is_healthy(&mut self) -> Result<Fact, Failure> {
        let (process, listening) = match self.on(&self.tx.to)? {
            Occupant::Ours { process, listening } => (process.clone(), *listening),
            Occupant::Nobody => return Err(self.died()),
            Occupant::Stranger { who, .. } => return Err(self.taken(who)),
        };
        let mut again = self.tx.proven.is_some();
        if let Some(Acted { effect: Effect::AwaitHealthy { process: awaited, .. }, .. }) = self.last {
            again = *awaited != process;
            if !again {
                self.tx.proven = Some(process.run.clone());
            } else if !self.runs_again() {
                return Err(self.died());
            }
        }
        match (self.tx.proven.as_ref() == Some(&process.run), listening) {
            (true, true) => Ok(self.let_through(process)),
            (true, false) => Err(self.failure(Cause::Unhealthy, format!("{} does not listen any more", self.tx.to))),
            _ => {
                if again {
                    let message = format!("release {} on {} ended and runs again", process.release, self.tx.to);
                    self.warnings.push(message);
                }
                Ok(Fact::Needs(Effect::AwaitHealthy { profile: self.tx.to.clone(), process, again }))
            }
        }
    }

    /// Whether what was waited for has ended for the first time, and its supervisor runs it again.
    fn runs_again(&self) -> bool {
        let now = self.seen.ours(&self.tx.to);
        let again = |ended: &Process| now.is_some_and(|now| now.start == ended.start && now.run != ended.run);
        self.did(|e| matches!(e, Effect::AwaitHealthy { process, again: false, .. } if again(process))).is_some()
    }

    /// Whether the owner said yes to this very process, where he is asked. The step that follows is the record of his yes, so a
    /// process that takes the place of this one is asked about anew.
    fn let_through(&self, process: Process) -> Fact {
        let asked = |e: &Effect| matches!(e, Effect::Gate { process: Some(asked), .. } if *asked == process);
        if self.tx.until == Step::Health || !self.is_gated(Step::Switch) || self.did(asked).is_some() {
            return Fact::True;
        }
        Fact::Needs(Effect::Gate { before: Step::Switch, process: Some(process) })
    }

    fn is_gated(&self, before: Step) -> bool {
        self.tx.kind == Kind::Deploy && self.policy.gates.before(before).is_some()
    }

    fn has_traffic(&mut self) -> Result<Fact, Failure> {
        let to = self.tx.to.clone();
        self.route()?;
        if self.seen.is_active(&to) {
            return Ok(Fact::True);
        }
        if self.tx.kind == Kind::Up {
            return Err(self.failure(Cause::Route, format!("somebody moved the route away from {to}")));
        }
        if self.did(|e| matches!(e, Effect::Switch { .. })).is_some() {
            return Err(self.failure(Cause::Switch, format!("the proxy said yes, but {to} does not get the traffic")));
        }
        let expect = self.on(&to)?.clone();
        self.proven().ok_or_else(|| self.gone())?;
        Ok(Fact::Needs(Effect::Switch { to, expect }))
    }

    fn is_confirmed(&mut self) -> Result<Fact, Failure> {
        let to = self.tx.to.clone();
        let solo = match self.route()? {
            Some(route) if route.active == to => route.standby.is_none(),
            _ => return Err(self.failure(Cause::Route, format!("somebody moved the route away from {to}"))),
        };
        self.on(&to)?;
        let process = self.proven().ok_or_else(|| self.gone())?.clone();
        if !self.tx.answered {
            if !solo {
                return self.isolated(&to);
            }
            if self.did(|e| matches!(e, Effect::Prove { .. })).is_none() {
                return Ok(Fact::Needs(Effect::Prove { profile: to }));
            }
            self.tx.answered = true;
        }
        // what was confirmed once has been watched before
        let known = self.tx.kind != Kind::Deploy && self.state.confirmed.contains(&self.tx.release);
        let bakes = matches!(self.tx.kind, Kind::Deploy | Kind::Rollback) && !known && !self.policy.bake.is_zero();
        if bakes && self.tx.kind == Kind::Deploy && self.policy.failover != Failover::Never && !self.tx.standby_settled
        {
            if let Some(effect) = self.standby_wanted() {
                return Ok(Fact::Needs(effect));
            }
            self.tx.standby_settled = true;
        }
        if bakes && self.did(|e| matches!(e, Effect::Bake { .. })).is_none() {
            return Ok(Fact::Needs(Effect::Bake { profile: to, process }));
        }
        self.confirm();
        Ok(Fact::True)
    }

    fn confirm(&mut self) {
        let before = self.state.last_good().filter(|before| **before != self.tx.release).cloned();
        let forward = self.state.crashed.contains(&self.tx.release);
        self.state.confirm(&self.tx.release);
        // recovery went to an older one, and the one that ended is nothing to go back to
        if let (Kind::Flip, Some(crashed)) = (self.tx.kind, before) {
            self.warnings
                .push(format!("release {} serves now: it is older than {crashed}, which ended", self.tx.release));
            self.state.mark_crashed(&crashed);
        }
        // what a rollback leaves is not good any more, but for the older one that recovery went to
        if let (Kind::Rollback, Some(left), false) = (self.tx.kind, &self.tx.old_release, forward)
            && *left != self.tx.release
        {
            self.state.mark_failed(left);
        }
    }

    fn old_is_retired(&mut self) -> Result<Fact, Failure> {
        let to = self.tx.to.clone();
        let standby = match self.route()? {
            Some(route) if route.active == to => route.standby.clone(),
            _ => return Err(self.failure(Cause::Route, format!("somebody moved the route away from {to}"))),
        };
        if self.on(&to)?.ours().is_none() {
            return Err(self.gone());
        }
        let replaces = matches!(self.tx.kind, Kind::Deploy | Kind::Rollback);
        let keep = !replaces || (self.policy.previous == Previous::Warm && !self.tx.breaking && !self.tx.drain);
        let always = self.tx.kind == Kind::Deploy && keep && self.policy.failover == Failover::Always;
        match (&standby, always) {
            (Some(_), false) => return self.isolated(&to),
            (None, true) => {
                if let Some(effect) = self.standby_wanted() {
                    return Ok(Fact::Needs(effect));
                }
            }
            _ => {}
        }
        let Some(from) = self.tx.from.clone().filter(|_| !keep) else { return Ok(Fact::True) };
        match self.on(&from)? {
            Occupant::Ours { process, .. } => return Ok(self.stopped(&from, process)),
            Occupant::Stranger { who, .. } => {
                let message = format!("{from} is held by {who}, which was not started by us: it keeps running");
                self.warnings.push(message);
            }
            Occupant::Nobody => {}
        }
        Ok(Fact::True)
    }

    /// An effect that makes the previous release the standby, unless that was just tried, or may not be.
    fn standby_wanted(&mut self) -> Option<Effect> {
        if let Some(tried) = self.did(|e| matches!(e, Effect::Standby { .. })) {
            if let Err(failure) = tried {
                let message = format!("no failover: {failure}");
                self.warnings.push(message);
            }
            return None;
        }
        let from = self.tx.from.clone().filter(|_| !self.tx.breaking)?;
        let expect = self.seen.on(&from).ok()?;
        let may =
            matches!(expect, Occupant::Ours { process, listening: true } if !self.state.has_failed(&process.release));
        may.then(|| Effect::Standby { active: self.tx.to.clone(), expect: expect.clone(), standby: from })
    }

    /// A process of ours is where none shall be.
    fn stopped(&self, profile: &Profile, process: &Process) -> Fact {
        if self.did(|e| matches!(e, Effect::Stop { .. })).is_some() {
            return Fact::Fails(self.failure(Cause::Process, format!("what ran on {profile} still runs")));
        }
        Fact::Needs(self.stop(profile, process))
    }

    /// The route has a standby that it shall not have.
    fn isolated(&self, active: &Profile) -> Result<Fact, Failure> {
        if self.did(|e| matches!(e, Effect::Isolate { .. })).is_some() {
            return Err(self.failure(Cause::Switch, "the proxy said yes, but it still has a standby"));
        }
        Ok(Fact::Needs(Effect::Isolate { active: active.clone(), sacrifice: self.sacrifice() }))
    }

    /// Recovery came first, and moves the traffic to every standby that is healthy, but for a release that failed, a stranger,
    /// and with a failover that may never be: without a sacrifice nothing would ever be deployed there.
    fn sacrifice(&self) -> Sacrifice {
        if !self.tx.sacrifices_standby || self.tx.step != Step::Stop {
            return Sacrifice::Never;
        }
        let flips = self.policy.failover != Failover::Never
            && match self.seen.on(&self.tx.to) {
                Ok(Occupant::Ours { process, .. }) => !self.state.has_failed(&process.release),
                Ok(Occupant::Stranger { .. }) => false,
                // who is not seen is not sacrificed without a proof
                Ok(Occupant::Nobody) | Err(_) => true,
            };
        if flips { Sacrifice::Sick } else { Sacrifice::Always }
    }

    fn died(&self) -> Failure {
        self.failure(Cause::Died, format!("release {} does not run on {} any more", self.tx.release, self.tx.to))
    }

    /// What was proven is not what is there.
    fn gone(&self) -> Failure {
        match self.on(&self.tx.to) {
            Ok(Occupant::Stranger { who, .. }) => self.taken(who),
            Ok(_) => self.died(),
            Err(blind) => blind,
        }
    }

    fn taken(&self, who: &Stranger) -> Failure {
        Failure::taken(self.tx.step, &self.tx.to, who)
    }
}
