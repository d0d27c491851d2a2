//! The wall clock jumps: a machine that learns the time late, a wrong hand, NTP.

use std::{env, fs, path::PathBuf, process::Command};

use bluegreen_rig::{Ended, Running, Stage, skip};

/// No deploy takes as long, and each jump is longer.
const HOUR_MS: u64 = 3_600_000;

/// libfaketime, which makes the wall clock of a program jump, and leaves the others alone.
fn faketime() -> Option<PathBuf> {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""].map(|arch| PathBuf::from("/usr/lib").join(arch));
    let found = places.iter().map(|dir| dir.join("faketime/libfaketime.so.1")).find(|file| file.is_file());
    if found.is_none() {
        skip("there is no libfaketime");
    }
    found
}

/// `words`, with the wall clock that the file `clock` says.
fn command(stage: &Stage, library: &PathBuf, words: &[&str]) -> Command {
    let mut command = stage.command(words);
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", stage.path("clock"));
    command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.env("PATH", env::var("PATH").unwrap());
    command
}

fn set(stage: &Stage, jump: &str) {
    // a program may read it at any moment
    fs::write(stage.path("clock.new"), format!("{jump}\n")).unwrap();
    fs::rename(stage.path("clock.new"), stage.path("clock")).unwrap();
}

#[track_caller]
fn sane(ended: &Ended, jump: &str) {
    assert_eq!(ended.code, Some(0), "{jump}: {ended}");
    assert!(!ended.err.contains("panicked"), "{jump}: {ended}");
}

#[test]
fn a_jump_in_the_bake_changes_nothing() {
    let Some(library) = faketime() else { return };
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v0", 0);
    stage.set("after_switch.bake", "3s");
    for jump in ["+1d", "-1d", "+365d", "-365d"] {
        set(&stage, "+0");
        let artifact = stage.artifact(&format!("v{jump}"));
        let deploy = Running::spawn(command(&stage, &library, &["deploy", &artifact, "--format", "json"]));
        stage.wait_for_step("bake");
        set(&stage, jump);
        let ended = deploy.wait();
        sane(&ended, jump);
        let events = ended.events();
        let elapsed = events.last().unwrap()["elapsed_ms"].as_u64().unwrap();
        assert!((3000..HOUR_MS).contains(&elapsed), "{jump}: {elapsed} ms");
        for words in [["status"].as_slice(), &["history"], &["releases"], &["check"], &["recover"]] {
            sane(&Running::spawn(command(&stage, &library, words)).wait(), jump);
        }
        let history = stage.run(&["history", "--format", "json", "--last", "1"], 0);
        let entry: serde_json::Value = serde_json::from_str(history.out.trim()).unwrap();
        assert!(entry["took_ms"].as_u64().unwrap() < HOUR_MS, "{entry}");
    }
}

#[test]
fn after_a_clock_was_set_back_the_newest_release_is_still_the_newest() {
    let Some(library) = faketime() else { return };
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("releases.keep", 3);
    for version in ["v1", "v2", "v3"] {
        stage.deploy(version, 0);
    }
    set(&stage, "-365d");
    let versions = ["v4", "v5", "v6", "v7"];
    for version in versions {
        let artifact = stage.artifact(version);
        let deploy = command(&stage, &library, &["deploy", &artifact, "--version", version]);
        sane(&Running::spawn(deploy).wait(), version);
    }
    let listed = stage.run(&["releases", "--format", "json"], 0);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let found: Vec<&str> =
        listed["releases"].as_array().unwrap().iter().filter_map(|r| r["version"].as_str()).collect();
    assert_eq!(found, ["v7", "v6", "v5"], "the three newest stay, newest first");
    let history = stage.run(&["history"], 0);
    assert!(history.out.contains("365 days ago"), "{history}");
    let logs: Vec<_> = fs::read_dir(stage.state_dir().join("logs/real1")).unwrap().collect();
    assert_eq!(logs.len(), 5, "four starts and `current`");
}
