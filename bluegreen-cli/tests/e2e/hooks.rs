//! `[hooks]`: what they are told, how long they may take, and what they leave.

use std::fs;

use rustix::process::Signal;
use toml::{Table, Value};

use bluegreen_rig::{Stage, below, wait_for};

fn shell(script: &str) -> Vec<&str> {
    vec!["sh", "-c", script]
}

/// Names and values that a hook saw, one to a line.
fn told(stage: &Stage, file: &str) -> Vec<String> {
    let text = fs::read_to_string(stage.path(file)).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn after_the_switch_a_hook_knows_what_has_the_traffic_now() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("hooks.after_switch", shell("env | grep ^BLUEGREEN_ | sort > told; echo \"$0\" >> told"));
    stage.deploy("v2", 0);
    let told = told(&stage, "told");
    let [first, second] = stage.ports.map(|port| port.to_string());
    for expected in [
        "BLUEGREEN_HOOK=after_switch".to_owned(),
        "BLUEGREEN_ACTIVE=real2".to_owned(),
        format!("BLUEGREEN_ACTIVE_PORT={second}"),
        "BLUEGREEN_IDLE=real1".to_owned(),
        format!("BLUEGREEN_IDLE_PORT={first}"),
        "BLUEGREEN_PROFILE=real2".to_owned(),
        format!("BLUEGREEN_PORT={second}"),
        "BLUEGREEN_VERSION=v2".to_owned(),
        "BLUEGREEN_APP=shop".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected} is not in {told:?}");
    }
    assert!(told.iter().any(|line| line.starts_with("BLUEGREEN_RELEASE=")), "{told:?}");
}

#[test]
fn after_a_failure_a_hook_learns_the_reason_and_changes_no_exit_code() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hooks.after_failure", shell("env | grep ^BLUEGREEN_ > told; exit 9"));
    stage.deploy("v1", 0);
    assert!(!stage.path("told").exists());
    // nothing was touched, so nothing has failed
    stage.run(&["deploy", "no-such-file"], 11);
    assert!(!stage.path("told").exists());

    stage.set("health.deadline", "1s");
    stage.deploy("v2 errors", 10).says(&[
        "the hook after_failure (sh) failed: exited with code 9; nothing else changes by that",
        "traffic  real1 has it, as before",
    ]);
    let seen = told(&stage, "told");
    for expected in [
        "BLUEGREEN_EXIT_CODE=10",
        "BLUEGREEN_STEP=health",
        "BLUEGREEN_PROFILE=real2",
        "BLUEGREEN_ACTIVE=real1",
        "BLUEGREEN_VERSION=v2 errors",
    ] {
        assert!(seen.iter().any(|line| line == expected), "{expected} is not in {seen:?}");
    }
    assert!(seen.iter().any(|line| line == "BLUEGREEN_FAILURE=real2 was not healthy within 1 s"), "{seen:?}");

    fs::remove_file(stage.path("told")).unwrap();
    stage.set("health.deadline", "90s");
    stage.set("hooks.before_switch", shell("exit 1"));
    stage.deploy("v3", 10);
    assert!(told(&stage, "told").iter().any(|line| line.starts_with("BLUEGREEN_FAILURE=the hook before_switch")));
    // what did not begin has nothing to clear away
    fs::remove_file(stage.path("told")).unwrap();
    stage.set("hooks.before_start", shell("exit 1"));
    stage.deploy("v4", 10);
    assert!(!stage.path("told").exists());
}

#[test]
fn a_deploy_that_is_killed_in_a_hook_is_taken_back_and_asks_again() {
    for hook in ["before_start", "before_switch"] {
        let Some(mut stage) = Stage::marker() else { return };
        stage.deploy("v1", 0);
        stage.set(&format!("hooks.{hook}"), shell("echo run >> runs; while [ ! -e go ]; do sleep 0.05; done"));
        let artifact = stage.artifact("v2");
        let deploy = stage.spawn(&["deploy", &artifact]);
        wait_for("the hook", || !told(&stage, "runs").is_empty());
        deploy.signal(Signal::KILL);
        deploy.wait();
        fs::write(stage.path("go"), "").unwrap();
        stage.run(&["recover"], 0);
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None), "{hook}");
        stage.run(&["deploy", &artifact], 0);
        assert_eq!((stage.front(), told(&stage, "runs").len()), ("v2 real2".into(), 2), "{hook}");
    }
}

#[test]
fn after_an_interrupt_it_runs_too() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    stage.set("hooks.after_failure", shell("echo $BLUEGREEN_EXIT_CODE > told"));
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("health");
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!((ended.code, told(&stage, "told")), (Some(143), vec!["143".to_owned()]), "{ended}");
}

