use std::{error::Error, time::Duration};

use tokio::time::Instant;

use super::run::Run;
use crate::{
    Answer, Cause, EventKind, Failure, Occupant, Process, Profile, Route, Step, Traffic,
    machine::{Effect, Sacrifice},
};

/// So many fresh answers of the resolver in a row are a proof.
const PROOFS: usize = 3;

impl Run<'_> {
    /// Does one effect.
    pub(super) async fn act(&mut self, effect: &Effect) -> Result<(), Failure> {
        match effect {
            Effect::Isolate { active, sacrifice } => self.isolate(active, *sacrifice).await,
            Effect::Stop { profile, process, settle } => self.stop(profile, process, *settle).await,
            Effect::Start { profile, release } => {
                let started = self.deployer.processes.start(profile, release).await;
                started.map_err(|e| Failure::start(self.current(), profile, release, &e))
            }
            Effect::AwaitHealthy { profile, process, .. } => self.await_healthy(profile, process).await,
            Effect::Switch { to, expect } => self.switch(to, expect).await,
            Effect::Prove { profile } => self.prove(profile).await,
            Effect::Standby { active, standby, expect } => {
                self.healthy_now(standby, expect).await?;
                self.still_active(active).await?;
                self.route(&Route::with_standby(active.clone(), standby.clone())).await
            }
            Effect::Bake { profile, process } => self.bake(profile, process).await,
            Effect::Gate { before, process } => self.gate(*before, process.as_ref()).await,
        }
    }

    pub(super) fn failure(&self, cause: Cause, message: impl Into<String>) -> Failure {
        Failure::new(self.current(), cause, message)
    }

    pub(super) fn failed(&self, cause: Cause, message: impl Into<String>, error: &(dyn Error + 'static)) -> Failure {
        self.failure(cause, message).because(error)
    }

    async fn stop(&mut self, profile: &Profile, process: &Process, settle: Duration) -> Result<(), Failure> {
        let (step, interrupts) = (self.current(), self.interrupts());
        if !settle.is_zero() {
            self.waiting(format!("{profile} lost its traffic only just now"), Duration::ZERO, settle);
            interrupts.sleep(step, settle).await?;
        }
        let policy = &self.deployer.policy;
        let drained = tokio::select! {
            drained = self.deployer.switcher.drain(profile, policy.drain) => drained,
            failure = interrupts.heard(step) => return Err(failure),
        };
        let left =
            drained.map_err(|e| self.failed(Cause::Process, format!("cannot see whether {profile} is drained"), &e))?;
        // a wait lies behind us, and only the proxy says who is in use
        let traffic = self.traffic().await?;
        if traffic.route().is_some_and(|route| route.uses(profile)) {
            let message = format!("{profile} got traffic again: somebody moved the route");
            return Err(self.failure(Cause::Route, message));
        }
        self.is_nobodys(profile).await?;
        let active = traffic.route().map(|route| &route.active);
        let served = match active {
            Some(active) => self.inspect(active).await?.listens(),
            None => false,
        };
        let stopped = self.deployer.processes.stop(profile, process, policy.grace).await;
        stopped.map_err(|e| self.failed(Cause::Process, format!("{profile} could not be freed"), &e))?;
        // one daemon may have stood behind both, in a way that nobody could see
        if let Some(active) = active.filter(|_| served)
            && !self.inspect(active).await?.listens()
        {
            let message = format!("{active}, which has the traffic, ended together with what was stopped on {profile}");
            return Err(self.failure(Cause::Process, message));
        }
        let left = if left == 0 { String::new() } else { format!(", with {left} of its connections still open") };
        self.detail = format!("stopped {}{left}", process.release);
        Ok(())
    }

    /// Before the old release is ended for good: the witness may be wrong about the users, as with a server block that was never set
    /// up, which leads to `profile` still.
    async fn is_nobodys(&self, profile: &Profile) -> Result<(), Failure> {
        let retires = self.walked.as_ref().filter(|tx| tx.undo.is_none() && tx.step == Step::Retire);
        let (Some(tx), Some(door)) = (retires, &self.deployer.front_door) else { return Ok(()) };
        match door.ask(&tx.to).await {
            Answer::Beside { says, .. } | Answer::Gateway { status: ..500, says } => {
                let mut failure =
                    self.failure(Cause::Switch, format!("the front door still answers as {profile} does"));
                failure.causes = vec![says];
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    /// Law 3: every move of the route, reverts too, probes the very process it moves to inside the same effect, and last: the
    /// look at the front door takes a moment, in which a machine may go to sleep.
    async fn switch(&mut self, to: &Profile, expect: &Occupant) -> Result<(), Failure> {
        self.watch_front_door(to).await;
        self.healthy_now(to, expect).await?;
        self.route(&Route::solo(to.clone())).await
    }

    /// Takes the standby away. Law 7: while it is what answers, that would be the outage.
    pub(super) async fn isolate(&self, active: &Profile, sacrifice: Sacrifice) -> Result<(), Failure> {
        let standby = self.still_active(active).await?.standby;
        let deaf = !self.inspect(active).await?.listens();
        if let (true, Some(standby)) = (deaf, standby) {
            if self.spares(&standby, sacrifice).await? {
                // when a deploy begins that way, it is not its release that died
                let cause = if sacrifice == Sacrifice::Never { Cause::Died } else { Cause::Route };
                return Err(self.failure(cause, format!("{active} does not answer, and its standby {standby} does")));
            }
            // a proof takes a while
            self.still_active(active).await?;
        }
        self.route(&Route::solo(active.clone())).await
    }

    /// Whether a standby that may be what answers is more than `sacrifice` allows to take away.
    async fn spares(&self, standby: &Profile, sacrifice: Sacrifice) -> Result<bool, Failure> {
        let occupant = self.inspect(standby).await?;
        match sacrifice {
            Sacrifice::Sick if occupant.listens() => match self.healthy_now(standby, &occupant).await {
                // that it is sick is not known then
                Err(failure) if matches!(failure.cause, Cause::Interrupted | Cause::Deadline | Cause::Blind) => {
                    Err(failure)
                }
                proof => Ok(proof.is_ok()),
            },
            Sacrifice::Always => Ok(false),
            _ => Ok(occupant.listens()),
        }
    }

    /// Giving or taking a standby must not move the traffic back to where somebody else took it from.
    async fn still_active(&self, active: &Profile) -> Result<Route, Failure> {
        match self.traffic().await? {
            Traffic::Ours(route) if route.active == *active => Ok(route),
            Traffic::Ours(route) => Err(self.failure(Cause::Route, format!("somebody moved the route: it is {route}"))),
            traffic => Err(self.failure(Cause::Route, format!("somebody moved the route: {traffic}"))),
        }
    }

    /// Moves the route and asks the witness: the switcher's own yes is no proof.
    async fn route(&self, route: &Route) -> Result<(), Failure> {
        let ordered = Instant::now();
        if let Some(watch) = &self.watch {
            watch.ordered(ordered);
        }
        let switched = self.deployer.switcher.switch_to(route).await;
        let took = ordered.elapsed();
        switched.map_err(|e| self.failed(Cause::Switch, format!("the route did not become {route}"), &e))?;
        for _ in 0..PROOFS {
            match self.traffic().await? {
                Traffic::Ours(seen) if seen == *route => {}
                Traffic::Ours(seen) => {
                    let message = format!("the proxy said yes to {route}, but the route is {seen}");
                    return Err(self.failure(Cause::Switch, message));
                }
                traffic => {
                    return Err(self.failure(Cause::Switch, format!("the proxy said yes to {route}, but {traffic}")));
                }
            }
        }
        if let Some(watch) = &self.watch {
            watch.switched_in(took);
        }
        let (active, standby) = (route.active.clone(), route.standby.clone());
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.deployer.events.emit(EventKind::Switched { active, standby, took_us });
        Ok(())
    }

    pub(super) fn waiting(&self, reason: String, waited: Duration, limit: Duration) {
        let (waited_ms, limit_ms) = (crate::millis(waited), crate::millis(limit));
        self.deployer.events.emit(EventKind::Waiting { step: self.current(), reason, waited_ms, limit_ms });
    }
}
