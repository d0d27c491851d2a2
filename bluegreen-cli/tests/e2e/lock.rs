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
    let at = format!(", at the hook {name}");
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

/// An option is named only to a command that has it.
#[test]
fn who_meets_the_lock_is_told_what_can_be_typed() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let next = stage.artifact("v3");
    let told = |words: &[&str], option: &str, next: &str| {
        let busy = stage.run(words, 75);
        let has = stage.run(&[words[0], "--help"], 0).out.contains(option);
        let more = if has { format!(", or the same with {option}") } else { String::new() };
        assert!(busy.err.ends_with(&format!("     next  {next}{more}\n")), "{busy}");
    };
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    for words in [&["rollback"][..], &["up"], &["deploy", &next], &["prepare", &next], &["plan", &next]] {
        told(words, "--replace", "bluegreen promote or bluegreen abort");
    }
    stage.run(&["abort"], 0);

    let script = "touch begun; until [ -e go ]; do sleep 0.05; done";
    let mut stage = stage;
    stage.set("hooks.before_start", vec!["sh", "-c", script]);
    let slow = stage.artifact("v2");
    let first = stage.spawn(&["deploy", &slow]);
    wait_for("the hook", || stage.path("begun").exists());
    let told = |words: &[&str]| {
        let busy = stage.run(words, 75);
        let has = stage.run(&[words[0], "--help"], 0).out.contains("--wait");
        let more = if has { ", or the same with --wait" } else { "" };
        assert!(busy.err.ends_with(&format!("     next  bluegreen status{more}\n")), "{busy}");
    };
    for word in ["recover", "up", "abort", "adopt", "promote", "rollback", "switch"] {
        told(&[word]);
    }
    for word in ["deploy", "prepare", "start", "stop", "health", "plan"] {
        told(&[word, &next]);
    }
    std::fs::write(stage.path("go"), "").unwrap();
    assert_eq!(first.wait().code, Some(0));
}
