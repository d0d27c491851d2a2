//! A record that cannot be made out: what runs is found by what it carries, and nothing else is.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::Path,
};

use bluegreen_core::{Blind, Occupant, ProcessManager};
use rustix::fs::{CWD, FileType, Mode, mknodat};

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
        let log = rig.processes.log(rig.profile()).unwrap();
        fs::write(rig.record(), &damage).unwrap();
        let later = rig.stranger();
        let there = Occupant::Ours { process: process.clone(), listening: true };
        assert_eq!(later.inspect(rig.profile()).await.unwrap(), there, "it is the very same");
        assert_eq!(later.main_pid(rig.profile()), rig.processes.main_pid(rig.profile()));
        assert_eq!(
            later.log(rig.profile()).unwrap().and_then(|log| log.canonicalize().ok()),
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

/// A clumsy restore: the record was taken away while its release runs and listens.
#[tokio::test]
async fn without_a_record_who_listens_is_found_by_its_token() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    fs::remove_file(rig.record()).unwrap();
    let there = Occupant::Ours { process: process.clone(), listening: true };
    assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there);
    assert_eq!(rig.stranger().adopt(rig.profile(), None).await.unwrap(), process, "it keeps its name");
    assert!(rig.record().exists());
    fs::remove_file(rig.record()).unwrap();
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

/// The records of the two profiles, exchanged: each can be adopted back.
#[tokio::test]
async fn a_record_of_the_other_profile_gives_way_when_it_is_adopted() {
    let rig = Rig::new();
    let [first, second] = rig.config.profiles.both();
    let (a, b) = (rig.listening_on(first, "listen").await, rig.listening_on(second, "listen").await);
    let records = [first, second].map(|profile| rig.record().with_file_name(format!("{profile}.json")));
    let texts = [fs::read(&records[0]).unwrap(), fs::read(&records[1]).unwrap()];
    fs::write(&records[0], &texts[1]).unwrap();
    fs::write(&records[1], &texts[0]).unwrap();
    let later = rig.stranger();
    assert!(matches!(later.inspect(first).await.unwrap(), Occupant::Stranger { .. }));
    assert_eq!(
        [later.adopt(first, None).await.unwrap(), later.adopt(second, None).await.unwrap()],
        [a.clone(), b.clone()]
    );
    let ours = |process| Occupant::Ours { process, listening: true };
    assert_eq!(later.inspect(first).await.unwrap(), ours(a.clone()));
    assert_eq!(later.inspect(second).await.unwrap(), ours(b.clone()));
    later.stop(first, &a, GRACE).await.unwrap();
    later.stop(second, &b, GRACE).await.unwrap();
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
    let [Ok(mended)] = &rig_of_another_command.mend().await[..] else { panic!("one is damaged") };
    assert_eq!(mended.release, None);
    assert!(!rig.record().exists() && mended.aside.exists());
    rig.listening("listen").await;
}

