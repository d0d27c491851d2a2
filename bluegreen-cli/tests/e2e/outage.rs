//! `status`, where something is wrong: what is so is said first, and a monitor reads it from the exit code.

use std::{fs, net::TcpListener};

use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Stage, kill, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// `status` as a program reads it, which ends with `code`.
fn status(stage: &Stage, code: i32) -> Value {
    serde_json::from_str(&stage.run(&["status", "--format", "json"], code).out).unwrap()
}

/// The first word of `status`, and its last line.
fn told(stage: &Stage, code: i32) -> (String, String) {
    let out = stage.run(&["status"], code).out;
    let first = out.split("  ").next().unwrap_or_default().trim().to_owned();
    (first, out.lines().last().unwrap_or_default().trim().to_owned())
}

#[test]
fn a_dead_active_release_is_down_with_the_one_that_should_serve_and_one_command() {
    let Some(stage) = Stage::marker() else { return };
    assert_eq!(told(&stage, 0), ("EMPTY".into(), "next  bluegreen deploy ARTIFACT".into()));
    stage.deploy("v1", 0);
    let up = status(&stage, 0);
    assert_eq!((&up["condition"], &up["says"], &up["next"]), (&"up".into(), &"".into(), &Value::Null));
    kill(stage.pid("active"));
    wait_for("the end", || stage.is_free(0));
    assert_eq!(told(&stage, 20), ("DOWN".into(), "next  bluegreen recover".into()));
    stage.run(&["status"], 20).says(&["real1 has the traffic, and nothing runs there; v1 (", ") should serve"]);
    let down = status(&stage, 20);
    assert_eq!((&down["condition"], &down["next"]), (&"down".into(), &"bluegreen recover".into()));
    assert_eq!(down["should"], up["active"]["release"]);
    // a finding, and no reason to refuse the cure
    stage.run(&["check"], 0).says(&["real1 has the traffic, and nothing runs there"]);
    stage.run(&["recover"], 0);
    assert_eq!(status(&stage, 0)["condition"], "up");
}

/// It has its port and answers nothing: no other page of it would, and no other address is meant.
#[test]
fn a_release_that_hangs_is_said_to_hang() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("health.timeout", "1s");
    stage.deploy("v1", 0);
    kill_process(Pid::from_raw(stage.pid("active").try_into().unwrap()).unwrap(), Signal::STOP).unwrap();
    let check = stage.run(&["check"], 0);
    check.says(&["real1 listens, and gives its health check no answer: none within 1 s", "bluegreen recover"]);
    check.says(&[
        "/profile does not answer as the active profile does: no answer: none within 2 s",
        "and a deploy of what should answer",
    ]);
    assert!(!check.has("set health.url") && !check.has("proxy.nginx.url"), "{check}");
    assert_eq!(told(&stage, 20), ("DOWN".into(), "next  bluegreen recover".into()));
    // that is the cure: another process of it beside the one that hangs, which is left for a person to look at
    let hung = stage.pid("active");
    stage.run(&["recover"], 0);
    assert_eq!((stage.front(), status(&stage, 0)["condition"].clone()), ("v1 real2".into(), "up".into()));
    assert_eq!(stage.pid("idle"), hung, "nobody was ended");
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real1");
}

/// Nothing can be started beside it: what is seen, and the command that cures.
#[test]
fn what_hangs_and_cannot_be_left_is_said_with_the_cure() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("health.timeout", "1s");
    stage.set("after_switch.failover", "never");
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    kill_process(Pid::from_raw(stage.pid("active").try_into().unwrap()).unwrap(), Signal::STOP).unwrap();
    let ended = stage.run(&["recover"], 20);
    ended.says(&[
        "real2 has the traffic, and what runs there gives no answer, as one that hangs",
        "next  bluegreen rollback",
    ]);
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn somebody_else_who_answers_the_users_is_no_release_of_ours() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    kill(stage.pid("active"));
    wait_for("the end", || stage.is_free(0));
    let _stranger = TcpListener::bind(("127.0.0.1", stage.ports[0])).unwrap();
    let seen = stage.run(&["status"], 20);
    seen.says(&["DEGRADED", "who answers there is not ours", &format!("pid {}", std::process::id())]);
    let next = status(&stage, 20)["next"].as_str().unwrap().to_owned();
    assert_eq!(next, "bluegreen recover");
    // what it says to type is the cure
    let words: Vec<&str> = next.split(' ').skip(1).collect();
    stage.run(&words, 0);
    assert_eq!((stage.front(), &status(&stage, 0)["condition"]), ("v1 real2".into(), &"up".into()));
}

#[test]
fn an_older_release_that_serves_is_said_with_the_way_to_the_newer_one() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let newer = status(&stage, 0)["active"]["release"].clone();
    kill(stage.pid("active"));
    wait_for("the end", || stage.is_free(1));
    assert_eq!(told(&stage, 20).0, "DOWN");
    let back = format!("`bluegreen rollback {}` brings it back", &newer.as_str().unwrap()[..12]);
    stage.run(&["recover"], 0).says(&["an older release serves: v2 (", "ended under traffic", &back]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["status"], 0).says(&["older", "v2 (", &back]);
    assert_eq!(status(&stage, 0)["replaced"], newer);
    stage.run(&["up"], 0).says(&["an older release serves"]);
    // one that crashed is nowhere to go back to, unless somebody names it
    stage.run(&["rollback"], 3).says(&["no confirmed release to go back to"]);
    stage.run(&["rollback", "v2"], 0);
    assert_eq!((stage.front(), &status(&stage, 0)["replaced"]), ("v2 real2".into(), &Value::Null));
}

#[test]
fn what_cannot_be_known_and_what_fell_back_is_said() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    fs::write(stage.state_dir().join("state.json"), "{").unwrap();
    stage.run(&["status"], 0).says(&["is damaged", "the state before it is used"]);
    assert!(status(&stage, 0)["damaged"].as_str().unwrap().contains("is damaged"));
    stage.run(&["recover"], 0);
    assert_eq!(status(&stage, 0)["damaged"], Value::Null);
    // somebody took the set-up away
    stage.nginx.write(&Site { location: "return 200 hello;".into(), ..Site::default() }).unwrap();
    stage.nginx.reload().unwrap();
    wait_for("the other page", || stage.front() == "hello");
    assert_eq!(told(&stage, 20), ("UNKNOWN".into(), "next  sudo bluegreen setup --apply".into()));
    assert_eq!(stage.run(&["status"], 20).out.matches("has no proof of").count(), 1, "the reason is said once");
    stage.nginx.stop().unwrap();
    assert_eq!(status(&stage, 20)["condition"], "unknown");
}
