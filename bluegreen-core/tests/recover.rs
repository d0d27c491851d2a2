//! Recovery, clause by clause: the engine over the fakes.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Blind, Cause, Command, Event, EventKind, Events, Failure, Kind, Options, Outcome, Policy, Refusal, Route, RunError,
    Seen, State, Step, Stranger,
    machine::{Acted, Effect, Sacrifice, Then, rebuild, rollback_target, step},
    testing::{Health, Op, World},
};
use support::{Scene, id};
use tokio::time::Instant;

fn degraded(outcome: Option<&Outcome>) -> &str {
    match outcome {
        Some(Outcome::Degraded { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_the_active_release_is_started_and_proven_before_the_warm_one() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let listen = move |event: &Event| {
        if let EventKind::StepStarted { step, profile } = &event.kind {
            heard.lock().unwrap().push(format!("{step} {profile}"));
        }
    };
    let deployer = scene.deployer.clone().with_events(Events::to(listen));
    deployer.run(&Command::Up, &Options::default()).await.unwrap();
    let told = told.lock().unwrap();
    let at = |what: &str| told.iter().position(|told| told == what).unwrap_or_else(|| panic!("no {what}: {told:?}"));
    assert!(at("start real2") < at("health real2") && at("bake real2") < at("start real1"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_good_release_that_cannot_be_started_gives_way_to_the_one_before_it() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    scene.host.world().releases.insert(id("v2"), Health::Missing);
    let report = scene.run(Command::Up).await.unwrap();
    assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "- v1"));
    assert_eq!(scene.state().last_good(), Some(&id("v1")));
    assert!(!scene.state().has_failed(&id("v2")), "the store lacks it: that does not speak against it");
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_once_is_tried_once_more_and_makes_way_for_nobody() {
    for (fails, ended) in [(1, None), (2, Some("nothing answers there"))] {
        let scene = Scene::deployed(&["v1", "v2"]).await;
        scene.host.world().reboot();
        scene.host.faults().clear();
        (0..fails).for_each(|n| scene.host.faults().fail(Op::Start, n));
        let began = Instant::now();
        let report = scene.run(Command::Up).await.unwrap();
        assert!(began.elapsed() >= Policy::default().blindness, "it waits before it believes that");
        let Some(reason) = ended else {
            assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "v1 v2"));
            continue;
        };
        assert!(degraded(report.recovered.as_ref()).contains(reason), "{report:?}");
        assert_eq!(scene.running(), "- -", "v1 is not what should serve");
        let report = scene.run(Command::Up).await.unwrap();
        assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "v1 v2"));
        scene.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn what_dies_once_in_its_start_is_started_once_more_and_that_is_told() {
    for (then, ended) in [(Health::Good, "v1 v2"), (Health::Dies, "- -")] {
        let scene = Scene::deployed(&["v1", "v2"]).await;
        scene.host.world().reboot();
        scene.host.world().releases.insert(id("v2"), Health::Dies);
        let (host, told) = (scene.host.clone(), Arc::new(Mutex::new(0)));
        let count = told.clone();
        let listen = move |event: &Event| {
            if matches!(&event.kind, EventKind::Warning { message } if message.contains("tried once more")) {
                *count.lock().unwrap() += 1;
                host.world().releases.insert(id("v2"), then);
            }
        };
        let deployer = scene.deployer.clone().with_events(Events::to(listen));
        let report = deployer.run(&Command::Up, &Options::default()).await.unwrap();
        assert_eq!((scene.running().as_str(), *told.lock().unwrap()), (ended, 1), "{report:?}");
    }
}

/// Beside a stranger on its port it is started on the other profile; a hiccup there is none of a verdict either.
#[tokio::test(start_paused = true)]
async fn a_start_beside_a_stranger_is_tried_once_more_too() {
    let scene = Scene::deployed(&["v1"]).await;
    let first = scene.first();
    scene.host.world().reboot();
    scene.host.world().strangers.insert(first, World::bob());
    scene.host.faults().clear();
    scene.host.faults().fail(Op::Start, 0);
    let report = scene.run(Command::Up).await.unwrap();
    assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "- v1"));
    // what cannot be started at all makes way there too
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let second = scene.second();
    scene.host.world().reboot();
    scene.host.world().strangers.insert(second, World::bob());
    scene.host.world().releases.insert(id("v2"), Health::Missing);
    let report = scene.run(Command::Up).await.unwrap();
    assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "v1 -"));
}

