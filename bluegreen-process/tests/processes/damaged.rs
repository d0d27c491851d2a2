//! A record that cannot be made out: what runs is found by what it carries, and nothing else is.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt as _,
};

use bluegreen_core::{Blind, Occupant, ProcessManager};

use crate::{
    adopt::left,
    rig::{GRACE, Rig},
};

/// Empty, half of one, of another program, of the wrong types, no text at all, and endless.
fn damages() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 5] = [b"", b"{\"release\":\"v1\",\"bo", b"null", b"{\"release\": 7}", b"\x7fELF\xff\xfe\0"];
    texts.into_iter().map(<[u8]>::to_vec).chain([vec![b' '; 1 << 20]]).collect()
}

#[tokio::test]
async fn what_runs_is_found_by_its_token_and_stopped() {
    for damage in damages() {
        let rig = Rig::new();
        let process = rig.listening("listen").await;
        let log = rig.processes.log(rig.profile());
        fs::write(rig.record(), &damage).unwrap();
        let later = rig.stranger();
        let there = Occupant::Ours { process: process.clone(), listening: true };
        assert_eq!(later.inspect(rig.profile()).await.unwrap(), there, "it is the very same");
        assert_eq!(later.main_pid(rig.profile()), rig.processes.main_pid(rig.profile()));
        assert_eq!(
            later.log(rig.profile()).and_then(|log| log.canonicalize().ok()),
            log.and_then(|log| log.canonicalize().ok())
        );
        assert!(later.damage(rig.profile()).unwrap().is_some());
        assert_eq!(fs::read(rig.record()).unwrap(), damage, "who only looks changes nothing");
        later.stop(rig.profile(), &process, GRACE).await.unwrap();
        assert_eq!(later.inspect(rig.profile()).await.unwrap(), Occupant::Nobody);
        assert_eq!(
            fs::read(rig.record().with_extension("json.damaged")).unwrap(),
            damage,
            "a person may want to see it"
        );
        assert_eq!(later.damage(rig.profile()).unwrap(), None);
    }
}

#[tokio::test]
async fn a_daemon_that_left_its_session_is_found_too() {
    let rig = Rig::new();
    let process = rig.listening("daemon").await;
    fs::write(rig.record(), "").unwrap();
    let there = Occupant::Ours { process: process.clone(), listening: true };
    assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there);
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

#[tokio::test]
async fn with_nothing_left_the_profile_is_free() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    fs::write(rig.record(), "{").unwrap();
    let rig_of_another_command = rig.stranger();
    assert_eq!(rig_of_another_command.inspect(rig.profile()).await.unwrap(), Occupant::Nobody);
    let mended = rig_of_another_command.mend().await.unwrap();
    assert_eq!((mended.len(), &mended[0].release), (1, &None));
    assert!(!rig.record().exists() && mended[0].aside.exists());
    rig.listening("listen").await;
}

#[tokio::test]
async fn mended_it_says_what_it_said() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let before: serde_json::Value = serde_json::from_slice(&fs::read(rig.record()).unwrap()).unwrap();
    assert_eq!(rig.processes.mend().await.unwrap(), []);
    fs::write(rig.record(), "").unwrap();
    let mended = rig.stranger().mend().await.unwrap();
    assert_eq!((mended.len(), mended[0].release.as_ref()), (1, Some(&process.release)));
    let after: serde_json::Value = serde_json::from_slice(&fs::read(rig.record()).unwrap()).unwrap();
    for key in ["release", "boot", "token", "leader", "stopped"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(rig.stranger().mend().await.unwrap(), []);
}

#[tokio::test]
async fn a_stranger_stays_one_and_can_be_adopted() {
    let rig = Rig::new();
    let mut child = left(&rig, "listen").await;
    fs::create_dir_all(rig.record().parent().unwrap()).unwrap();
    fs::write(rig.record(), "{\"torn").unwrap();
    let Occupant::Stranger { who, beside: None } = rig.inspect().await else { panic!("it carries nothing of ours") };
    assert_eq!(who.pid, Some(child.id()));
    let process = rig.processes.adopt(rig.profile(), None).await.unwrap();
    assert_eq!(
        rig.stranger().inspect(rig.profile()).await.unwrap(),
        Occupant::Ours { process: process.clone(), listening: true }
    );
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    // it may be reaped already
    let _ = child.wait();
}

/// The same app on other ports is another installation, whoever its user is.
#[tokio::test]
async fn what_another_installation_started_is_not_ours() {
    let (rig, other) = (Rig::new(), Rig::new());
    let process = other.listening("listen").await;
    fs::create_dir_all(rig.record().parent().unwrap()).unwrap();
    fs::write(rig.record(), "").unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(other.inspect().await, Occupant::Ours { process, listening: true });
}

/// What is there and cannot be read may be good: that is not damage.
#[tokio::test]
async fn what_cannot_be_read_is_not_known_and_left_alone() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let good = fs::read(rig.record()).unwrap();
    let blind = async |what: &str| {
        let seen = rig.stranger().inspect(rig.profile()).await;
        assert!(matches!(seen, Err(Blind::Profile { .. })), "{what}: {seen:?}");
        rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap_err();
        rig.stranger().start(rig.profile(), &process.release).await.unwrap_err();
        rig.stranger().adopt(rig.profile(), None).await.unwrap_err();
        rig.stranger().mend().await.unwrap_err();
    };
    let put = |with: &dyn Fn()| {
        fs::remove_file(rig.record()).unwrap();
        with();
    };
    put(&|| fs::create_dir(rig.record()).unwrap());
    blind("a directory, as a bad sector reads").await;
    fs::remove_dir(rig.record()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        rig.record(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    blind("a pipe").await;
    put(&|| std::os::unix::fs::symlink("real2.json", rig.record()).unwrap());
    blind("a link").await;
    put(&|| {
        fs::write(rig.record(), &good).unwrap();
        fs::set_permissions(rig.record(), fs::Permissions::from_mode(0o622)).unwrap();
    });
    blind("one that others could have written").await;
    fs::set_permissions(rig.record(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(rig.inspect().await, Occupant::Ours { process, listening: true }, "nobody was signalled");
    assert!(!rig.record().with_extension("json.damaged").exists());
}

/// Somebody who sits on the port while ours, which is lost, does not listen: both are seen.
#[tokio::test]
async fn ours_is_found_beside_a_stranger() {
    let rig = Rig::new();
    let process = rig.start("quiet").await;
    let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    fs::write(rig.record(), "").unwrap();
    let Occupant::Stranger { beside, .. } = rig.stranger().inspect(rig.profile()).await.unwrap() else {
        panic!("the port is taken")
    };
    assert_eq!(beside, Some(process));
}
