use tokio::time::Instant;

use super::{
    health::TIGHT,
    run::Run,
    watch::{Sample, Watch},
};
use crate::{Answer, Cause, EventKind, Failure, Occupant, Process, Profile, Unhealthy, machine::Sacrifice, millis};

/// In a bake a failed attempt adds the first, a good one takes away the second, and the third ends it: three failures in a
/// row do, and so does every other attempt that fails, as with one sick worker of two.
const WEIGHTS: (u32, u32, u32) = (2, 1, 6);

/// Attempts of one kind: at the release itself, or at the front door.
#[derive(Debug, Default)]
struct Attempts {
    all: u32,
    failed: u32,
    weight: u32,
}

impl Attempts {
    fn note(&mut self, good: bool) {
        let (bad_weight, good_weight, _) = WEIGHTS;
        self.all += 1;
        if good {
            self.weight = self.weight.saturating_sub(good_weight);
        } else {
            self.failed += 1;
            self.weight += bad_weight;
        }
    }

    fn are_over(&self) -> bool {
        self.weight >= WEIGHTS.2
    }
}

impl Run<'_> {
    /// Watches `process` under real traffic for the time that the policy says: by its own health, and by what users get.
    pub(super) async fn bake(&mut self, profile: &Profile, process: &Process) -> Result<(), Failure> {
        let at_the_door = self.stays_healthy(profile, process).await?;
        let unknown = self.watch.is_some() && at_the_door.all == 0;
        let says = if unknown {
            "stayed healthy, as far as it says itself: the front door's answers tell nothing of it"
        } else {
            "stayed healthy"
        };
        says.clone_into(&mut self.detail);
        Ok(())
    }

    /// The standby that this bake may fall back to, as it is now.
    async fn standby(&self) -> Result<Option<(Profile, Occupant)>, Failure> {
        let Some(standby) = self.traffic().await?.route().and_then(|route| route.standby.clone()) else {
            return Ok(None);
        };
        let occupant = self.inspect(&standby).await?;
        Ok(Some((standby, occupant)))
    }

    async fn stays_healthy(&self, profile: &Profile, process: &Process) -> Result<Attempts, Failure> {
        let (step, interrupts, total) = (self.current(), self.interrupts(), self.deployer.policy.bake);
        let pause = self.deployer.policy.health_interval.min(total / 4).max(TIGHT);
        let (began, mut itself, mut at_the_door) = (Instant::now(), Attempts::default(), Attempts::default());
        let mut gone = std::pin::pin!(self.until_gone(profile, process));
        let mut standby = self.standby().await?;
        // what was answered until here has proven the switch
        let _ = self.watch.as_ref().map(Watch::sample);
        while !total.is_zero() {
            let watched = began.elapsed().min(total);
            let (what, done) = ("bake".to_owned(), millis(watched));
            self.deployer.events.emit(EventKind::Progress { what, done, total: millis(total) });
            let answer = tokio::select! {
                answer = self.deployer.probe.check(profile) => answer,
                failure = &mut gone => return Err(failure),
            };
            if !self.still_there(profile, process).await? {
                return Err(self.failure(Cause::Unhealthy, format!("{profile} stopped listening during the bake")));
            }
            if let Some((at, before)) = &standby
                && self.inspect(at).await? != *before
            {
                // whoever has its port now would get the users
                self.deployer.events.warn(format!("what ran on {at} ended: there is no failover any more"));
                self.isolate(profile, Sacrifice::Never).await?;
                standby = None;
            }
            itself.note(answer.is_ok());
            self.judge_health(profile, &answer, &itself)?;
            let users = self.watch.as_ref().map(Watch::sample).unwrap_or_default();
            // past the end, a bad last word that nothing follows stands: the bake does not wait for ever
            let silent_end = watched == total && users.good + users.bad == 0 && users.last_bad.is_some();
            self.judge_door(profile, &users, silent_end, &mut at_the_door)?;
            // the last look comes after all that time: a pause in which we were stopped is as long as it likes
            if watched == total && answer.is_ok() && users.last_bad.is_none() {
                break;
            }
            let left = total.saturating_sub(began.elapsed());
            tokio::select! {
                slept = interrupts.sleep(step, if left.is_zero() { pause } else { pause.min(left) }) => slept?,
                failure = &mut gone => return Err(failure),
            }
        }
        Ok(at_the_door)
    }

    fn judge_health(
        &self,
        profile: &Profile,
        answer: &Result<(), Unhealthy>,
        so_far: &Attempts,
    ) -> Result<(), Failure> {
        match answer {
            Err(why) if so_far.are_over() => {
                let Attempts { failed, all, .. } = so_far;
                let message = format!("{profile} failed {failed} of {all} health attempts during the bake");
                Err(self.failed(Cause::Unhealthy, message, why))
            }
            _ => Ok(()),
        }
    }

    /// What users got since the last look counts as one attempt; answers of which nobody knows whose they are count as none.
    fn judge_door(
        &self,
        profile: &Profile,
        users: &Sample,
        silent_end: bool,
        so_far: &mut Attempts,
    ) -> Result<(), Failure> {
        if users.good + users.bad > 0 || silent_end {
            so_far.note(users.bad <= users.good && !silent_end);
        }
        let Some(last) = users.last_bad.as_ref().filter(|_| so_far.are_over()) else { return Ok(()) };
        // that nobody answers at all is no word about the release
        let cause = if matches!(last, Answer::Nobody(_)) { Cause::Switch } else { Cause::Unhealthy };
        let Attempts { failed, all, .. } = so_far;
        let mut failure = self.failure(
            cause,
            format!("the front door failed {failed} of {all} times during the bake, with the traffic at {profile}"),
        );
        failure.causes = vec![last.says().to_owned()];
        Err(failure)
    }
}