#[tokio::test(start_paused = true)]
async fn a_good_release_that_is_sick_gives_way_to_nobody() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    scene.host.world().releases.insert(id("v2"), Health::Sick);
    let report = scene.run(Command::Up).await.unwrap();
    assert!(degraded(report.recovered.as_ref()).contains("v2 does not serve it"));
    assert_eq!(scene.running(), "- v2");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_cuts_off_the_recovery_before_a_command_and_the_next_one_goes_on_with_it() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    scene.host.world().releases.insert(id("v2"), Health::Sick);
    let (began, deadline) = (Instant::now(), Duration::from_secs(5));
    let options = Options { deadline: Some(deadline), ..Options::default() };
    let report = scene.deployer.run(&Command::deploy(id("v3")), &options).await.unwrap();
    assert!(degraded(report.recovered.as_ref()).contains("the deadline has passed in the recovery"), "{report:?}");
    assert!(began.elapsed() < deadline + Duration::from_secs(1), "{:?}", began.elapsed());
    let open = scene.state().transaction.expect("what was under way stays open");
    assert_eq!((report.outcome, open.kind, open.undo), (None, Kind::Up, None));
    assert_eq!(scene.running(), "- v2", "nothing of the command itself was begun");

    let second = scene.second();
    scene.host.world().running.get_mut(&second).unwrap().health = Health::Good;
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.recovered, scene.state().transaction), (Some(Outcome::DONE), None));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_was_prepared_is_kept_as_the_repair_of_a_live_side_that_does_not_listen() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    let first = scene.first();
    scene.host.world().running.get_mut(&first).unwrap().health = Health::Deaf;
    let report = scene.run(Command::Recover).await.unwrap();
    assert!(degraded(report.recovered.as_ref()).contains("as one that hangs; deploy of v2 waits on real2"));
    let report = scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    assert_eq!((report.outcome, scene.route()), (Some(Outcome::DONE), Route::solo(scene.second())));
}

