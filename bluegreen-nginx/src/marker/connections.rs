//! Who is connected to a profile.

use std::{io, net::Ipv4Addr, time::Duration};

use procfs::net::TcpState;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(50);

/// How many connections are open from this machine to `port` on loopback: nginx's, in use or kept for the next request.
///
/// Only their near ends are counted; the kernel also lists the app's end of each.
pub(super) fn open_to(port: u16) -> io::Result<usize> {
    let table = procfs::net::tcp().map_err(io::Error::other)?;
    let to_it = |remote: std::net::SocketAddr| remote.port() == port && remote.ip() == Ipv4Addr::LOCALHOST;
    let open = |state: &TcpState| matches!(state, TcpState::Established | TcpState::SynSent);
    Ok(table.iter().filter(|entry| open(&entry.state) && to_it(entry.remote_address)).count())
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
        assert_eq!(open_to(port).unwrap(), 0);
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
