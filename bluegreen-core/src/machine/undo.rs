use super::step::{Then, Walk};
use crate::{
    Failure, Occupant, Outcome, Profile, Step,
    machine::{Effect, Sacrifice},
};

impl Walk<'_> {
    /// Takes back what was done: first the route, then the process.
    pub(super) fn undo(&mut self, failure: Failure) -> Then {
        let to = self.tx.to.clone();
        match self.seen.permits(&self.state) {
            Ok(Some(route)) if route.active == to => return self.revert(failure, None),
            Ok(Some(route)) if route.standby.as_ref() == Some(&to) => {
                let active = route.active.clone();
                return self.withdraw(failure, active);
            }
            Ok(_) => {}
            Err(blind) => {
                let reason = format!("it cannot be told where the traffic goes: {blind}");
                return if self.tx.step == Step::Switch {
                    self.revert(failure, Some(reason))
                } else {
                    wait(failure, reason)
                };
            }
        }
        let occupant = match self.seen.on(&to) {
            Ok(occupant) => occupant,
            Err(_) if !self.tx.started => return self.undone(failure),
            Err(blind) => {
                let reason = blind.to_string();
                self.blame(&failure);
                return wait(failure, reason);
            }
        };
        match occupant {
            Occupant::Ours { process, .. } if self.tx.started => {
                if let Some(stuck) = self.did(|e| matches!(e, Effect::Stop { .. })).cloned() {
                    let stuck = stuck.err();
                    let why = stuck.as_ref().map_or("it still runs", |f| f.causes.first().unwrap_or(&f.message));
                    let reason = format!("the new release is still on {to}: {why}");
                    // the next run tries again, so that nothing is left behind
                    self.blame(&failure);
                    return wait(failure, reason);
                }
                Then::Do(self.stop(&to, process))
            }
            // its port will not be free, so one attempt must do
            Occupant::Stranger { beside: Some(process), .. }
                if self.tx.started && self.did(|e| matches!(e, Effect::Stop { .. })).is_none() =>
            {
                Then::Do(self.stop(&to, process))
            }
            _ => self.undone(failure),
        }
    }

    fn undone(&mut self, failure: Failure) -> Then {
        self.blame(&failure);
        self.end(Outcome::Undone(failure))
    }

    /// The route is at the new release, or, with `unknown`, may be: it goes back, to somebody who is healthy.
    fn revert(&mut self, failure: Failure, unknown: Option<String>) -> Then {
        let tried = self.did(|e| matches!(e, Effect::Switch { .. })).cloned();
        // whoever was there may be there still
        let unseen = self.tx.from.as_ref().and_then(|from| self.seen.on(from).err()).map(ToString::to_string);
        let keep_open = unknown.is_some() || unseen.is_some();
        let back = self.way_back().and_then(|from| Some((from.clone(), self.seen.on(from).ok()?.clone())));
        let reason = match (tried, back) {
            (None, Some((to, expect))) => return Then::Do(Effect::Switch { to, expect }),
            (None, None) => match unseen {
                Some(blind) => format!("{blind}, so the traffic stays at {}", self.tx.to),
                None => format!("nobody answers where the traffic came from, so it stays at {}", self.tx.to),
            },
            (Some(Ok(())), _) => unknown.unwrap_or_else(|| format!("the traffic stays at {}", self.tx.to)),
            (Some(Err(why)), _) => format!("{why}: {}", why.causes.first().map_or("", String::as_str)),
        };
        if keep_open { wait(failure, reason) } else { self.give_up(failure, reason) }
    }

    /// The new release is somebody's standby: that is taken away, unless it is what answers.
    fn withdraw(&mut self, failure: Failure, active: Profile) -> Then {
        if self.seen.failed_over() {
            return self.give_up(failure, format!("{active} does not answer, its standby {} does", self.tx.to));
        }
        if self.did(|e| matches!(e, Effect::Isolate { .. })).is_some() {
            return wait(failure, format!("{} is still the standby of {active}", self.tx.to));
        }
        Then::Do(Effect::Isolate { active, sacrifice: Sacrifice::Never })
    }

    fn blame(&mut self, failure: &Failure) {
        // the same release may serve on the other profile: then it is not what is wrong
        let serves_elsewhere = self.tx.old_release.as_ref() == Some(&self.tx.release);
        if failure.cause.blames_release() && self.tx.started && !serves_elsewhere {
            self.state.mark_failed(&self.tx.release);
        }
    }

    fn give_up(&mut self, failure: Failure, reason: String) -> Then {
        self.blame(&failure);
        self.degraded(failure, reason)
    }
}

/// Nothing can be done now; the transaction stays open, so that the next command goes on.
fn wait(failure: Failure, reason: String) -> Then {
    Then::End(Outcome::Degraded { failure, reason })
}