#[tokio::test(start_paused = true)]
async fn what_was_promoted_to_drain_the_old_one_does_so_after_a_kill_too() {
    for n in 0.. {
        let scene = Scene::deployed(&["v1"]).await;
        scene.until("v2", Step::Health).await;
        scene.host.faults().fail(Op::Save, n);
        let promoted = scene.run(Command::Promote { release: None, until: Step::Retire, drain: true }).await;
        let died = scene.host.faults().fired();
        scene.host.faults().clear();
        scene.run(Command::Recover).await.unwrap();
        // killed before the switch it was taken back; after it, the way that was begun is gone to its end
        let ended = if scene.route() == Route::solo(scene.second()) { "- v2" } else { "v1 -" };
        assert_eq!((scene.running().as_str(), scene.state().transaction), (ended, None), "killed at save {n}");
        if !died {
            assert_eq!(promoted.unwrap().outcome, Some(Outcome::DONE));
            return assert_eq!(ended, "- v2");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_release_that_would_not_stop_is_stopped_by_the_next_command() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.host.world().releases.insert(id("v2"), Health::Sick);
    scene.host.faults().lie(Op::Stop);
    let report = scene.deploy("v2").await;
    assert!(degraded(report.outcome.as_ref()).contains("still on real2"), "{report:?}");
    assert!(scene.state().has_failed(&id("v2")) && scene.running() == "v1 v2");
    // it stands in the way of no other deploy, which stops it itself, or leaves it to the next one
    let report = scene.deploy("v3").await;
    assert!(matches!(report.outcome, Some(Outcome::Degraded { .. })), "{report:?}");
    scene.host.faults().clear();
    scene.run(Command::Recover).await.unwrap();
    assert_eq!((scene.running().as_str(), scene.state().transaction), ("v1 -", None));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_lost_is_what_is_seen_and_nothing_else() {
    let nothing = Ok(State::forgotten());
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let seen = || scene.host.world().seen();
    assert_eq!(rebuild(&seen()), Ok(State { confirmed: vec![id("v2")], ..State::default() }));
    let second = scene.second();
    scene.host.world().running.get_mut(&second).unwrap().health = Health::Deaf;
    assert_eq!(rebuild(&seen()), nothing, "what does not listen serves nobody");
    scene.host.world().strangers.insert(second, Stranger::new());
    assert_eq!(rebuild(&seen()), nothing, "a stranger is no release of ours");
    scene.host.world().reboot();
    assert_eq!(rebuild(&seen()), nothing);
}

/// Somebody else has the port of the live side: one recovery goes through all that was good, until one serves.
#[tokio::test(start_paused = true)]
async fn where_the_newest_is_sick_the_one_before_it_serves_beside_a_stranger() {
    let scene = Scene::deployed(&["v1", "v2", "v3"]).await;
    let (first, second) = (scene.first(), scene.second());
    scene.host.world().reboot();
    scene.host.world().strangers.insert(first, Stranger::new());
    scene.host.world().releases.extend([(id("v3"), Health::Sick), (id("v2"), Health::Sick)]);
    scene.run(Command::Recover).await.unwrap();
    assert_eq!((scene.running().as_str(), scene.route()), ("- v1", Route::solo(second)));
    assert!(scene.state().has_failed(&id("v3")) && scene.state().has_failed(&id("v2")));
    scene.assert_sound();
}

/// "Nobody serves", written down while nothing could be seen, would be forgetting for ever who does.
#[tokio::test(start_paused = true)]
async fn a_lost_state_is_written_anew_only_by_who_sees() {
    let scene = Scene::deployed(&["v1"]).await;
    let (mut seen, blind) = (scene.host.world().seen(), Blind::Route("hidden".to_owned()));
    seen.occupants[0] = Err(blind.clone());
    assert_eq!(rebuild(&seen), Err(blind.clone()), "who serves is not seen");
    let seen = Seen { traffic: Err(blind.clone()), ..scene.host.world().seen() };
    assert_eq!(rebuild(&seen), Err(blind), "where the traffic goes is not seen");
    let mut seen = scene.host.world().seen();
    seen.occupants[1] = Err(Blind::Route("hidden".to_owned()));
    assert_eq!(rebuild(&seen).unwrap().last_good(), Some(&id("v1")), "the other one decides nothing");
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_without_a_good_release_needs_a_person_until_one_deploys() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    scene.store.set(rebuild(&scene.host.world().seen()).unwrap());
    for _ in 0..2 {
        let report = scene.run(Command::Recover).await.unwrap();
        assert_eq!(degraded(report.recovered.as_ref()), "the state was lost: deploy what should run");
        assert_eq!(scene.running(), "- -", "nothing is started on a guess");
    }
    scene.deploy("v3").await;
    assert_eq!((scene.state().lost, scene.running().as_str()), (false, "v3 -"));
    assert_eq!(scene.run(Command::Recover).await.unwrap().recovered, None);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_state_what_was_only_prepared_gets_no_traffic() {
    let scene = Scene::deployed(&["v1"]).await;
    scene.until("v2", Step::Health).await;
    scene.store.set(rebuild(&scene.host.world().seen()).unwrap());
    let back = scene.run(Command::Rollback { release: None, only: None }).await;
    assert!(matches!(back, Err(RunError::Refused { refusal: Refusal::NothingToRollBack, .. })), "{back:?}");
    let first = scene.first();
    scene.host.world().kill(&first);
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(first.clone())), "v1 is started");
    // and when nobody is known to be good
    scene.host.world().kill(&first);
    scene.store.set(rebuild(&scene.host.world().seen()).unwrap());
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!(degraded(report.recovered.as_ref()), "the state was lost: deploy what should run");
    // what the proxy fails over to already is not a guess
    let second = scene.second();
    scene.host.world().switch(&Route::with_standby(first, second.clone()));
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(second)));
}

