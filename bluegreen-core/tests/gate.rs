//! The owner is asked where the policy says so; his no takes the deploy back and blames no release.

mod support;

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Cancel, Cause, Command, Gate, Gates, Options, Outcome, Policy, Refused, Route, Seen, Step, Transaction,
};
use support::{Scene, id};

/// What it says when it is asked: yes, no, or nothing at all.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Yes,
    No,
    Nothing,
}

/// One that notes what it was asked.
#[derive(Debug, Clone)]
struct Owner(fn(Step) -> Says, Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Gate for Owner {
    async fn ask(&self, before: Step, tx: &Transaction, seen: &Seen) -> Result<(), Refused> {
        let on = seen.on(&tx.to).unwrap().ours().map_or("nobody", |process| process.release.as_str()).to_owned();
        self.1.lock().unwrap().push(format!("{} before {before}, {on} on {}", tx.release, tx.to));
        match self.0(before) {
            Says::Yes => Ok(()),
            Says::No => Err(Refused { message: "the owner says no".into(), log: vec!["no".into()] }),
            Says::Nothing => pending().await,
        }
    }

    fn name(&self, before: Step) -> String {
        format!("the gate before {before}")
    }
}

const LIMIT: Duration = Duration::from_secs(60);

/// After v1, with such an owner; what he was asked.
async fn asked(says: fn(Step) -> Says) -> (Scene, Arc<Mutex<Vec<String>>>) {
    let mut scene = Scene::deployed(&["v1"]).await;
    let asked = Arc::new(Mutex::default());
    let gates = Gates { before_stop: Some(LIMIT), before_switch: Some(LIMIT) };
    let owner = Owner(says, Arc::clone(&asked));
    scene.deployer = scene.deployer.with_policy(Policy { gates, ..Policy::default() }).with_gate(owner);
    (scene, asked)
}

fn undone(outcome: Option<Outcome>) -> bluegreen_core::Failure {
    match outcome {
        Some(Outcome::Undone(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_before_the_stop_and_before_the_switch() {
    let (scene, asked) = asked(|_| Says::Yes).await;
    assert_eq!(scene.deploy("v2").await.outcome, Some(Outcome::DONE));
    assert_eq!(*asked.lock().unwrap(), ["v2 before stop, nobody on real2", "v2 before switch, v2 on real2"]);
    // what was good before needs no second yes
    scene.run(Command::Rollback { release: None, only: None }).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_no_before_the_stop_touches_nothing_and_counts() {
    let (scene, _) = asked(|before| if before == Step::Stop { Says::No } else { Says::Yes }).await;
    let before = (scene.running(), scene.route(), scene.state().number);
    let failure = undone(scene.deploy("v2").await.outcome);
    assert_eq!((failure.step, failure.cause, failure.log), (Step::Stop, Cause::Hook, vec!["no".to_owned()]));
    assert_eq!((scene.running(), scene.route(), scene.state().number), (before.0, before.1, before.2 + 1));
    assert!(!scene.state().has_failed(&id("v2")));
}

#[tokio::test(start_paused = true)]
async fn a_no_before_the_switch_takes_the_release_away_and_blames_it_for_nothing() {
    let (scene, _) = asked(|before| if before == Step::Switch { Says::No } else { Says::Yes }).await;
    let failure = undone(scene.deploy("v2").await.outcome);
    assert_eq!((failure.step, failure.cause), (Step::Health, Cause::Hook));
    assert_eq!((scene.running().as_str(), scene.route()), ("v1 -", Route::solo(scene.first())));
    assert!(!scene.state().has_failed(&id("v2")));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_is_prepared_is_let_through_when_it_is_promoted() {
    let (scene, asked) = asked(|_| Says::Yes).await;
    assert_eq!(scene.until("v2", Step::Health).await.outcome, Some(Outcome::Paused(Step::Health)));
    assert_eq!(asked.lock().unwrap().len(), 1);
    scene.run(Command::Promote { release: None, until: Step::Retire, drain: false }).await.unwrap();
    assert_eq!(asked.lock().unwrap()[1..], ["v2 before switch, v2 on real2"]);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_waited_for_as_long_as_the_policy_says() {
    let (scene, _) = asked(|_| Says::Nothing).await;
    let failure = undone(scene.deploy("v2").await.outcome);
    assert_eq!(failure.cause, Cause::Hook);
    assert_eq!(failure.message, "the gate before stop took longer than 60 s, and was ended");
}

#[tokio::test(start_paused = true)]
async fn it_does_not_outlive_the_release_that_it_is_about() {
    let (scene, _) = asked(|before| if before == Step::Switch { Says::Nothing } else { Says::Yes }).await;
    let (host, to) = (scene.host.clone(), scene.second());
    let dies = async {
        tokio::time::sleep(LIMIT / 2).await;
        host.world().kill(&to);
    };
    let (report, ()) = tokio::join!(scene.deploy("v2"), dies);
    assert_eq!(undone(report.outcome).cause, Cause::Died);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_heard_while_it_is_asked() {
    let (scene, _) = asked(|_| Says::Nothing).await;
    let options = Options { cancel: Cancel::new(), ..Options::default() };
    let cancels = async {
        tokio::time::sleep(LIMIT / 2).await;
        options.cancel.cancel();
    };
    let command = Command::deploy(id("v2"));
    let (report, ()) = tokio::join!(scene.deployer.run(&command, &options), cancels);
    assert_eq!(undone(report.unwrap().outcome).cause, Cause::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_a_gate_and_nobody_to_ask_goes_nowhere() {
    let gates = Gates { before_switch: Some(LIMIT), ..Gates::default() };
    let scene = Scene::with(Policy { gates, ..Policy::default() });
    assert_eq!(undone(scene.deploy("v1").await.outcome).cause, Cause::Hook);
}
