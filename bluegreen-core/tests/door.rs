//! What users get at the front door counts in the bake, as far as it is known whose answer it is.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Answer, Blind, Cause, Command, Deployer, Event, EventKind, Events, FrontDoor, Outcome, Policy, Previous, Profile,
    Route, Step,
    testing::{FakeHost, World},
};
use support::{Scene, id};

type Answers = fn(at_the_release: bool, asked: u64) -> Answer;

/// A front door that answers as it is told: by whether the expected profile has the traffic, and how often it was asked since.
#[derive(Debug)]
struct Door {
    host: FakeHost,
    answers: Answers,
    asked: Mutex<u64>,
}

#[async_trait::async_trait]
impl FrontDoor for Door {
    async fn ask(&self, expected: &Profile) -> Answer {
        let there = self.host.world().answering() == Some(expected);
        let mut asked = self.asked.lock().unwrap();
        *asked += u64::from(there);
        (self.answers)(there, *asked)
    }
}

fn gateway() -> Answer {
    Answer::Gateway { status: 502, says: "502 Bad Gateway".into() }
}

fn other(status: u16) -> Answer {
    Answer::Other { status, says: format!("{status}") }
}

/// A deploy of v2 after v1 behind such a door: how it ended, the detail of the bake, the warnings, and where the traffic is.
async fn deploy(answers: Answers) -> (Outcome, String, Vec<String>, bool) {
    deploy_in(&Scene::deployed(&["v1"]).await, Policy::default(), answers).await
}

async fn deploy_in(scene: &Scene, policy: Policy, answers: Answers) -> (Outcome, String, Vec<String>, bool) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let listen = move |event: &Event| heard.lock().unwrap().push(event.kind.clone());
    let door = Door { host: scene.host.clone(), answers, asked: Mutex::default() };
    let deployer: Deployer =
        scene.deployer.clone().with_policy(policy).with_front_door(door).with_events(Events::to(listen));
    let report = deployer.deploy(id("v2")).await.unwrap();
    let told = told.lock().unwrap();
    let detail = told.iter().find_map(|kind| match kind {
        EventKind::StepDone { step: Step::Bake, detail, .. } => Some(detail.clone()),
        _ => None,
    });
    let warnings = told.iter().filter_map(|kind| match kind {
        EventKind::Warning { message } => Some(message.clone()),
        _ => None,
    });
    scene.assert_sound();
    let moved = scene.route() == Route::solo(scene.second());
    (report.outcome.unwrap(), detail.unwrap_or_default(), warnings.collect(), moved)
}

#[tokio::test(start_paused = true)]
async fn users_who_get_bad_gateways_end_the_bake() {
    // proven once, and then two of three fail
    let (outcome, _, _, moved) = deploy(|there, asked| match there {
        true if asked > 3 && asked % 3 != 0 => gateway(),
        true => Answer::Release,
        false => other(200),
    })
    .await;
    let Outcome::Undone(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.step, failure.cause), (Step::Bake, Cause::Unhealthy), "{failure:?}");
    assert_eq!(failure.causes, ["502 Bad Gateway"]);
    assert!(!moved);
}

/// A failover keeps the users well, and the release gives them nothing.
#[tokio::test(start_paused = true)]
async fn a_standby_that_stands_in_ends_the_bake() {
    let (outcome, _, _, moved) = deploy(|there, asked| match there {
        true if asked > 3 => Answer::Gateway { status: 200, says: "real1 answered in place of real2".into() },
        true => Answer::Release,
        false => other(200),
    })
    .await;
    let Outcome::Undone(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.step, failure.cause), (Step::Bake, Cause::Unhealthy), "{failure:?}");
    assert!(!moved);
}

