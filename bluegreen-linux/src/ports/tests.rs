use std::{
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use super::*;

/// Listens on `address`; `v6_only` where that is said.
fn listen(address: SocketAddr, v6_only: Option<bool>) -> OwnedFd {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    if let Some(only) = v6_only {
        sockopt::set_ipv6_v6only(&socket, only).unwrap();
    }
    bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 8).unwrap();
    socket
}

fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), port)
}

/// A machine without IPv6 has half of the cases.
fn has_v6() -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        eprintln!("SKIPPED: no IPv6 here");
    }
    has
}

/// By netlink, and through the files as in a sandbox that has none.
fn both_ways(port: u16) -> [Vec<Listener>; 2] {
    let on_port = |all: Vec<Listener>| -> Vec<Listener> {
        let mut all: Vec<_> = all.into_iter().filter(|it| it.address.port() == port).collect();
        all.sort_by_key(|it| it.inode);
        all
    };
    let files = settle(on_port(bare(table::sockets(state::LISTENING).unwrap())), answers);
    match diag::sockets(state::LISTENING) {
        Ok(all) => [on_port(bare(all)), files],
        Err(error) => {
            eprintln!("SKIPPED: no netlink here: {error}");
            [files.clone(), files]
        }
    }
}

#[test]
fn who_answers_is_not_who_has_the_port() {
    let mine = Some(rustix::process::getuid().as_raw());
    let cases: [(&str, Option<bool>, &str, bool); 8] = [
        ("127.0.0.1", None, "127.0.0.1", true),
        ("0.0.0.0", None, "0.0.0.0", true),
        ("127.0.0.2", None, "127.0.0.2", false),
        ("::1", None, "::1", false),
        ("::", Some(false), "::", true),
        ("::", Some(true), "::", false),
        ("::ffff:127.0.0.1", Some(false), "127.0.0.1", true),
        ("::ffff:127.0.0.2", Some(false), "127.0.0.2", false),
    ];
    let v6 = has_v6();
    for (bound, v6_only, shown, is_answered) in cases.into_iter().filter(|case| v6 || !case.0.contains(':')) {
        let port = free_port().unwrap();
        let _socket = listen(at(bound, port), v6_only);
        let dialled = at("127.0.0.1", port);
        assert_eq!(answers(dialled), is_answered, "what we say of {bound} is what the kernel does");
        for all in both_ways(port) {
            assert_eq!(all.len(), 1, "{bound}: {all:?}");
            assert_eq!((all[0].address, all[0].uid), (at(shown, port), mine));
            assert_eq!(answering(all, dialled).len(), usize::from(is_answered), "{bound} {v6_only:?}");
        }
        assert_eq!(answering(listening(port).unwrap(), at(shown, port)).len(), 1, "{bound} is answered by itself");
    }
}

/// What the kernel lets in beside a listener is what we say that it prevents, and nothing else.
#[test]
fn what_prevents_a_bind_is_told_as_the_kernel_does_it() {
    let v6 = has_v6();
    let there = [
        ("127.0.0.1", None),
        ("0.0.0.0", None),
        ("127.0.0.2", None),
        ("::1", None),
        ("::", Some(false)),
        ("::", Some(true)),
        ("::ffff:127.0.0.2", Some(false)),
    ];
    let wanted: [IpAddr; 4] = [
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
    ];
    for (bound, v6_only) in there.into_iter().filter(|it| v6 || !it.0.contains(':')) {
        let port = free_port().unwrap();
        let _socket = listen(at(bound, port), v6_only);
        let [listener] = &listening(port).unwrap()[..] else { panic!("one listener") };
        for wanted in wanted.into_iter().filter(|it| v6 || it.is_ipv4()) {
            let is_refused = TcpListener::bind((wanted, port)).is_err();
            assert_eq!(listener.prevents(wanted), is_refused, "{bound} {v6_only:?}, then {wanted}");
        }
    }
}

