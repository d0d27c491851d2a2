//! `plan`: it says what will be, and nothing is as a consequence.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::process::Signal;

use bluegreen_rig::Stage;

/// Everything below `dir`: names, modes, times and contents.
fn picture(dir: &Path) -> Vec<(String, u32, i64, i64, Vec<u8>)> {
    let mut all = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let meta = fs::symlink_metadata(entry.path()).unwrap();
            let content = if meta.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            all.push((entry.path().display().to_string(), meta.mode(), meta.ctime(), meta.ctime_nsec(), content));
            if meta.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    all.sort();
    all
}

/// Runs `plan`, which changes nothing.
#[track_caller]
fn plan(stage: &Stage, words: &[&str], code: i32) -> bluegreen_rig::Ended {
    let before = picture(&stage.state_dir());
    let ended = stage.run(&[&["plan"], words].concat(), code);
    assert!(picture(&stage.state_dir()) == before, "something has changed: {ended}");
    ended
}

#[test]
fn says_each_step_with_who_is_there_and_changes_nothing() {
    let Some(mut stage) = Stage::marker() else { return };
    let v1 = stage.artifact("v1");
    let first = plan(&stage, &[&v1, "--version", "1.0"], 0);
    first.says(&["A deploy would bring 1.0 (", "to real1", "2 B goes into the store", "nothing runs on real1"]);
    first.says(&["there is no previous release", "nothing was changed"]);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let (active, idle) = (stage.pid("active"), stage.pid("idle"));
    let migrate = stage.home().join("migrate");
    fs::write(&migrate, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&migrate, fs::Permissions::from_mode(0o755)).unwrap();
    stage.set("hooks.before_switch", vec!["./migrate"]);
    let v3 = stage.artifact("v3");
    let ended = plan(&stage, &[&v3], 0);
    ended.says(&[
        "real2 serves",
        &format!("ends v1 (pid {idle}) on real1"),
        "before_switch: ./migrate, for at most 10 min",
    ]);
    ended.says(&[
        "the traffic goes from real2 to real1: one rename",
        &format!("v2 (pid {active}) on real2 keeps running"),
    ]);
    ended.says(&["in all, the median of the last 2"]);
    // what is there already
    plan(&stage, &[&v1], 0).says(&["is in the store already"]);
    assert_eq!(stage.front(), "v2 real2");

    let json: serde_json::Value = serde_json::from_str(&plan(&stage, &[&v3, "--format", "json"], 0).out).unwrap();
    assert_eq!((&json["schema"], &json["from"], &json["to"]), (&1.into(), &"real2".into(), &"real1".into()), "{json}");
    let steps: Vec<_> = json["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["copy", "stop", "start", "health", "hook", "switch", "bake", "retire"]);
    assert!(json["usually_ms"].as_u64() > Some(0), "{json}");
}

#[test]
fn says_what_a_killed_deploy_left_to_be_done_first() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("health");
    // while somebody is at work, as `deploy` would
    plan(&stage, &[&artifact], 75).says(&["locked by `deploy`"]);
    deploy.signal(Signal::KILL);
    deploy.wait();
    let v3 = stage.artifact("v3");
    plan(&stage, &[&v3], 0).says(&["first", "takes back deploy of", "an earlier run ended half-way", "to real2"]);
    assert_eq!(stage.step().as_deref(), Some("health"));
}

#[test]
fn refuses_what_deploy_would_refuse() {
    let Some(mut stage) = Stage::marker() else { return };
    plan(&stage, &[], 2).says(&["no artifact given"]);
    plan(&stage, &["no-such-file"], 11).says(&["no-such-file"]);
    stage.deploy("v1", 0);
    let (v2, v3) = (stage.artifact("v2"), stage.artifact("v3"));
    stage.run(&["prepare", &v2], 0);
    plan(&stage, &[&v3], 75).says(&["bluegreen promote"]);
    plan(&stage, &[&v3, "--replace"], 0).says(&["first", "takes back deploy of"]);
    // going on with what rests: the first half is done
    let goes_on = plan(&stage, &[&v2], 0);
    goes_on.says(&["switch"]);
    assert!(!goes_on.out.contains("  start "), "{goes_on}");
    // a state directory that is missing is not made
    let missing = stage.path("nowhere");
    stage.set("state_dir", missing.to_str().unwrap());
    stage.run(&["plan", &v2], 3).says(&["is not there yet"]);
    assert!(!missing.exists());
}

#[test]
fn without_the_artifact_that_the_command_needs_it_is_plan_that_is_to_be_typed_again() {
    let Some(stage) = Stage::marker() else { return };
    plan(&stage, &[], 2).says(&["no artifact given", "next  bluegreen plan ARTIFACT"]);
    stage.run(&["deploy"], 2).says(&["next  bluegreen deploy ARTIFACT"]);
}