#[tokio::test(start_paused = true)]
async fn nor_does_it_after_the_state_before_it_is_all_there_is() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let before = scene.state().outdated();
    scene.until("v3", Step::Health).await;
    scene.store.set(before);
    assert_eq!(scene.running(), "v3 v2");
    let report = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!(
        (report.outcome, scene.running().as_str()),
        (Some(Outcome::DONE), "v1 v2"),
        "the confirmed one, started"
    );
}

/// The state before the last save did not know yet that it was proven; it runs, and so it is proven again.
#[tokio::test(start_paused = true)]
async fn what_waits_is_promoted_also_after_the_state_before_it_is_all_there_is() {
    for (health, done, running) in [(Health::Good, true, "v3 v2"), (Health::Sick, false, "- v2")] {
        let scene = Scene::deployed(&["v1", "v2"]).await;
        scene.until("v3", Step::Health).await;
        let mut before = scene.state().outdated();
        before.transaction.as_mut().unwrap().proven = None;
        scene.store.set(before);
        let first = scene.first();
        scene.host.world().running.get_mut(&first).unwrap().health = health;
        let promote = Command::Promote { release: None, until: Step::Retire, drain: false };
        let outcome = scene.run(promote).await.unwrap().outcome.unwrap();
        assert_eq!((outcome == Outcome::DONE, scene.running().as_str()), (done, running));
        let sick = outcome.failure().is_none_or(|failure| failure.cause == Cause::Unhealthy);
        assert!(sick, "it did not die: {outcome:?}");
    }
}

