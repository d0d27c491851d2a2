//! What cannot be seen is not nothing: the engine waits it out, and then touches nothing.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Blind, Cancel, Cause, Command, Event, EventKind, Events, Options, Outcome, Policy, Profile, Refusal, Route,
    RunError, State, Step, Traffic, testing::Op,
};
use support::{Scene, id};
use tokio::time::Instant;

fn refusal(result: Result<bluegreen_core::Report, RunError>) -> Refusal {
    match result {
        Err(RunError::Refused { refusal, .. }) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Hides something once the transaction is at `step`, and shows it again after `time`.
async fn dark(scene: &Scene, step: Step, time: Duration, hide: impl Fn(&Scene), show: impl Fn(&Scene)) {
    let reached = || scene.state().transaction.is_some_and(|tx| tx.step >= step);
    for _ in 0..60_000 {
        if reached() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(reached(), "{step} was never under way");
    hide(scene);
    tokio::time::sleep(time).await;
    show(scene);
}

/// The first profile of a foreign pair would have been taken for the other one of ours.
#[tokio::test(start_paused = true)]
async fn a_witness_that_names_a_profile_of_somebody_else_has_seen_nothing() {
    let scene = Scene::deployed(&["v1"]).await;
    let moved = Profile::new("real1".parse().unwrap(), 9).unwrap();
    for route in [Route::solo(moved.clone()), Route::with_standby(scene.first(), moved)] {
        scene.host.world().traffic = Ok(route.into());
        let refused = refusal(scene.try_until("v2", Step::Retire).await);
        assert!(matches!(&refused, Refusal::Blind(Blind::Differs(_))), "{refused:?}");
        assert_eq!(scene.running(), "v1 -");
    }
}

#[tokio::test(start_paused = true)]
async fn one_hiccup_is_no_verdict() {
    let scene = Scene::deployed(&["v1"]).await;
    for (op, n) in [(Op::Inspect, 3), (Op::Inspect, 9), (Op::Resolve, 1), (Op::Resolve, 4)] {
        scene.host.faults().clear();
        scene.host.faults().fail(op, n);
        let report = scene.deploy(&format!("after-{n}")).await;
        assert!(scene.host.faults().fired());
        assert_eq!(report.outcome, Some(Outcome::DONE), "{op:?} {n}");
        scene.store.advance(Duration::from_secs(60));
    }
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_short_darkness_in_any_step_ends_no_deploy() {
    for step in [Step::Stop, Step::Start, Step::Health, Step::Bake] {
        for profile in [true, false] {
            let scene = Scene::deployed(&["v1", "v2"]).await;
            let (first, second) = (scene.first(), scene.second());
            let target = if profile { first } else { second };
            let hide = |scene: &Scene| {
                let _ = scene.host.world().hidden.insert(target.clone());
            };
            let show = |scene: &Scene| {
                let _ = scene.host.world().hidden.remove(&target);
            };
            let (report, ()) = tokio::join!(scene.deploy("v3"), dark(&scene, step, Duration::from_secs(3), hide, show));
            assert_eq!(report.outcome, Some(Outcome::DONE), "{step}, {target}");
            scene.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_dark_has_a_cause_of_its_own() {
    for step in [Step::Start, Step::Health, Step::Bake] {
        let scene = Scene::deployed(&["v1"]).await;
        let second = scene.second();
        let hide = |scene: &Scene| {
            let _ = scene.host.world().hidden.insert(second.clone());
        };
        let show = |scene: &Scene| {
            let _ = scene.host.world().hidden.remove(&second);
        };
        let (report, ()) = tokio::join!(scene.deploy("v2"), dark(&scene, step, Duration::from_secs(60), hide, show));
        let failure = report.outcome.as_ref().and_then(Outcome::failure).expect("a failure");
        assert_eq!(failure.cause, Cause::Blind, "{step}: {report:?}");
        assert_eq!(failure.causes, ["cannot see what runs on real2: it is dark"], "{step}");
        assert!(!scene.state().has_failed(&id("v2")), "it is not to blame");
        // whoever sees again cleans up
        scene.run(Command::Recover).await.unwrap();
        assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()), "{step}");
        scene.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_first_effect_blindness_refuses_and_what_waits_stays() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    let before = scene.state();
    let silence = || Err(Blind::Route("silence".into()));
    let seen = std::mem::replace(&mut scene.host.world().traffic, silence());
    for command in [
        Command::Promote { release: None, until: Step::Retire, drain: false },
        Command::Abort { release: None },
        Command::Rollback { release: None, only: None },
        Command::deploy(id("v3")),
        Command::Up,
        Command::Recover,
    ] {
        let began = Instant::now();
        let refused = refusal(scene.run(command.clone()).await);
        assert_eq!(refused, Refusal::Blind(Blind::Route("silence".into())), "{command:?}");
        let waited = began.elapsed();
        assert!(waited >= Policy::default().blindness && waited < Duration::from_secs(7), "{command:?}: {waited:?}");
        assert_eq!((scene.state(), scene.running().as_str()), (before.clone(), "v1 v2"), "{command:?}");
    }
    scene.host.world().traffic = seen;
    let (first, second) = (scene.first(), scene.second());
    for dark in [first, second] {
        scene.host.world().hidden.insert(dark.clone());
        assert!(matches!(
            refusal(scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await),
            Refusal::Blind(_)
        ));
        assert!(matches!(refusal(scene.run(Command::Abort { release: None }).await), Refusal::Blind(_)));
        assert_eq!((scene.state(), scene.running().as_str()), (before.clone(), "v1 v2"));
        scene.host.world().hidden.remove(&dark);
    }
    scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_set_up_that_is_gone_is_no_permission() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    let before = scene.state();
    let gone = || Ok(Traffic::NotSetUp("404".into()));
    let seen = std::mem::replace(&mut scene.host.world().traffic, gone());
    for command in
        [Command::Promote { release: None, until: Step::Retire, drain: false }, Command::Abort { release: None }]
    {
        assert_eq!(refusal(scene.run(command).await), Refusal::NotSetUp("404".into()));
    }
    assert_eq!((scene.state(), scene.running().as_str()), (before, "v1 v2"));
    scene.host.world().traffic = seen;
    scene.run(Command::Abort { release: None }).await.unwrap();
    // the users may still be led to where v1 runs, so nothing is prepared in its place
    scene.host.world().traffic = gone();
    let prepare = scene.try_until("v3", Step::Health).await;
    assert!(matches!(refusal(prepare), Refusal::Blind(Blind::Differs(_))));
    assert_eq!(scene.running(), "v1 -");
    // an app that never had the traffic may be prepared before the set-up
    let fresh = Scene::new();
    fresh.host.world().traffic = gone();
    assert_eq!(fresh.until("v1", Step::Health).await.outcome, Some(Outcome::Paused(Step::Health)));
    assert_eq!(refusal(fresh.try_until("v1", Step::Retire).await), Refusal::NotSetUp("404".into()));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_heard_in_the_dark() {
    let scene = Scene::deployed(&["v1"]).await;
    let second = scene.second();
    let cancel = Cancel::new();
    let options = Options { cancel: cancel.clone(), ..Options::default() };
    let (undone, command) = (Arc::new(Mutex::new(None)), Command::deploy(id("v2")));
    let noted = undone.clone();
    let listen = move |event: &Event| {
        if let EventKind::Undoing { .. } = event.kind {
            noted.lock().unwrap().get_or_insert_with(Instant::now);
        }
    };
    let deployer = scene.deployer.clone().with_events(Events::to(listen));
    let hide = |scene: &Scene| {
        let _ = scene.host.world().hidden.insert(second.clone());
    };
    let interrupt = async {
        dark(&scene, Step::Bake, Duration::from_secs(1), hide, |_| cancel.cancel()).await;
        let asked = Instant::now();
        // darkness goes on, and for less than it would be waited for
        tokio::time::sleep(Duration::from_secs(3)).await;
        scene.host.world().hidden.clear();
        asked
    };
    let (report, asked) = tokio::join!(deployer.run(&command, &options), interrupt);
    let report = report.unwrap();
    assert!(matches!(report.outcome, Some(Outcome::Undone(_) | Outcome::Degraded { .. })), "{:?}", report.outcome);
    let heard = undone.lock().unwrap().expect("it is taken back") - asked;
    assert!(heard < Duration::from_secs(1), "heard after {heard:?}");
    scene.run(Command::Recover).await.unwrap();
    assert_eq!(scene.route(), Route::solo(scene.first()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_what_recovery_had_to_say() {
    let scene = Scene::deployed(&["v1"]).await;
    let first = scene.first();
    scene.host.world().kill(&first);
    let result = scene.run(Command::Rollback { release: None, only: None }).await;
    let Err(RunError::Refused { refusal: Refusal::NothingToRollBack, recovered }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(recovered.as_deref(), Some(&Outcome::DONE), "v1 was started again");
}

#[tokio::test(start_paused = true)]
async fn what_ends_the_active_side_with_the_idle_one_is_told() {
    use bluegreen_core::{Autopsy, Deployer, Occupant, Process, ProcessError, ProcessManager, Profile, ReleaseId};

    /// Behind both profiles is one process.
    #[derive(Debug)]
    struct Daemon(bluegreen_core::testing::FakeHost);

    #[async_trait::async_trait]
    impl ProcessManager for Daemon {
        async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
            self.0.inspect(profile).await
        }

        async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
            self.0.start(profile, release).await
        }

        async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
            self.0.stop(profile, process, grace).await?;
            let both = self.0.world().profiles.clone();
            self.0.world().kill(both.other(profile).unwrap());
            Ok(())
        }

        async fn autopsy(&self, profile: &Profile) -> Autopsy {
            self.0.autopsy(profile).await
        }
    }

    let Scene { host, store, .. } = Scene::deployed(&["v1", "v2"]).await;
    let profiles = host.world().profiles.clone();
    let daemon = Daemon(host.clone());
    let report = Deployer::new(profiles, host.clone(), daemon, host.clone(), host.clone(), store)
        .deploy(id("v3"))
        .await
        .unwrap();
    let failure = report.outcome.as_ref().and_then(Outcome::failure).expect("a failure");
    assert_eq!((failure.step, failure.cause), (Step::Stop, Cause::Process), "{failure:?}");
    assert!(failure.message.starts_with("real2, which has the traffic, ended together"), "{failure}");
}

#[test]
fn a_state_of_0_1_0_says_nothing_of_crashes() {
    let state: State = serde_json::from_str(r#"{"number":3,"confirmed":["v2","v1"]}"#).unwrap();
    assert_eq!((state.crashed.len(), state.replaced()), (0, None));
}
