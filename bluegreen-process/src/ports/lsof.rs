//! Listeners from `lsof`.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use super::{Listener, PortOwners};

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
    fn listeners(&self, port: u16, _likely: &[u32]) -> io::Result<Vec<Listener>> {
        let output = Command::new(&self.program)
            .args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fpuid"])
            .stdin(Stdio::null())
            .output()?;
        // 1 also means "found nothing", then without a word of complaint
        if !(output.status.success() || output.status.code() == Some(1)) {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let mut listeners = parse(&String::from_utf8_lossy(&output.stdout));
        if listeners.is_empty() && answers(port) {
            // unprivileged, lsof is silent about the sockets of other users
            listeners.push(Listener { uid: None, pids: Vec::new() });
        }
        Ok(listeners)
    }
}

/// Reads `-F` output: a `p` line opens a process, `u` is its user, a `d` line is a socket.
pub(crate) fn parse(output: &str) -> Vec<Listener> {
    let mut sockets: BTreeMap<&str, Listener> = BTreeMap::new();
    let (mut pid, mut uid) = (None, None);
    for line in output.lines() {
        let (field, value) = line.split_at_checked(1).unwrap_or_default();
        match field {
            "p" => (pid, uid) = (value.parse().ok(), None),
            "u" => uid = value.parse().ok(),
            "d" => {
                let listener = sockets.entry(value).or_insert(Listener { uid, pids: Vec::new() });
                listener.pids.extend(pid.filter(|p| !listener.pids.contains(p)));
            }
            _ => {}
        }
    }
    sockets.into_values().collect()
}

fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_millis(200));
    // a connection from an ephemeral port to itself is no listener
    stream.is_ok_and(|s| s.local_addr().ok() != s.peer_addr().ok())
}
