//! Commands that look, and go on looking.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use bluegreen_rig::{Ended, Running, Stage, bluegreen, skip, wait_for};

#[test]
fn status_that_watches_says_each_change_once_where_nothing_can_move() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let (lines, objects) =
        (stage.spawn(&["status", "--watch"]), stage.spawn(&["status", "--watch", "--format", "json"]));
    lines.wait_for_word("active real1 v1");
    objects.wait_for_word("\"schema\"");
    stage.deploy("v2", 0);
    lines.wait_for_word("active real2 v2");
    objects.wait_for_word(r#""active":{"profile":"real2""#);
    // time for a second look, of which nothing may be said
    sleep(Duration::from_secs(3));
    lines.signal(Signal::INT);
    objects.signal(Signal::TERM);
    let (lines, objects) = (lines.wait(), objects.wait());
    assert_eq!((lines.code, objects.code), (Some(0), Some(0)), "{lines} {objects}");
    lines.says(&["active real1 v1", "active real2 v2"]);
    assert!(!lines.out.contains('\u{1b}'), "{lines}");
    let seen = objects.events();
    assert_eq!(seen.first().unwrap()["active"]["profile"], "real1");
    assert_eq!(seen.last().unwrap()["active"]["profile"], "real2");
    // only changes: while nothing happens, nothing is said
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{objects}");
}

#[test]
fn status_that_watches_leaves_a_terminal_clean() {
    let Some(stage) = Stage::marker() else { return };
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skip("there is no script(1)");
    }
    stage.deploy("v1", 0);
    for signal in [Signal::INT, Signal::TERM] {
        let pid = stage.path("pid");
        let watch = format!("echo $$ >{}; exec {} status --watch", pid.display(), bluegreen().display());
        let mut script = Command::new("script");
        script.args(["-qec", &watch, "/dev/null"]).env("TERM", "xterm").env_remove("BLUEGREEN_CONFIG");
        let script = Running::spawn({
            script.current_dir(stage.home()).stdin(Stdio::null());
            script
        });
        // a whole picture, after which it waits for a second
        script.wait_for_word("Ctrl-C ends it");
        let watching = fs::read_to_string(pid).unwrap().trim().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(watching, signal).unwrap();
        let Ended { code, out: screen, .. } = script.wait();
        assert_eq!(code, Some(0), "{screen}");
        let (before, after) = screen.rsplit_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{screen:?}"));
        assert_eq!(before.matches("\u{1b}[?1049h").count(), 1, "{screen:?}");
        assert!(after.contains("real1") && !after.contains("\u{1b}[H"), "the last status stays: {after:?}");
    }
}

/// Whatever goes wrong: one error, and the last two lines are where the traffic is and what to type.
#[test]
fn each_way_to_fail_ends_with_the_traffic_and_one_command() {
    let Some(mut stage) = Stage::marker() else { return };
    let ends = |ended: &Ended, traffic: &str, next: &str| {
        let lines: Vec<&str> = ended.err.lines().collect();
        let tail = [format!("  traffic  {traffic}"), format!("     next  {next}")];
        assert!(lines.ends_with(&[&tail[0], &tail[1]]), "{ended}");
        let errors: Vec<&&str> = lines.iter().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{ended}");
        assert!(!ended.out.contains(errors[0].trim_start_matches("error: ")), "said twice: {ended}");
    };
    let as_before = |stage: &Stage| {
        let release = stage.status()["active"]["release"].as_str().unwrap()[..12].to_owned();
        format!("real1 has it, as before: v1 ({release}) on port {}", stage.ports[0])
    };
    ends(&stage.run(&["rollback"], 3), "untouched", "bluegreen releases");
    ends(&stage.run(&["history", "show"], 3), "untouched", "bluegreen deploy ARTIFACT");
    stage.deploy("v1", 0);
    ends(&stage.run(&["rollback"], 3), "untouched", "bluegreen releases");
    ends(&stage.run(&["rollback", "v9"], 11), "untouched", "bluegreen releases");
    ends(&stage.run(&["deploy", "no/such-file"], 11), "untouched", "ls -l no");
    for word in ["deploy", "prepare", "start", "health", "plan"] {
        ends(&stage.run(&[word], 2), "untouched", &format!("bluegreen {word} ARTIFACT"));
    }
    let mut hook = stage.command(&["hook"]);
    let hook = Running::spawn({
        hook.env("LIFECYCLE_EVENT", "ApplicationStart");
        hook
    });
    ends(&hook.wait(), "untouched", "add `artifact = \"build/libs/*.jar\"` to [hook]");
    stage.set("health.deadline", "1s");
    for fault in ["v2 exits", "v3 errors", "v4 deaf"] {
        let ended = stage.deploy(fault, 10);
        ends(&ended, &as_before(&stage), "bluegreen logs real2");
        // the app of the tour is an app: what it says ends with its own words
        assert!(!ended.err.contains("│   traffic"), "{ended}");
    }
    stage.set("health.deadline", "90s");
    stage.set("hooks.before_switch", vec!["false"]);
    ends(&stage.deploy("v5", 10), &as_before(&stage), "bluegreen config");
    stage.set("health.dedline", "1s");
    ends(&stage.deploy("v6", 2), "untouched", "bluegreen config");
}

