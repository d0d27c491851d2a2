//! The two halves of a deploy, and its single steps, each by a process of its own.

use std::fs;

use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Clients, Stage, below, lives, wait_for};
use rustix::process::Signal;

#[test]
fn prepare_then_promote() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    let artifact = stage.artifact("v2");
    stage.run(&["prepare", &artifact], 0).says(&["ready on real2", "bluegreen promote"]);
    // no deploy begins before a person has decided
    stage.run(&["check"], 75).says(&[
        " waits on real2",
        "bluegreen promote or bluegreen abort",
        "has to wait for what was prepared",
    ]);
    stage.run(&["plan", &stage.artifact("v3")], 75).says(&["bluegreen promote or bluegreen abort"]);
    assert_eq!((stage.front(), stage.behind(1)), ("v1 real1".into(), "v2 real2".into()));
    let prepared = stage.pid("idle");
    stage.run(&["prepare", &artifact], 0);
    assert_eq!(stage.pid("idle"), prepared, "prepare is idempotent");
    stage.run(&["rollback"], 75).says(&["bluegreen promote"]);
    stage.run(&["deploy", &stage.artifact("v3")], 75).says(&["--replace"]);
    stage.run(&["promote"], 0);
    assert_eq!((stage.front(), stage.pid("active")), ("v2 real2".into(), prepared));
    stage.run(&["promote"], 0).says(&["already"]);
    clients.lost_nothing();
}

#[test]
fn prepare_then_abort_then_nothing_to_promote() {
    let Some(stage) = Stage::marker() else { return };
    stage.run(&["promote"], 3).says(&["nothing is prepared", "bluegreen prepare"]);
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    stage.run(&["abort"], 0).says(&["taken back"]);
    assert_eq!((stage.front(), below(stage.home()).len()), ("v1 real1".into(), 1));
    stage.run(&["abort"], 0).says(&["nothing to do: nothing is prepared"]);
    stage.run(&["promote"], 0).says(&["nothing to do: nothing waits to be promoted"]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    stage.run(&["start"], 0).says(&["nothing to do: deploy of ", " rests after health already"]);
}

#[test]
fn replace_ends_what_was_prepared_and_prepares_another() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    let abandoned = stage.pid("idle");
    stage.run(&["deploy", &stage.artifact("v3"), "--replace"], 0);
    assert_eq!(stage.front(), "v3 real2");
    assert!(!lives(abandoned));
}

#[test]
fn promote_with_drain_stops_the_old_release() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let old = stage.pid("active");
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    let clients = Clients::at(&stage);
    stage.run(&["promote", "--drain"], 0);
    assert!(!lives(old));
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}

/// As the article's scripts are called, one after the other.
#[test]
fn stop_start_health_switch() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let clients = Clients::at(&stage);
    assert_eq!(stage.run(&["profile"], 0).out, "real1\n");
    assert_eq!(stage.run(&["profile", "--port"], 0).out, format!("{}\n", stage.ports[0]));
    assert_eq!(stage.run(&["profile", "--active"], 0).out, "real2\n");
    let (warm, artifact) = (stage.pid("idle"), stage.artifact("v3"));
    stage.run(&["stop"], 0);
    assert!(!lives(warm));
    stage.run(&["start", &artifact], 0);
    let started = stage.pid("idle");
    stage.run(&["health"], 0);
    assert_eq!((stage.front(), stage.behind(0)), ("v2 real2".into(), "v3 real1".into()));
    stage.run(&["switch"], 0);
    assert_eq!((stage.front(), stage.pid("active")), ("v3 real1".into(), started));
    clients.lost_nothing();
}

#[test]
fn a_prepared_release_that_died_is_not_promoted() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    bluegreen_rig::kill(stage.pid("idle"));
    wait_for("the end", || stage.is_free(1));
    // nobody can promote it any more
    stage.run(&["status"], 0).says(&["waits  no more", "next  bluegreen recover"]);
    stage.run(&["check"], 0);
    stage.run(&["promote"], 10).says(&["the release died while it waited", "traffic  real1 has it, as before"]);
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
}

