use std::time::Duration;

use tokio::time::Instant;

use super::{run::Run, watch::Watch};
use crate::{Cause, Failure, Profile, Receipt};

/// How long the front door may take to answer with the release.
const WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it did.
const LOOK: Duration = Duration::from_millis(2);

/// Said once, as the users share the limit.
const LIMITED: &str = "the proxy refuses requests beyond a limit of its own: the front door is asked once a second now";

impl Run<'_> {
    /// Begins to ask the front door about `profile`, which is about to get the traffic.
    pub(super) async fn watch_front_door(&mut self, profile: &Profile) {
        let before = match self.watch.take() {
            Some(before) => before.finish().await,
            None => Receipt::default(),
        };
        if let Some(door) = self.deployer.front_door.clone() {
            let seen = self.deployer.look().await;
            let served = seen.route().is_some_and(|route| seen.listens(&route.active));
            self.watch = Some(Watch::start(door, profile.clone(), served, before).await);
        }
    }

    /// Waits until the front door has answered with `profile`, which has the traffic alone. Answers that tell nothing of it, as of a
    /// cache, a limit or a page that wants a password, are no word against it.
    pub(super) async fn prove(&mut self, profile: &Profile) -> Result<(), Failure> {
        if self.watch.is_none() {
            self.watch_front_door(profile).await;
        }
        let Some(watch) = &self.watch else {
            "no front door to ask".clone_into(&mut self.detail);
            return Ok(());
        };
        watch.ordered(Instant::now());
        let (began, interrupts) = (Instant::now(), self.interrupts());
        let unknown = loop {
            match watch.answered() {
                Ok(()) => break None,
                Err(why) if began.elapsed() >= WITHIN && watch.against().is_none() => break Some(why),
                Err(why) if began.elapsed() >= WITHIN => {
                    let message = format!("the front door does not answer with {profile}");
                    let mut failure = self.failure(Cause::Switch, message);
                    failure.causes = vec![why];
                    return Err(failure);
                }
                Err(_) => interrupts.sleep(self.current(), LOOK).await?,
            }
        };
        let limited = watch.is_limited();
        if let Some(why) = &unknown {
            let says = format!("the front door's answers tell nothing of {profile}, so its own health decides: {why}");
            self.deployer.events.warn(says);
        }
        let says = if unknown.is_some() { "the front door tells nothing" } else { "answered through the front door" };
        says.clone_into(&mut self.detail);
        if limited {
            self.deployer.events.warn(LIMITED);
        }
        Ok(())
    }
}
