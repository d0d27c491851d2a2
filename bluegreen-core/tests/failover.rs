//! Who has the traffic when the active profile or its standby fails, over the fakes with time that is paused.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bluegreen_core::{
    Autopsy, Blind, Cancel, Command, Deployer, Failover, Occupant, Options, Outcome, Policy, Process, ProcessError,
    ProcessManager, Profile, ProfileResolver, ProxySwitcher, ReleaseId, Route, SwitchError, Traffic,
    testing::{FakeHost, Health, Op, World},
};
use support::{Scene, id};

#[tokio::test(start_paused = true)]
async fn a_dead_active_profile_is_left_for_the_warm_one_before_anything_else() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let second = scene.second();
    scene.host.world().kill(&second);
    let report = scene.deploy("v3").await;
    assert_eq!(report.recovered, Some(Outcome::DONE), "first the route flips to what answers");
    assert_eq!((report.outcome, scene.running()), (Some(Outcome::DONE), "v1 v3".to_owned()));
    assert_eq!(scene.route(), Route::solo(scene.second()), "the dead profile was then the idle one");
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn while_the_standby_answers_it_is_never_taken_away_first() {
    let scene = Scene::with(Policy { failover: Failover::Always, ..Policy::default() });
    scene.deploy("v1").await;
    scene.deploy("v2").await;
    assert_eq!(scene.route(), Route::with_standby(scene.second(), scene.first()));
    let second = scene.second();
    scene.host.world().kill(&second);
    let watch = async {
        loop {
            assert!(scene.host.world().answering().is_some(), "an outage");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let report = tokio::select! { report = scene.deploy("v3") => report, () = watch => unreachable!() };
    assert_eq!(report.outcome, Some(Outcome::DONE));
    scene.assert_sound();
}

/// A proxy whose active profile dies just before it is looked at for the so-many-th time.
#[derive(Debug, Clone)]
struct Deadly(FakeHost, Arc<AtomicU32>);

#[async_trait::async_trait]
impl ProfileResolver for Deadly {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        if self.1.fetch_sub(1, Ordering::Relaxed) == 1 {
            let active = self.0.world().route().unwrap().active.clone();
            self.0.world().kill(&active);
        }
        self.0.resolve().await
    }
}

#[async_trait::async_trait]
impl ProxySwitcher for Deadly {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        let answered = self.0.world().answering().is_some();
        self.0.switch_to(route).await?;
        assert!(!answered || self.0.world().answering().is_some(), "an outage: {route}");
        Ok(())
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        self.0.drain(profile, within).await
    }
}

#[tokio::test(start_paused = true)]
async fn whenever_the_active_one_dies_its_standby_is_not_taken_away() {
    // also while the deploy before this one cannot take it away, so that recovery leaves it unfinished
    for (unfinished, look) in [false, true].into_iter().flat_map(|it| (1..20).map(move |look| (it, look))) {
        let failover = if unfinished { Failover::Bake } else { Failover::Always };
        let policy = Policy { failover, ..Policy::default() };
        let scene = Scene::with(policy.clone());
        scene.deploy("v1").await;
        scene.host.faults().clear();
        if unfinished {
            scene.host.faults().fail(Op::Switch, 2);
        }
        scene.deploy("v2").await;
        assert_eq!(scene.route(), Route::with_standby(scene.second(), scene.first()));
        scene.host.faults().clear();
        if unfinished {
            scene.host.faults().fail(Op::Switch, 0);
        }
        let Scene { host, store, .. } = scene;
        let (profiles, proxy) = (host.world().profiles.clone(), Deadly(host.clone(), Arc::new(look.into())));
        let deployer = Deployer::new(profiles, proxy.clone(), host.clone(), host.clone(), proxy, store);
        let _ = deployer.with_policy(policy).deploy(id("v3")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn failover_never_means_that_recovery_does_not_flip() {
    let scene = Scene::with(Policy { failover: Failover::Never, ..Policy::default() });
    scene.deploy("v1").await;
    scene.deploy("v2").await;
    let second = scene.second();
    scene.host.world().kill(&second);
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!(report.recovered, Some(Outcome::DONE));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.second()), "v1 v2".to_owned()), "started again");
}

#[tokio::test(start_paused = true)]
async fn a_deaf_active_profile_is_left_for_the_warm_one() {
    // which is its standby, or is not
    for failover in [Failover::Always, Policy::default().failover] {
        let scene = Scene::with(Policy { failover, ..Policy::default() });
        for release in ["v1", "v2"] {
            scene.deploy(release).await;
            scene.store.advance(Duration::from_secs(60));
        }
        let second = scene.second();
        scene.host.world().running.get_mut(&second).unwrap().health = Health::Deaf;
        let report = scene.run(Command::Recover).await.unwrap();
        assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(scene.first())));
        scene.assert_sound();
    }
}

