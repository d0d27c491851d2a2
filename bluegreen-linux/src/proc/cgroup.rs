//! The control group of a process, by the number that a socket has too.

use std::{
    fs, io,
    os::{linux::fs::MetadataExt as _, unix::ffi::OsStrExt as _},
    path::Path,
};

use rustix::fs::{FsWord, statfs};

use super::Sight;

/// Where the second version is mounted: alone, or beside the first.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// From `linux/magic.h`.
const MAGIC: FsWord = 0x6367_7270;

/// The control group (of the second version) of a process; `None` where there are none. All may see it.
///
/// # Errors
/// It cannot be told.
pub fn cgroup(pid: u32) -> io::Result<Sight<Option<u64>>> {
    Sight::of(fs::read(format!("/proc/{pid}/cgroup")).map(|text| number(&text)))
}

fn number(text: &[u8]) -> Option<u64> {
    let path = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::/"))?;
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let mount = MOUNTS.iter().find(|mount| statfs(**mount).is_ok_and(|it| it.f_type == MAGIC))?;
    // the number of its directory is its own
    fs::metadata(Path::new(mount).join(path)).ok().map(|meta| meta.st_ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_the_one_that_our_sockets_are_opened_in() {
        let Ok(Sight::Seen(Some(ours))) = cgroup(std::process::id()) else {
            return eprintln!("SKIPPED: no control groups of the second version here");
        };
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listeners = crate::ports::listening(socket.local_addr().unwrap().port()).unwrap();
        assert!(listeners.iter().all(|listener| listener.cgroup.is_none_or(|it| it == ours)), "{ours} {listeners:?}");
        assert_eq!(number(b"4:memory:/x\n1:name=systemd:/\n"), None);
        assert_eq!(number(b"0::/no/such/group\n"), None);
    }
}