#[test]
fn without_the_artifact_that_the_command_needs_nothing_is_touched() {
    let Some(stage) = Stage::marker() else { return };
    stage.run(&["switch"], 3).says(&["nothing is prepared", "bluegreen prepare"]);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let warm = stage.pid("idle");
    for command in ["deploy", "prepare", "start", "health"] {
        let next = format!("bluegreen {command} ARTIFACT");
        stage.run(&[command], 2).says(&["no artifact given", &next, "traffic  untouched"]);
    }
    stage.run(&["switch"], 0).says(&["already"]);
    assert_eq!((stage.pid("idle"), stage.step()), (warm, None));
    stage.run(&["stop"], 0).says(&["`bluegreen start ARTIFACT` goes on"]);
    stage.run(&["start"], 2).says(&["no artifact given"]);
    stage.run(&["switch"], 2).says(&["no artifact given"]);
    stage.run(&["promote"], 2).says(&["no artifact given", "     next  bluegreen start ARTIFACT\n"]);
    stage.run(&["status"], 0).says(&["       next  bluegreen start ARTIFACT\n"]);
    // it is as it says
    stage.run(&["start", &stage.artifact("v3")], 0);
    stage.run(&["abort"], 0);
    // one that rests has its own
    stage.run(&["deploy", &stage.artifact("v3"), "--until", "stop"], 0);
    stage.run(&["start"], 0);
    stage.run(&["switch"], 0);
    assert_eq!(stage.front(), "v3 real1");
}

/// Whoever took the set-up away may put it back: the release that waits is none the worse for it.
#[test]
fn what_waits_stays_where_nothing_is_set_up_and_where_nginx_is_silent() {
    let Some(mut stage) = Stage::marker() else { return };
    let parts = ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    let refused = |stage: &Stage, waits| {
        for command in ["promote", "switch", "abort"] {
            let ended = stage.run(&[command], 3);
            ended.says(&["traffic  untouched"]);
            assert!(lives(waits) && stage.step().as_deref() == Some("health"), "{ended}");
        }
    };
    let waits = stage.pid("idle");
    stage.nginx.write(&Site { location: "return 200 hello;".into(), ..Site::default() }).unwrap();
    stage.nginx.reload().unwrap();
    wait_for("the other page", || stage.front() == "hello");
    refused(&stage, waits);
    let [http, server, location] = parts;
    stage.nginx.write(&Site { http, server, location }).unwrap();
    stage.nginx.reload().unwrap();
    stage.run(&["promote"], 0);
    assert_eq!(stage.front(), "v2 real2");

    stage.run(&["prepare", &stage.artifact("v3")], 0);
    let waits = stage.pid("idle");
    stage.nginx.stop().unwrap();
    refused(&stage, waits);
    // also when nobody has the patience
    let promote = stage.spawn(&["promote"]);
    promote.wait_for_word("the route is not known");
    promote.signal(Signal::INT);
    let ended = promote.wait();
    assert!([Some(3), Some(130)].contains(&ended.code), "{ended}");
    assert!(lives(waits) && stage.step().as_deref() == Some("health"), "{ended}");
}

