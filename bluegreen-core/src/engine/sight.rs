use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{Deployer, run::Run};
use crate::{Blind, Cause, Failure, Occupant, Profile, Seen, Traffic, Unhealthy};

/// How often it is looked again.
const LOOK: Duration = Duration::from_millis(50);

/// Since when something cannot be seen. One hiccup is no verdict, so the engine waits before it believes that; it does so once
/// for each run of blindness, however often it looks meanwhile.
#[derive(Debug, Default)]
pub(super) struct Darkness(Mutex<Option<Instant>>);

impl Darkness {
    fn lasts(&self) -> Duration {
        self.since().get_or_insert_with(Instant::now).elapsed()
    }

    fn ends(&self) {
        *self.since() = None;
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deployer {
    /// Where the traffic goes.
    pub(super) async fn traffic(&self) -> Result<Traffic, Blind> {
        self.resolver.resolve().await?.among(&self.profiles).cloned()
    }
}

impl Run<'_> {
    /// What is so, waited for.
    pub(super) async fn sight(&self) -> Seen {
        loop {
            let seen = self.deployer.look().await;
            match seen.blind() {
                Some(blind) if self.waits_for_light(blind).await => {}
                Some(_) => return seen,
                None => {
                    self.darkness.ends();
                    return seen;
                }
            }
        }
    }

    /// What recovery goes by: who listens where the traffic goes, and gives no answer at all for as long as the policy waits, does not
    /// listen, as an app that hangs, or a socket that a dead one left to a child; and who gets what is sent there is who is there.
    pub(super) async fn living(&self) -> Seen {
        let mut seen = self.sight().await;
        let Some(active) = seen.route().map(|route| route.active.clone()) else { return seen };
        let at = usize::from(active != *seen.profiles.first());
        let Ok(Occupant::Ours { process, listening: true }) = &seen.occupants[at] else { return seen };
        let process = process.clone();
        match self.sick(&active).await {
            Some(Unhealthy::Refused(_) | Unhealthy::NoAnswer(_)) => {
                seen.occupants[at] = Ok(Occupant::Ours { process, listening: false });
            }
            // nobody else listens there, and yet somebody else gets what is sent there
            Some(Unhealthy::NotOurs(who)) if who.address.is_none() => {
                seen.occupants[at] = Ok(Occupant::Stranger { who: *who, beside: Some(process) });
            }
            _ => {}
        }
        seen
    }

    /// Why it cannot serve, when that does not change for as long as the policy waits; an answer of its own is no reason.
    async fn sick(&self, profile: &Profile) -> Option<Unhealthy> {
        let began = Instant::now();
        loop {
            let why = self.deployer.probe.check(profile).await.err()?;
            match &why {
                Unhealthy::Refused(_) | Unhealthy::NoAnswer(_) => {}
                Unhealthy::NotOurs(who) if who.address.is_none() => {}
                _ => return None,
            }
            if began.elapsed() >= self.deployer.policy.blindness {
                return Some(why);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Who is on `profile`, waited for.
    pub(super) async fn inspect(&self, profile: &Profile) -> Result<Occupant, Failure> {
        loop {
            match self.deployer.processes.inspect(profile).await {
                Ok(occupant) => return Ok(occupant),
                Err(blind) if self.waits_for_light(&blind).await => {}
                Err(blind) => return Err(self.failed(Cause::Blind, format!("lost sight of {profile}"), &blind)),
            }
        }
    }

    /// Where the traffic goes, waited for.
    pub(super) async fn traffic(&self) -> Result<Traffic, Failure> {
        loop {
            match self.deployer.traffic().await {
                Ok(traffic) => return Ok(traffic),
                Err(blind) if self.waits_for_light(&blind).await => {}
                Err(blind) => return Err(self.failed(Cause::Blind, "lost sight of the route", &blind)),
            }
        }
    }

    /// Waits a moment; `false`: it has been dark for long enough, or somebody wants us to stop.
    async fn waits_for_light(&self, blind: &Blind) -> bool {
        let limit = self.deployer.policy.blindness;
        let waited = self.darkness.lasts();
        if waited >= limit {
            return false;
        }
        if waited < LOOK {
            self.waiting(blind.to_string(), waited, limit);
        }
        self.interrupts().sleep(self.current(), LOOK).await.is_ok()
    }
}