#[test]
fn one_that_takes_too_long_is_ended_with_its_children() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let before = below(stage.home());
    let mut hook = Table::new();
    hook.insert("command".into(), shell("echo begun; sleep 300 & sleep 300").into());
    // it has come to its first word by then
    hook.insert("timeout".into(), "4s".into());
    stage.set("hooks.before_switch", Value::Table(hook));
    let ended = stage.deploy("v2", 10);
    ended.says(&["the hook before_switch (sh) took longer than 4 s, and was ended", "│ begun"]);
    wait_for("the end of its children", || below(stage.home()) == before);
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
    // and the same when the limit is the common one
    stage.set("hooks.before_switch", shell("sleep 300 & sleep 300"));
    stage.set("hooks.timeout", "500ms");
    stage.deploy("v3", 10).says(&["took longer than 500 ms"]);
    wait_for("the end of its children", || below(stage.home()) == before);
}

#[test]
fn what_it_says_is_shown_clean_and_kept() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hooks.before_switch", shell(r"printf '\033[31mred\033[0m\nno end'; echo problem >&2"));
    let ended = stage.deploy("v1", 0);
    ended.says(&["│ red", "│ no endproblem", "✓ hook", "before_switch"]);
    assert!(!ended.out.contains('\u{1b}'), "{ended}");
    let log = fs::read_to_string(stage.state_dir().join("logs/hooks/before_switch.log")).unwrap();
    assert_eq!(log, "\u{1b}[31mred\u{1b}[0m\nno endproblem\n");
}

/// As any other failure: what was at work, where the traffic is and whose, its last words, and what to type.
#[test]
fn one_that_stops_a_deploy_is_an_autopsy_that_is_kept() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let [first, second] = stage.ports;
    let serves = stage.status()["active"]["release"].as_str().unwrap()[..12].to_owned();
    for (name, version, place) in [
        ("before_start", "v2", "before anything is stopped on real2\n".to_owned()),
        ("before_switch", "v3", format!("between health on real2 and the switch\n     port  {second} is free again\n")),
    ] {
        stage.set(&format!("hooks.{name}"), shell("echo the table is locked; exit 4"));
        let log = stage.state_dir().join(format!("logs/hooks/{name}.log"));
        let block = format!(
            "error: the hook {name} (sh) failed: exited with code 4\n\n     step  hook {name}, {place}\n  \
             the last lines of its log:\n  │ the table is locked\n\n  \
             traffic  real1 has it, as before: v1 ({serves}) on port {first}\n     next  cat {}\n",
            log.display()
        );
        let ended = stage.deploy(version, 10);
        assert_eq!(ended.err, format!("\n{block}"), "{ended}");
        assert_eq!(fs::read_to_string(log).unwrap(), "the table is locked\n");
        stage.run(&["history"], 0).says(&[&format!("failed: the hook {name} (sh) failed: exited with code 4")]);
        for words in [&["history", "show"][..], &["history", "show", version]] {
            let told = stage.run(words, 0);
            assert!(told.out.ends_with(&block), "{told}");
            told.says(&[
                &format!("{version} ("),
                " to real2, failed\n",
                "✗ hook",
                &format!("{name} (sh) failed: exited"),
            ]);
        }
        let events = stage.run(&["history", "show", "--format", "json"], 0).events();
        let failure = &events.last().unwrap()["failure"];
        assert_eq!((&failure["cause"], &failure["log"]), (&"hook".into(), &vec!["the table is locked"].into()));
        let page = stage.run(&["history", "show", "--html", "-"], 0).out;
        assert!(page.contains("real1 has it, as before: v1 (") && page.contains("the table is locked"), "{page}");
        stage.unset(&format!("hooks.{name}"));
    }
    // it has a number of its own, and nothing of it is taken for another's
    stage.set("hooks.before_start", shell("kill -9 $$"));
    stage.deploy("v4", 10).says(&["failed: killed by SIGKILL\n", "     next  bluegreen config\n"]);
    let told = stage.run(&["history", "show"], 0);
    assert!(told.out.starts_with("deploy 4: v4 (") && !told.out.contains("locked"), "{told}");
}

/// What is over cannot be stopped; who reads it must not think that it was.
#[test]
fn one_after_the_end_warns_and_says_where_its_words_are() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hooks.after_switch", shell("echo no answer from chat; exit 3"));
    let log = stage.state_dir().join("logs/hooks/after_switch.log");
    let warning = format!(
        "  ! the hook after_switch (sh) failed: exited with code 3; the traffic stays where it is. What it said: {}\n",
        log.display()
    );
    stage.deploy("v1", 0).says(&[&warning, "real1 serves v1"]);
    assert_eq!(fs::read_to_string(log).unwrap(), "no answer from chat\n");
}
