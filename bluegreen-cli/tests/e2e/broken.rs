//! Releases that are no good, and what they may not do: take the traffic, or leave anything behind.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use bluegreen_rig::{Clients, Ended, Stage, below, kill, lives, wait_for};

/// Deploys a good v1, then `bad` under load: the traffic must stay with v1.
fn refused(stage: &Stage, bad: &str, code: i32) -> Ended {
    stage.deploy("v1", 0);
    let clients = Clients::at(stage);
    let before = below(stage.home());
    let ended = stage.deploy(bad, code);
    assert_eq!(stage.front(), "v1 real1");
    clients.lost_nothing();
    // neither a process nor a port
    assert_eq!(below(stage.home()), before);
    assert!(stage.is_free(1));
    ended.says(&["traffic  real1 has it, as before"]);
    ended
}

#[test]
fn one_that_dies_at_start_is_noticed_at_once_and_its_last_words_are_shown() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("health.deadline", "10m");
    let ended = refused(&stage, "v2 exits", 10);
    // no test waits as long as that deadline
    ended.says(&["cannot reach the database", "bluegreen logs real2", "exit"]);
}

#[test]
fn one_that_answers_500_gets_no_traffic() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("health.deadline", "1s");
    refused(&stage, "v2 errors", 10).says(&["real2 was not healthy within 1 s", "500", "bluegreen logs real2"]);
    // and no rollback leads to it
    stage.run(&["rollback", "v2 errors"], 3).says(&["has failed"]);
}

#[test]
fn one_that_never_listens_gets_no_traffic() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("health.deadline", "1s");
    refused(&stage, "v2 deaf", 10).says(&["not healthy within 1 s", "bluegreen logs real2"]);
}

#[test]
fn one_that_cannot_be_executed_is_named() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("start.command", vec!["no-such-program", "{artifact}"]);
    // what is not there is seen before the warm release would be stopped for it
    stage.deploy("v2", 3).says(&["`no-such-program` is not in PATH", "traffic  untouched"]);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn a_stranger_on_the_port_is_named_and_never_touched() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let port = stage.ports[1].to_string();
    let words = ["__app", "--port", &port, "--profile", "real2", "--release", "stranger"];
    let mut stranger = Command::new(bluegreen_rig::bluegreen())
        .args(words)
        .current_dir(stage.home())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the stranger", || stage.behind(1) == "stranger real2");
    let ended = stage.deploy("v2", 11);
    ended.says(&[&stranger.id().to_string(), "bluegreen adopt real2", "traffic  real1 has it, as before"]);
    assert!(stranger.try_wait().unwrap().is_none());
    assert_eq!((stage.front(), stage.behind(1)), ("v1 real1".into(), "stranger real2".into()));
    stage.run(&["check"], 3).says(&["bluegreen adopt real2"]);
    kill(stranger.id());
    stranger.wait().unwrap();
}

#[test]
fn one_that_gets_sick_in_the_bake_loses_the_traffic_again() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "90s");
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    wait_for("v2", || stage.front() == "v2 real2");
    stage.wait_for_step("bake");
    kill(stage.pid("active"));
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(13), "{ended}");
    ended.says(&["traffic  real1 has it, as before"]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["rollback"], 3);
}

/// The kill costs what it had in hand. The deploy after it must not make it worse: with the standby taken away first,
/// nobody would answer until the new release has booted.
fn active_killed_before_a_deploy(failover: &str) {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.failover", failover);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.boots_in(3000);
    let (artifact, clients) = (stage.artifact("v3"), Clients::at(&stage));
    let victim = stage.pid("active");
    let killed = Instant::now();
    kill(victim);
    let ended = stage.run(&["deploy", &artifact, "--format", "json"], 0);
    let tally = clients.stop();
    assert_eq!(stage.front(), "v3 real2");
    assert!(!lives(victim));
    let events = ended.events();
    let began: Vec<_> = events.iter().filter(|e| e["event"] == "began").map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(began, ["flip", "deploy"], "{ended}");
    // v1 has answered again; from then on, also while v3 boots, somebody always does
    let answers = tally.0.iter().filter(|s| s.sent > killed && s.outcome.as_deref().is_ok_and(|o| o == "v1 real1"));
    let healed = answers.map(|sample| sample.done).min().unwrap_or_else(|| panic!("v1 never answered: {tally}"));
    let later = tally.0.iter().filter(|s| s.sent > healed && s.outcome.is_err()).count();
    if failover == "always" {
        // each client had at most one request in the hands of the victim, or sent one where nginx had not seen its end
        assert!(tally.lost() <= Clients::COUNT, "{tally}");
    } else {
        assert_eq!(later, 0, "lost after v1 had answered again: {tally}");
    }
}

#[test]
fn the_active_killed_before_a_deploy_with_a_standby() {
    active_killed_before_a_deploy("always");
}

#[test]
fn the_active_killed_before_a_deploy_with_a_warm_release() {
    active_killed_before_a_deploy("bake");
}

#[test]
fn status_says_that_the_standby_answers_and_recover_makes_it_the_active_one() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.failover", "always");
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.run(&["status"], 0);
    kill(stage.pid("active"));
    wait_for("the failover", || stage.front() == "v1 real1");
    stage.run(&["status"], 20).says(&["FAILED OVER", "bluegreen recover"]);
    assert_eq!((&stage.status()["failover"], &stage.status()["failed_over"]), (&"real1".into(), &true.into()));
    stage.run(&["recover"], 0);
    stage.run(&["status"], 0);
    assert_eq!((stage.front(), &stage.status()["active"]["profile"]), ("v1 real1".into(), &"real1".into()));
}

#[test]
fn a_first_release_that_dies_in_the_bake_needs_a_person_and_the_next_deploy_mends_it() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.bake", "90s");
    let artifact = stage.artifact("v1");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("bake");
    wait_for("v1", || stage.front() == "v1 real1");
    kill(stage.pid("active"));
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(20), "{ended}");
    ended.says(&["nobody answers where the traffic came from"]);
    stage.set("after_switch.bake", "100ms");
    stage.deploy("v2", 0);
    assert!(stage.front().starts_with("v2 "));
}
