//! What `/proc` says of a process.
//!
//! A number is no identity: it is given again. A [`Birth`] is one, in this boot. And not to see something is not to see that it
//! is not there: what can be closed to this user comes as a [`Sight`].

mod cgroup;

use std::{collections::BTreeSet, fs, io, path::Path};

use procfs::{
    ProcError,
    process::{Process, Stat},
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

pub use cgroup::cgroup;

/// A process that cannot be mistaken for another one of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Birth {
    /// Its number.
    pub pid: u32,
    /// When it was forked, in clock ticks since boot.
    pub start: u64,
}

/// A live process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which one.
    pub birth: Birth,
    /// Who forked it, or took it over.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Its session.
    pub session: u32,
}

/// What this user may see of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight<T> {
    /// This.
    Seen(T),
    /// It is closed to this user.
    Hidden,
    /// There is no such process any more.
    Gone,
}

/// The users that a process acts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uids {
    /// Who started it.
    pub real: u32,
    /// Whose rights it has.
    pub effective: u32,
    /// Whose rights it may take again.
    pub saved: u32,
}

impl Seen {
    fn new(stat: &Stat) -> Self {
        let number = |n: i32| n.try_into().unwrap_or_default();
        Self {
            birth: Birth { pid: number(stat.pid), start: stat.starttime },
            parent: number(stat.ppid),
            group: number(stat.pgrp),
            session: number(stat.session),
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.birth.pid
    }
}

impl Birth {
    /// The process as it is now; `None` when it is gone.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn look(self) -> io::Result<Option<Seen>> {
        Ok(look(self.pid)?.filter(|seen| seen.birth == self))
    }
}

impl<T> Sight<T> {
    /// Sorts out the errors that are answers.
    fn of(read: io::Result<T>) -> io::Result<Self> {
        match read {
            Ok(value) => Ok(Self::Seen(value)),
            Err(e) if is_gone(&e) => Ok(Self::Gone),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(Self::Hidden),
            Err(e) => Err(e),
        }
    }
}

/// The live process with this pid.
///
/// # Errors
/// It cannot be told.
pub fn look(pid: u32) -> io::Result<Option<Seen>> {
    Ok(stat(pid)?.filter(lives).map(|stat| Seen::new(&stat)))
}

/// What `/proc` says of this pid, dead but not yet reaped ones included.
///
/// # Errors
/// It cannot be told.
pub fn stat(pid: u32) -> io::Result<Option<Stat>> {
    let Ok(pid) = i32::try_from(pid) else { return Ok(None) };
    match again(|| Process::new(pid).and_then(|p| p.stat()).map_err(io_error)) {
        Ok(stat) => Ok(Some(stat)),
        Err(e) if is_gone(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A zombie is gone, unless only its first thread ended.
fn lives(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X') || stat.num_threads > 1
}

/// ESRCH: it ended while being read.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// The same error with its kind, and with its number where it has one.
fn io_error(error: ProcError) -> io::Error {
    match error {
        ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
        ProcError::PermissionDenied(_) => io::ErrorKind::PermissionDenied.into(),
        ProcError::Io(error, _) => error,
        other => io::Error::other(other),
    }
}

/// Asks again where a signal interrupted the call: neither `opendir` nor procfs does.
fn again<T>(mut ask: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match ask() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// The number of every process that this user may see, in no order.
///
/// # Errors
/// `/proc` cannot be read to its end.
pub fn pids() -> io::Result<Vec<u32>> {
    let number =
        |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().to_str()?.parse().ok()).transpose();
    again(|| fs::read_dir("/proc"))?.filter_map(number).collect()
}

/// Every live process that this user may see, in no order.
///
/// # Errors
/// One could not be read for another reason: who is left out here counts as gone.
pub fn everybody() -> io::Result<Vec<Seen>> {
    let mut everybody = Vec::new();
    for pid in pids()? {
        match look(pid) {
            Ok(seen) => everybody.extend(seen),
            // hidden: another user's
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            Err(e) => return Err(e),
        }
    }
    Ok(everybody)
}

/// Those of `all` that descend from `root`, without it.
pub fn descendants(root: u32, all: &[Seen]) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([root]);
    while let Some(child) = all.iter().find(|s| found.contains(&s.parent) && !found.contains(&s.pid())) {
        found.insert(child.pid());
    }
    found.remove(&root);
    found
}

/// The users that a process acts as.
///
/// # Errors
/// It cannot be told.
pub fn uids(pid: u32) -> io::Result<Sight<Uids>> {
    let Ok(number) = i32::try_from(pid) else { return Ok(Sight::Gone) };
    let status = again(|| Process::new(number).and_then(|p| p.status()).map_err(io_error));
    Sight::of(status.map(|it| Uids { real: it.ruid, effective: it.euid, saved: it.suid }))
}

/// The name that a process gives itself: to show, and for nothing else.
///
/// # Errors
/// It cannot be told.
pub fn name(pid: u32) -> io::Result<Option<String>> {
    Ok(stat(pid)?.map(|stat| stat.comm))
}

/// The sockets that a process holds, by the kernel's numbers.
///
/// # Errors
/// It cannot be told: too many open files, for one.
pub fn sockets(pid: u32) -> io::Result<Sight<BTreeSet<u64>>> {
    let number = |target: &Path| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    let socket = |entry: io::Result<fs::DirEntry>| match fs::read_link(entry?.path()) {
        Ok(target) => Ok(number(&target)),
        // closed meanwhile
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    };
    let all =
        || again(|| fs::read_dir(format!("/proc/{pid}/fd")))?.filter_map(|entry| socket(entry).transpose()).collect();
    Sight::of(all())
}

/// The environment with which a process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(Vec<u8>);

impl Environment {
    /// The value of `name`; `None` when it is not set, or is no text.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.split(|byte| *byte == 0);
        let value = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        std::str::from_utf8(value).ok()
    }
}

/// The environment with which a process began, or what it wrote over it. It is empty for a moment while the kernel exchanges
/// one program for another.
///
/// # Errors
/// It cannot be told.
pub fn environment(pid: u32) -> io::Result<Sight<Environment>> {
    Sight::of(fs::read(format!("/proc/{pid}/environ")).map(Environment))
}

/// Whether a process lives in our own network: a port of another one is another port.
///
/// # Errors
/// It cannot be told.
pub fn shares_our_network(pid: u32) -> io::Result<Sight<bool>> {
    let ours = fs::read_link("/proc/self/ns/net")?;
    Sight::of(fs::read_link(format!("/proc/{pid}/ns/net")).map(|theirs| theirs == ours))
}

#[cfg(test)]
mod tests;
