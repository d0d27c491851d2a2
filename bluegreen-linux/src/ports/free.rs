//! A free port.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

const LOWEST: u16 = 10_000;

/// Starts at a random place, so that several test programs at once rarely meet.
#[expect(clippy::cast_possible_truncation, reason = "any 16 bits will do")]
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(RandomState::new().hash_one(0) as u16));

/// A TCP port that nobody listens on, for an app or server that is started later; never the same one twice in this process.
///
/// It lies below the kernel's ephemeral range: a port inside it can be taken by any outgoing connection between this
/// call and the app's own `bind`. Nothing reserves it against another program.
///
/// # Errors
/// `AddrInUse` when there is no free port.
pub fn free_port() -> io::Result<u16> {
    let span = ephemeral_from().saturating_sub(LOWEST).max(1);
    (0..span)
        .map(|_| LOWEST + NEXT.fetch_add(1, Ordering::Relaxed) % span)
        .find(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, format!("no free port from {LOWEST} on")))
}

/// The first ephemeral port; Linux's default when /proc does not say.
fn ephemeral_from() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|low| low.parse().ok()).filter(|low| *low > LOWEST).unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, as both look at the same counter.
    #[test]
    fn gives_free_ports_and_no_port_twice_and_skips_one_that_is_taken() {
        let ports: std::collections::BTreeSet<_> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|p| (LOWEST..ephemeral_from()).contains(p)));
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port().unwrap())).unwrap();
        let port = taken.local_addr().unwrap().port();
        NEXT.store(port - LOWEST, Ordering::Relaxed);
        assert_ne!(free_port().unwrap(), port);
    }
}