#[test]
fn releases_say_what_each_is_and_none_that_matters_is_removed() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("releases.keep", 1);
    stage.deploy("v1", 0);
    stage.run(&["releases", "pin", "v1"], 0);
    for version in ["v2", "v3", "v4"] {
        stage.deploy(version, 0);
    }
    stage.set("health.deadline", "1s");
    stage.deploy("v5 errors", 10);
    stage.set("health.deadline", "90s");
    let list = || -> Vec<(String, Vec<String>)> {
        let json: serde_json::Value =
            serde_json::from_str(&stage.run(&["releases", "--format", "json"], 0).out).unwrap();
        let words =
            |is: &serde_json::Value| is.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        let all = json["releases"].as_array().unwrap();
        all.iter().map(|r| (r["version"].as_str().unwrap().to_owned(), words(&r["is"]))).collect()
    };
    let is = |version: &str| list().into_iter().find(|(v, _)| v == version).map(|(_, is)| is.join(", "));
    assert_eq!(is("v5 errors").as_deref(), Some("failed"));
    assert_eq!(is("v4").as_deref(), Some("active, last confirmed"));
    // the failed deploy took its place; a rollback still needs it
    assert_eq!(is("v3").as_deref(), Some("confirmed before"));
    assert_eq!(is("v1").as_deref(), Some("pinned"));
    assert_eq!(is("v2"), None, "nobody needs it");
    stage.deploy("v4", 0);
    let active = is("v4").unwrap();
    assert!(active.starts_with("active, "), "{active}");
    let removed: serde_json::Value =
        serde_json::from_str(&stage.run(&["releases", "prune", "--format", "json"], 0).out).unwrap();
    assert_eq!(removed, json!({ "schema": 1, "removed": [] }));
    stage.run(&["releases", "unpin", "v1"], 0);
    stage.run(&["releases", "prune"], 0).says(&["removed "]);
    assert_eq!(is("v1"), None);
    stage.run(&["rollback"], 0);
}

#[test]
fn profile_in_json() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let profile = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str(&stage.run(&[&["profile", "--format", "json"], words].concat(), 0).out).unwrap()
    };
    let [first, second] = stage.ports;
    assert_eq!(profile(&["--active"]), json!({ "schema": 1, "profile": "real1", "port": first, "active": true }));
    assert_eq!(profile(&[]), json!({ "schema": 1, "profile": "real2", "port": second, "active": false }));
}

/// The answer to "am I the active one?" that the documentation gives to apps.
#[test]
fn a_file_says_which_profile_is_active() {
    let Some(stage) = Stage::marker() else { return };
    let second = || stage.state_dir().join("route/live/second").exists();
    stage.deploy("v1", 0);
    assert!(!second());
    stage.deploy("v2", 0);
    assert!(second());
    stage.run(&["rollback"], 0);
    assert!(!second());
}

#[test]
fn a_log_that_is_rotated_is_followed_on() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let log = stage.state_dir().join("logs/real1/current");
    let say = |text: &str| {
        let mut log = fs::OpenOptions::new().append(true).open(&log).unwrap();
        writeln!(log, "{text}").unwrap();
    };
    say(&"x".repeat(500));
    if Command::new("logrotate").arg("--version").output().is_err() {
        return skip("there is no logrotate");
    }
    let follow = stage.spawn(&["logs", "-f"]);
    follow.wait_for_word("xxx");
    let ours = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/logrotate")).unwrap();
    let here = ours.replace("/var/lib/bluegreen/*", stage.state_dir().to_str().unwrap());
    let here = here.replace("su deploy deploy", "");
    let file = stage.path("logrotate.conf");
    fs::write(&file, here).unwrap();
    let run = |words: &[&str]| {
        let output =
            Command::new("logrotate").args(words).arg("-s").arg(stage.path("status")).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let dry = run(&["-d"]);
    assert!(dry.contains("000001.log") && !dry.contains("error:"), "{dry}");
    run(&["-f"]);
    wait_for("the copy", || stage.state_dir().join("logs/real1/000001.log.1.gz").exists());
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    say("after the rotation");
    follow.wait_for_word("after the rotation");
    follow.signal(Signal::TERM);
    assert_eq!(follow.wait().code, Some(0));
    // the app goes on
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn logs_are_followed_across_a_switch() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let follow = stage.spawn(&["logs", "-f"]);
    follow.wait_for_word("v1 real1 listens on");
    stage.deploy("v2", 0);
    follow.wait_for_word("v2 real2 listens on");
    follow.signal(Signal::INT);
    follow.wait().says(&["v1 real1 listens on", "--- real2: ", "v2 real2 listens on"]);
}
