use std::{
    net::{Ipv4Addr, TcpListener},
    os::fd::AsRawFd as _,
    process::{Child, Command, Stdio},
};

use super::*;

/// A process of ours with a variable; it ends with its input.
fn child() -> Child {
    Command::new("cat").env("MARK", "a=b").stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_process_is_who_it_is_until_it_is_gone() {
    let mut child = child();
    let seen = look(child.id()).unwrap().unwrap();
    assert_eq!((seen.pid(), seen.parent), (child.id(), std::process::id()));
    assert_eq!(seen.birth.look().unwrap(), Some(seen));
    assert_eq!(Birth { start: seen.birth.start + 1, ..seen.birth }.look().unwrap(), None, "a number is no identity");
    assert!(everybody().unwrap().contains(&seen));
    let us = rustix::process::getuid().as_raw();
    assert_eq!(uids(child.id()).unwrap(), Sight::Seen(Uids { real: us, effective: us, saved: us }));
    assert_eq!(shares_our_network(child.id()).unwrap(), Sight::Seen(true));
    child.kill().unwrap();
    // dead, and not yet reaped
    while look(child.id()).unwrap().is_some() {
        std::thread::yield_now();
    }
    assert!(stat(child.id()).unwrap().is_some());
    child.wait().unwrap();
    assert_eq!(seen.birth.look().unwrap(), None);
    assert_eq!(stat(child.id()).unwrap().map(|stat| stat.starttime).filter(|start| *start == seen.birth.start), None);
}

#[test]
fn what_is_gone_is_gone_everywhere() {
    let mut child = child();
    child.kill().unwrap();
    child.wait().unwrap();
    let pid = child.id();
    assert_eq!(sockets(pid).unwrap(), Sight::Gone);
    assert_eq!(environment(pid).unwrap(), Sight::Gone);
    assert_eq!(uids(pid).unwrap(), Sight::Gone);
}

#[test]
fn the_environment_has_its_values_and_no_half_names() {
    let mut child = child();
    // until the fork has become the program, it has the environment of this test
    let value = loop {
        match environment(child.id()).unwrap() {
            Sight::Seen(environment) if environment.get("MARK").is_some() => break environment,
            _ => std::thread::yield_now(),
        }
    };
    assert_eq!((value.get("MARK"), value.get("MAR"), value.get("a")), (Some("a=b"), None, None));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_process_holds_what_is_in_its_list() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
    let Sight::Seen(held) = sockets(std::process::id()).unwrap() else { panic!("it is us") };
    assert!(held.iter().any(|inode| target.to_str() == Some(&format!("socket:[{inode}]"))), "{held:?} {target:?}");
}

/// What is closed is neither empty nor an error.
#[test]
fn what_is_closed_to_us_is_hidden() {
    if rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: nothing is closed to root");
        return;
    }
    assert_eq!(sockets(1).unwrap(), Sight::Hidden);
    assert_eq!(environment(1).unwrap(), Sight::Hidden);
}