#[tokio::test(start_paused = true)]
async fn a_hiccup_at_the_front_door_ends_no_bake() {
    // of twenty a second: more than a second, in which a whole attempt fails, and no third one
    let (outcome, detail, _, moved) = deploy(|there, asked| match there {
        true if (300..325).contains(&asked) => gateway(),
        true => Answer::Release,
        false => other(200),
    })
    .await;
    assert_eq!((outcome, detail.as_str(), moved), (Outcome::DONE, "stayed healthy", true));
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_must_be_good() {
    // 500 ms of close probes, then 20 a second: the end of ten seconds of bake
    let (outcome, _, _, moved) = deploy(|there, asked| match there {
        true if asked > 400 => gateway(),
        true => Answer::Release,
        false => other(200),
    })
    .await;
    assert!(matches!(outcome, Outcome::Undone(failure) if failure.step == Step::Bake));
    assert!(!moved);
}

/// The bake does not wait for ever for a better one: one bad answer just before its end, and then only what tells nothing.
#[tokio::test(start_paused = true)]
async fn a_bad_last_word_that_nothing_follows_stands() {
    let bake = deploy(|there, asked| match there {
        true if asked < 400 => Answer::Release,
        true if asked == 400 => gateway(),
        true => other(401),
        false => other(200),
    });
    let ended = tokio::time::timeout(Duration::from_secs(60), bake).await;
    let (outcome, _, _, moved) = ended.expect("the bake ends");
    let Outcome::Undone(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.step, failure.cause), (Step::Bake, Cause::Unhealthy), "{failure:?}");
    assert_eq!(failure.causes, ["502 Bad Gateway"]);
    assert!(!moved);
    // one good answer takes it back, however late
    let bake = deploy(|there, asked| match there {
        true if asked == 400 => gateway(),
        true if asked > 400 && asked != 405 => other(401),
        true => Answer::Release,
        false => other(200),
    });
    let (outcome, detail, _, moved) = tokio::time::timeout(Duration::from_secs(60), bake).await.expect("the bake ends");
    assert_eq!((outcome, detail.as_str(), moved), (Outcome::DONE, "stayed healthy", true));
}

