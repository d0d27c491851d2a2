//! What users get at the front door counts in the bake, as far as it is known whose answer it is.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Answer, Cause, Deployer, Event, EventKind, Events, FrontDoor, Outcome, Profile, Route, Step, testing::FakeHost,
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
    let scene = Scene::deployed(&["v1"]).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let listen = move |event: &Event| heard.lock().unwrap().push(event.kind.clone());
    let door = Door { host: scene.host.clone(), answers, asked: Mutex::default() };
    let deployer: Deployer = scene.deployer.clone().with_front_door(door).with_events(Events::to(listen));
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

#[tokio::test(start_paused = true)]
async fn a_hiccup_at_the_front_door_ends_no_bake() {
    let (outcome, detail, _, moved) = deploy(|there, asked| match there {
        true if (40..60).contains(&asked) => gateway(),
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
    let (outcome, _, warnings, moved) =
        deploy(
            |there, asked| {
                if there && asked == 1 { Answer::Release } else { Answer::Limited("429 Too Many Requests".into()) }
            },
        )
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
