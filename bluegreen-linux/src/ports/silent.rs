//! Who has a port without listening on it: nobody is seen there, and yet nobody else can listen.
//!
//! A socket that is bound and does not listen keeps the address for as long as its owner likes, and so does a connection that
//! was made from there. Whether an address can be had is asked by a bind of our own, and who keeps it is looked for only then:
//! the kernel would name all connections of a machine.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt},
};

use super::{Listener, diag, find_holders, state, table};

/// In what way somebody has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// He listens.
    Listens,
    /// He is bound to it, and neither listens nor is connected.
    Bound,
    /// It is the near end of a connection.
    Connected,
    /// It is the near end of a connection that nobody holds any more: the kernel forgets it within minutes.
    Ends,
    /// The kernel refuses a bind, and does not show who is there.
    Unseen,
}

/// Somebody who has a port and does not listen on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// How he has it.
    pub hold: Hold,
    /// His socket; of one that is unseen, an address that nobody can listen on.
    pub socket: Listener,
}

/// Whether a program could listen on `address` now. Asked by a bind of our own, which takes no connection and keeps out nobody who
/// binds as servers do.
///
/// # Errors
/// It could not be tried, as on a port below 1024.
pub fn is_free(address: SocketAddr) -> io::Result<bool> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None) {
        // nobody can listen there, and nobody is in the way
        Err(Errno::AFNOSUPPORT) => return Ok(true),
        socket => socket?,
    };
    // of what ended a moment ago a server takes no notice
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, !address.ip().is_unspecified())?;
    }
    match bind(&socket, &address) {
        Ok(()) | Err(Errno::ADDRNOTAVAIL) => Ok(true),
        Err(Errno::ADDRINUSE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Those who keep others from listening on one of the addresses `wanted` of `port`, and are none of `listeners`, which are all on that
/// port. Never empty when a bind was refused that none of these explains. What is not ours to try, as a port below 1024, is taken for
/// refused where somebody is bound and does nothing else.
///
/// # Errors
/// It could not be tried, or the kernel does not say who is there.
pub fn silent(port: u16, listeners: &[Listener], wanted: &[IpAddr]) -> io::Result<Vec<Silent>> {
    let (mut refused, mut untried) = (Vec::new(), Vec::new());
    for ip in wanted.iter().filter(|ip| listeners.iter().all(|it| !it.prevents(**ip))) {
        match is_free(SocketAddr::new(*ip, port)) {
            Ok(true) => {}
            Ok(false) => refused.push(*ip),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => untried.push(*ip),
            Err(error) => return Err(error),
        }
    }
    if refused.is_empty() && untried.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = all_on(port)?;
    let prevents = |it: &Silent, ips: &[IpAddr]| ips.iter().any(|ip| it.socket.prevents(*ip));
    found.retain(|it| prevents(it, &refused) || it.hold == Hold::Bound && prevents(it, &untried));
    found.sort_by_key(|it| (it.hold, it.socket.address, it.socket.uid));
    // one of many connections says it
    found.dedup_by_key(|it| (it.hold, it.socket.address, it.socket.uid));
    for it in found.iter_mut().filter(|it| it.socket.inode.is_some()) {
        find_holders(std::slice::from_mut(&mut it.socket), &[])?;
    }
    if found.is_empty() {
        let unseen = |ip| Silent { hold: Hold::Unseen, socket: Listener::unseen(SocketAddr::new(ip, port)) };
        return Ok(refused.into_iter().map(unseen).collect());
    }
    Ok(found)
}

/// Everybody with that port at the near end, but for the listeners.
fn all_on(port: u16) -> io::Result<Vec<Silent>> {
    let all = diag::sockets(state::ANY).or_else(|_| table::sockets(state::ANY))?;
    let here = all.into_iter().filter(|(state, socket)| *state != state::LISTEN && socket.address.port() == port);
    Ok(here.map(|(state, socket)| Silent::new(state, socket)).collect())
}

impl Silent {
    fn new(state: u8, socket: Listener) -> Self {
        // the number is 0 of what no process holds
        let socket = Listener { inode: socket.inode.filter(|inode| *inode != 0), ..socket };
        let hold = match state {
            state::CLOSE | state::BOUND => Hold::Bound,
            _ if socket.inode.is_none() => Hold::Ends,
            _ => Hold::Connected,
        };
        Self { hold, socket }
    }
}
