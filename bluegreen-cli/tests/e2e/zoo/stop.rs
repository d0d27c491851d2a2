//! Those that do not end as they are asked to. They serve, the next deploys take over and end them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::Duration,
};

use bluegreen_rig::{PATIENCE, Stage, wait_for};

use super::Zoo;

/// `kind` serves, and two deploys later there is nothing of it.
fn is_replaced(kind: &str, grace: &str, set: &[(&str, &str)]) -> Option<Zoo> {
    let mut zoo = Zoo::open()?;
    zoo.stage.set("stop.grace", grace);
    for (key, value) in set {
        zoo.stage.set(key, *value);
    }
    zoo.deploy(kind, "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    let bad = zoo.stage.pid("active");
    zoo.deploy("good", "v3", 0);
    assert!(zoo.living().contains(&bad), "it is warm");
    zoo.deploy("good", "v4", 0);
    assert!(!zoo.living().contains(&bad));
    Some(zoo)
}

fn log(zoo: &Zoo) -> String {
    std::fs::read_to_string(zoo.stage.state_dir().join("logs/real2/000001.log")).unwrap()
}

#[test]
fn one_that_ignores_the_signal_is_killed_after_its_grace() {
    if let Some(zoo) = is_replaced("stubborn", "300ms", &[]) {
        zoo.closes();
    }
}

#[test]
fn a_slow_one_is_left_to_end_in_its_grace() {
    if let Some(zoo) = is_replaced("slow", "20s", &[]) {
        assert!(log(&zoo).contains("all is saved"));
        zoo.closes();
    }
}

#[test]
fn a_slow_one_is_killed_after_its_grace() {
    if let Some(zoo) = is_replaced("slower", "100ms", &[]) {
        assert!(!log(&zoo).contains("all is saved"));
        zoo.closes();
    }
}

#[test]
fn one_that_takes_connections_and_never_answers_after_the_signal_harms_nobody() {
    if let Some(zoo) = is_replaced("sulks", "300ms", &[("after_switch.previous", "warm")]) {
        zoo.closes();
    }
}

#[test]
fn one_that_heeds_another_signal_gets_that_one() {
    if let Some(zoo) = is_replaced("hung-up", "20s", &[("stop.signal", "HUP")]) {
        zoo.closes();
    }
    if let Some(zoo) = is_replaced("stubborn", "300ms", &[("stop.signal", "HUP"), ("stop.to", "main")]) {
        zoo.closes();
    }
}

/// The previous release is stopped at the end of each deploy.
#[test]
fn one_that_ignores_the_signal_does_not_fail_the_deploy_that_replaces_it() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("after_switch.previous", "stop");
    zoo.stage.set("stop.grace", "300ms");
    zoo.deploy("stubborn", "v2", 0);
    assert_eq!(zoo.living(), [zoo.stage.pid("active")], "v1 is gone");
    zoo.deploy("good", "v3", 0);
    assert_eq!(zoo.living(), [zoo.stage.pid("active")]);
    zoo.stage.set("after_switch.previous", "warm");
    zoo.closes();
}

/// Asks the front door and gives what comes, whenever it comes.
fn slow(stage: &Stage, ms: u32) -> thread::JoinHandle<String> {
    let mut stream = TcpStream::connect(stage.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /slow/{ms} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    thread::spawn(move || {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_or_else(|e| e.to_string(), |_| answer)
    })
}

/// Longer than drain: the app's own patience, within the grace, is what saves it.
#[test]
fn what_is_in_flight_in_the_old_release_is_answered() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("drains", "v2", 0);
    zoo.stage.set("after_switch.previous", "stop");
    zoo.stage.set("after_switch.drain", "300ms");
    zoo.stage.set("stop.grace", "20s");
    let answer = slow(&zoo.stage, 4000);
    thread::sleep(Duration::from_millis(200));
    zoo.deploy("good", "v3", 0);
    let answer = answer.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("v2 real2\n"), "{answer}");
    assert_eq!(zoo.living(), [zoo.stage.pid("active")]);
    assert!(log(&zoo).contains("drained"));
    zoo.stage.set("after_switch.previous", "warm");
    zoo.closes();
}

/// The active one lives, listens, and answers nobody any more: it loses what it has in hand, and the next deploy mends it. The recovery
/// before that gives the traffic to the warm one, so that users are answered while the new one boots.
fn is_taken_over(mut zoo: Zoo, spoil: impl FnOnce(&Zoo)) {
    zoo.stage.set("stop.grace", "300ms");
    zoo.stage.set("after_switch.drain", "300ms");
    zoo.deploy("hangs-later", "v2", 0);
    zoo.clients.take().unwrap().lost_nothing();
    spoil(&zoo);
    wait_for("the app to hang", || zoo.stage.status()["active"]["healthy"] == false);
    zoo.deploy("good", "v3", 0);
    assert_eq!(zoo.stage.front(), "v3 real2");
    zoo.recovers();
}

#[test]
fn an_active_one_that_hangs_is_taken_over() {
    if let Some(zoo) = Zoo::open() {
        is_taken_over(zoo, Zoo::cue);
    }
}

#[test]
fn an_active_one_that_is_stopped_is_taken_over() {
    if let Some(zoo) = Zoo::open() {
        is_taken_over(zoo, |zoo| {
            let pid = i32::try_from(zoo.stage.pid("active")).ok().and_then(rustix::process::Pid::from_raw).unwrap();
            // of a process that this test has had started
            rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        });
    }
}

#[test]
fn an_active_one_that_died_is_replaced() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("mortal", "v2", 0);
    zoo.clients.take().unwrap().lost_nothing();
    zoo.cue();
    wait_for("its end", || zoo.living().len() == 1);
    zoo.stage.run(&["status"], 20).says(&["nothing runs here"]);
    zoo.recovers();
}
