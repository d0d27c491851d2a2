//! `[hooks]`: programs of the owner, around and between the two halves.

use std::fs;

use rustix::process::Signal;

use bluegreen_rig::{Stage, below, wait_for};

/// All three hooks, which write down their names; `before_switch` fails while there is a file `closed`.
fn hooked() -> Option<Stage> {
    let mut stage = Stage::marker()?;
    stage.deploy("v0", 0);
    let script = stage.path("hook");
    let text = "echo $BLUEGREEN_HOOK >> ran\n[ $BLUEGREEN_HOOK != before_switch ] || [ ! -e closed ] || {\n\
                echo \"no: $BLUEGREEN_PROFILE $1\"; exit 3; }\n";
    fs::write(&script, text).unwrap();
    for hook in ["before_start", "before_switch", "after_switch"] {
        stage.set(&format!("hooks.{hook}"), vec!["sh", script.to_str().unwrap(), "{port}"]);
    }
    Some(stage)
}

/// What has run since the last time.
fn ran(stage: &Stage) -> String {
    let ran = fs::read_to_string(stage.path("ran")).unwrap_or_default().replace('\n', " ");
    let _ = fs::remove_file(stage.path("ran"));
    ran.trim_end().to_owned()
}

#[test]
fn each_hook_runs_once_in_its_place() {
    let Some(stage) = hooked() else { return };
    stage.deploy("v1", 0);
    assert_eq!(ran(&stage), "before_start before_switch after_switch");
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    assert_eq!(ran(&stage), "before_start");
    stage.run(&["promote"], 0);
    assert_eq!((ran(&stage), stage.front()), ("before_switch after_switch".into(), "v2 real1".into()));
    let artifact = stage.artifact("v3");
    stage.run(&["deploy", &artifact, "--until", "switch"], 0);
    assert_eq!(ran(&stage), "before_start before_switch");
    stage.run(&["deploy", &artifact], 0);
    assert_eq!((ran(&stage), stage.step()), ("after_switch".into(), None));
}

#[test]
fn one_that_fails_before_the_switch_keeps_the_traffic_where_it_is() {
    let Some(stage) = hooked() else { return };
    fs::write(stage.path("closed"), "").unwrap();
    let port = stage.ports[1].to_string();
    stage.deploy("v1", 10).says(&["before_switch", &format!("no: real2 {port}")]);
    assert_eq!((stage.front(), stage.step()), ("v0 real1".into(), None));
    assert_eq!(below(stage.home()).len(), 1);
    assert_eq!(ran(&stage), "before_start before_switch");
}

#[test]
fn an_interrupt_ends_the_hook_and_takes_the_deploy_back() {
    let Some(mut stage) = hooked() else { return };
    stage.set("hooks.before_switch", vec!["sh", "-c", "echo begun > ran; exec sleep 300"]);
    let artifact = stage.artifact("v1");
    let deploy = stage.spawn(&["deploy", &artifact]);
    // only looked at: the shell makes the file before it writes, and `ran` would take it away empty
    wait_for("the hook", || fs::read_to_string(stage.path("ran")).is_ok_and(|ran| ran == "begun\n"));
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(143), "{ended}");
    assert_eq!((stage.front(), stage.step(), below(stage.home()).len()), ("v0 real1".into(), None, 1));
}

#[test]
fn before_start_knows_the_release_that_will_be_deployed() {
    let Some(mut stage) = hooked() else { return };
    let words = ["sh", "-c", "echo \"$1 $BLUEGREEN_RELEASE $2 $3\" > ran; test -e \"$1/app-v1\"", "-"];
    let words = words.into_iter().chain(["{release_dir}", "{version}", "{port}"]);
    stage.set("hooks.before_start", words.collect::<Vec<_>>());
    stage.run(&["deploy", &stage.artifact("v1"), "--version", "1.0"], 0);
    let ran = ran(&stage);
    let words: Vec<&str> = ran.split(' ').collect();
    assert!(words[0].ends_with(&format!("/{}", words[1])), "{ran}");
    assert_eq!(words[2..4], ["1.0", &stage.ports[1].to_string()], "{ran}");
}

#[test]
fn before_start_does_not_run_for_a_deploy_that_is_refused() {
    let Some(mut stage) = hooked() else { return };
    stage.run(&["prepare", &stage.artifact("v1")], 0);
    assert_eq!(ran(&stage), "before_start");
    let other = stage.artifact("v2");
    stage.run(&["deploy", &other], 75);
    assert_eq!(ran(&stage), "");
    stage.boots_on_cue();
    let artifact = stage.artifact("v3");
    let slow = stage.spawn(&["deploy", &artifact, "--replace"]);
    wait_for("v3", || stage.status()["lock"]["pid"] == slow.pid());
    stage.run(&["deploy", &other, "--replace"], 75);
    stage.boot();
    assert_eq!(slow.wait().code, Some(0));
    assert_eq!(ran(&stage), "before_start before_switch after_switch");
}

#[test]
fn what_a_hook_leaves_in_the_background_is_not_waited_for() {
    let Some(mut stage) = hooked() else { return };
    let noise = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo the last word; sleep 300 & exit 3";
    stage.set("hooks.before_start", vec!["sh", "-c", noise]);
    let ended = stage.deploy("v1", 10);
    // no test waits as long as that sleep
    ended.says(&["before_start", "the last word"]);
    assert!(ended.err.len() < 200_000, "{}", ended.err.len());
}

#[test]
fn what_a_hook_stopped_and_nobody_can_take_back_needs_a_person() {
    let Some(mut stage) = hooked() else { return };
    let stop = stage.nginx.with(&["-s", "stop"]).join(" ");
    let pid_file = stage.nginx.prefix().join("nginx.pid");
    let hook = format!("{stop}; while [ -e {} ]; do sleep 0.05; done; exit 3", pid_file.display());
    stage.set("hooks.before_switch", vec!["sh".to_owned(), "-c".to_owned(), hook]);
    stage.deploy("v1", 20).says(&["the hook before_switch", "is it running?", "bluegreen recover"]);
}
