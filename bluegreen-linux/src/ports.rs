//! Who listens where.
//!
//! Two questions, which are not the same: who answers what is dialled ([`answering`]), and what can prevent a bind
//! ([`Listener::prevents`], [`silent()`]). Somebody on `127.0.0.2:8081` answers nobody who dials `127.0.0.1:8081`, and yet nothing can
//! listen on `0.0.0.0:8081` beside him.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::proc::{self, Sight};

pub(crate) mod diag;
mod free;
mod silent;
pub(crate) mod table;

pub use free::free_port;
pub use silent::{Hold, Silent, is_free, silent};

/// What a socket is at, as the kernel counts it in `net/tcp_states.h`.
mod state {
    pub(super) const CLOSE: u8 = 7;
    pub(super) const LISTEN: u8 = 10;
    /// Bound, and nothing else; older kernels have no number for it and do not show it.
    pub(super) const BOUND: u8 = 13;
    /// Sockets of each.
    pub(super) const ANY: u32 = u32::MAX;
    /// Those that listen, and no others.
    pub(super) const LISTENING: u32 = 1 << LISTEN;
}

/// One listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Where it is bound; an IPv4 address that was mapped into IPv6 as what it is.
    pub address: SocketAddr,
    /// Whether one of `[::]` takes connections of IPv4 too.
    pub dual: bool,
    /// The user that opened it, when known.
    pub uid: Option<u32>,
    /// The kernel's number of it, when known.
    pub inode: Option<u64>,
    /// The control group that it was opened in, when known: all may see that of a socket and of a process.
    pub cgroup: Option<u64>,
    /// The processes that hold it, as far as this user can see; none when they are hidden.
    pub pids: Vec<u32>,
}

impl Listener {
    /// One of whom nothing is known but the address.
    pub fn unseen(address: SocketAddr) -> Self {
        Self { address, dual: false, uid: None, inode: None, cgroup: None, pids: Vec::new() }
    }

    /// How directly the kernel gives it a connection to `dialled`: the lowest gets it. `None` when it never does.
    fn rank(&self, dialled: SocketAddr) -> Option<u8> {
        let (bound, wanted) = (self.address.ip(), dialled.ip().to_canonical());
        match bound {
            _ if self.address.port() != dialled.port() => None,
            bound if bound == wanted => Some(0),
            bound if bound.is_unspecified() && bound.is_ipv4() == wanted.is_ipv4() => Some(1),
            IpAddr::V6(bound) if bound.is_unspecified() && self.dual => Some(2),
            _ => None,
        }
    }

    /// Whether nobody else can listen on `wanted` with the same port. `[::]` stands for both families, as programs ask for it.
    pub fn prevents(&self, wanted: IpAddr) -> bool {
        let (bound, wanted) = (self.address.ip(), wanted.to_canonical());
        let meet = |wanted: IpAddr| bound == wanted || bound.is_unspecified() || wanted.is_unspecified();
        match (bound, wanted) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => meet(wanted),
            (IpAddr::V4(_), IpAddr::V6(wanted)) => wanted.is_unspecified(),
            (IpAddr::V6(_), IpAddr::V4(_)) => self.dual,
        }
    }
}

/// Those of `listeners` that receive what is dialled: of `127.0.0.1:8081` who is bound to that, else to `0.0.0.0`, else to a
/// `[::]` of both families. Several when they share the address by `SO_REUSEPORT`: then each connection goes to any of them.
pub fn answering(listeners: Vec<Listener>, dialled: SocketAddr) -> Vec<Listener> {
    let best = listeners.iter().filter_map(|listener| listener.rank(dialled)).min();
    listeners.into_iter().filter(|listener| best.is_some() && listener.rank(dialled) == best).collect()
}

/// All listeners on `port`, of both families. Who holds them is not looked for.
///
/// # Errors
/// The kernel does not say who listens; never an empty answer instead.
pub fn listening(port: u16) -> io::Result<Vec<Listener>> {
    let on_port = |mut all: Vec<Listener>| {
        all.retain(|listener| listener.address.port() == port);
        all
    };
    // netlink may be closed to a sandbox, the files are not
    match diag::sockets(state::LISTENING) {
        Ok(all) => Ok(on_port(bare(all))),
        Err(_) => table::sockets(state::LISTENING).map(|all| settle(on_port(bare(all)), answers)),
    }
}

