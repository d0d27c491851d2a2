//! Taking over what the scripts left.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    time::Instant,
};

use bluegreen_core::{Occupant, ProcessManager};
use bluegreen_process::AdoptError;

use crate::{
    app,
    rig::{GRACE, Rig},
};

/// Something that a script left running: `kind` on the first port of `rig`, without a token.
pub(crate) async fn left(rig: &Rig, kind: &str) -> Child {
    let command = app::command();
    let child = Command::new(&command[0])
        .args(&command[1..])
        .envs([("APP_KIND", kind), ("BLUEGREEN_PORT", &rig.profile().port().to_string())])
        .current_dir(rig.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    rig.until("it listens", |o| matches!(o, Occupant::Stranger { .. })).await;
    child
}

#[tokio::test]
async fn an_adopted_process_is_ours_and_is_stopped() {
    for kind in ["listen", "prefork"] {
        let rig = Rig::new();
        let mut child = left(&rig, kind).await;
        if kind == "prefork" {
            crate::rig::file(&rig.dir.path().join("ready")).await;
        }
        let process = rig.processes.adopt(rig.profile(), None).await.unwrap();
        assert!(process.release.as_str().starts_with(&format!("adopted-{}-", child.id())), "{process:?}");
        assert_eq!(rig.processes.main_pid(rig.profile()), Some(child.id()));
        let there = Occupant::Ours { process: process.clone(), listening: true };
        assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there);
        assert!(matches!(rig.processes.adopt(rig.profile(), None).await, Err(AdoptError::Ours(_))));
        // it is in no store
        rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
        assert_eq!(rig.inspect().await, Occupant::Nobody);
        assert!(rig.processes.start(rig.profile(), &process.release).await.is_err());
        let _ = child.wait();
    }
}

#[tokio::test]
async fn a_process_of_ours_is_not_forgotten_for_another_one() {
    let rig = Rig::new();
    let process = rig.start("quiet").await;
    let mut child = left(&rig, "listen").await;
    assert!(matches!(rig.processes.adopt(rig.profile(), None).await, Err(AdoptError::Ours(_))));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(rig.inspect().await, Occupant::Ours { process, listening: false });
}

#[tokio::test]
async fn what_cannot_be_told_apart_is_refused() {
    let rig = Rig::new();
    assert!(matches!(rig.processes.adopt(rig.profile(), None).await, Err(AdoptError::Nobody(_))));
    let mut child = left(&rig, "listen").await;
    for wrong in [1, std::os::unix::process::parent_id(), std::process::id(), child.id() + 1] {
        let error = rig.processes.adopt(rig.profile(), Some(wrong)).await.unwrap_err();
        assert!(matches!(error, AdoptError::Refused { .. }), "{wrong}: {error}");
    }
    assert!(matches!(rig.inspect().await, Occupant::Stranger { .. }));
    child.kill().unwrap();
    child.wait().unwrap();

    // this very process
    let _own = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    assert!(matches!(rig.processes.adopt(rig.profile(), None).await, Err(AdoptError::Refused { .. })));

    // two that do not belong together
    let rig = Rig::new();
    let (mut first, mut second) = (left(&rig, "reuse").await, left(&rig, "reuse").await);
    let deadline = Instant::now() + crate::rig::PATIENCE;
    loop {
        match rig.processes.adopt(rig.profile(), Some(first.id())).await {
            Err(AdoptError::Refused { .. }) => break,
            // the second one was not there yet
            Ok(_) => std::fs::remove_file(rig.record()).unwrap(),
            Err(other) => panic!("{other}"),
        }
        assert!(Instant::now() < deadline);
    }
    for child in [&mut first, &mut second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
