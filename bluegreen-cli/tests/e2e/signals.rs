//! Ctrl-C, a cancelled CI job, a closed terminal, a closed pipe.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use rustix::process::Signal;

use bluegreen_rig::{Clients, Ended, Running, Stage, below, lives, wait_for};

/// A deploy of v2, which gets `signal` when it is at `step`.
fn signalled(stage: &mut Stage, step: &str, signal: Signal) -> Ended {
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "90s");
    if step == "health" {
        stage.boots_on_cue();
    }
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step(step);
    if step == "bake" {
        wait_for("v2", || stage.front().starts_with("v2 "));
    }
    deploy.signal(signal);
    deploy.wait()
}

#[test]
fn in_health_and_in_the_bake_a_deploy_is_taken_back() {
    for (step, signal, code) in [("health", Signal::INT, 130), ("bake", Signal::TERM, 143)] {
        let Some(mut stage) = Stage::marker() else { return };
        let ended = signalled(&mut stage, step, signal);
        assert_eq!(ended.code, Some(code), "{ended}");
        ended.says(&["interrupted", "traffic  real1 has it, as before"]);
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
        assert_eq!(below(stage.home()).len(), 1);
    }
}

/// A supervisor that waits for its own signals in a thread has blocked them in all that it starts.
#[test]
fn who_is_started_with_blocked_signals_hears_them() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "90s");
    let artifact = stage.artifact("v2");
    let direct = stage.command(&["deploy", &artifact]);
    let mut blocked = Command::new("env");
    blocked.args(["--block-signal=INT,TERM,HUP,CHLD"]).arg(direct.get_program()).args(direct.get_args());
    blocked.current_dir(stage.home()).stdin(Stdio::null());
    let deploy = Running::spawn(blocked);
    stage.wait_for_step("bake");
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(143), "{ended}");
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
}

#[test]
fn the_other_way_round_and_under_load() {
    for (step, signal, code) in [("health", Signal::TERM, 143), ("bake", Signal::INT, 130)] {
        let Some(mut stage) = Stage::marker() else { return };
        stage.deploy("v0", 0);
        let clients = Clients::at(&stage);
        let ended = signalled(&mut stage, step, signal);
        assert_eq!(ended.code, Some(code), "{ended}");
        assert_eq!(stage.front(), "v1 real2");
        clients.lost_nothing();
    }
}

/// Whatever is run for a command that only looks, or sets up, ends with it; a lost terminal is no reason to end.
#[test]
fn what_nginx_was_asked_for_ends_with_who_asked() {
    let Some(mut stage) = Stage::reload() else { return };
    let (program, said) = (stage.path("slow-nginx"), stage.path("slow-nginx.pid"));
    fs::write(&program, format!("#!/bin/sh\necho $$ > {0}.new; mv {0}.new {0}; exec sleep 600\n", said.display()))
        .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let slow = program.display().to_string();
    stage.set("proxy.nginx.test", vec![slow.clone()]);
    for (words, signal, code) in [
        (&["setup", "--check", "--nginx", &slow][..], Signal::INT, 130),
        (&["setup", "--check", "--nginx", &slow], Signal::TERM, 143),
        (&["check"], Signal::TERM, 143),
    ] {
        let running = stage.spawn(words);
        wait_for("nginx", || said.exists());
        let asked: u32 = fs::read_to_string(&said).unwrap().trim().parse().unwrap();
        fs::remove_file(&said).unwrap();
        running.signal(Signal::HUP);
        running.signal(signal);
        let ended = running.wait();
        assert_eq!(ended.code, Some(code), "{words:?}: {ended}");
        wait_for("its end", || !lives(asked));
    }
}

/// A deploy that gets one SIGINT in the bake, and another one in the undo, which waits for `settle`.
fn left_at_once(stage: &mut Stage, format: &str) -> Ended {
    stage.deploy("v0", 0);
    stage.set("after_switch.settle", "90s");
    stage.set("after_switch.bake", "90s");
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact, "--format", format]);
    stage.wait_for_step("bake");
    wait_for("v2", || stage.front() == "v2 real2");
    deploy.signal(Signal::INT);
    wait_for("the way back", || stage.front() == "v0 real1");
    deploy.signal(Signal::INT);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(130), "{ended}");
    assert!(stage.step().is_some());
    ended
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_next_command_finishes_it() {
    let Some(mut stage) = Stage::marker() else { return };
    let ended = left_at_once(&mut stage, "human");
    ended.says(&["traffic  real1 has it", "bluegreen recover"]);
    assert!(!ended.err.contains('\u{1b}'), "no control codes where there is no terminal: {:?}", ended.err);
    stage.set("after_switch.settle", "100ms");
    stage.run(&["recover"], 0);
    assert_eq!((stage.front(), stage.step()), ("v0 real1".into(), None));
    assert_eq!(below(stage.home()).len(), 1);
}

#[test]
fn a_second_sigint_is_the_last_event_too() {
    let Some(mut stage) = Stage::marker() else { return };
    let last = left_at_once(&mut stage, "json").events().pop().unwrap();
    assert_eq!((&last["event"], &last["exit_code"]), (&"finished".into(), &130.into()), "{last}");
    assert_eq!(last["active"], "real1", "{last}");
}

#[test]
fn in_the_bake_of_a_first_release_there_is_nothing_to_go_back_to() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("after_switch.bake", "5s");
    let artifact = stage.artifact("v1");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("bake");
    deploy.signal(Signal::TERM);
    let ended = deploy.wait();
    assert_eq!((ended.code, stage.front()), (Some(0), "v1 real1".into()), "{ended}");
}

#[test]
fn a_closed_terminal_stops_nothing() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_on_cue();
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("health");
    deploy.signal(Signal::HUP);
    stage.boot();
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(stage.front(), "v2 real2");
}

/// `bluegreen deploy app.jar | head -1`
#[test]
fn a_closed_pipe_stops_nothing() {
    for format in ["human", "json"] {
        let Some(stage) = Stage::marker() else { return };
        let artifact = stage.artifact("v1");
        let mut command = stage.command(&["deploy", &artifact, "--format", format]);
        let mut deploy = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(deploy.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(deploy.wait().unwrap().success(), "{format}");
        assert_eq!(stage.front(), "v1 real1");
    }
}