#[tokio::test]
async fn mended_it_says_what_it_said() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let before: serde_json::Value = serde_json::from_slice(&fs::read(rig.record()).unwrap()).unwrap();
    assert!(rig.processes.mend().await.is_empty());
    fs::write(rig.record(), "").unwrap();
    let [Ok(mended)] = &rig.stranger().mend().await[..] else { panic!("one is damaged") };
    assert_eq!(mended.release.as_ref(), Some(&process.release));
    let after: serde_json::Value = serde_json::from_slice(&fs::read(rig.record()).unwrap()).unwrap();
    for key in ["release", "boot", "token", "leader", "stopped"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert!(rig.stranger().mend().await.is_empty());
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

/// Whatever somebody put in the place of a record, made at its path.
type Hand = Box<dyn Fn(&Path)>;

fn oddities(good: &[u8]) -> Vec<(&'static str, Hand)> {
    let link = |to: &'static str| -> Hand { Box::new(move |at| symlink(to, at).unwrap()) };
    let node = |kind, device| -> Hand {
        Box::new(move |at| mknodat(CWD, at, kind, Mode::from_raw_mode(0o600), device).unwrap())
    };
    let good = good.to_vec();
    let written = move |mode: u32, owner: Option<u32>| -> Hand {
        let good = good.clone();
        Box::new(move |at| {
            fs::write(at, &good).unwrap();
            fs::set_permissions(at, fs::Permissions::from_mode(mode)).unwrap();
            chown(at, owner, None).unwrap();
        })
    };
    let mut all = vec![
        ("a link to nowhere", link("nowhere")),
        ("a link to a file", link("/etc/passwd")),
        ("a directory", Box::new(|at: &Path| fs::create_dir(at).unwrap()) as Hand),
        ("a directory with something in it", Box::new(|at: &Path| fs::create_dir_all(at.join("deep")).unwrap())),
        ("another one", Box::new(|at: &Path| fs::create_dir_all(at.join("deep")).unwrap())),
        ("a pipe", node(FileType::Fifo, 0)),
        ("one that a group could have written", written(0o660, None)),
        ("one that everybody could have written", written(0o602, None)),
    ];
    if rustix::process::geteuid().is_root() {
        all.push(("one of another user", written(0o600, Some(4711))));
        // opened, it rewinds a tape or waits for a modem
        all.push(("a device", node(FileType::CharacterDevice, rustix::fs::makedev(1, 5))));
    } else {
        eprintln!("SKIPPED: only root makes devices, and files of others");
    }
    all
}

/// It is neither followed nor read; nothing is signalled by its word, and nothing waits for it.
#[tokio::test]
async fn what_is_no_file_of_ours_alone_is_set_aside() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let good = fs::read(rig.record()).unwrap();
    for (what, put) in oddities(&good) {
        fs::remove_file(rig.record()).unwrap();
        put(&rig.record());
        let before = fs::symlink_metadata(rig.record()).unwrap();
        let there = Occupant::Ours { process: process.clone(), listening: true };
        assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there, "{what}");
        assert!(rig.stranger().damage(rig.profile()).unwrap().is_some(), "{what}");
        let [Ok(mended)] = &rig.stranger().mend().await[..] else { panic!("{what}") };
        assert_eq!(mended.release.as_ref(), Some(&process.release), "{what}");
        let after = fs::symlink_metadata(&mended.aside).unwrap();
        assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()), "{what}: the thing itself");
        assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there, "{what}");
        assert_eq!(rig.stranger().damage(rig.profile()).unwrap(), None, "{what}");
    }
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    for (what, put) in oddities(&good) {
        fs::remove_file(rig.record()).unwrap();
        put(&rig.record());
        let process = rig.listening("listen").await;
        rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
        assert_eq!(rig.inspect().await, Occupant::Nobody, "{what}");
    }
}

/// Others could have written a process of ours into it that bluegreen did not start.
#[tokio::test]
async fn nobody_is_signalled_by_the_word_of_others() {
    let rig = Rig::new();
    let mut child = left(&rig, "listen").await;
    let adopted = rig.processes.adopt(rig.profile(), None).await.unwrap();
    fs::set_permissions(rig.record(), fs::Permissions::from_mode(0o620)).unwrap();
    let Occupant::Stranger { who, beside: None } = rig.inspect().await else { panic!("the record says whose it is") };
    assert_eq!(who.pid, Some(child.id()));
    rig.processes.stop(rig.profile(), &adopted, GRACE).await.unwrap();
    assert_eq!(child.try_wait().unwrap(), None, "it lives");
    // and a person says again what it is
    let adopted = rig.processes.adopt(rig.profile(), None).await.unwrap();
    rig.processes.stop(rig.profile(), &adopted, GRACE).await.unwrap();
    let _ = child.wait();
}

/// What is there and cannot be read may be good: that is not damage, and the way out is said.
#[tokio::test]
async fn what_cannot_be_read_is_not_known_and_left_alone() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let dir = rig.record().parent().unwrap().to_owned();
    let away = dir.with_file_name("away");
    fs::rename(&dir, &away).unwrap();
    fs::write(&dir, "").unwrap();
    let Err(Blind::Profile { reason, .. }) = rig.stranger().inspect(rig.profile()).await else { panic!("it is seen") };
    assert!(reason.ends_with(&format!("mv {0} {0}.damaged", dir.display())), "{reason}");
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap_err();
    rig.stranger().start(rig.profile(), &process.release).await.unwrap_err();
    rig.stranger().adopt(rig.profile(), None).await.unwrap_err();
    assert!(rig.stranger().mend().await.iter().all(Result::is_err));
    fs::remove_file(&dir).unwrap();
    fs::rename(&away, &dir).unwrap();
    assert_eq!(rig.inspect().await, Occupant::Ours { process, listening: true }, "nobody was signalled");
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
