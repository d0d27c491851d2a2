//! `[hooks]`: what they are told, how long they may take, and what they leave.

use std::fs;

use rustix::process::Signal;
use toml::{Table, Value};

use bluegreen_rig::{Stage, below, wait_for};

fn shell(script: &str) -> Vec<&str> {
    vec!["sh", "-c", script]
}

/// Names and values that a hook saw, one to a line.
fn told(stage: &Stage, file: &str) -> Vec<String> {
    let text = fs::read_to_string(stage.path(file)).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn after_the_switch_a_hook_knows_what_has_the_traffic_now() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("hooks.after_switch", shell("env | grep ^BLUEGREEN_ | sort > told; echo \"$0\" >> told"));
    stage.deploy("v2", 0);
    let told = told(&stage, "told");
    let [first, second] = stage.ports.map(|port| port.to_string());
    for expected in [
        "BLUEGREEN_HOOK=after_switch".to_owned(),
        "BLUEGREEN_ACTIVE=real2".to_owned(),
        format!("BLUEGREEN_ACTIVE_PORT={second}"),
        "BLUEGREEN_IDLE=real1".to_owned(),
        format!("BLUEGREEN_IDLE_PORT={first}"),
        "BLUEGREEN_PROFILE=real2".to_owned(),
        format!("BLUEGREEN_PORT={second}"),
        "BLUEGREEN_VERSION=v2".to_owned(),
        "BLUEGREEN_APP=shop".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected} is not in {told:?}");
    }
    assert!(told.iter().any(|line| line.starts_with("BLUEGREEN_RELEASE=")), "{told:?}");
}

#[test]
fn after_a_failure_a_hook_learns_the_reason_and_changes_no_exit_code() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hooks.after_failure", shell("env | grep ^BLUEGREEN_ > told; exit 9"));
    stage.deploy("v1", 0);
    assert!(!stage.path("told").exists());
    // nothing was touched, so nothing has failed
    stage.run(&["deploy", "no-such-file"], 11);
    assert!(!stage.path("told").exists());

    stage.set("health.deadline", "1s");
    stage
        .deploy("v2 errors", 10)
        .says(&["the hook after_failure (sh) failed: exit status: 9", "traffic  real1 has it, as before"]);
    let seen = told(&stage, "told");
    for expected in [
        "BLUEGREEN_EXIT_CODE=10",
        "BLUEGREEN_STEP=health",
        "BLUEGREEN_PROFILE=real2",
        "BLUEGREEN_ACTIVE=real1",
        "BLUEGREEN_VERSION=v2 errors",
    ] {
        assert!(seen.iter().any(|line| line == expected), "{expected} is not in {seen:?}");
    }
    assert!(seen.iter().any(|line| line == "BLUEGREEN_FAILURE=real2 was not healthy within 1 s"), "{seen:?}");

    fs::remove_file(stage.path("told")).unwrap();
    stage.set("health.deadline", "90s");
    stage.set("hooks.before_switch", shell("exit 1"));
    stage.deploy("v3", 10);
    assert!(told(&stage, "told").iter().any(|line| line.starts_with("BLUEGREEN_FAILURE=the hook before_switch")));
}

#[test]
fn after_an_interrupt_it_runs_too() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    stage.set("hooks.after_failure", shell("echo $BLUEGREEN_EXIT_CODE > told"));
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("health");
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!((ended.code, told(&stage, "told")), (Some(143), vec!["143".to_owned()]), "{ended}");
}

#[test]
fn one_that_takes_too_long_is_ended_with_its_children() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let before = below(stage.home());
    let mut hook = Table::new();
    hook.insert("command".into(), shell("echo begun; sleep 300 & sleep 300").into());
    // it has come to its first word by then
    hook.insert("timeout".into(), "4s".into());
    stage.set("hooks.before_switch", Value::Table(hook));
    let ended = stage.deploy("v2", 10);
    ended.says(&["the hook before_switch (sh) took longer than 4 s", "│ begun"]);
    wait_for("the end of its children", || below(stage.home()) == before);
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
    // and the same when the limit is the common one
    stage.set("hooks.before_switch", shell("sleep 300 & sleep 300"));
    stage.set("hooks.timeout", "500ms");
    stage.deploy("v3", 10).says(&["took longer than 500 ms"]);
    wait_for("the end of its children", || below(stage.home()) == before);
}

#[test]
fn what_it_says_is_shown_clean_and_kept() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hooks.before_switch", shell(r"printf '\033[31mred\033[0m\nno end'; echo problem >&2"));
    let ended = stage.deploy("v1", 0);
    ended.says(&["│ red", "│ no endproblem", "✓ hook", "before_switch"]);
    assert!(!ended.out.contains('\u{1b}'), "{ended}");
    let log = fs::read_to_string(stage.state_dir().join("logs/hooks/before_switch.log")).unwrap();
    assert_eq!(log, "\u{1b}[31mred\u{1b}[0m\nno endproblem\n");
    // one that fails is what the history tells
    stage.set("hooks.before_switch", shell("echo the table is locked; exit 4"));
    stage.deploy("v2", 10).says(&["the table is locked", "exit status: 4"]);
    let told = stage.run(&["history", "show"], 0);
    told.says(&["failed", "the hook before_switch (sh) failed: exit status: 4"]);
}
