//! Who is connected to a profile.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use procfs::net::TcpState;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(50);

/// How many connections are open from this machine to `port` on loopback: nginx's, in use or kept for the next request.
///
/// Only their near ends are counted. The kernel also lists far ends, whose own port is one that is listened on; and what
/// moves while the table is read may be listed twice.
pub(super) fn open_to(port: u16) -> io::Result<usize> {
    let table = procfs::net::tcp().map_err(io::Error::other)?;
    let listening: HashSet<u16> =
        table.iter().filter(|e| e.state == TcpState::Listen).map(|e| e.local_address.port()).collect();
    let profile = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let open = |state: &TcpState| matches!(state, TcpState::Established | TcpState::SynSent);
    let near = table.iter().filter(|e| open(&e.state) && e.remote_address == profile);
    let near: HashSet<u16> = near.map(|e| e.local_address.port()).collect();
    Ok(near.difference(&listening).count())
}

/// Whether anybody listens on `port`, by IPv4 or IPv6.
pub(crate) fn listens(port: u16) -> io::Result<bool> {
    let mut table = procfs::net::tcp().map_err(io::Error::other)?;
    // there is none where IPv6 is off
    table.extend(procfs::net::tcp6().unwrap_or_default());
    Ok(table.iter().any(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port))
}

/// Waits until none is open, at most `within`. nginx closes what it keeps idle after a second.
pub(super) async fn until_none(port: u16, within: Duration) -> io::Result<()> {
    let deadline = Instant::now() + within;
    while open_to(port)? > 0 && Instant::now() < deadline {
        tokio::time::sleep(POLL.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn waits_for_the_last_connection_and_not_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!((open_to(port).unwrap(), listens(port).unwrap()), (0, true));
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(open_to(port).unwrap(), 1, "the app's end is not another connection");
        until_none(port, Duration::from_millis(120)).await.unwrap();
        assert_eq!(open_to(port).unwrap(), 1, "ran out of time");
        drop((client, server));
        let asked = Instant::now();
        until_none(port, Duration::from_secs(30)).await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(20));
    }
}
