//! Who is on a profile is who answers what is dialled, and nobody else on its port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::{Command, Stdio},
};

use bluegreen_core::{Occupant, ProcessManager, Stranger};
use bluegreen_process::{Listener, PortOwners, Processes};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use crate::rig::{GRACE, Rig};

/// Somebody on `[::]`, of IPv6 alone or of both families.
fn any_v6(port: u16, v6_only: bool) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_ipv6_v6only(&socket, v6_only)?;
    bind(&socket, &SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))?;
    rustix::net::listen(&socket, 8)?;
    Ok(socket)
}

fn at(address: IpAddr, port: u16) -> io::Result<OwnedFd> {
    TcpListener::bind((address, port)).map(OwnedFd::from)
}

/// Each address of the port on which another user may sit down for as long as he likes.
fn elsewhere(port: u16) -> Vec<(OwnedFd, SocketAddr, Vec<IpAddr>)> {
    let (v4, v6): (IpAddr, IpAddr) = (Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into());
    let (second, first_of_v6): (IpAddr, IpAddr) = (Ipv4Addr::new(127, 0, 0, 2).into(), Ipv6Addr::LOCALHOST.into());
    let mut all = vec![(at(second, port).unwrap(), SocketAddr::new(second, port), vec![v4, v6])];
    match at(first_of_v6, port) {
        Ok(socket) => all.push((socket, SocketAddr::new(first_of_v6, port), vec![first_of_v6, v6])),
        Err(error) => eprintln!("SKIPPED: no IPv6 here: {error}"),
    }
    all
}

#[tokio::test]
async fn a_listener_elsewhere_is_no_stranger_and_keeps_nobody_from_anything() {
    let rig = Rig::new();
    let port = rig.profile().port();
    let others = elsewhere(port);
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    let process = rig.listening("listen").await;
    assert_eq!(
        rig.stranger().inspect(rig.profile()).await.unwrap(),
        Occupant::Ours { process: process.clone(), listening: true }
    );
    let mut found = rig.processes.in_the_way(rig.profile()).await.unwrap();
    found.sort_by_key(|it| it.who.address);
    assert_eq!(found.len(), others.len(), "ours is not in its own way: {found:?}");
    for (seen, (_, address, prevents)) in found.iter().zip(&others) {
        assert_eq!((seen.who.address, seen.who.pid), (Some(*address), Some(std::process::id())));
        assert_eq!(seen.prevents, *prevents);
    }
    rig.processes.stop(rig.profile(), &process, GRACE).await.expect("the port is free where it is dialled");
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

#[tokio::test]
async fn only_a_socket_of_both_families_answers_for_ipv4() {
    let rig = Rig::new();
    let port = rig.profile().port();
    let Ok(alone) = any_v6(port, true) else {
        eprintln!("SKIPPED: no IPv6 here");
        return;
    };
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    drop(alone);
    let _both = any_v6(port, false).unwrap();
    let Occupant::Stranger { who, beside: None } = rig.inspect().await else { panic!("it answers") };
    assert_eq!(who.address, Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))));
}

#[tokio::test]
async fn it_is_asked_who_is_at_the_address_that_is_dialled() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let elsewhere = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), rig.profile().port()));
    let at = async || rig.processes.inspect_at(rig.profile(), elsewhere).await.unwrap();
    assert_eq!(at().await, Occupant::Ours { process: process.clone(), listening: false });
    let _other = TcpListener::bind(elsewhere).unwrap();
    let Occupant::Stranger { who, beside } = at().await else { panic!("another process listens there") };
    assert_eq!((who.pid, beside), (Some(std::process::id()), Some(process)));
}

/// He is seen by nobody who asks who listens, and whatever is started there could not listen.
#[tokio::test]
async fn who_has_the_port_without_listening_is_in_the_way_and_nothing_is_started() {
    let rig = Rig::new();
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    let dialled = SocketAddr::from((Ipv4Addr::LOCALHOST, rig.profile().port()));
    bind(&socket, &dialled).unwrap();
    let is_named = async || {
        let [other] = &rig.processes.in_the_way(rig.profile()).await.unwrap()[..] else { panic!("he is alone") };
        assert!(other.keeps_out() && other.lasts() && other.to_string().contains(&format!(" {dialled}")), "{other}");
        let refused =
            rig.processes.start(rig.profile(), &rig.release("listen")).await.expect_err("it could not listen");
        assert!(refused.to_string().contains(&other.to_string()), "{refused}");
        assert!(!rig.record().exists() && !rig.processes.is_free(rig.profile()).unwrap());
    };
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    is_named().await;
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::connect(&socket, &door.local_addr().unwrap()).unwrap();
    is_named().await;
    drop((door.accept().unwrap(), socket));
    assert_eq!(rig.inspect().await, Occupant::Nobody);
}

/// As behind a rule of the firewall that leads the port into a container.
#[derive(Debug)]
struct SeesNobody;

impl PortOwners for SeesNobody {
    fn listeners(&self, _: u16) -> io::Result<Vec<Listener>> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn where_nobody_listens_somebody_may_answer() {
    let rig = Rig::new();
    let processes = Processes::with_ports(rig.config.clone(), SeesNobody);
    assert_eq!(processes.inspect(rig.profile()).await.unwrap(), Occupant::Nobody);
    let answers = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    assert_eq!(processes.inspect(rig.profile()).await.unwrap(), Occupant::stranger(Stranger::new()));
    processes.start(rig.profile(), &rig.release("listen")).await.expect_err("who answers there would pass for it");
    drop(answers);
    assert_eq!(processes.inspect(rig.profile()).await.unwrap(), Occupant::Nobody);
}

/// A user who may not look at others still sees whose socket it is.
#[tokio::test]
async fn a_hidden_stranger_has_a_user_and_an_address() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can become somebody else");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // the directory of the binary is closed to others
    let exe = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let mut child = Command::new("/proc/self/fd/0");
    child.args(["addresses::looks", "--exact", "--nocapture"]).stdin(Stdio::from(exe)).uid(NOBODY).gid(NOBODY);
    child.env("LOOK_AT", listener.local_addr().unwrap().port().to_string()).env("LOOK_FROM", dir.path());
    let ended = child.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("a hidden process of user root"), "{ended:?}");
}

/// Not a test of its own: what the one above runs as somebody else.
#[tokio::test]
async fn looks() {
    let (Ok(port), Ok(dir)) = (std::env::var("LOOK_AT"), std::env::var("LOOK_FROM")) else { return };
    let rig = Rig::with(|config| {
        let profile = |name: &str, port| bluegreen_core::Profile::new(name.parse().unwrap(), port).unwrap();
        config.state_dir = dir.into();
        let port: u16 = port.parse().unwrap();
        config.profiles = bluegreen_core::Profiles::new(profile("real1", port), profile("real2", port + 1)).unwrap();
    });
    let Occupant::Stranger { who, .. } = rig.inspect().await else { panic!("somebody listens") };
    assert_eq!((who.pid, who.address), (None, Some((Ipv4Addr::LOCALHOST, rig.profile().port()).into())));
    println!("{who}");
}
