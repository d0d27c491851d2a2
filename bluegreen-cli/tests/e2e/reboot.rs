//! After a reboot nothing of ours runs, and `up` starts it.

use std::fs;

use bluegreen_rig::{Stage, below, kill, wait_for};

fn power_cut(stage: &Stage) {
    below(stage.home()).into_iter().for_each(kill);
    wait_for("the end of all", || below(stage.home()).is_empty());
}

#[test]
fn up_starts_the_active_release_and_then_the_warm_one() {
    let Some(stage) = Stage::marker() else { return };
    stage.run(&["up"], 0).says(&["nothing to do"]);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    power_cut(&stage);
    assert!(stage.front().starts_with("502"), "{}", stage.front());
    stage.run(&["up"], 0);
    assert_eq!((stage.front(), stage.behind(0)), ("v2 real2".into(), "v1 real1".into()));
    let pid = stage.pid("active");
    stage.run(&["up"], 0);
    assert_eq!(stage.pid("active"), pid, "up is idempotent");
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

/// A boot unit and a monitor ask whether users are served.
#[test]
fn up_is_done_where_only_the_release_for_a_rollback_cannot_be_started() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let first = stage.status()["active"]["release"].as_str().unwrap().to_owned();
    stage.deploy("v2", 0);
    power_cut(&stage);
    fs::remove_dir_all(stage.state_dir().join("releases").join(&first)).unwrap();
    let ended = stage.run(&["up"], 0);
    ended.says(&["did not start on real1", "what should serve does, but a `rollback` has to start its release first"]);
    assert_eq!((stage.front(), stage.step()), ("v2 real2".into(), None));
    assert!(stage.run(&["metrics"], 0).out.contains("bluegreen_warm_available{app=\"shop\"} 0"));
    // the same again, and it does the same again
    stage.run(&["up"], 0).says(&["has to start its release first"]);
}

#[test]
fn up_after_a_power_cut_while_a_release_was_prepared() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    power_cut(&stage);
    stage.run(&["up"], 0);
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
}

#[test]
fn a_deploy_after_a_power_cut_starts_what_should_run_first() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    power_cut(&stage);
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
}
