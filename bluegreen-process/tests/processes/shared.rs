//! Who answers on the other profile is never ended with what is stopped.

use std::{fs, net::TcpStream};

use bluegreen_core::{Occupant, Process, ProcessError, ProcessManager, Profile, testing::conformance};

use crate::rig::{GRACE, Rig};

/// One daemon of `kind` on the first profile, whose child is what runs on the second one.
async fn one_daemon(kind: &str) -> (Rig, Process, Process) {
    let rig = Rig::new();
    let first = rig.start(kind).await;
    let second = rig.listening_on(rig.config.profiles.second(), "client").await;
    (rig, first, second)
}

fn answers(profile: &Profile) -> bool {
    TcpStream::connect(("127.0.0.1", profile.port())).is_ok()
}

/// As pm2 with one daemon for both: to end the idle release would end the active one.
#[tokio::test]
async fn a_daemon_of_both_profiles_is_not_stopped() {
    let (rig, first, second) = one_daemon("daemon-that-listens").await;
    let other = rig.config.profiles.second();
    let daemon = rig.processes.main_pid(rig.profile());
    for processes in [&rig.processes, &rig.stranger()] {
        let error = processes.stop(rig.profile(), &first, GRACE).await.unwrap_err();
        let ProcessError::Shared { profile, other: shared, who } = &error else { panic!("{error}") };
        assert_eq!((profile.as_str(), shared.as_str()), ("real1", "real2"));
        assert_eq!(who.pid, rig.processes.main_pid(other));
    }
    assert_eq!(
        rig.inspect().await,
        Occupant::Ours { process: first.clone(), listening: true },
        "nothing was signalled"
    );
    assert_eq!(rig.processes.main_pid(rig.profile()), daemon);
    assert!(answers(other));
    // the other way round nobody is in the way: a child may end
    rig.processes.stop(other, &second, GRACE).await.unwrap();
    assert_eq!(rig.processes.inspect(other).await.unwrap(), Occupant::Nobody);
    rig.processes.stop(rig.profile(), &first, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

/// The way out: its own tool has ended the server, and all that is left of the release serves the other one.
#[tokio::test]
async fn what_is_only_there_for_the_other_profile_is_let_go() {
    let (rig, first, second) = one_daemon("daemon-of-all").await;
    let other = rig.config.profiles.second();
    let daemon = rig.processes.main_pid(rig.profile()).unwrap();
    rig.processes.stop(rig.profile(), &first, GRACE).await.unwrap();
    assert_eq!(rig.inspect().await, Occupant::Nobody, "the profile can be used again");
    assert_eq!(
        rig.processes.inspect(other).await.unwrap(),
        Occupant::Ours { process: second.clone(), listening: true }
    );
    assert!(fs::exists(format!("/proc/{daemon}")).unwrap() && answers(other), "nobody was signalled");
    rig.processes.stop(other, &second, GRACE).await.unwrap();
    // no record knows it any more
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(daemon.cast_signed()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

/// `SO_REUSEPORT`: a release that also takes a share of the other port gets half of its connections. To end it is the cure.
#[tokio::test]
async fn one_too_many_on_the_other_port_is_stopped() {
    let rig = Rig::with(|config| {
        let port = bluegreen_core::Template::parse("{other_port}").unwrap();
        config.launch.env.insert("OTHER_PORT".into(), port);
    });
    let other = rig.config.profiles.second();
    let second = rig.listening_on(other, "reuse").await;
    let first = rig.listening("twin").await;
    rig.until_on(other, "two share the port", |o| matches!(o, Occupant::Stranger { beside: Some(_), .. })).await;
    rig.processes.stop(rig.profile(), &first, GRACE).await.unwrap();
    assert_eq!(rig.processes.inspect(other).await.unwrap(), Occupant::Ours { process: second, listening: true });
}

/// With nobody else on the other port it is what answers there, whoever it is.
#[tokio::test]
async fn who_answers_alone_for_the_other_profile_is_not_stopped() {
    let rig = Rig::with(|config| {
        let port = bluegreen_core::Template::parse("{other_port}").unwrap();
        config.launch.env.insert("OTHER_PORT".into(), port);
    });
    let (release, both) = (rig.release("listen"), rig.release("twin"));
    conformance::ports(&rig.processes, &rig.config.profiles, &release, Some(&both)).await;
    let pid = rig.processes.main_pid(rig.profile()).unwrap().cast_signed();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
}
