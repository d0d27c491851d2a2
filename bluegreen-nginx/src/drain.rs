//! What the proxy still has open to a profile, from the kernel's TCP tables. No root needed.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead as _, BufReader},
    time::Duration,
};

use bluegreen_core::{Blind, Profile};
use procfs::{
    FromBufReadSI as _,
    net::{TcpNetEntries, TcpNetEntry, TcpState},
};
use tokio::time::{Instant, sleep};

/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

/// The states of a socket that listens, is open, or is being opened, as the tables write them.
const STATES: [&str; 3] = ["0A", "01", "02"];

/// The TCP sockets of IPv4 and IPv6 that listen or are open. A table that cannot be read is an error: "nobody seen" must mean
/// nobody.
fn sockets() -> io::Result<Vec<TcpNetEntry>> {
    let mut all = table("/proc/net/tcp")?;
    match table("/proc/net/tcp6") {
        Ok(more) => all.extend(more),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {} // IPv6 is off
        Err(error) => return Err(error),
    }
    Ok(all)
}

/// A busy machine has tens of thousands of rows that only wait to be forgotten: they are left out before they are parsed.
fn table(path: &str) -> io::Result<Vec<TcpNetEntry>> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    let mut kept = lines.next().transpose()?.unwrap_or_default() + "\n";
    for line in lines {
        let line = line?;
        if line.split_whitespace().nth(3).is_some_and(|state| STATES.contains(&state)) {
            kept.extend([&line, "\n"]);
        }
    }
    Ok(TcpNetEntries::from_buf_read(kept.as_bytes(), &procfs::LocalSystemInfo).map_err(io::Error::other)?.0)
}

/// Connections on this machine that are open, or being opened, to `port` on loopback. Without upstream keep-alive each is a
/// request, with it the idle ones vanish after nginx's `keepalive_timeout`. Local clients other than nginx count too: whose
/// a socket is only root can see. Far ends, whose own port is listened on, and rows read twice are not counted.
fn connections_to(port: u16) -> io::Result<usize> {
    let sockets = sockets()?;
    let listening: HashSet<u16> =
        sockets.iter().filter(|s| s.state == TcpState::Listen).map(|s| s.local_address.port()).collect();
    let open = |s: &&TcpNetEntry| matches!(s.state, TcpState::Established | TcpState::SynSent);
    let to = |s: &&TcpNetEntry| s.remote_address.port() == port && s.remote_address.ip().to_canonical().is_loopback();
    let near: HashSet<u16> = sockets.iter().filter(open).filter(to).map(|s| s.local_address.port()).collect();
    Ok(near.difference(&listening).count())
}

/// Waits until nothing is open to `profile`, nor any of what else is `leaving`, at most `within`, and says how much is left. Running
/// out of time is no error, not being able to see is one.
pub(crate) async fn drain(
    profile: &Profile,
    within: Duration,
    leaving: impl Fn() -> io::Result<usize>,
) -> Result<usize, Blind> {
    let mut left = 0;
    let drained = wait_until(within, || {
        // a worker that leaves has one of the connections, at least
        left = connections_to(profile.port())?.max(leaving()?);
        Ok(left == 0)
    });
    match drained.await {
        Ok(_) => Ok(left),
        Err(error) => Err(Blind::Requests { profile: profile.to_string(), reason: error.to_string() }),
    }
}

/// Waits until `done`, at most `within`; whether it was. An error of `done` ends it at once.
pub(crate) async fn wait_until(within: Duration, mut done: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    let deadline = Instant::now() + within;
    loop {
        if done()? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    use bluegreen_linux::ports::listening;

    #[tokio::test]
    async fn counts_clients_and_not_the_server_and_waits_for_the_last() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = || connections_to(port).unwrap();
        assert_eq!((open(), listening(port).unwrap().len()), (0, 1));
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!((open(), listening(peer.port()).unwrap().len()), (1, 0));
        assert!(!wait_until(Duration::from_millis(50), || Ok(open() == 0)).await.unwrap());
        drop((client, server));
        assert!(wait_until(Duration::from_secs(20), || Ok(open() == 0)).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn waits_until_it_is_so_or_as_long_as_asked() {
        let within = Duration::from_millis(50);
        let start = Instant::now();
        assert!(!wait_until(within, || Ok(false)).await.unwrap());
        assert!(start.elapsed() >= within);
        let mut looks = 0;
        let third_time = wait_until(Duration::from_secs(60), || {
            looks += 1;
            Ok(looks == 3)
        });
        assert!(third_time.await.unwrap());
        let cannot_see = wait_until(within, || Err(io::Error::other("no /proc")));
        assert_eq!(cannot_see.await.unwrap_err().to_string(), "no /proc", "not seen is not drained");
    }
}
