//! Listeners from `/proc`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufRead, BufReader},
};

use super::{Listener, PortOwners};

/// Reads `/proc/net/tcp`, `/proc/net/tcp6` and the descriptors of processes. The default: nothing to install.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcPorts;

impl PortOwners for ProcPorts {
    fn listeners(&self, port: u16, likely: &[u32]) -> io::Result<Vec<Listener>> {
        let mut sockets = BTreeMap::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            match File::open(table) {
                Ok(file) => read_table(BufReader::new(file), port, &mut sockets)?,
                // a kernel without this family has no listeners of it
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
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

/// Adds the listeners on `port` to `sockets`, by inode.
fn read_table(table: impl BufRead, port: u16, sockets: &mut BTreeMap<u64, Listener>) -> io::Result<()> {
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, local, _, state, _, _, _, uid, _, inode] = fields[..] else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "unknown format of /proc/net/tcp"));
        };
        // the kernel lists all listeners (state 0A) before any connection, of which there may be thousands
        if state != "0A" {
            break;
        }
        let local_port = local.rsplit_once(':').and_then(|(_, hex)| u16::from_str_radix(hex, 16).ok());
        if let (Some(p), Ok(inode)) = (local_port, inode.parse())
            && p == port
        {
            sockets.insert(inode, Listener { uid: uid.parse().ok(), pids: Vec::new() });
        }
    }
    Ok(())
}

/// Notes `pid` at each of `sockets` that it holds. A process that is gone, or hidden, holds nothing that we can see.
fn find_holders(pid: u32, sockets: &mut BTreeMap<u64, Listener>) {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return };
    let held: BTreeSet<u64> = descriptors
        .filter_map(|fd| {
            let target = fs::read_link(fd.ok()?.path()).ok()?;
            target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        })
        .collect();
    for (_, listener) in sockets.iter_mut().filter(|(inode, _)| held.contains(inode)) {
        listener.pids.push(pid);
    }
}