/// Nobody is warm, so another one of the same release is started beside it; nobody is ended, and once is enough.
#[tokio::test(start_paused = true)]
async fn a_deaf_active_profile_without_a_warm_one_is_left_for_a_new_process() {
    for failover in [Failover::Always, Failover::Bake, Failover::Never] {
        let scene = Scene::with(Policy { failover, ..Policy::default() });
        scene.deploy("v1").await;
        let (first, second) = (scene.first(), scene.second());
        scene.host.world().running.get_mut(&first).unwrap().health = Health::Deaf;
        scene.host.world().releases.insert(id("v1"), Health::Sick);
        let report = scene.run(Command::Recover).await.unwrap();
        let Some(Outcome::Degraded { reason, .. }) = &report.recovered else { panic!("{report:?}") };
        assert!(reason.contains("gives no answer, as one that hangs"), "{reason}");
        assert_eq!((scene.running(), scene.route()), ("v1 -".to_owned(), Route::solo(first)));
        scene.host.world().releases.insert(id("v1"), Health::Good);
        let report = scene.run(Command::Recover).await.unwrap();
        assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(second)));
        assert_eq!((scene.running().as_str(), scene.state().replaced()), ("v1 v1", None));
        scene.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_repairs_a_deaf_active_profile_with_a_sick_standby() {
    let scene = Scene::with(Policy { failover: Failover::Always, ..Policy::default() });
    scene.deploy("v1").await;
    scene.deploy("v2").await;
    let (first, second) = (scene.first(), scene.second());
    scene.host.world().running.get_mut(&first).unwrap().health = Health::Sick;
    scene.host.world().running.get_mut(&second).unwrap().health = Health::Deaf;
    let report = scene.deploy("v3").await;
    assert_eq!((report.outcome, scene.route().active), (Some(Outcome::DONE), scene.first()));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_deploy_takes_no_healthy_standby_from_a_deaf_active_profile() {
    let scene = Scene::with(Policy { failover: Failover::Always, ..Policy::default() });
    scene.deploy("v1").await;
    scene.deploy("v2").await;
    let second = scene.second();
    scene.host.world().running.get_mut(&second).unwrap().health = Health::Deaf;
    scene.host.faults().clear();
    // recovery cannot go there, for a reason that passes
    scene.host.faults().fail(Op::Switch, 0);
    let report = scene.deploy("v3").await;
    assert!(matches!(report.outcome, Some(Outcome::Degraded { .. })), "{report:?}");
    assert_eq!(scene.route(), Route::with_standby(second, scene.first()), "v1 still answers");
    assert_eq!((scene.running(), scene.state().transaction), ("v1 v2".to_owned(), None));
    let report = scene.deploy("v3").await;
    assert_eq!((report.recovered, report.outcome), (Some(Outcome::DONE), Some(Outcome::DONE)));
    assert_eq!(
        (scene.route(), scene.running()),
        (Route::with_standby(scene.second(), scene.first()), "v1 v3".to_owned())
    );
    scene.assert_sound();
}

/// What runs on the first profile is seen so many times, and then no more.
#[derive(Debug)]
struct Dim(FakeHost, AtomicU32);

#[async_trait::async_trait]
impl ProcessManager for Dim {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        let seen = |left: u32| left.checked_sub(1);
        if *profile == *self.0.world().profiles.first()
            && self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, seen).is_err()
        {
            return Err(Blind::Profile { profile: profile.to_string(), reason: "it is dark".into() });
        }
        self.0.inspect(profile).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        self.0.start(profile, release).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        self.0.stop(profile, process, grace).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        self.0.autopsy(profile).await
    }
}

/// That it cannot be seen is no proof that it is sick.
#[tokio::test(start_paused = true)]
async fn a_standby_that_goes_out_of_sight_is_not_taken_from_a_deaf_active_profile() {
    for looks in 0..40 {
        let Scene { host, store, .. } = {
            let scene = Scene::with(Policy { failover: Failover::Always, ..Policy::default() });
            scene.deploy("v1").await;
            scene.deploy("v2").await;
            scene
        };
        let second = host.world().profiles.second().clone();
        host.world().running.get_mut(&second).unwrap().health = Health::Deaf;
        host.faults().clear();
        host.faults().fail(Op::Switch, 0);
        let (profiles, proxy) = (host.world().profiles.clone(), Deadly(host.clone(), Arc::default()));
        let dim = Dim(host.clone(), looks.into());
        let _ = Deployer::new(profiles, proxy.clone(), dim, host.clone(), proxy, store).deploy(id("v3")).await;
        assert!(host.world().answering().is_some(), "after {looks} looks");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_back_to_a_stranger_that_took_the_place_of_ours() {
    let scene = Scene::deployed(&["v1"]).await;
    let cancel = Cancel::new();
    let options = Options { cancel: cancel.clone(), ..Options::default() };
    let command = Command::deploy(id("v2"));
    let meddle = async {
        while scene.route().active != scene.second() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let first = scene.first();
        scene.host.world().kill(&first);
        scene.host.world().strangers.insert(first, World::bob());
        let second = scene.second();
        scene.host.world().running.get_mut(&second).unwrap().health = Health::Sick;
        cancel.cancel();
    };
    let (report, ()) = tokio::join!(scene.deployer.run(&command, &options), meddle);
    assert!(!matches!(report.unwrap().outcome, Some(Outcome::Done { .. })));
    assert_eq!(scene.route().active, scene.second(), "the stranger gets nothing");
}
