//! The benchmark itself, on a real nginx.

use std::{fs, net::TcpStream, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use bluegreen_bench::{Bed, Figures, Kind, Plan, measure};
use bluegreen_lab::{
    Loss,
    load::Load,
    nginx::{Nginx, Site},
};
use tokio::{process::Command, time::sleep};

const APP: &str = env!("CARGO_BIN_EXE_bluegreen-bench");

/// Two short rounds of `kind`, with `script` for the `bluegreen` binary.
async fn rounds(kind: Kind, script: &str, boot: Duration) -> Option<Figures> {
    let Some(nginx) = Nginx::find() else {
        eprintln!("SKIPPED: no nginx on this machine");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let bluegreen = dir.path().join("bluegreen");
    fs::write(&bluegreen, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&bluegreen, fs::Permissions::from_mode(0o755)).unwrap();
    let (bed, settle) = (Bed::new(&nginx, APP.into(), boot).unwrap(), Duration::from_millis(100));
    let ports = bed.ports;
    let contenders = [(kind.to_string(), kind.set_up(bed, &bluegreen, settle).unwrap())];
    let plan = Plan { rounds: 2, clients: 5, polite: true, air: Duration::ZERO, pause: settle };
    let figures = measure(&contenders, plan, |_| {}).await.remove(0);
    drop(contenders);
    for port in ports {
        let gone = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            TcpStream::connect(("127.0.0.1", port)).is_err()
        });
        assert!(gone, "an app was left behind on port {port}");
    }
    Some(figures)
}

/// The real one.
async fn measured(kind: Kind) -> Option<Figures> {
    let boot = Duration::from_millis(200);
    let figures = rounds(kind, &format!("exec '{}' \"$@\"", bluegreen_rig::bluegreen().display()), boot).await?;
    assert_eq!(figures.failure, None);
    assert_eq!((figures.deploys.len(), figures.rollbacks.len()), (2, 2));
    for deploy in &figures.deploys {
        assert!(deploy.boot.unwrap() >= boot && deploy.whole > deploy.boot.unwrap(), "{deploy:?}");
        assert!(deploy.ready_to_live.unwrap() > Duration::ZERO, "{deploy:?}");
        assert!(deploy.switch.unwrap() > Duration::ZERO, "{deploy:?}");
    }
    for switch in figures.deploys.iter().chain(&figures.rollbacks) {
        assert!(switch.requests > 0, "{switch:?}");
        assert_eq!(switch.stale, 0, "{switch:?}");
    }
    Some(figures)
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_marker_mode_which_loses_nothing() {
    let Some(figures) = measured(Kind::Marker).await else { return };
    for switch in figures.deploys.iter().chain(&figures.rollbacks) {
        assert_eq!(switch.lost, 0, "{switch:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measures_reload_mode() {
    measured(Kind::Reload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn says_why_a_contender_gave_up() {
    let sick = "case $* in *setup*) echo ;; *) echo the disk is full; exit 3 ;; esac";
    let Some(figures) = rounds(Kind::Marker, sick, Duration::ZERO).await else { return };
    let failure = figures.failure.unwrap();
    assert!(failure.contains("exit status: 3") && failure.contains("the disk is full"), "{failure}");
}

/// Keeps the claim of the whole benchmark honest: its load does see what a reload of nginx loses.
#[tokio::test(flavor = "multi_thread")]
async fn the_load_sees_what_a_reload_loses() {
    let Some(binary) = Nginx::find() else {
        eprintln!("SKIPPED: no nginx on this machine");
        return;
    };
    let port = bluegreen_process::free_port().unwrap();
    let mut command = Command::new(APP);
    command.args(["app", "--port", &port.to_string()]).stdout(Stdio::null()).kill_on_drop(true);
    let mut app = command.spawn().unwrap();
    let site = Site { location: format!("proxy_pass http://127.0.0.1:{port};"), ..Site::default() };
    let nginx = Nginx::start(&binary, &site).unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert_eq!(app.try_wait().unwrap(), None);
    }
    let load = Load { clients: 20, polite: false, ..Load::new(nginx.address()) }.start();
    while load.tally().answered() < 200 {
        sleep(Duration::from_millis(10)).await;
    }
    let before = load.tally();
    nginx.reload().unwrap();
    let tally = load.stop().await;
    assert_eq!(before.lost(), 0, "{before}");
    assert!(tally.lost() > 0, "{tally}");
    assert!(tally.losses().keys().all(|loss| matches!(loss, Loss::Closed | Loss::Reset)), "{tally}");
}