/// What a fleet's controller says to hosts of which it does not know how far they came.
#[test]
fn a_release_that_is_named_is_the_only_one_that_is_meant() {
    let Some(stage) = Stage::marker() else { return };
    let ended = |words: &[&str], code| {
        let ended = stage.run(&[words, &["--format", "json"]].concat(), code);
        ended.events().pop().unwrap()
    };
    let unchanged = |words: &[&str]| assert_eq!(ended(words, 0)["outcome"], "unchanged", "{words:?}");
    stage.deploy("v1", 0);
    let v1 = ended(&["up"], 0)["release"].as_str().unwrap().to_owned();
    let nobody = "0".repeat(64);
    unchanged(&["promote", &v1]);
    unchanged(&["promote", "v1"]);
    for none in [&v1, &nobody] {
        unchanged(&["abort", none]);
    }
    unchanged(&["rollback", "--if-release", &nobody]);
    stage.run(&["promote", &nobody], 3).says(&["is not prepared, and has not the traffic either", "bluegreen prepare"]);
    for command in [&["promote", "v7"][..], &["abort", "v7"], &["rollback", "--if-release", "v7"]] {
        stage.run(command, 3).says(&["v7", "bluegreen releases"]);
    }

    let v2 = stage.artifact("v2");
    let prepared = ended(&["prepare", &v2, "--version", "v2"], 0);
    let id = prepared["release"].as_str().unwrap();
    stage.run(&["promote", &nobody], 3);
    unchanged(&["promote", &v1]);
    unchanged(&["abort", &v1]);
    unchanged(&["rollback", "--if-release", id]);
    stage.run(&["rollback", "--if-release", &v1], 75);
    assert_eq!((stage.front(), stage.behind(1)), ("v1 real1".into(), "v2 real2".into()));

    assert_eq!(ended(&["promote", id], 0)["outcome"], "switched");
    unchanged(&["promote", id]);
    assert_eq!(ended(&["rollback", "v1", "--if-release", id, "--wait"], 0)["outcome"], "rolled_back");
    unchanged(&["rollback", "v1", "--if-release", id]);
    assert_eq!(ended(&["prepare", &stage.artifact("v3")], 0)["outcome"], "prepared");
    let id = stage.status()["transaction"]["release"].as_str().unwrap().to_owned();
    assert_eq!(ended(&["abort", &id, "--wait"], 0)["outcome"], "aborted");
    unchanged(&["abort", &id]);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn prepare_of_what_serves_clears_what_waits() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let serves = stage.pid("active");
    let (v1, v2) = (stage.artifact("v1"), stage.artifact("v2"));
    stage.run(&["prepare", &v2], 0);
    stage.run(&["prepare", &v1, "--if-changed"], 75).says(&["--replace"]);
    stage.run(&["prepare", &v1, "--if-changed", "--replace"], 0).says(&["has the traffic already"]);
    assert_eq!((stage.pid("active"), stage.step(), stage.is_free(1)), (serves, None, true));
}

#[test]
fn status_says_how_long_a_release_waits() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    assert!(stage.status()["waits"].is_null());
    stage.run(&["prepare", &stage.artifact("v2")], 0);
    stage.run(&["status"], 0).says(&["waits  since just now; nothing but"]);
    let waits = stage.status()["waits"].clone();
    assert!(waits["seconds"].is_u64() && waits["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{waits}");
    fs::remove_file(stage.state_dir().join("history.jsonl")).unwrap();
    stage.run(&["status"], 0).says(&["waits  since when is not known"]);
    assert!(stage.status()["waits"]["since"].is_null());
}

/// What waits is kept, whatever somebody did to the route: it is looked at before the first effect, as `check` does.
#[test]
fn what_waits_is_kept_where_the_route_cannot_be_moved() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let artifact = stage.artifact("v2");
    stage.run(&["prepare", &artifact], 0);
    let (route, aside) = (stage.state_dir().join("route"), stage.state_dir().join("aside"));
    let refused = |says: &[&str]| {
        for words in [&["check"][..], &["promote"], &["switch"]] {
            stage.run(words, 3).says(says);
        }
        stage.run(&["status"], 0).says(&["promote"]);
    };
    fs::rename(&route, &aside).unwrap();
    refused(&["route/real1 is missing", "sudo bluegreen setup --apply"]);
    fs::rename(&aside, &route).unwrap();
    let marker = route.join("real2/solo");
    fs::remove_file(&marker).unwrap();
    refused(&["lacks a marker file", "sudo bluegreen setup --apply"]);
    fs::write(&marker, "").unwrap();
    stage.run(&["promote"], 0);
    assert_eq!(stage.front(), "v2 real2");
}
