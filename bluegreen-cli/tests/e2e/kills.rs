//! SIGKILL of the command at any moment.

use std::{
    hash::{BuildHasher as _, RandomState},
    thread,
    time::Duration,
};

use rustix::process::Signal;

use bluegreen_rig::{Clients, Stage};

/// How many times; the crash sweep of the core has all moments, this one has real ones.
const SAMPLE: u64 = 6;

#[test]
fn a_killed_deploy_loses_nothing_and_the_next_command_goes_on() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v0", 0);
    let clients = Clients::at(&stage);
    let seed = RandomState::new().hash_one(0);
    for round in 0..SAMPLE {
        let artifact = stage.artifact(&format!("v{round}a"));
        let deploy = stage.spawn(&["deploy", &artifact]);
        let after = Duration::from_millis((seed >> round) % 1200);
        thread::sleep(after);
        deploy.signal(Signal::KILL);
        let killed = deploy.wait();
        let recovered = stage.run(&["recover"], 0);
        assert_eq!(stage.step(), None, "killed after {after:?}: {killed}\n{recovered}");
        let (front, status) = (stage.front(), stage.status());
        assert_eq!(status["active"]["healthy"], true, "killed after {after:?}: {front} {status}");
        if round % 2 == 0 {
            let version = format!("v{round}b");
            stage.deploy(&version, 0);
            assert!(stage.front().starts_with(&version));
        }
    }
    clients.lost_nothing();
}

#[test]
fn without_recover_the_next_deploy_does_it_all() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    for (step, version) in [("health", "v2"), ("bake", "v3")] {
        if step == "health" {
            stage.boots_on_cue();
        }
        stage.set("after_switch.bake", "90s");
        let artifact = stage.artifact(version);
        let deploy = stage.spawn(&["deploy", &artifact]);
        stage.wait_for_step(step);
        deploy.signal(Signal::KILL);
        deploy.wait();
        stage.boots_in(100);
        stage.set("after_switch.bake", "100ms");
        stage.deploy("v4", 0);
        assert!(stage.front().starts_with("v4 "), "killed in {step}");
    }
    clients.lost_nothing();
}
