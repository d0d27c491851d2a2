//! What `stop` promises.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use bluegreen_core::{Occupant, Process, ProcessManager};
use bluegreen_process::{PortOwners, ProcPorts, SignalTo};

use crate::rig::{GRACE, PATIENCE, Rig, file};

#[tokio::test]
async fn a_polite_app_is_gone_long_before_the_grace_is_over() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let grace = Duration::from_mins(10);
    let stop = rig.processes.stop(rig.profile(), &process, grace);
    tokio::time::timeout(PATIENCE, stop).await.expect("no test waits as long as that grace").unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    assert_eq!(rig.processes.autopsy(rig.profile()).await.exit.as_deref(), Some("killed by SIGTERM"));
    TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    // again, and by somebody who did not know
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
}

#[tokio::test]
async fn a_stubborn_app_gets_its_grace_and_then_ends() {
    let rig = Rig::new();
    let process = rig.listening("stubborn").await;
    let since = Instant::now();
    let grace = Duration::from_millis(300);
    // by another command than the one that started it
    rig.stranger().stop(rig.profile(), &process, grace).await.unwrap();
    assert!(since.elapsed() >= grace);
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

#[tokio::test]
async fn only_the_process_that_was_meant_is_stopped() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let earlier = Process::new(process.release.clone(), "an-earlier-one");
    rig.processes.stop(rig.profile(), &earlier, Duration::ZERO).await.unwrap();
    rig.processes.stop(rig.config.profiles.second(), &process, Duration::ZERO).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Ours { process: process.clone(), listening: true });

    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    assert!(matches!(rig.inspect().await, Occupant::Stranger { .. }));
}

#[tokio::test]
async fn a_process_that_died_and_was_replaced_by_a_stranger_is_stopped_already() {
    let rig = Rig::new();
    let process = rig.start("quiet").await;
    let pid = rig.processes.main_pid(rig.profile()).unwrap().cast_signed();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
    rig.until("it is gone", |o| *o == Occupant::Nobody).await;
    let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
}

#[tokio::test]
async fn all_of_a_prefork_server_is_ours_and_goes() {
    for to in [SignalTo::Group, SignalTo::Main] {
        let rig = Rig::with(|config| config.launch.to = to);
        rig.processes.start(rig.profile(), &rig.release("prefork")).await.unwrap();
        file(&rig.shared().join("ready")).await;
        let listeners = || ProcPorts.listeners(rig.profile().port()).unwrap();
        assert_eq!(listeners().len(), 1);
        let process = rig.until("it listens", Occupant::listens).await.ours().unwrap().clone();
        rig.stranger().stop(rig.profile(), &process, Duration::from_millis(500)).await.unwrap();
        assert_eq!(listeners(), []);
        assert_eq!(rig.inspect().await, Occupant::Nobody);
    }
}

#[tokio::test]
async fn a_daemon_that_left_its_session_is_followed() {
    let rig = Rig::new();
    let process = rig.listening("daemon").await;
    let there = Occupant::Ours { process: process.clone(), listening: true };
    assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there);
    assert!(rig.processes.main_pid(rig.profile()).is_some());
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

#[tokio::test]
async fn a_session_is_ours_while_a_member_proves_it() {
    let rig = Rig::new();
    let process = rig.listening("orphan").await;
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

#[tokio::test]
async fn two_versions_on_one_port_are_not_one_of_ours() {
    let rig = Rig::new();
    let process = rig.listening("reuse").await;
    // SO_REUSEPORT: the old version, which nobody stopped, still gets half of the connections
    let (other, command) = (rig.profile().port().to_string(), crate::app::command());
    let mut old = std::process::Command::new(&command[0])
        .args(&command[1..])
        .envs([("APP_KIND", "reuse"), ("BLUEGREEN_PORT", &other)])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let stranger = rig.until("the other one listens", |o| matches!(o, Occupant::Stranger { .. })).await;
    let Occupant::Stranger { who, .. } = stranger else { unreachable!("it was waited for") };
    assert_eq!((who.pid, who.address.map(|at| at.port())), (Some(old.id()), Some(rig.profile().port())));
    let said = who.to_string();
    // by the name of its program only: arguments may hold secrets
    let comm = fs::read_to_string(format!("/proc/{}/comm", old.id())).unwrap();
    assert!(said.contains(&format!("): {}", comm.trim_end())), "{said}");
    assert!(!said.contains("--"), "{said}");
    old.kill().unwrap();
    old.wait().unwrap();
    assert_eq!(rig.inspect().await, Occupant::Ours { process, listening: true });
}

/// It did stop, and somebody else has the port: that is said of the port.
#[tokio::test]
async fn who_takes_the_port_in_the_moment_of_the_stop_is_named_by_the_next_look() {
    let rig = Rig::new();
    let process = rig.listening("reuse").await;
    let mut other = crate::adopt::left(&rig, "reuse").await;
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    let Occupant::Stranger { who, beside: None } = rig.inspect().await else { panic!("ours has ended") };
    assert_eq!(who.pid, Some(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn a_cut_short_stop_is_finished_by_the_next() {
    let rig = Rig::new();
    let process = rig.listening("stubborn").await;
    let stop = rig.processes.stop(rig.profile(), &process, Duration::from_millis(400));
    tokio::select! {
        biased;
        _ = stop => panic!("it was polled once, and its grace has just begun"),
        () = std::future::ready(()) => {}
    }
    // it went on by itself, as its blocking thread is not dropped with the future
    rig.until("it is gone", |o| *o == Occupant::Nobody).await;
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    assert!(fs::read_to_string(rig.record()).unwrap().contains("stopped"));
}