fn bare(sockets: Vec<(u8, Listener)>) -> Vec<Listener> {
    sockets.into_iter().map(|(_, socket)| socket).collect()
}

/// Whether somebody answers what is dialled: a listener of this machine, or whoever a rule of the firewall leads to.
///
/// # Errors
/// The kernel does not say who listens.
pub fn is_answered(dialled: SocketAddr) -> io::Result<bool> {
    Ok(!answering(listening(dialled.port())?, dialled).is_empty() || answers(dialled))
}

/// Asks what neither the files of `/proc` nor lsof say of the `[::]` among the listeners on one port: whether it takes IPv4
/// too. Where IPv4 has a listener for itself, that one answers, and there is nothing to ask.
pub fn settle(mut listeners: Vec<Listener>, answers: impl Fn(SocketAddr) -> bool) -> Vec<Listener> {
    let any = listeners.iter().find(|it| it.address.is_ipv6() && it.address.ip().is_unspecified());
    let Some(dialled) = any.map(|it| SocketAddr::from(([127, 0, 0, 1], it.address.port()))) else { return listeners };
    let of_its_own = listeners.iter().any(|it| it.address.is_ipv4() && it.rank(dialled).is_some());
    let dual = !of_its_own && answers(dialled);
    for listener in listeners.iter_mut().filter(|it| it.address.is_ipv6() && it.address.ip().is_unspecified()) {
        listener.dual = dual;
    }
    listeners
}

/// Looks for who holds `listeners`: first among `likely`, and only when one is left without a holder among everybody.
///
/// # Errors
/// It cannot be told who holds what; a process that is closed to this user is not an error.
pub fn find_holders(listeners: &mut [Listener], likely: &[u32]) -> io::Result<()> {
    for &pid in likely {
        let _ = note_holder(pid, listeners)?;
    }
    if listeners.iter().all(|listener| !listener.pids.is_empty()) {
        return Ok(());
    }
    for pid in proc::pids()?.into_iter().filter(|pid| !likely.contains(pid)) {
        let _ = note_holder(pid, listeners)?;
    }
    Ok(())
}

fn note_holder(pid: u32, listeners: &mut [Listener]) -> io::Result<Sight<()>> {
    let held = match proc::sockets(pid)? {
        Sight::Seen(held) => held,
        Sight::Hidden => return Ok(Sight::Hidden),
        Sight::Gone => return Ok(Sight::Gone),
    };
    let is_held = |listener: &&mut Listener| listener.inode.is_some_and(|inode| held.contains(&inode));
    listeners.iter_mut().filter(is_held).for_each(|listener| listener.pids.push(pid));
    Ok(Sight::Seen(()))
}

/// Where the processes `pids` listen.
///
/// # Errors
/// The kernel does not say who listens, or what one of them holds is closed to this user.
pub fn addresses_of(pids: &[u32]) -> io::Result<Vec<SocketAddr>> {
    let mut all = bare(diag::sockets(state::LISTENING).or_else(|_| table::sockets(state::LISTENING))?);
    for &pid in pids {
        if note_holder(pid, &mut all)? == Sight::Hidden {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    Ok(all.into_iter().filter(|listener| !listener.pids.is_empty()).map(|listener| listener.address).collect())
}

/// Whether somebody takes a connection to `address`. "Nobody listens" does not say that nobody does: the firewall may lead
/// it into another network, as that of a container.
pub fn answers(address: SocketAddr) -> bool {
    let stream = TcpStream::connect_timeout(&address, Duration::from_millis(200));
    // a connection from an ephemeral port to itself is no listener
    stream.is_ok_and(|s| s.local_addr().ok() != s.peer_addr().ok())
}

/// Whether what is dialled goes to somebody else than who listens there, as by a rule of the firewall: the connection has no other end
/// here with that address. Where none is made, or it is over at once, that is not seen.
///
/// # Errors
/// The kernel does not show its connections.
pub fn is_led_away(dialled: SocketAddr) -> io::Result<bool> {
    let Ok(stream) = TcpStream::connect_timeout(&dialled, Duration::from_millis(200)) else { return Ok(false) };
    let near = stream.local_addr()?;
    let all = table::connections()?;
    Ok(all.contains(&(near, dialled)) && !all.contains(&(dialled, near)))
}

#[cfg(test)]
mod tests;
