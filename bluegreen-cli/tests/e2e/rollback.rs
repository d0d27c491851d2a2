//! Back to the last confirmed release, and never to one that failed.

use bluegreen_rig::{Clients, Stage, kill, lives};

#[test]
fn warm_it_is_one_rename_to_the_same_process() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let old = stage.pid("active");
    stage.deploy("v2", 0);
    let clients = Clients::at(&stage);
    stage.run(&["rollback"], 0).says(&["real1 serves"]);
    assert_eq!((stage.front(), stage.pid("active")), ("v1 real1".into(), old));
    // what it left has failed: back again there is nothing
    stage.run(&["rollback"], 3).says(&["no confirmed release", "bluegreen releases"]);
    stage.run(&["rollback", "v2"], 3).says(&["has failed"]);
    assert_eq!(stage.front(), "v1 real1");
    clients.lost_nothing();
}

#[test]
fn the_same_artifact_under_another_version_keeps_both_apart() {
    let Some(stage) = Stage::marker() else { return };
    let artifact = stage.artifact("v1");
    let versions = || {
        let status = stage.status();
        ["active", "idle"].map(|side| status[side]["version"].as_str().unwrap_or_default().to_owned())
    };
    stage.run(&["deploy", &artifact, "--version", "A"], 0);
    stage.run(&["deploy", &artifact, "--version", "B", "--if-changed"], 0).says(&["real2 serves B"]);
    assert_eq!(versions(), ["B", "A"]);
    stage.run(&["rollback"], 0).says(&["real1 serves A", "again"]);
    assert_eq!(versions(), ["A", "B"]);
}

#[test]
fn cold_it_comes_from_the_store() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.previous", "stop");
    for version in ["v1", "v2", "v3"] {
        stage.deploy(version, 0);
        std::fs::remove_file(stage.path(&format!("app-{version}"))).unwrap();
    }
    assert_eq!(stage.status()["idle"]["pid"], serde_json::Value::Null);
    let clients = Clients::at(&stage);
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v2 real2");
    stage.run(&["rollback", "v3"], 3);
    stage.run(&["rollback", "v2"], 0).says(&["already"]);
    stage.run(&["rollback", "no-such"], 11);
    clients.lost_nothing();
}

#[test]
fn after_a_failed_deploy_it_goes_to_the_last_good_one_not_to_the_failed_one() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.deploy("v3 exits", 10);
    // v1 made room for v3, so this one is cold
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn a_dead_active_release_flips_back_and_is_started_again_only_by_a_deploy() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let dead = stage.pid("active");
    kill(dead);
    assert!(!lives(dead) || stage.front() != "v2 real2");
    stage.run(&["recover"], 0);
    assert_eq!(stage.front(), "v1 real1");
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
}

#[test]
fn what_was_pruned_is_nothing_to_go_back_to() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("releases.keep", 1);
    for version in ["v1", "v2", "v3", "v4"] {
        stage.deploy(version, 0);
    }
    stage.run(&["rollback"], 0);
    stage.run(&["rollback"], 3).says(&["no confirmed release"]);
    assert_eq!(stage.front(), "v3 real1");
}