#[tokio::test(start_paused = true)]
async fn what_may_be_anybodys_answer_reverts_nobody() {
    for answer in [401, 403, 404, 500] {
        let (outcome, detail, _, moved) = match answer {
            401 => deploy(|there, asked| if there && asked == 1 { Answer::Release } else { other(401) }).await,
            403 => deploy(|there, asked| if there && asked == 1 { Answer::Release } else { other(403) }).await,
            404 => deploy(|there, asked| if there && asked == 1 { Answer::Release } else { other(404) }).await,
            _ => deploy(|there, asked| if there && asked == 1 { Answer::Release } else { other(500) }).await,
        };
        assert_eq!((outcome, moved), (Outcome::DONE, true), "{answer}");
        assert!(detail.contains("front door's answers tell nothing"), "{answer}: {detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_the_proxy_reverts_nobody_and_slows_us_down() {
    let (outcome, _, warnings, moved) = deploy(|there, asked| match there {
        true if asked == 1 => Answer::Release,
        // who is asked once a second does not get so far
        true if asked > 40 => gateway(),
        _ => Answer::Limited("429 Too Many Requests".into()),
    })
    .await;
    assert_eq!((outcome, moved), (Outcome::DONE, true));
    assert_eq!(warnings.iter().filter(|warning| warning.contains("limit of its own")).count(), 1, "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_sick_before_is_no_fault_of_the_release() {
    let (outcome, _, _, moved) =
        deploy(|there, _| if there { Answer::Sick { status: 500, says: "500".into() } } else { other(500) }).await;
    assert_eq!((outcome, moved), (Outcome::DONE, true));
    // another sickness than that of the one before
    let (outcome, _, _, moved) =
        deploy(|there, _| if there { Answer::Sick { status: 503, says: "503".into() } } else { other(500) }).await;
    assert!(matches!(outcome, Outcome::Undone(_)));
    assert!(!moved);
}

/// Behind these nobody was ever seen to answer, and nobody is condemned for it.
#[tokio::test(start_paused = true)]
async fn a_door_that_tells_nothing_from_the_start_reverts_nobody() {
    let doors: [Answers; 5] = [
        |_, _| other(401),
        |_, _| Answer::Limited("429 Too Many Requests".into()),
        |_, _| Answer::Beside { status: 200, says: "real1 did".into() },
        // users get these before the switch too, though the release of before is well
        |_, _| gateway(),
        |_, _| Answer::Nobody("the connection was closed".into()),
    ];
    for answers in doors {
        let (outcome, detail, warnings, moved) = deploy(answers).await;
        assert_eq!((outcome, moved), (Outcome::DONE, true), "{warnings:?}");
        assert!(detail.contains("tell nothing of it"), "{detail}");
        assert!(warnings.iter().any(|warning| warning.contains("its own health decides")), "{warnings:?}");
    }
}

/// The same answers where nobody served before: the deploy was the cure, and is none.
#[tokio::test(start_paused = true)]
async fn a_door_that_stays_bad_where_nobody_served_is_the_releases_fault() {
    let doors: [Answers; 2] = [|_, _| gateway(), |_, _| Answer::Nobody("the connection was closed".into())];
    for answers in doors {
        let scene = Scene::new();
        let (outcome, ..) = deploy_in(&scene, Policy::default(), answers).await;
        assert!(
            matches!(&outcome, Outcome::Undone(failure) | Outcome::Degraded { failure, .. } if failure.cause == Cause::Switch),
            "{outcome:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_release_runs_on_while_the_front_door_answers_as_it_does() {
    let policy = Policy { previous: Previous::Stop, ..Policy::default() };
    let scene = Scene::deployed(&["v1"]).await;
    let (outcome, ..) =
        deploy_in(&scene, policy.clone(), |_, _| Answer::Beside { status: 200, says: "real1 did".into() }).await;
    let Outcome::Done { unfinished: Some(failure) } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.step, failure.cause), (Step::Retire, Cause::Switch));
    assert_eq!(scene.running(), "v1 v2");
    let scene = Scene::deployed(&["v1"]).await;
    let (outcome, ..) = deploy_in(&scene, policy, |there, _| if there { Answer::Release } else { other(200) }).await;
    assert_eq!((outcome, scene.running().as_str()), (Outcome::DONE, "- v2"));
}

/// Does this to the world a while after a deploy has begun.
async fn meanwhile(scene: &Scene, what: impl FnOnce(&mut World)) {
    tokio::time::sleep(Duration::from_secs(4)).await;
    what(&mut scene.host.world());
}

#[tokio::test(start_paused = true)]
async fn an_nginx_that_stops_in_the_bake_condemns_nobody_and_the_next_run_goes_on() {
    let scene = Scene::deployed(&["v1"]).await;
    let mut route = None;
    let stops = meanwhile(&scene, |world| {
        route = Some(std::mem::replace(&mut world.traffic, Err(Blind::Route("nginx does not answer".into()))));
    });
    let answers: Answers = |there, _| if there { Answer::Release } else { Answer::Down("nobody listens".into()) };
    let ((outcome, ..), ()) = tokio::join!(deploy_blind(&scene, answers), stops);
    assert!(matches!(&outcome, Outcome::Degraded { failure, .. } if failure.cause == Cause::Blind), "{outcome:?}");
    scene.host.world().traffic = route.unwrap();
    scene.run(Command::Recover).await.unwrap();
    assert_eq!((scene.route().active, scene.state().last_good()), (scene.second(), Some(&id("v2"))));
    assert!(scene.state().transaction.is_none());
}

async fn deploy_blind(scene: &Scene, answers: Answers) -> (Outcome,) {
    let door = Door { host: scene.host.clone(), answers, asked: Mutex::default() };
    let report = scene.deployer.clone().with_front_door(door).deploy(id("v2")).await.unwrap();
    (report.outcome.unwrap(),)
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_ended_in_the_bake_is_taken_back_before_somebody_gets_its_users() {
    let scene = Scene::deployed(&["v1"]).await;
    let first = scene.first();
    let usurps = meanwhile(&scene, |world| {
        world.kill(&first);
        world.strangers.insert(first.clone(), World::bob());
    });
    let (report, ()) = tokio::join!(scene.deploy("v2"), usurps);
    assert_eq!(report.outcome, Some(Outcome::DONE));
    assert_eq!(scene.route(), Route::solo(scene.second()));
}