/// All that is written down is lost: what runs there may wait, or may be what is warm.
#[tokio::test(start_paused = true)]
async fn what_may_wait_is_neither_promoted_nor_said_not_to_wait() {
    let promote = |release| Command::Promote { release, until: Step::Retire, drain: false };
    let abort = |release| Command::Abort { release };
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.until("v3", Step::Health).await;
    scene.store.set(rebuild(&scene.host.world().seen()).unwrap());
    for command in [promote(None), abort(None), promote(Some(id("v3"))), abort(Some(id("v3")))] {
        let refused = scene.run(command.clone()).await.unwrap_err().to_string();
        assert!(refused.contains("whether v3, which runs on real1, waits is not known"), "{command:?}: {refused}");
    }
    assert_eq!(scene.running(), "v3 v2", "nothing was touched");
    // of what does not run it is known
    assert!(scene.run(abort(Some(id("v9")))).await.unwrap().already.is_some());
    assert!(scene.run(promote(Some(id("v2")))).await.unwrap().already.is_some(), "it has the traffic");
    scene.deploy("v4").await;
    assert!(scene.run(abort(None)).await.unwrap().already.is_some(), "what is written down is known again");
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_fails_while_the_last_step_is_walked_does_not_hide_that_the_release_died() {
    let scene = Scene::deployed(&["v1"]).await;
    // to v2, its standby, and that taken away again
    scene.host.faults().clear();
    scene.host.faults().fail(Op::Switch, 2);
    let report = scene.deploy("v2").await;
    assert!(matches!(report.outcome, Some(Outcome::Done { unfinished: Some(_) })), "{report:?}");
    let (first, second) = (scene.first(), scene.second());
    assert_eq!(scene.route(), Route::with_standby(second.clone(), first.clone()));
    scene.host.world().kill(&second);
    let result = Err(Failure::new(Step::Retire, Cause::Switch, "refused"));
    let last = Some(Acted { effect: Effect::Isolate { active: second, sacrifice: Sacrifice::Never }, result });
    let next = step(&scene.state(), &Seen { last, ..scene.host.world().seen() }, &Policy::default());
    assert!(matches!(&next.then, Then::Do(Effect::Switch { to, .. }) if *to == first), "{:?}", next.then);
}

/// Another user took its port while it was down, and answers the users.
#[tokio::test(start_paused = true)]
async fn a_stranger_where_a_good_release_should_serve_is_left_for_the_warm_one() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let second = scene.second();
    scene.host.world().kill(&second);
    scene.host.world().strangers.insert(second.clone(), World::bob());
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(scene.first())));
    scene.assert_sound();
    // nobody is warm: the last good one is started on the free profile
    let scene = Scene::deployed(&["v1"]).await;
    let (first, second) = (scene.first(), scene.second());
    scene.host.world().reboot();
    scene.host.world().strangers.insert(first.clone(), World::bob());
    let report = scene.run(Command::Up).await.unwrap();
    assert_eq!((report.recovered, scene.route()), (Some(Outcome::DONE), Route::solo(second)));
    assert_eq!((scene.running().as_str(), scene.state().replaced()), ("- v1", None), "it is the newest");
    scene.assert_sound();
    // there is no place for it: then a person is needed, and nothing is touched
    let scene = Scene::deployed(&["v1"]).await;
    let first = scene.first();
    scene.host.world().kill(&first);
    scene.host.world().strangers.insert(first.clone(), World::bob());
    let second = scene.second();
    scene.host.world().strangers.insert(second.clone(), World::bob());
    for command in [Command::Recover, Command::Up] {
        let report = scene.run(command).await.unwrap();
        assert_eq!(
            degraded(report.recovered.as_ref()),
            "real1 has the traffic, and who answers there is not ours: pid 4711 (user bob): java"
        );
    }
    assert_eq!(scene.route(), Route::solo(first.clone()));
    // until there is
    scene.host.world().strangers.remove(&second);
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.recovered, scene.running().as_str()), (Some(Outcome::DONE), "- v1"));
    // who had the port before us is what the traffic came from, and no release of ours should serve
    let scene = Scene::new();
    let second = scene.second();
    scene.host.world().strangers.insert(second, World::bob());
    assert_eq!(scene.run(Command::Recover).await.unwrap().recovered, None);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_never_leads_to_what_crashed_or_to_the_same_again() {
    let scene = Scene::deployed(&["v0", "v1", "v2"]).await;
    let first = scene.first();
    assert_eq!(scene.route().active, first);
    scene.host.world().kill(&first);
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let listen = move |event: &Event| heard.lock().unwrap().push(event.kind.clone());
    let deployer = scene.deployer.clone().with_events(Events::to(listen));
    deployer.run(&Command::Recover, &Options::default()).await.unwrap();
    assert_eq!((scene.route().active, scene.state().replaced()), (scene.second(), Some(&id("v2"))), "v1 serves");
    let said = |kind: &EventKind| matches!(kind, EventKind::Warning { message } if message.contains("older than v2"));
    assert!(told.lock().unwrap().iter().any(said), "{told:?}");
    let back = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!(back.release, Some(id("v0")), "not to v2, which crashed");
    // whoever knows better may name it
    let named = scene.run(Command::Rollback { release: Some(id("v2")), only: None }).await.unwrap();
    assert_eq!((named.outcome, named.release), (Some(Outcome::DONE), Some(id("v2"))));
    assert!(scene.state().crashed.is_empty(), "it serves again");
    // that way leads forward, so what it leaves is as good as before
    assert!(!scene.state().has_failed(&id("v0")), "it never failed");
    let back = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!((back.outcome, back.release), (Some(Outcome::DONE), Some(id("v0"))));

    let scene = Scene::deployed(&["v1", "v2", "v2"]).await;
    assert_eq!(scene.running(), "v2 v2");
    let state = scene.state();
    let seen = scene.host.world().seen();
    let target = rollback_target(&state, &seen).unwrap();
    assert_eq!((target.release, target.warm), (&id("v1"), false), "v2 on both sides is no way back");
    let back = scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!((back.outcome, back.release), (Some(Outcome::DONE), Some(id("v1"))));
    scene.assert_sound();
}
