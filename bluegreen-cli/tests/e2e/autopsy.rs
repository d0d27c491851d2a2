//! What a person learns of a failure.

use bluegreen_rig::{Stage, kill, wait_for};

const SECRETS: [&str; 3] = ["hunter2", "hunter3", "hunter4"];

#[test]
fn says_what_differs_by_name_and_never_a_value() {
    let Some(mut stage) = Stage::marker() else { return };
    let [old, new, argument] = SECRETS;
    stage.set("start.env.DATABASE_PASSWORD", old);
    stage.deploy("v1", 0);
    stage.set("start.env.DATABASE_PASSWORD", new);
    stage.set("start.env.ADDED", argument);
    let ended = stage.deploy("v2 exits", 10);
    ended.says(&["cannot reach the database", "exited with code 1", ", on real2"]);
    let free = format!("{} is free again", stage.ports[1]);
    ended.says(&[
        &free,
        "which works:",
        "artifact",
        "[start] env: other DATABASE_PASSWORD, with ADDED",
        "bluegreen.toml",
    ]);
    let told = stage.run(&["history", "show"], 0);
    told.says(&[&free, "[start] env: other DATABASE_PASSWORD, with ADDED", "cannot reach the database"]);
    let json = stage.run(&["history", "show", "--format", "json"], 0).out;
    let page = stage.run(&["history", "show", "--html", "-"], 0).out;
    for text in [&ended.out, &ended.err, &told.out, &json, &page] {
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

/// Somebody took the port meanwhile without listening on it: it is not free, whoever asks who listens.
#[test]
fn a_port_is_free_again_where_a_bind_says_so() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("start.command", vec!["sleep", "600"]);
    stage.set("health.deadline", "2s");
    let deploy = stage.spawn(&["deploy"]);
    stage.wait_for_step("health");
    let _holder = bluegreen_rig::bound(&format!("127.0.0.1:{}", stage.ports[0]));
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(10), "{ended}");
    ended.says(&["without listening on it, so that nothing else can listen on 127.0.0.1"]);
    assert!(!ended.out.contains("is free again") && !ended.err.contains("is free again"), "{ended}");
}

#[test]
fn the_same_release_again_is_not_blamed() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    // it listens by then
    stage.set("health.deadline", "8s");
    stage.set("health.url", "http://127.0.0.1:{port}/profile?no");
    stage.set("health.body", "never");
    let ended = stage.deploy("v1", 10);
    ended.says(&["which works:", "bluegreen.toml", "listens on 127.0.0.1"]);
}

#[test]
fn who_killed_it_is_said() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "90s");
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("bake");
    wait_for("v2", || stage.front() == "v2 real2");
    kill(stage.pid("active"));
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(13), "{ended}");
    // another process of this machine may have died of it meanwhile
    let said = ["killed by SIGKILL, not for want of memory: somebody sent the signal", "probably by the kernel"];
    assert!(said.iter().any(|said| ended.err.contains(said)), "{ended}");
}