#[test]
fn the_nearest_listener_answers_and_twins_answer_together() {
    let listener = |address: &str, dual| Listener { dual, ..Listener::unseen(address.parse().unwrap()) };
    let dialled = at("127.0.0.1", 8081);
    let answer = |all: &[(&str, bool)]| {
        let all = all.iter().map(|(address, dual)| listener(address, *dual)).collect();
        answering(all, dialled).into_iter().map(|it| it.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(answer(&[("0.0.0.0:8081", false), ("127.0.0.1:8081", false)]), ["127.0.0.1:8081"]);
    assert_eq!(answer(&[("[::]:8081", true), ("0.0.0.0:8081", false)]), ["0.0.0.0:8081"]);
    assert_eq!(answer(&[("[::]:8081", true), ("127.0.0.2:8081", false)]), ["[::]:8081"]);
    assert_eq!(answer(&[("127.0.0.1:8081", false), ("127.0.0.1:8081", false)]).len(), 2);
    assert!(answer(&[("127.0.0.1:8082", false), ("[::]:8081", false), ("[::1]:8081", false)]).is_empty());
}

#[test]
fn of_a_socket_of_all_addresses_it_is_asked_whether_it_takes_both_families() {
    let listener = |address: &str| Listener::unseen(address.parse().unwrap());
    let dual = |others: &[&str], answers: bool| {
        let all = ["[::]:8081"].iter().chain(others).map(|address| listener(address)).collect();
        settle(all, |_| answers)[0].dual
    };
    assert!(dual(&[], true));
    assert!(!dual(&[], false));
    // it is that one who answers, so the answer says nothing
    assert!(!dual(&["127.0.0.1:8081"], true));
    assert!(!dual(&["0.0.0.0:8081"], true));
    assert!(dual(&["127.0.0.2:8081"], true));
    // nobody is asked about anybody else
    let all = settle(vec![listener("127.0.0.1:8081"), listener("[::1]:8081")], |_| panic!("asked"));
    assert!(all.iter().all(|listener| !listener.dual));
}

#[test]
fn a_process_listens_where_it_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (at, us) = (listener.local_addr().unwrap(), [std::process::id()]);
    assert!(addresses_of(&us).unwrap().contains(&at));
    // who is connected does not listen
    let connection = TcpStream::connect(at).unwrap();
    assert!(!addresses_of(&us).unwrap().contains(&connection.local_addr().unwrap()));
    drop(listener);
    assert!(!addresses_of(&us).unwrap().contains(&at));
    assert_eq!(addresses_of(&[]).unwrap(), []);
}

/// Somebody has the address and does not listen on it: a socket that is only bound, the near end of a connection, and that of one
/// that is over and that the kernel keeps.
#[test]
fn who_has_a_port_without_listening_is_named() {
    let (mine, us) = (Some(rustix::process::getuid().as_raw()), std::process::id());
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST)];
    let bound = |port| {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        bind(&socket, &at("127.0.0.1", port)).unwrap();
        socket
    };
    let look = |port| silent(port, &listening(port).unwrap(), &loopback).unwrap();

    let port = free_port().unwrap();
    assert!(is_free(at("127.0.0.1", port)).unwrap() && look(port).is_empty());
    let socket = bound(port);
    assert!(listening(port).unwrap().is_empty() && !is_free(at("127.0.0.1", port)).unwrap());
    // a kernel before 6.8 does not show it
    let found = look(port);
    assert!(matches!(found[0].hold, Hold::Bound | Hold::Unseen) && found[0].socket.address == at("127.0.0.1", port));
    if found[0].hold == Hold::Bound {
        assert_eq!((found[0].socket.uid, &found[0].socket.pids[..]), (mine, &[us][..]));
    }

    rustix::net::connect(&socket, &door.local_addr().unwrap()).unwrap();
    let (far, _) = door.accept().unwrap();
    let found = look(port);
    assert_eq!((found.len(), found[0].hold, found[0].socket.uid), (1, Hold::Connected, mine));
    assert_eq!(found[0].socket.pids, [us]);
    let by_files = table::sockets(state::ANY).unwrap();
    assert!(by_files.iter().any(|(_, socket)| socket.address == at("127.0.0.1", port)), "without netlink too");

    // its side closes first, so that the kernel keeps it
    drop(socket);
    drop(far);
    let ends = |found: &[Silent]| matches!(found, [one] if one.hold == Hold::Ends && one.socket.pids.is_empty());
    // the kernel hears the last FIN and its answer in a softirq of its own, so that a busy machine is a moment behind the two `close`
    let over = Instant::now() + Duration::from_secs(20);
    while !ends(&look(port)) {
        assert!(Instant::now() < over, "{:?}", look(port));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_a_listener_explains_is_no_second_one_in_the_way() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let _near = TcpStream::connect(at).unwrap();
    let _far = listener.accept().unwrap();
    assert!(!is_free(at).unwrap());
    assert_eq!(silent(at.port(), &listening(at.port()).unwrap(), &[at.ip()]).unwrap(), []);
}

/// The rule of a firewall that leads away is played by the adversary, `led-active`.
#[test]
fn who_listens_gets_what_is_dialled() {
    for ip in ["127.0.0.1", "0.0.0.0"] {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let dialled = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
        assert!(!is_led_away(dialled).unwrap(), "{ip}");
        let stream = TcpStream::connect(dialled).unwrap();
        let ends = (stream.local_addr().unwrap(), dialled);
        let all = table::connections().unwrap();
        assert!(all.contains(&ends) && all.contains(&(ends.1, ends.0)), "{ip}: both ends are here");
        drop(listener);
        assert!(!is_led_away(dialled).unwrap(), "nobody listens");
    }
}
