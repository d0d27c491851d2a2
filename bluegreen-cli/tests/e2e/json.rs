//! What programs read.

use std::time::Duration;

use serde_json::{Value, json};

use bluegreen_rig::{Ended, Stage};

/// Every line is an event, `seq` has no gaps, and the last one has the exit code.
#[track_caller]
fn checked(ended: &Ended) -> Value {
    let events = ended.events();
    for (n, event) in events.iter().enumerate() {
        assert_eq!((&event["schema"], &event["seq"]), (&json!(1), &json!(n)), "{ended}");
        assert!(event["event"].is_string() && event["elapsed_ms"].is_u64() && event["deploy"].is_u64(), "{event}");
    }
    let last = events.last().unwrap_or_else(|| panic!("{ended}")).clone();
    assert_eq!(
        (&last["event"], last["exit_code"].as_i64()),
        (&json!("finished"), ended.code.map(i64::from)),
        "{ended}"
    );
    assert_eq!(events.iter().filter(|event| event["event"] == "finished").count(), 1, "{ended}");
    last
}

#[test]
fn the_events_of_every_command_end_with_its_exit_code() {
    let Some(mut stage) = Stage::marker() else { return };
    let [v1, v2, v3, exits, errors] = ["v1", "v2", "v3", "v4 exits", "v5 errors"].map(|text| stage.artifact(text));
    let wrong = "0".repeat(64);
    let commands: &[(&[&str], i32, &str)] = &[
        (&["rollback"], 3, "refused"),
        (&["deploy", &v1], 0, "switched"),
        (&["deploy", &v1, "--if-changed"], 0, "unchanged"),
        (&["deploy", &exits], 10, "failed"),
        (&["deploy", &errors], 10, "failed"),
        (&["deploy", &v1, "--sha256", &wrong], 11, "failed"),
        (&["prepare", &v2], 0, "prepared"),
        (&["deploy", &v3], 75, "locked"),
        (&["abort"], 0, "aborted"),
        (&["start", &v2], 0, "paused"),
        (&["switch"], 0, "switched"),
        (&["rollback"], 0, "rolled_back"),
        (&["recover"], 0, "unchanged"),
        (&["up"], 0, "unchanged"),
        (&["adopt"], 3, "refused"),
        (&["adopt", "nobody"], 2, "failed"),
    ];
    for (words, code, outcome) in commands {
        let words = [words, ["--format", "json"].as_slice()].concat();
        // a good one has all the time that it needs
        stage.set("health.deadline", if words.contains(&errors.as_str()) { "600ms" } else { "90s" });
        let last = checked(&stage.run(&words, *code));
        assert_eq!(last["outcome"], *outcome, "{words:?}");
    }
    stage.set("proxy.nginx.url", "http://127.0.0.1:1/profile");
    assert_eq!(checked(&stage.run(&["deploy", &v2, "--format", "json"], 3))["outcome"], "refused");
    stage.set("health.deadlin", "1s");
    checked(&stage.run(&["deploy", &v2, "--format", "json"], 2));
}

#[test]
fn the_receipt_counts_our_own_probes() {
    let Some(stage) = Stage::marker() else { return };
    // nobody answered before, so nothing could be lost
    let first = checked(&stage.run(&["deploy", &stage.artifact("v1"), "--format", "json"], 0));
    assert_eq!(first["receipt"]["lost"], 0, "{first}");
    let ended = stage.run(&["deploy", &stage.artifact("v2"), "--format", "json"], 0);
    let last = checked(&ended);
    assert_eq!((&last["active"], &last["receipt"]["lost"]), (&json!("real2"), &json!(0)), "{last}");
    assert!(last["receipt"]["probes"].as_u64() > Some(0) && last["release"].is_string(), "{last}");
    let switched = ended.events().into_iter().find(|event| event["event"] == "switched").unwrap();
    assert_eq!(switched["active"]["name"], "real2", "{switched}");
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_shapes_of_status_and_history() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["prepare", &stage.artifact("v2"), "--version", "2.0"], 0);
    let status = stage.status();
    let expected = [
        "active",
        "app",
        "condition",
        "damaged",
        "failed_over",
        "failover",
        "idle",
        "lock",
        "next",
        "replaced",
        "route",
        "says",
        "schema",
        "should",
        "transaction",
        "waits",
    ];
    assert_eq!(keys(&status), expected, "{status}");
    for side in ["active", "idle"] {
        assert_eq!(keys(&status[side]), ["healthy", "pid", "port", "profile", "release", "version"], "{status}");
    }
    assert_eq!(keys(&status["route"]), ["mode", "name", "proven"]);
    assert_eq!((&status["active"]["profile"], &status["active"]["version"]), (&json!("real1"), &json!("v1")));
    assert_eq!((&status["idle"]["version"], &status["idle"]["healthy"]), (&json!("2.0"), &json!(true)));
    assert_eq!((&status["route"]["mode"], &status["route"]["proven"]), (&json!("marker"), &json!(true)));
    assert_eq!((&status["transaction"]["kind"], &status["lock"]), (&json!("deploy"), &json!(null)));
    stage.run(&["promote"], 0);
    assert_eq!(stage.status()["transaction"], json!(null));

    let history = stage.run(&["history", "--format", "json"], 0).events();
    let told: Vec<_> =
        history.iter().map(|e| (e["outcome"].as_str().unwrap(), e["exit_code"].as_u64().unwrap())).collect();
    assert_eq!(told, [("switched", 0), ("prepared", 0), ("switched", 0)]);
    assert_eq!(history[2]["version"], "2.0");
    stage.run(&["history"], 0).says(&["deploy", "2.0", "real2"]);
}

#[test]
fn the_demo_prints_events_and_then_what_its_clients_saw() {
    let Some(stage) = Stage::marker() else { return };
    let ended = stage.spawn(&["demo", "--format", "json"]).wait_within(Duration::from_mins(5));
    assert_eq!(ended.code, Some(0), "{ended}");
    let (last, before) = ended.events().split_last().map(|(last, before)| (last.clone(), before.to_vec())).unwrap();
    assert!(before.iter().all(|line| line["event"].is_string()), "{ended}");
    assert_eq!((keys(&last), &last["lost"]), (vec!["lost", "requests", "schema"], &json!(0)), "{ended}");
}
