//! What the proxy still has open to a profile, from the kernel's TCP tables. No root needed.

use std::{collections::HashSet, time::Duration};

use procfs::net::{TcpNetEntry, TcpState, tcp, tcp6};
use tokio::time::{Instant, sleep};

/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

/// All TCP sockets of IPv4 and IPv6; a table that cannot be read is empty.
fn sockets() -> impl Iterator<Item = TcpNetEntry> {
    tcp().unwrap_or_default().into_iter().chain(tcp6().unwrap_or_default())
}

/// Connections on this machine that are open, or being opened, to `port` on loopback. Without upstream keep-alive each is a
/// request, with it the idle ones vanish after nginx's `keepalive_timeout`. Local clients other than nginx count too: whose
/// a socket is only root can see. Far ends, whose own port is listened on, and rows read twice are not counted.
pub(crate) fn connections_to(port: u16) -> usize {
    let sockets: Vec<_> = sockets().collect();
    let listening: HashSet<u16> =
        sockets.iter().filter(|s| s.state == TcpState::Listen).map(|s| s.local_address.port()).collect();
    let open = |s: &&TcpNetEntry| matches!(s.state, TcpState::Established | TcpState::SynSent);
    let to = |s: &&TcpNetEntry| s.remote_address.port() == port && s.remote_address.ip().to_canonical().is_loopback();
    let near: HashSet<u16> = sockets.iter().filter(open).filter(to).map(|s| s.local_address.port()).collect();
    near.difference(&listening).count()
}

/// The inodes of the sockets that listen on `port`.
pub(crate) fn listeners_on(port: u16) -> Vec<u64> {
    let listens = |s: &TcpNetEntry| s.state == TcpState::Listen && s.local_address.port() == port;
    sockets().filter(listens).map(|s| s.inode).collect()
}

/// Waits until `done`, at most `within`; whether it was.
pub(crate) async fn wait_until(within: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn counts_clients_and_not_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!((connections_to(port), listeners_on(port).len()), (0, 1));
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!((connections_to(port), listeners_on(peer.port()).len()), (1, 0));
        drop((client, server));
        assert_eq!(connections_to(port), 0);
    }

    #[tokio::test]
    async fn waits_until_it_is_so_or_as_long_as_asked() {
        let within = Duration::from_millis(50);
        let start = Instant::now();
        assert!(!wait_until(within, || false).await);
        assert!(start.elapsed() >= within);
        let mut looks = 0;
        let third_time = wait_until(Duration::from_secs(60), || {
            looks += 1;
            looks == 3
        });
        assert!(third_time.await);
    }
}
