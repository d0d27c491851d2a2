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
            self.watch = Some(Watch::start(door, profile.clone(), before).await);
        }
    }

    /// Waits until the front door has answered with `profile`, which has the traffic alone.
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
        loop {
            match watch.answered() {
                Ok(()) => break,
                Err(why) if began.elapsed() >= WITHIN => {
                    let message = format!("the front door does not answer with {profile}");
                    let mut failure = self.failure(Cause::Switch, message);
                    failure.causes = vec![why];
                    return Err(failure);
                }
                Err(_) => interrupts.sleep(self.current(), LOOK).await?,
            }
        }
        let limited = watch.is_limited();
        "answered through the front door".clone_into(&mut self.detail);
        if limited {
            self.deployer.events.warn(LIMITED);
        }
        Ok(())
    }
}
