//! `[hooks]`: programs of the owner, around and between the two halves.

use std::fs;

use rustix::process::Signal;

use crate::rig::{Stage, below, wait_for};

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
    stage.set("hooks.before_switch", vec!["sh", "-c", "echo begun > ran; exec sleep 30"]);
    let artifact = stage.artifact("v1");
    let deploy = stage.spawn(&["deploy", &artifact]);
    wait_for("the hook", || ran(&stage) == "begun");
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(143), "{ended}");
    assert_eq!((stage.front(), stage.step(), below(stage.home()).len()), ("v0 real1".into(), None, 1));
}
