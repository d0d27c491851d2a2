//! A CI job that is cancelled, a tool that is stopped and goes on, and signals that mean nothing to it.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    thread,
    time::{Duration, Instant},
};

use bluegreen_core::FileStore;
use bluegreen_rig::{Clients, Ended, Running, Stage, below, kill, say, wait_for};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

fn pid(process: u32) -> Pid {
    Pid::from_raw(process.try_into().unwrap()).unwrap()
}

/// v1 serves, and a deploy of v2 is at `step`, where it stays for longer than any test; in a process group of its own, as a
/// step of a CI job is. And how long the deploy of v1 took.
fn at(stage: &mut Stage, step: &str) -> (Running, Duration) {
    let usual = stage.deploy("v1", 0).took;
    match step {
        "health" => stage.boots_on_cue(),
        "bake" => stage.set("after_switch.bake", "90s"),
        _ => {
            stage.set("after_switch.previous", "stop");
            stage.set("after_switch.settle", "90s");
        }
    }
    let artifact = stage.artifact("v2");
    let mut command = stage.command(&["deploy", &artifact]);
    command.process_group(0);
    let deploy = Running::spawn(command);
    stage.wait_for_step(step);
    if step != "health" {
        wait_for("v2", || stage.front() == "v2 real2");
    }
    (deploy, usual)
}

/// What GitHub's runner does to the group: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. A machine on which a deploy
/// takes longer than the second that it takes gives so much more.
fn cancelled(mut deploy: Running, usual: Duration) -> Ended {
    let began = Instant::now();
    let slowness = usual.as_secs_f64().max(1.0);
    for (signal, patience) in [(Signal::INT, 7.5), (Signal::TERM, 2.5), (Signal::KILL, 0.0)] {
        kill_process_group(pid(deploy.pid()), signal).unwrap();
        let until = Instant::now() + Duration::from_secs_f64(patience * slowness);
        while Instant::now() < until {
            if deploy.ended().is_some() {
                say(&format!("after {:.1?}", began.elapsed()));
                return deploy.wait();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
    deploy.wait()
}

#[test]
fn a_cancelled_job_is_taken_back_in_the_time_that_it_is_given() {
    for step in ["health", "bake"] {
        let Some(mut stage) = Stage::marker() else { return };
        let (deploy, usual) = at(&mut stage, step);
        let clients = Clients::at(&stage);
        let ended = cancelled(deploy, usual);
        assert!(matches!(ended.code, Some(130 | 143)), "in {step}: {ended}");
        FileStore::hold(&stage.state_dir()).unwrap();
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None), "in {step}");
        clients.lost_nothing();
        assert_eq!(below(stage.home()).len(), 1, "in {step}");
    }
}

#[test]
fn a_job_that_is_cancelled_in_the_drain_is_killed_and_loses_nothing() {
    let Some(mut stage) = Stage::marker() else { return };
    let (deploy, _) = at(&mut stage, "retire");
    let clients = Clients::at(&stage);
    let ended = cancelled(deploy, Duration::ZERO);
    assert_eq!(ended.signal, Some(9), "the old release must not be stopped sooner: {ended}");
    FileStore::hold(&stage.state_dir()).unwrap();
    assert_eq!(stage.front(), "v2 real2");
    stage.set("after_switch.settle", "100ms");
    stage.run(&["recover"], 0);
    assert_eq!((stage.front(), stage.step()), ("v2 real2".into(), None));
    clients.lost_nothing();
    assert_eq!(below(stage.home()).len(), 1);
}

/// What of a release is in the store, or was going to be.
fn stored(stage: &Stage) -> usize {
    fs::read_dir(stage.state_dir().join("releases")).unwrap().count()
}

/// To read it takes hours, and it takes no room.
fn endless(stage: &Stage) -> String {
    let file = stage.path("endless");
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_copy_hears_who_wants_it_to_end() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let endless = endless(&stage);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let deploy = stage.spawn(&["deploy", &endless, "--format", "json"]);
        deploy.wait_for_word("copying");
        deploy.signal(signal);
        let ended = deploy.wait();
        assert_eq!(ended.code, Some(code), "{ended}");
        assert_eq!(ended.events().last().unwrap()["outcome"], "interrupted", "{ended}");
        assert_eq!((stored(&stage), stage.front(), stage.step()), (1, "v1 real1".into(), None));
    }
    stage.run(&["deploy", &endless, "--deadline", "1s"], 10).says(&["deadline", "untouched"]);
    assert_eq!((stored(&stage), stage.front(), stage.step()), (1, "v1 real1".into(), None));
    FileStore::hold(&stage.state_dir()).unwrap();
}

#[test]
fn a_look_at_an_artifact_hears_it_too() {
    let Some(stage) = Stage::marker() else { return };
    let endless = endless(&stage);
    let plan = stage.spawn(&["plan", &endless]);
    let fds = format!("/proc/{}/fd", plan.pid());
    let reads = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|file| file.ends_with("endless"));
    wait_for("the artifact to be read", || fs::read_dir(&fds).unwrap().flatten().any(reads));
    plan.signal(Signal::INT);
    assert_eq!(plan.wait().code, Some(130));
}

