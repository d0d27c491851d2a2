//! The engine over the fakes, with time that is paused: what a person sees of a deploy.

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bluegreen_core::{
    Answer, AnsweredBy, Cancel, Cause, Command, Deployer, Event, EventKind, Events, FrontDoor, HealthProbe, Kind,
    Options, Outcome, Policy, Previous, Profile, Refusal, Route, RunError, Step, Unhealthy,
    testing::{FakeHost, Health, Op, World},
};
use support::{Scene, id};

#[tokio::test(start_paused = true)]
async fn the_first_deploy_goes_to_the_first_profile_and_the_second_to_the_other() {
    let scene = Scene::new();
    let report = scene.deploy("v1").await;
    assert_eq!(report.outcome, Some(Outcome::DONE));
    assert_eq!(report.transaction.map(|tx| (tx.kind, tx.number)), Some((Kind::Deploy, 1)));
    assert_eq!(scene.route(), Route::solo(scene.first()));

    let report = scene.deploy("v2").await;
    assert_eq!((report.outcome, scene.route()), (Some(Outcome::DONE), Route::solo(scene.second())));
    assert_eq!(scene.running(), "v1 v2", "the previous release is warm");
    assert_eq!(scene.state().confirmed, [id("v2"), id("v1")]);
    assert_eq!(scene.state().transaction, None);
    let receipt = report.receipt.expect("the front door was watched");
    assert!(receipt.probes > 100 && receipt.lost == 0, "{receipt}");
    // and when they came: the old one answers up to the switch, and nobody but the new one after it
    let by: Vec<_> = receipt.answers.iter().map(|row| row.by).collect();
    assert_eq!(by, [AnsweredBy::Other, AnsweredBy::Release], "{:?}", receipt.answers);
    assert!(receipt.answers[0].last_us <= 0 && receipt.answers[1].first_us >= 0, "{:?}", receipt.answers);
    assert_eq!(receipt.answers.iter().map(|row| row.count).sum::<u64>(), receipt.probes + 1);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_never_becomes_healthy_leaves_everything_as_it_was() {
    for (health, cause) in
        [(Health::Sick, Cause::Unhealthy), (Health::Deaf, Cause::Unhealthy), (Health::Dies, Cause::Died)]
    {
        let scene = Scene::deployed(&["v1"]).await;
        scene.host.world().releases.insert(id("v2"), health);
        let report = scene.deploy("v2").await;
        let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{health:?}: {:?}", report.outcome) };
        assert_eq!(failure.cause, cause, "{health:?}");
        assert_eq!(failure.log, ["fake: it is over"], "{health:?}: its last words");
        let ended = failure.causes.iter().any(|why| why == "exited with code 1");
        assert_eq!(ended, cause == Cause::Died, "{health:?}: how it ended, of one that did");
        assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()), "{health:?}");
        assert!(scene.state().has_failed(&id("v2")));
        assert_eq!(scene.state().transaction, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_warm_rollback_moves_the_route_and_never_comes_back() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let report = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!((report.outcome, scene.route()), (Some(Outcome::DONE), Route::solo(scene.first())));
    assert!(scene.state().has_failed(&id("v2")));
    let again = scene.run(Command::Rollback { release: None, only: None }).await;
    assert!(matches!(again, Err(RunError::Refused { refusal: Refusal::NothingToRollBack, .. })), "{again:?}");
    let named = scene.run(Command::Rollback { release: Some(id("v2")), only: None }).await;
    let Err(RunError::Refused { refusal, .. }) = named else { panic!("{named:?}") };
    assert_eq!(refusal, Refusal::HasFailed(id("v2")));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_cold_rollback_starts_the_confirmed_release() {
    let scene = Scene::with(Policy { previous: Previous::Stop, ..Policy::default() });
    scene.deploy("v1").await;
    scene.deploy("v2").await;
    assert_eq!(scene.running(), "- v2");
    let report = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!((report.outcome, report.release), (Some(Outcome::DONE), Some(id("v1"))));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn prepare_rests_for_hours_and_promote_goes_on() {
    let scene = Scene::deployed(&["v1"]).await;
    let report = scene.until("v2", Step::Health).await;
    assert_eq!(report.outcome, Some(Outcome::Paused(Step::Health)));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 v2".to_owned()));

    scene.store.advance(Duration::from_secs(7200));
    let recover = scene.run(Command::Recover).await.unwrap();
    assert_eq!((recover.outcome, recover.recovered), (None, None), "a pause is a crash we chose: it is kept");
    let other = scene.try_until("v3", Step::Retire).await;
    assert!(matches!(other, Err(RunError::Refused { refusal: Refusal::Waiting(_), .. })), "{other:?}");

    let report = scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    assert_eq!((report.outcome, scene.route()), (Some(Outcome::DONE), Route::solo(scene.second())));
    let again = scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    assert!(again.already.is_some(), "promoting twice is promoting once");
}

#[tokio::test(start_paused = true)]
async fn each_step_can_be_walked_alone() {
    let scene = Scene::deployed(&["v1"]).await;
    for step in Step::ALL {
        let report = scene.until("v2", step).await;
        let expected = if step == Step::Retire { Outcome::DONE } else { Outcome::Paused(step) };
        assert_eq!(report.outcome, Some(expected), "{step}");
        let active = if step < Step::Switch { scene.first() } else { scene.second() };
        assert_eq!(scene.route().active, active, "{step}");
    }
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn abort_takes_back_what_rests() {
    for step in [Step::Stop, Step::Start, Step::Health, Step::Switch, Step::Bake] {
        let scene = Scene::deployed(&["v1"]).await;
        scene.until("v2", step).await;
        let report = scene.run(Command::Abort { release: None }).await.unwrap();
        assert!(matches!(&report.outcome, Some(Outcome::Undone(f)) if f.cause == Cause::Aborted), "{step}: {report:?}");
        assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()), "{step}");
        assert!(!scene.state().has_failed(&id("v2")), "an abort blames nobody");
        scene.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn replace_abandons_what_rests() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    let command =
        Command::Deploy { release: id("v3"), until: Step::Retire, breaking: false, replace: true, if_changed: false };
    let report = scene.run(command).await.unwrap();
    assert_eq!((report.outcome, scene.running()), (Some(Outcome::DONE), "v1 v3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_bake_that_fails_reverts() {
    let scene = Scene::deployed(&["v1"]).await;
    let sicken = async {
        while scene.route().active != scene.second() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(scene.route().standby, Some(scene.first()), "the bake has a failover");
        let second = scene.second();
        scene.host.world().running.get_mut(&second).unwrap().health = Health::Sick;
    };
    let (report, ()) = tokio::join!(scene.deploy("v2"), sicken);
    let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!((failure.step, failure.cause), (Step::Bake, Cause::Unhealthy));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
    assert!(scene.state().has_failed(&id("v2")));
    assert_eq!(scene.state().last_good(), Some(&id("v1")));
    scene.assert_sound();
}

/// Every other attempt fails, with `always` from the beginning, else once it has the traffic: one sick worker of two.
#[derive(Debug)]
struct Flaps(FakeHost, bool, AtomicBool);

#[async_trait::async_trait]
impl HealthProbe for Flaps {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let counts = self.1 || self.0.world().route().is_some_and(|route| route.active == *profile);
        let sick = counts && self.2.fetch_xor(true, Ordering::Relaxed);
        if sick { Err(Unhealthy::Sick("503".into())) } else { self.0.check(profile).await }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_every_other_time_is_not_healthy() {
    for (always, step, says) in [
        (true, Step::Health, "1 of 2 good answers in a row; before that: 503"),
        (false, Step::Bake, "real2 failed 5 of "),
    ] {
        let Scene { host, store, .. } = Scene::deployed(&["v1"]).await;
        let profiles = host.world().profiles.clone();
        let probe = Flaps(host.clone(), always, AtomicBool::new(false));
        let deployer = Deployer::new(profiles, host.clone(), host.clone(), probe, host.clone(), store);
        let command = Command::deploy(id("v2"));
        let report = deployer.run(&command, &Options::default()).await.unwrap();
        let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
        assert_eq!((failure.step, failure.cause), (step, Cause::Unhealthy));
        let said = [&[failure.message], &failure.causes[..]].concat();
        assert!(said.iter().any(|text| text.starts_with(says)), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bake_ends_with_a_look() {
    let scene = Scene::deployed(&["v1"]).await;
    let sicken = async {
        while scene.route().active != scene.second() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // in the last pause, as if the tool had been stopped in it
        tokio::time::sleep(Duration::from_millis(9900)).await;
        let second = scene.second();
        scene.host.world().running.get_mut(&second).unwrap().health = Health::Sick;
    };
    let (report, ()) = tokio::join!(scene.deploy("v2"), sicken);
    assert!(matches!(&report.outcome, Some(Outcome::Undone(f)) if f.step == Step::Bake), "{:?}", report.outcome);
    assert_eq!(scene.route(), Route::solo(scene.first()));
    scene.assert_sound();
}

/// A front door at which the machine goes to sleep once, and wakes up with a sick release.
#[derive(Debug)]
struct Sleepy(Scene, AtomicBool);

#[async_trait::async_trait]
impl FrontDoor for Sleepy {
    async fn ask(&self, expected: &Profile) -> Answer {
        if !self.1.swap(true, Ordering::Relaxed) {
            self.0.store.advance(Duration::from_secs(3600));
            let second = self.0.second();
            self.0.host.world().running.get_mut(&second).unwrap().health = Health::Sick;
        }
        Answer::Other { status: 200, says: expected.to_string() }
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_does_not_rest_on_a_proof_from_before_a_sleep() {
    let scene = Scene::deployed(&["v1"]).await;
    let slept = Scene { host: scene.host.clone(), store: scene.store.clone(), deployer: scene.deployer.clone() };
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let listen = move |event: &Event| heard.lock().unwrap().push(event.kind.clone());
    let deployer = scene.deployer.clone().with_front_door(Sleepy(slept, false.into()));
    let report = deployer.with_events(Events::to(listen)).deploy(id("v2")).await.unwrap();
    assert!(matches!(&report.outcome, Some(Outcome::Undone(f)) if f.step == Step::Switch), "{:?}", report.outcome);
    let moved = |kind: &EventKind| matches!(kind, EventKind::Switched { active, .. } if *active == scene.second());
    assert!(!told.lock().unwrap().iter().any(moved), "it was sick by then");
}

#[tokio::test(start_paused = true)]
async fn without_anybody_healthy_to_go_back_to_the_route_stays() {
    let scene = Scene::new();
    let kill = async {
        while scene.route().active != scene.first() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let first = scene.first();
        scene.host.world().running.get_mut(&first).unwrap().health = Health::Sick;
    };
    let (report, ()) = tokio::join!(scene.deploy("v1"), kill);
    assert!(matches!(report.outcome, Some(Outcome::Degraded { .. })), "{:?}", report.outcome);
    assert_eq!(scene.route(), Route::solo(scene.first()));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_up_starts_the_active_release_and_then_the_warm_one() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    let report = scene.run(Command::Up).await.unwrap();
    assert_eq!((report.recovered, report.outcome), (Some(Outcome::DONE), Some(Outcome::DONE)));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.second()), "v1 v2".to_owned()));
    assert!(scene.run(Command::Up).await.unwrap().already.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_reboot_while_something_was_prepared_brings_the_live_side_back() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    scene.host.world().reboot();
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!(report.recovered, Some(Outcome::DONE));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
    assert_eq!(scene.state().transaction, None);
}

#[tokio::test(start_paused = true)]
async fn promoting_what_died_meanwhile_is_no_success() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    let second = scene.second();
    scene.host.world().kill(&second);
    let report = scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!((failure.cause, failure.message.as_str()), (Cause::Crashed, "the release died while it waited"));
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_also_when_there_is_nothing_to_take_back() {
    let scene = Scene::deployed(&["v1"]).await;
    let second = scene.second();
    scene.host.world().strangers.insert(second, World::bob());
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    let events = Events::to(move |event: &Event| sink.lock().unwrap().push(event.kind.clone()));
    let deployer = scene.deployer.clone().with_events(events);
    let report = deployer.deploy(id("v2")).await.unwrap();
    let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
    let told = told.lock().unwrap();
    let failures: Vec<_> = told.iter().filter(|kind| matches!(kind, EventKind::Failed { .. })).collect();
    assert_eq!(failures, [&EventKind::Failed { failure }]);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_on_the_port_is_reported_and_not_touched() {
    let scene = Scene::deployed(&["v1"]).await;
    let second = scene.second();
    scene.host.world().strangers.insert(second, World::bob());
    let report = scene.deploy("v2").await;
    let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!(failure.cause, Cause::PortTaken);
    assert!(failure.message.contains("pid 4711 (user bob): java"), "{failure}");
    assert_eq!(scene.route(), Route::solo(scene.first()));
}

/// `SO_REUSEPORT`, or a race for the port: ours is behind the stranger, where nobody sees it.
#[tokio::test(start_paused = true)]
async fn what_lost_its_port_to_a_stranger_is_not_left_behind() {
    // while it boots, and in the bake
    for health in [Health::Sick, Health::Good] {
        let scene = Scene::deployed(&["v1"]).await;
        scene.host.world().releases.insert(id("v2"), health);
        let second = scene.second();
        let come = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            scene.host.world().strangers.insert(second, World::bob());
        };
        let (report, ()) = tokio::join!(scene.deploy("v2"), come);
        let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
        assert_eq!(failure.cause, Cause::PortTaken, "{failure}");
        assert!(failure.message.contains("pid 4711 (user bob): java"), "{failure}");
        assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
        assert!(!scene.state().has_failed(&id("v2")), "it is not to blame");
        scene.assert_sound();
    }
}

/// The stranger was faster than the first look at what was started.
#[tokio::test(start_paused = true)]
async fn what_never_had_its_port_is_not_left_behind() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.host.world().releases.insert(id("v2"), Health::Robbed);
    let Some(Outcome::Undone(failure)) = scene.deploy("v2").await.outcome else { panic!("it has no port") };
    assert_eq!((failure.step, failure.cause), (Step::Start, Cause::PortTaken), "{failure}");
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_yes_that_changed_nothing_is_a_no() {
    for (op, cause) in [(Op::Start, Cause::Died), (Op::Switch, Cause::Switch)] {
        let scene = Scene::deployed(&["v1"]).await;
        scene.host.faults().lie(op);
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = told.clone();
        let listen = move |event: &Event| heard.lock().unwrap().push(event.kind.clone());
        let deployer = scene.deployer.clone().with_events(Events::to(listen));
        let report = deployer.deploy(id("v2")).await.unwrap();
        let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{op:?}: {:?}", report.outcome) };
        let said = EventKind::Failed { failure: failure.clone() };
        assert_eq!(told.lock().unwrap().iter().filter(|kind| **kind == said).count(), 1, "{op:?}");
        assert_eq!((failure.cause, scene.route()), (cause, Route::solo(scene.first())), "{op:?}");
    }
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.faults().lie(Op::Stop);
    let report = scene.deploy("v3").await;
    let Some(outcome) = &report.outcome else { panic!() };
    assert_eq!(outcome.failure().map(|f| f.cause), Some(Cause::Process), "{outcome:?}");
    assert_eq!(scene.running(), "v1 v2");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_is_heard_until_the_bake_ends() {
    for after in [0, 1, 10, 11, 3000, 9000] {
        let scene = Scene::deployed(&["v1"]).await;
        let cancel = Cancel::new();
        let options = Options { cancel: cancel.clone(), ..Options::default() };
        let command = Command::deploy(id("v2"));
        let later = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        };
        let (report, ()) = tokio::join!(scene.deployer.run(&command, &options), later);
        let report = report.unwrap();
        assert!(
            matches!(&report.outcome, Some(Outcome::Undone(f)) if f.cause == Cause::Interrupted),
            "{after}: {report:?}"
        );
        assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()), "{after}");
        scene.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_bake_of_a_first_release_an_interrupt_is_not_heard() {
    let scene = Scene::new();
    let options = Options { deadline: Some(Duration::from_secs(3)), ..Options::default() };
    let report = scene.deployer.run(&Command::deploy(id("v1")), &options).await.unwrap();
    assert_eq!(report.outcome, Some(Outcome::DONE), "there is nothing to go back to");
    assert_eq!((scene.route(), scene.running()), (Route::solo(scene.first()), "v1 -".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_command_is_an_interrupt() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.host.world().releases.insert(id("v2"), Health::Sick);
    let options = Options { deadline: Some(Duration::from_secs(5)), ..Options::default() };
    let began = tokio::time::Instant::now();
    let report = scene.deployer.run(&Command::deploy(id("v2")), &options).await.unwrap();
    assert!(matches!(&report.outcome, Some(Outcome::Undone(f)) if f.cause == Cause::Deadline), "{report:?}");
    assert!(began.elapsed() < Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_death_is_noticed_at_once_and_its_last_words_are_shown() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.host.world().releases.insert(id("v2"), Health::Sick);
    let die = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let second = scene.second();
        scene.host.world().kill(&second);
        tokio::time::Instant::now()
    };
    let (report, died) = tokio::join!(scene.deploy("v2"), die);
    assert!(died.elapsed() <= Duration::from_millis(200), "{:?}", died.elapsed());
    let Some(Outcome::Undone(failure)) = report.outcome else { panic!("{:?}", report.outcome) };
    assert_eq!((failure.cause, failure.log.as_slice()), (Cause::Died, ["fake: it is over".to_owned()].as_slice()));
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_had_traffic_is_settled_before_it_is_stopped() {
    let scene = Scene::with(Policy { previous: Previous::Stop, ..Policy::default() });
    scene.deploy("v1").await;
    let began = tokio::time::Instant::now();
    scene.deploy("v2").await;
    assert!(began.elapsed() >= Duration::from_secs(20), "10 s of bake, then 10 s since the standby was taken away");
    assert_eq!(scene.running(), "- v2");
}

#[tokio::test(start_paused = true)]
async fn so_is_one_of_which_nobody_knows_any_more_whether_it_had_traffic() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.store.set(scene.state().outdated());
    let began = tokio::time::Instant::now();
    scene.until("v3", Step::Stop).await;
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn breaking_means_no_failover_and_no_warm_rollback() {
    let scene = Scene::deployed(&["v1"]).await;
    let standby = async {
        loop {
            assert_eq!(scene.route().standby, None);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let command =
        Command::Deploy { release: id("v2"), until: Step::Retire, breaking: true, replace: false, if_changed: false };
    let report = tokio::select! { report = scene.run(command) => report.unwrap(), () = standby => unreachable!() };
    assert_eq!((report.outcome, scene.running()), (Some(Outcome::DONE), "- v2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_and_the_next_may_wait() {
    let scene = Scene::deployed(&["v1"]).await;
    let wait = Options { wait: true, ..Options::default() };
    let (command_a, command_b) = (Command::deploy(id("v2")), Command::deploy(id("v3")));
    let second = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let refused = scene.run(Command::deploy(id("v3"))).await;
        assert!(matches!(refused, Err(RunError::Store(_))), "{refused:?}");
        scene.deployer.run(&command_b, &wait).await.unwrap()
    };
    let options = Options::default();
    let (a, b) = tokio::join!(scene.deployer.run(&command_a, &options), second);
    assert_eq!((a.unwrap().outcome, b.outcome), (Some(Outcome::DONE), Some(Outcome::DONE)));
    assert_eq!(scene.state().confirmed, [id("v3"), id("v2"), id("v1")]);
}

fn promote(release: &str) -> Command {
    Command::Promote { release: Some(id(release)), until: Step::Retire, drain: false }
}

fn abort(release: &str) -> Command {
    Command::Abort { release: Some(id(release)) }
}

fn back_from(release: &str) -> Command {
    Command::Rollback { release: None, only: Some(id(release)) }
}

/// What a fleet's controller says again and again to hosts of which it does not know how far they came.
#[tokio::test(start_paused = true)]
async fn a_release_that_is_named_is_the_only_one_that_is_promoted_aborted_or_left() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let not_prepared = |result: Result<bluegreen_core::Report, RunError>, release| match result {
        Err(RunError::Refused { refusal, recovered: None }) => assert_eq!(refusal, Refusal::NotPrepared(id(release))),
        other => panic!("{other:?}"),
    };
    // nothing waits
    not_prepared(scene.run(promote("v1")).await, "v1");
    for unchanged in [promote("v2"), abort("v2"), abort("v3"), back_from("v1"), back_from("v3")] {
        let report = scene.run(unchanged.clone()).await.unwrap();
        assert!(report.already.is_some() && report.outcome.is_none(), "{unchanged:?}: {report:?}");
    }
    // another one waits, and goes on waiting
    scene.until("v3", Step::Health).await;
    not_prepared(scene.run(promote("v1")).await, "v1");
    for unchanged in [promote("v2"), abort("v2"), back_from("v3")] {
        let report = scene.run(unchanged.clone()).await.unwrap();
        assert!(report.already.is_some(), "{unchanged:?}: {report:?}");
    }
    assert_eq!(scene.running(), "v3 v2");
    let waits = scene.run(back_from("v2")).await;
    assert!(matches!(waits, Err(RunError::Refused { refusal: Refusal::Waiting(_), .. })), "{waits:?}");
    // it is meant
    let report = scene.run(abort("v3")).await.unwrap();
    assert!(matches!(report.outcome, Some(Outcome::Undone(_))), "{report:?}");
    scene.until("v3", Step::Health).await;
    let report = scene.run(promote("v3")).await.unwrap();
    assert_eq!((report.outcome, scene.route()), (Some(Outcome::DONE), Route::solo(scene.first())));
    scene.store.advance(Duration::from_secs(60));
    let report = scene.run(back_from("v3")).await.unwrap();
    assert_eq!((report.outcome, report.release), (Some(Outcome::DONE), Some(id("v2"))));
    let again = scene.run(back_from("v3")).await.unwrap();
    assert!(again.already.is_some(), "rolling back twice is rolling back once: {again:?}");
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_named_release_that_died_while_it_waited_is_not_promoted_and_another_one_is_no_reason() {
    let scene = Scene::deployed(&["v1"]).await;
    let prepared_and_dead = async || {
        scene.until("v2", Step::Health).await;
        let second = scene.second();
        scene.host.world().running.remove(&second);
    };
    prepared_and_dead().await;
    let report = scene.run(promote("v2")).await.unwrap();
    assert!(matches!(&report.outcome, Some(Outcome::Undone(f)) if f.cause == Cause::Crashed), "{report:?}");
    prepared_and_dead().await;
    let report = scene.run(promote("v1")).await.unwrap();
    assert!(report.already.is_some() && report.outcome.is_none(), "v1 has the traffic: {report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deploy_of_what_serves_clears_what_waits_and_does_nothing_else() {
    for rests in [Step::Stop, Step::Health] {
        let scene = Scene::deployed(&["v1"]).await;
        scene.until("v2", rests).await;
        let prepare = |replace| Command::Deploy {
            release: id("v1"),
            until: Step::Health,
            breaking: false,
            replace,
            if_changed: true,
        };
        let refused = scene.run(prepare(false)).await;
        assert!(matches!(refused, Err(RunError::Refused { refusal: Refusal::Waiting(_), .. })), "{rests}: {refused:?}");
        let report = scene.run(prepare(true)).await.unwrap();
        assert!(report.already.is_some(), "{rests}: {report:?}");
        assert_eq!((scene.running(), scene.state().transaction), ("v1 -".to_owned(), None), "{rests}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_dark_only_what_touches_nothing_is_unchanged() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    scene.host.world().traffic = Err(bluegreen_core::Blind::Route("silence".into()));
    let report = scene.run(abort("v3")).await.unwrap();
    assert!(report.already.is_some(), "{report:?}");
    for command in [promote("v1"), promote("v2"), abort("v2"), back_from("v1")] {
        let refused = scene.run(command.clone()).await;
        assert!(
            matches!(refused, Err(RunError::Refused { refusal: Refusal::Blind(_), .. })),
            "{command:?}: {refused:?}"
        );
    }
}
