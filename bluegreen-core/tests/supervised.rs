//! A release that ends, and that a supervisor runs again.

mod support;

use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use bluegreen_core::{
    Autopsy, Blind, Cause, Deployer, Occupant, Outcome, Policy, Process, ProcessError, ProcessManager, Profile,
    ReleaseId, Report, Step, testing::FakeHost,
};
use support::{Scene, id};

/// The new release ends so many times, each just before every other look at it.
#[derive(Debug)]
struct Supervised {
    host: FakeHost,
    /// Whether it ends once it has the traffic, or before that.
    serving: bool,
    crashes: AtomicU32,
    looks: AtomicU32,
}

#[async_trait::async_trait]
impl ProcessManager for Supervised {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        let (new, serves) = {
            let world = self.host.world();
            let new = world.running.get(profile).is_some_and(|it| it.process.release == id("v2"));
            (new, world.route().is_some_and(|route| route.active == *profile))
        };
        if new && serves == self.serving && self.looks.fetch_add(1, SeqCst) % 2 == 1 {
            let less = |left: u32| left.checked_sub(1);
            if self.crashes.fetch_update(SeqCst, SeqCst, less).is_ok() {
                self.host.world().restart(profile);
            }
        }
        self.host.inspect(profile).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        self.host.start(profile, release).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        self.host.stop(profile, process, grace).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        self.host.autopsy(profile).await
    }
}

async fn deployed_with(crashes: u32, serving: bool) -> (Scene, Report) {
    let scene = Scene::deployed(&["v1"]).await;
    let (host, profiles, looks) = (scene.host.clone(), scene.host.world().profiles.clone(), AtomicU32::new(0));
    let supervised = Supervised { host: host.clone(), serving, crashes: crashes.into(), looks };
    let policy = Policy { bake: Duration::from_secs(5), ..Policy::default() };
    let deployer = Deployer::new(profiles, host.clone(), supervised, host.clone(), host, scene.store.clone());
    let report = deployer.with_policy(policy).deploy(id("v2")).await.unwrap();
    scene.assert_sound();
    (scene, report)
}

fn failure(report: &Report) -> (Step, Cause) {
    match &report.outcome {
        Some(Outcome::Undone(failure)) => (failure.step, failure.cause),
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_end_before_the_switch_is_forgiven_and_what_runs_then_is_proven_anew() {
    let (scene, report) = deployed_with(1, false).await;
    assert_eq!(report.outcome, Some(Outcome::DONE));
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.second(), "v1 v2"));
}

#[tokio::test(start_paused = true)]
async fn a_second_one_is_a_death_and_nothing_is_left_of_it() {
    let (scene, report) = deployed_with(2, false).await;
    assert_eq!(failure(&report), (Step::Health, Cause::Died));
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.first(), "v1 -"));
    assert!(scene.state().has_failed(&id("v2")));
}

#[tokio::test(start_paused = true)]
async fn in_the_bake_the_first_one_is() {
    let (scene, report) = deployed_with(1, true).await;
    assert_eq!(failure(&report), (Step::Bake, Cause::Died));
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.first(), "v1 -"));
}

#[tokio::test(start_paused = true)]
async fn one_that_ends_again_and_again_is_stopped_too() {
    for serving in [false, true] {
        let (scene, report) = deployed_with(u32::MAX, serving).await;
        assert_eq!(failure(&report).1, Cause::Died);
        assert_eq!((scene.route().active, scene.running().as_str()), (scene.first(), "v1 -"));
    }
}
