//! One writer at a time.

use rustix::process::Signal;

use bluegreen_rig::{Stage, wait_for};

#[test]
fn another_deploy_is_named_or_waited_for() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    let (slow, next) = (stage.artifact("v2"), stage.artifact("v3"));
    let first = stage.spawn(&["deploy", &slow]);
    stage.wait_for_step("health");
    let pid = first.pid().to_string();
    let busy = stage.run(&["deploy", &next], 75);
    busy.says(&["deploy", &pid, "--wait", "traffic  untouched"]);
    stage.run(&["rollback"], 75).says(&[&pid]);
    stage.run(&["status"], 0).says(&["held by", &pid]);
    assert_eq!(stage.status()["lock"]["pid"], first.pid());
    // a waiting one can be interrupted
    let waiting = stage.spawn(&["deploy", &next, "--wait"]);
    waiting.wait_for_word("waiting for");
    waiting.signal(Signal::INT);
    let ended = waiting.wait();
    assert_eq!(ended.code, Some(130), "{ended}");

    let waiting = stage.spawn(&["deploy", &next, "--wait"]);
    waiting.wait_for_word("waiting for");
    stage.boot();
    let (first, waited) = (first.wait(), waiting.wait());
    assert_eq!((first.code, waited.code), (Some(0), Some(0)), "{first}\n{waited}");
    waited.says(&["waiting for", &pid]);
    assert_eq!(stage.front(), "v3 real1");
    assert_eq!(stage.status()["lock"], serde_json::Value::Null);
}

/// The hook `name` waits for the file `go` in the stage's home.
fn holds(stage: &mut Stage, name: &str) {
    let script = "touch begun; until [ -e go ]; do sleep 0.05; done";
    stage.set(&format!("hooks.{name}"), vec!["sh", "-c", script]);
}

fn a_hook_has_the_lock(name: &str) {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    holds(&mut stage, name);
    let (slow, next) = (stage.artifact("v2"), stage.artifact("v3"));
    let first = stage.spawn(&["deploy", &slow]);
    wait_for("the hook", || stage.path("begun").exists());
    let doing = format!("`deploy` of {}", stage.status()["lock"]["user"].as_str().unwrap());
    let at = format!(", at its hook {name}");
    let pid = format!("(pid {})", first.pid());
    stage.run(&["deploy", &next], 75).says(&[&doing, &pid, &at, "--wait", "traffic  untouched"]);
    stage.run(&["recover"], 75).says(&[&pid, &at]);
    stage.run(&["status"], 0).says(&[&doing, &pid, &at]);

    let mut waiting = stage.spawn(&["deploy", &next, "--wait", "--format", "json"]);
    waiting.wait_for_word("\"lock_waiting\"");
    assert_eq!(waiting.ended(), None);
    std::fs::write(stage.path("go"), "").unwrap();
    let (first, waited) = (first.wait(), waiting.wait());
    assert_eq!((first.code, waited.code), (Some(0), Some(0)), "{first}\n{waited}");
    waited.says(&["\"lock_waiting\"", &at]);
    assert_eq!(stage.front(), "v3 real1");
}

#[test]
fn a_deploy_in_its_hook_before_the_start_has_the_lock() {
    a_hook_has_the_lock("before_start");
}

#[test]
fn a_deploy_in_its_hook_before_the_switch_has_the_lock() {
    a_hook_has_the_lock("before_switch");
}
