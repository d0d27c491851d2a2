//! What must be so afterwards, whatever happened.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use bluegreen_lab::{Loss, Tally};
use bluegreen_rig::{Ended, below};
use serde_json::Value;

use super::{ground::Ground, story::Scene};

/// How long what is about to end may take.
const SOON: Duration = Duration::from_secs(2);

/// One recovery, then all is in order; then a plain deploy, and all is in order. Panics with what is not.
pub(crate) fn check(ground: &mut Ground, scene: &Scene) {
    recover(ground);
    settled(ground, scene);
    let again = ground.stage.run(&["recover", "--format", "json"], 0);
    assert_eq!(outcome(&again), "unchanged", "a second recovery found something to do: {again}");
    ground.deploy(&["--replace"]);
    in_order(ground);
    let left = ground.leftovers();
    assert!(left.is_empty(), "left behind: {left:?}");
    history(ground);
}

fn recover(ground: &Ground) {
    let ended = ground.stage.spawn(&["recover", "--format", "json"]).wait();
    assert_ne!(ended.code, Some(75), "the lock of a dead command is held: {ended}");
    assert_eq!(ended.code, Some(0), "`bluegreen recover`: {ended}");
}

fn outcome(ended: &Ended) -> String {
    let last = ended.events().pop().unwrap_or_default();
    last["outcome"].as_str().unwrap_or_default().to_owned()
}

/// A safe state: one release has the traffic, wholly, and nothing is half done, unless something waits to be promoted.
fn settled(ground: &Ground, scene: &Scene) {
    let status = in_order(ground);
    let waits = status["transaction"]["until"] == "health";
    assert!(status["transaction"].is_null() || waits, "a transaction is open: {status}");
    // one that runs beside the traffic is what had it before, or what waits for it
    let gone = waits || status["idle"]["pid"].is_null() || status["idle"]["version"] != scene.new;
    assert!(gone, "{} was given up, and still runs: {status}", scene.new);
    let front = ground.stage.front();
    let version = front.split(' ').next().unwrap_or_default();
    if scene.dark && status["active"]["pid"].is_null() {
        assert!(!scene.versions.iter().any(|v| v == version), "nobody has the traffic, and {front} answers: {status}");
        return;
    }
    assert_eq!(status["active"]["healthy"], true, "{front}: {status}");
    assert_eq!(status["active"]["version"], version, "{front}: {status}");
    assert!(scene.versions.iter().any(|v| v == version), "{front}, and not one of {:?}", scene.versions);
}

/// The route is known, and the processes are those that are known.
fn in_order(ground: &Ground) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let status = ground.stage.status();
        let known = ["active", "idle"].iter().filter_map(|side| status[side]["pid"].as_u64()).collect::<BTreeSet<_>>();
        let there = below(ground.stage.home()).into_iter().map(u64::from).collect::<BTreeSet<_>>();
        if known == there && status["route"]["proven"] == true {
            return status;
        }
        assert!(Instant::now() < deadline, "these run: {there:?}, these are known: {known:?}: {status}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn history(ground: &Ground) {
    let text = std::fs::read_to_string(ground.stage.state_dir().join("history.jsonl")).unwrap_or_default();
    let broken = text.lines().find(|line| serde_json::from_str::<Value>(line).is_err());
    assert_eq!(broken, None, "a line of the history cannot be read");
    ground.stage.run(&["history"], 0);
}

/// No request may be lost. Before the first deploy and after a reboot there is nobody to answer until somebody has. In
/// reload mode nginx itself drops connections: gives back how many.
pub(crate) fn losses(ground: &Ground, scene: &Scene, tally: &Tally) -> usize {
    let began = if scene.dark {
        tally.0.iter().filter(|s| s.outcome.is_ok()).map(|s| s.done).min()
    } else {
        tally.0.first().map(|s| s.sent)
    };
    let Some(began) = began else { return 0 };
    let dropped = |loss: Loss| ground.reloads && matches!(loss, Loss::Reset | Loss::Closed);
    let lost: Vec<Loss> =
        tally.0.iter().filter(|s| s.sent > began).filter_map(|s| s.outcome.as_ref().err().copied()).collect();
    assert!(lost.iter().all(|loss| dropped(*loss)), "requests were lost: {tally}");
    lost.len()
}
