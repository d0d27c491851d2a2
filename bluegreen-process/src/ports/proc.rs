//! Listeners from the kernel.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufRead, BufReader},
    net::SocketAddr,
};

use procfs::net::{TcpNetEntry, TcpState};

use super::{Listener, PortOwners, diag};

/// Asks the kernel for the sockets, by netlink or else through `/proc/net/tcp` and `tcp6`, and reads the descriptors of
/// processes. The default: nothing to install.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcPorts;

impl PortOwners for ProcPorts {
    fn listeners(&self, port: u16, likely: &[u32]) -> io::Result<Vec<Listener>> {
        // netlink may be closed to a sandbox, the files are not
        let sockets = diag::listening(port).or_else(|_| read_tables(port))?;
        let listener = |(inode, uid)| (inode, Listener { uid: Some(uid), pids: Vec::new() });
        let mut sockets: BTreeMap<u64, Listener> = sockets.into_iter().map(listener).collect();
        if sockets.is_empty() {
            return Ok(Vec::new());
        }
        for &pid in likely {
            find_holders(pid, &mut sockets);
        }
        if sockets.values().any(|listener| listener.pids.is_empty()) {
            let others = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            others.filter(|pid| !likely.contains(pid)).for_each(|pid| find_holders(pid, &mut sockets));
        }
        Ok(sockets.into_values().collect())
    }
}

fn read_tables(port: u16) -> io::Result<Vec<diag::Socket>> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match File::open(table) {
            Ok(file) => read_table(BufReader::new(file), port, &mut sockets)?,
            // a kernel without this family has no listeners of it
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(sockets)
}

/// Adds the listeners on `port` to `sockets`.
pub(crate) fn read_table(table: impl BufRead, port: u16, sockets: &mut Vec<diag::Socket>) -> io::Result<()> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "unknown format of /proc/net/tcp");
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, local, _, state, _, _, _, uid, _, inode] = fields[..] else {
            return Err(broken());
        };
        // the kernel lists all listeners (state 0A) before any connection, of which there may be thousands
        if state != "0A" {
            break;
        }
        let local_port = local.rsplit_once(':').and_then(|(_, hex)| u16::from_str_radix(hex, 16).ok());
        if local_port.ok_or_else(broken)? == port {
            sockets.push((inode.parse().map_err(|_| broken())?, uid.parse().map_err(|_| broken())?));
        }
    }
    Ok(())
}

/// The addresses on which the processes `pids` listen.
///
/// # Errors
/// The kernel's tables cannot be read.
pub(crate) fn listening_at(pids: &[u32]) -> io::Result<Vec<SocketAddr>> {
    let held: BTreeSet<u64> = pids.iter().flat_map(|pid| held(*pid)).collect();
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let v4 = procfs::net::tcp().map_err(io::Error::other)?;
    // a kernel without this family has no listeners of it
    let v6 = procfs::net::tcp6().unwrap_or_default();
    let ours = |entry: &TcpNetEntry| entry.state == TcpState::Listen && held.contains(&entry.inode);
    Ok(v4.into_iter().chain(v6).filter(ours).map(|entry| entry.local_address).collect())
}

/// The sockets of `pid`.
fn held(pid: u32) -> BTreeSet<u64> {
    let inode = |fd: io::Result<fs::DirEntry>| {
        let target = fs::read_link(fd.ok()?.path()).ok()?;
        target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    };
    fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(inode).collect()
}

/// Notes `pid` at each of `sockets` that it holds. A process that is gone, or hidden, holds nothing that we can see.
fn find_holders(pid: u32, sockets: &mut BTreeMap<u64, Listener>) {
    let held = held(pid);
    for (_, listener) in sockets.iter_mut().filter(|(inode, _)| held.contains(inode)) {
        listener.pids.push(pid);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_process_listens_where_it_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        assert!(listening_at(&[std::process::id()]).unwrap().contains(&at));
        // who is connected does not listen
        let connection = TcpStream::connect(at).unwrap();
        assert!(!listening_at(&[std::process::id()]).unwrap().contains(&connection.local_addr().unwrap()));
        drop(listener);
        assert!(!listening_at(&[std::process::id()]).unwrap().contains(&at));
        assert_eq!(listening_at(&[]).unwrap(), []);
    }

    #[test]
    fn netlink_and_the_files_say_the_same() {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let second = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        let _connection = TcpStream::connect(first.local_addr().unwrap()).unwrap();
        let mut files = read_tables(port).unwrap();
        files.sort_unstable();
        assert_eq!(files.len(), 1 + usize::from(second.is_ok()));
        match diag::listening(port) {
            Ok(mut netlink) => {
                netlink.sort_unstable();
                assert_eq!(netlink, files);
            }
            Err(error) => eprintln!("SKIPPED: no netlink here: {error}"),
        }
    }
}
