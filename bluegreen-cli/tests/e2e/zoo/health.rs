//! Those whose answers are wrong, or right too early, or right for too short a time.

use std::time::Duration;

use bluegreen_rig::wait_for;

use super::Zoo;

/// Each of them, one after the other, with what the person reads.
#[track_caller]
fn never_healthy(zoo: &mut Zoo, kinds: &[(&str, &str)]) {
    for (kind, says) in kinds {
        let ended = zoo.refuses_in_time(kind, &["real2 was not healthy within ", says, "next  bluegreen logs real2"]);
        assert!(!ended.err.contains("s3cret") && !ended.err.contains('\u{1b}'), "{ended}");
    }
}

#[test]
fn what_says_something_else_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    never_healthy(
        &mut zoo,
        &[
            ("redirects", "302 Found, redirects to /login\n"),
            ("html", "200 OK: an HTML page (expected the text \"real2\")"),
            ("misnamed", "200 OK: real1 (expected the text \"real2\")"),
            ("empty", "204 No Content (expected the text \"real2\")"),
            ("shy", "401 Unauthorized: who are you?"),
            ("binary", "200 OK: "),
            ("gzip", "200 OK: "),
        ],
    );
    zoo.closes();
}

#[test]
fn what_never_ends_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    never_healthy(
        &mut zoo,
        &[
            ("endless", "200 OK: xxx"),
            ("bomb", "(expected the text \"real2\")"),
            ("drips", "no answer: none within "),
            ("informs", "no answer: none within "),
            ("mute", "no answer: none within "),
        ],
    );
    zoo.closes();
}

#[test]
fn what_is_no_http_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    never_healthy(
        &mut zoo,
        &[
            ("garbage", "not a proper HTTP/1.1 answer: "),
            ("big-head", "not a proper HTTP/1.1 answer: "),
            ("resets", "no answer: "),
            ("closes", "no answer: "),
            ("cut-short", "no answer: "),
        ],
    );
    zoo.closes();
}

#[test]
fn what_says_down_with_200_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("health.body", "json = { status = \"UP\" }".parse::<toml::Table>().unwrap());
    never_healthy(
        &mut zoo,
        &[("down", "status is \"DOWN\" (expected \"UP\")"), ("html", "an HTML page (expected JSON)")],
    );
    // the same check lets a good one through
    zoo.deploy("up", "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    zoo.stage.set("health.body", "{profile}");
    zoo.closes();
}

#[test]
fn what_flaps_is_not_healthy() {
    let Some(mut zoo) = Zoo::open() else { return };
    never_healthy(&mut zoo, &[("flaps", "503 Service Unavailable: not now")]);
    zoo.closes();
}

#[test]
fn what_listens_before_it_is_ready_gets_the_traffic_when_it_is() {
    let Some(mut zoo) = Zoo::open() else { return };
    for (kind, profile) in [("warms-up", "real2"), ("wakes-up", "real1")] {
        let ended = zoo.deploy(kind, kind, 0);
        // it is not ready before
        assert!(ended.took > Duration::from_secs(1), "{ended}");
        assert_eq!(zoo.stage.front(), format!("{kind} {profile}"));
    }
    zoo.closes();
}

#[test]
fn what_dies_between_its_proof_and_the_switch_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.refuses("dies-proven", 10, &["exited with code 4", "next  bluegreen logs real2"]);
    zoo.closes();
}

/// Deploys `kind`, lets it go wrong in the bake, and wants the traffic back at v1.
fn turns_bad_in_the_bake(kind: &str, says: &[&str]) {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("after_switch.bake", "90s");
    zoo.stage.set("health.interval", "50ms");
    zoo.stage.set("health.timeout", "2s");
    zoo.stage.set("start.command", zoo.command(&[], kind));
    let deploy = zoo.stage.spawn(&["deploy", "--version", "v2"]);
    zoo.stage.wait_for_step("bake");
    // the proof that the switch took effect comes before the bake's own looks
    wait_for("the proof", || zoo.stage.status()["transaction"]["answered"] == true);
    zoo.cue();
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(13), "{ended}");
    ended.says(says).says(&["traffic  real1 has it, as before", "next  bluegreen logs real2"]);
    zoo.only_v1();
    zoo.stage.run(&["rollback"], 3);
    zoo.stage.set("after_switch.bake", "100ms");
    zoo.recovers();
}

#[test]
fn what_dies_in_the_bake_loses_the_traffic_again() {
    turns_bad_in_the_bake("mortal", &["exited with code 3", "lost the database"]);
}

#[test]
fn what_turns_sick_in_the_bake_loses_the_traffic_again() {
    turns_bad_in_the_bake("sick-later", &["during the bake", "503 Service Unavailable: not now"]);
}

#[test]
fn what_hangs_in_the_bake_loses_the_traffic_again() {
    turns_bad_in_the_bake("hangs-later", &["during the bake", "no answer: none within 2 s"]);
}

#[test]
fn what_flaps_in_the_bake_loses_the_traffic_again() {
    turns_bad_in_the_bake("flaps-later", &["during the bake", "503 Service Unavailable: not now"]);
}
