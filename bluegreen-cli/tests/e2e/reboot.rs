//! After a reboot nothing of ours runs, and `up` starts it.

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
