//! `--if-changed`, `--sha256`, `--until`, `--deadline`, `--breaking`.

use std::fs;

use bluegreen_rig::{Stage, below, lives};

/// Of the two bytes `v1`.
const DIGEST: &str = "3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe";

#[test]
fn if_changed_leaves_the_same_release_alone() {
    let Some(stage) = Stage::marker() else { return };
    let artifact = stage.artifact("v1");
    stage.run(&["deploy", &artifact, "--if-changed"], 0);
    let pid = stage.pid("active");
    stage.run(&["deploy", &artifact, "--if-changed"], 0).says(&["already"]);
    assert_eq!(stage.pid("active"), pid);
    stage.run(&["deploy", &artifact], 0);
    assert_ne!(stage.pid("active"), pid, "without it the same is started anew");
    assert_eq!(stage.front(), "v1 real2");
}

#[test]
fn a_wrong_digest_is_refused_before_anything_is_touched() {
    let Some(stage) = Stage::marker() else { return };
    let artifact = stage.artifact("v1");
    let wrong = "0".repeat(64);
    stage.run(&["deploy", &artifact, "--sha256", &wrong], 11).says(&[DIGEST, "traffic  untouched"]);
    assert!(below(stage.home()).is_empty());
    assert_eq!(fs::read_dir(stage.state_dir().join("releases")).map_or(0, Iterator::count), 0);
    stage.run(&["deploy", &artifact, "--sha256", DIGEST], 0);
    stage.run(&["deploy", "no-such-file"], 11).says(&["no-such-file", "traffic  untouched"]);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn until_rests_after_each_step_and_goes_on() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let artifact = stage.artifact("v2");
    for (step, front) in [
        ("stop", "v1 real1"),
        ("start", "v1 real1"),
        ("health", "v1 real1"),
        ("switch", "v2 real2"),
        ("bake", "v2 real2"),
        ("retire", "v2 real2"),
    ] {
        stage.run(&["deploy", &artifact, "--until", step], 0);
        assert_eq!(stage.front(), front, "until {step}");
        let rests = (step != "retire").then(|| step.to_owned());
        assert_eq!(stage.step(), rests);
        stage.run(&["recover"], 0);
        assert_eq!(stage.step(), rests, "recover keeps what rests");
    }
    stage.run(&["deploy", &artifact, "--until", "sleep"], 2).says(&["sleep"]);
}

#[test]
fn a_switched_release_that_rests_can_be_aborted() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["deploy", &stage.artifact("v2"), "--until", "switch"], 0);
    assert_eq!(stage.front(), "v2 real2");
    stage.run(&["abort"], 0);
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
}

#[test]
fn the_deadline_of_a_command_takes_it_back() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    let ended = stage.run(&["deploy", &stage.artifact("v2"), "--deadline", "3s"], 10);
    ended.says(&["deadline", "traffic  real1 has it, as before"]);
    assert_eq!((stage.front(), below(stage.home()).len()), ("v1 real1".into(), 1));
}

#[test]
fn the_deadline_counts_once_for_both_halves_and_the_hook_between_them() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_in(1500);
    stage.set("hooks.before_switch", vec!["sh", "-c", "touch ran; sleep 1"]);
    stage.set("after_switch.bake", "3s");
    let artifact = stage.artifact("v2");
    let ended = stage.spawn(&["deploy", &artifact, "--deadline", "4s"]).wait();
    // in the bake, or on a slow machine before it
    assert!(matches!(ended.code, Some(13 | 10)), "{ended}");
    ended.says(&["deadline", "traffic  real1 has it, as before"]);
    // longer than any test waits
    stage.set("hooks.before_switch", vec!["sleep", "300"]);
    stage.run(&["deploy", &stage.artifact("v3"), "--deadline", "3s"], 10);
    assert_eq!((stage.front(), below(stage.home()).len()), ("v1 real1".into(), 1));
}

#[test]
fn a_breaking_release_lives_beside_no_other() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.failover", "always");
    stage.deploy("v1", 0);
    let old = stage.pid("active");
    stage.run(&["deploy", &stage.artifact("v2"), "--breaking"], 0);
    assert!(!lives(old));
    assert_eq!(stage.status()["failover"], serde_json::Value::Null);
}
