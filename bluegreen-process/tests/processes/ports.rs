//! Both ways to find port owners, on the cases where such tools differ.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_core::{Occupant, ProcessManager};
use bluegreen_process::{Listener, LsofPorts, PortOwners, ProcPorts, Processes, free_port};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt};

use crate::app;

#[test]
fn proc_finds_listeners_and_nothing_else() {
    cases(&ProcPorts);
}

#[test]
fn lsof_finds_the_same() {
    if Command::new("lsof").arg("-v").stderr(Stdio::null()).status().is_err() {
        eprintln!("SKIPPED: there is no lsof here");
        return;
    }
    cases(&LsofPorts::default());
}

#[tokio::test]
async fn processes_take_either() {
    let rig = crate::rig::Rig::new();
    let process = rig.listening("listen").await;
    let by_lsof = Processes::with_ports(rig.config.clone(), LsofPorts::default());
    match by_lsof.inspect(rig.profile()).await {
        Ok(occupant) => assert_eq!(occupant, Occupant::Ours { process, listening: true }),
        Err(error) => assert!(Command::new("lsof").arg("-v").output().is_err(), "{error}"),
    }
    let none = Processes::with_ports(rig.config.clone(), LsofPorts::new("no-such-lsof"));
    none.inspect(rig.profile()).await.expect_err("cannot tell is not nobody");
}

/// A listener as both ways know it.
type Seen = (SocketAddr, Option<u32>, Vec<u32>);

fn cases(owners: &dyn PortOwners) {
    let us = std::process::id();
    let uid = Some(rustix::process::getuid().as_raw());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let port = at.port();
    let mine: Seen = (at, uid, vec![us]);
    settles(owners, port, std::slice::from_ref(&mine));
    assert_eq!(owners.answering(at, &[us]).unwrap().into_iter().map(known).collect::<Vec<_>>(), [mine]);
    // both ends of a connection have the number too, and so has one that stays when the listener is gone
    let client = TcpStream::connect(at).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert_eq!(owners.listeners(port).unwrap().len(), 1);
    drop(listener);
    settles(owners, port, &[]);
    drop((client, server));

    // a client that connects from the port
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    bind(&client, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let local = SocketAddr::try_from(rustix::net::getsockname(&client).unwrap()).unwrap();
    connect(&client, &target.local_addr().unwrap()).unwrap();
    settles(owners, local.port(), &[]);

    // dual stack: one socket for both families
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap();
    let at = listener.local_addr().unwrap();
    settles(owners, at.port(), &[(at, uid, vec![us])]);
    let dialled = SocketAddr::from((Ipv4Addr::LOCALHOST, at.port()));
    assert_eq!(owners.answering(dialled, &[]).unwrap().len(), 1);

    // three processes on one socket
    let children = Children((0..2).map(|_| run("quiet", 0, listener.try_clone().unwrap().into())).collect());
    let mut all: Vec<u32> = children.0.iter().map(Child::id).chain([us]).collect();
    all.sort_unstable();
    settles(owners, at.port(), &[(at, uid, all)]);
    drop((children, listener));

    // somebody elsewhere on the port, who answers nobody that dials 127.0.0.1
    let elsewhere = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), free_port().unwrap())).unwrap();
    let at = elsewhere.local_addr().unwrap();
    settles(owners, at.port(), &[(at, uid, vec![us])]);
    assert_eq!(owners.answering((Ipv4Addr::LOCALHOST, at.port()).into(), &[]).unwrap(), []);

    reuseport(owners, us);
}

fn known(listener: Listener) -> Seen {
    (listener.address, listener.uid, listener.pids)
}

/// The listeners become these: the other tests of this process fork, and until such a child is another program it holds
/// what we hold.
fn settles(owners: &dyn PortOwners, port: u16, wanted: &[Seen]) {
    let deadline = Instant::now() + crate::rig::PATIENCE;
    loop {
        let mut seen: Vec<Seen> = owners.listeners(port).unwrap().into_iter().map(known).collect();
        for (_, _, pids) in &mut seen {
            pids.sort_unstable();
        }
        if seen == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{seen:?} is not {wanted:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Two sockets of two processes on one port.
fn reuseport(owners: &dyn PortOwners, us: u32) {
    let ours = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_socket_reuseport(&ours, true).unwrap();
    bind(&ours, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    rustix::net::listen(&ours, 8).unwrap();
    let port = SocketAddr::try_from(rustix::net::getsockname(&ours).unwrap()).unwrap().port();
    let child = Children(vec![run("reuse", port, std::fs::File::open("/dev/null").unwrap().into())]);
    let deadline = Instant::now() + crate::rig::PATIENCE;
    loop {
        let mut pids: Vec<Vec<u32>> =
            owners.answering((Ipv4Addr::LOCALHOST, port).into(), &[us]).unwrap().into_iter().map(|l| l.pids).collect();
        pids.sort();
        let mut wanted = [vec![us], vec![child.0[0].id()]];
        wanted.sort();
        if pids == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{pids:?} is not {wanted:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

struct Children(Vec<Child>);

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn run(kind: &str, port: u16, stdin: OwnedFd) -> Child {
    let command = app::command();
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).env("APP_KIND", kind).env("BLUEGREEN_PORT", port.to_string());
    child.stdin(Stdio::from(stdin)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
