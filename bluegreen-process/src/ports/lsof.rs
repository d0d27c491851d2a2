//! Listeners from `lsof`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use bluegreen_linux::{
    ports::{answering, answers, settle},
    program::Program,
};

use super::{Listener, PortOwners};

/// On a machine with hung network file systems `lsof` may wait for ever.
const WITHIN: Duration = Duration::from_secs(10);

/// Asks `lsof -nP -iTCP:PORT -sTCP:LISTEN`, for hosts whose `/proc` is closed to us and whose `lsof` is not.
///
/// Without `-sTCP:LISTEN`, lsof also names every process with a connection to the port, nginx's workers for example.
#[derive(Debug, Clone)]
pub struct LsofPorts {
    program: PathBuf,
}

impl Default for LsofPorts {
    fn default() -> Self {
        Self::new("lsof")
    }
}

impl LsofPorts {
    /// Uses this `lsof`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }
}

impl PortOwners for LsofPorts {
    fn listeners(&self, port: u16) -> io::Result<Vec<Listener>> {
        let words = ["-nPw", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpuidtn"].map(OsString::from);
        let program = [self.program.clone().into_os_string()].into_iter().chain(words);
        let said = Program::new(program).run_blocking(WITHIN).map_err(io::Error::other)?;
        // 1 also means "found nothing", then without a word of complaint: `-w` keeps mere warnings away
        if !(said.status.success() || said.status.code() == Some(1) && said.err.is_empty()) {
            return Err(io::Error::other(said.err.trim().to_owned()));
        }
        let mut listeners = settle(parse(&said.out)?, answers);
        let dialled = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if answering(listeners.clone(), dialled).is_empty() && answers(dialled) {
            // unprivileged, lsof is silent about the sockets of other users
            listeners.push(Listener::unseen(dialled));
        }
        Ok(listeners)
    }
}

/// Reads `-F` output: a `p` line opens a process, `u` is its user; a `t` line opens a socket, `d` is its number, `n` its address.
pub(crate) fn parse(output: &str) -> io::Result<Vec<Listener>> {
    let broken = |line: &str| io::Error::new(io::ErrorKind::InvalidData, format!("unknown form of lsof: {line:?}"));
    let mut sockets: BTreeMap<(&str, SocketAddr), Listener> = BTreeMap::new();
    let (mut pid, mut uid, mut v6, mut number) = (None, None, false, "");
    for line in output.lines() {
        let (field, value) = line.split_at_checked(1).unwrap_or_default();
        match field {
            "p" => (pid, uid) = (Some(value.parse().map_err(|_| broken(line))?), None),
            "u" => uid = value.parse().ok(),
            "t" => (v6, number) = (value == "IPv6", ""),
            "d" => number = value,
            "n" => {
                let address = address(value, v6).ok_or_else(|| broken(line))?;
                let inode = number.parse().ok();
                let unseen = Listener::unseen(address);
                let listener = sockets.entry((number, address)).or_insert(Listener { uid, inode, ..unseen });
                listener.pids.extend(pid.filter(|p| !listener.pids.contains(p)));
            }
            _ => {}
        }
    }
    Ok(sockets.into_values().collect())
}

/// Reads `127.0.0.1:8081`, `[::1]:8081` and `*:8081`, which is of either family.
fn address(text: &str, v6: bool) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix("*:") {
        let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        return Some(SocketAddr::new(any, port.parse().ok()?));
    }
    let address: SocketAddr = text.parse().ok()?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}