/// All that passes while the tool is stopped.
const HASTE: Duration = Duration::from_secs(3);

/// The tool is stopped, `meanwhile` happens and more time passes than it gives anything, and it goes on.
fn stopped(deploy: Running, signal: Signal, meanwhile: impl FnOnce()) -> Ended {
    deploy.signal(signal);
    let stat = format!("/proc/{}/stat", deploy.pid());
    wait_for("the stop", || fs::read_to_string(&stat).unwrap().contains(") T "));
    meanwhile();
    thread::sleep(HASTE + Duration::from_millis(500));
    deploy.signal(Signal::CONT);
    deploy.wait()
}

/// As `at`, with times that pass while it is stopped.
fn hasty(step: &str) -> Option<(Stage, Running)> {
    let mut stage = Stage::marker()?;
    stage.deploy("v1", 0);
    let haste = format!("{}s", HASTE.as_secs());
    for key in ["bake", "settle", "drain"] {
        stage.set(&format!("after_switch.{key}"), haste.as_str());
    }
    if step == "health" {
        stage.boots_on_cue();
        stage.set("health.deadline", haste);
    }
    if step == "retire" {
        stage.set("after_switch.previous", "stop");
    }
    let artifact = stage.artifact("v2");
    let mut command = stage.command(&["deploy", &artifact]);
    // the kernel stops nobody by SIGTSTP whose group has no shell
    command.process_group(0);
    let deploy = Running::spawn(command);
    stage.wait_for_step(step);
    Some((stage, deploy))
}

#[test]
fn stopped_for_longer_than_its_times_it_goes_on_with_what_is_so_then() {
    for (step, signal) in [("bake", Signal::STOP), ("retire", Signal::STOP), ("bake", Signal::TSTP)] {
        let Some((stage, deploy)) = hasty(step) else { return };
        let clients = Clients::at(&stage);
        let ended = stopped(deploy, signal, || {});
        assert_eq!(ended.code, Some(0), "in {step}: {ended}");
        assert_eq!((stage.front(), stage.step()), ("v2 real2".into(), None), "in {step}");
        clients.lost_nothing();
    }
}

#[test]
fn it_never_switches_to_what_died_while_it_was_stopped() {
    let Some((stage, deploy)) = hasty("health") else { return };
    let clients = Clients::at(&stage);
    let ended = stopped(deploy, Signal::STOP, || {
        stage.boot();
        wait_for("v2", || stage.behind(1) == "v2 real2");
        kill(stage.pid("idle"));
    });
    assert_eq!(ended.code, Some(10), "{ended}");
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
    clients.lost_nothing();
}

#[test]
fn it_does_not_confirm_what_died_while_it_was_stopped_in_the_bake() {
    let Some((stage, deploy)) = hasty("bake") else { return };
    wait_for("v2", || stage.front() == "v2 real2");
    let ended = stopped(deploy, Signal::STOP, || kill(stage.pid("active")));
    assert_eq!(ended.code, Some(13), "{ended}");
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
}

/// The app is what is stopped: it holds its port, and answers nothing.
#[test]
fn a_release_that_is_suspended_is_not_healthy_and_does_not_stay() {
    for (step, code) in [("health", 10), ("bake", 13)] {
        let Some(mut stage) = Stage::marker() else { return };
        stage.deploy("v1", 0);
        for (key, value) in [("health.timeout", "2s"), ("stop.grace", "500ms"), ("after_switch.bake", "90s")] {
            stage.set(key, value);
        }
        if step == "health" {
            stage.boots_on_cue();
            stage.set("health.deadline", "8s");
        }
        let artifact = stage.artifact("v2");
        let deploy = stage.spawn(&["deploy", &artifact]);
        stage.wait_for_step(step);
        kill_process(pid(stage.pid(if step == "bake" { "active" } else { "idle" })), Signal::STOP).unwrap();
        let ended = deploy.wait();
        assert_eq!(ended.code, Some(code), "in {step}: {ended}");
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None), "in {step}");
        assert_eq!(below(stage.home()).len(), 1, "in {step}");
    }
}

/// As safe as SIGKILL, no more and no less.
#[test]
fn signals_that_nobody_should_send_end_it_and_cost_nothing() {
    let ignored = ignored();
    for signal in [Signal::QUIT, Signal::USR1, Signal::USR2, Signal::ALARM] {
        // as QUIT is by what a shell starts in the background
        if ignored & (1 << (signal.as_raw() - 1)) != 0 {
            continue;
        }
        let Some(mut stage) = Stage::marker() else { return };
        let (deploy, _) = at(&mut stage, "health");
        deploy.signal(signal);
        let ended = deploy.wait();
        assert_eq!(ended.signal, Some(signal.as_raw()), "{ended}");
        stage.run(&["recover"], 0);
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
        assert_eq!(below(stage.home()).len(), 1);
    }
}

/// The signals that these tests ignore, and so what they start: bit 0 is signal 1.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

#[test]
fn a_broken_pipe_as_a_signal_is_nothing() {
    let Some((stage, deploy)) = hasty("bake") else { return };
    deploy.signal(Signal::PIPE);
    let ended = deploy.wait();
    assert_eq!((ended.code, stage.front()), (Some(0), "v2 real2".into()), "{ended}");
}
