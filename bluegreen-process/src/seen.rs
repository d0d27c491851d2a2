//! One look at a process.

use std::{collections::BTreeSet, ffi::OsStr};

use bluegreen_core::{Stranger, sanitize};
use procfs::{
    ProcError,
    process::{Process, Stat, all_processes},
};
use serde::{Deserialize, Serialize};

use crate::host;

/// The variable that marks what bluegreen started, and what that started in turn.
pub(crate) const TOKEN: &str = "BLUEGREEN_TOKEN";

/// A process that cannot be mistaken for another one of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Birth {
    pub(crate) pid: u32,
    /// In clock ticks since boot.
    pub(crate) start: u64,
}

/// A live process as `/proc` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) birth: Birth,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
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

    pub(crate) fn pid(&self) -> u32 {
        self.birth.pid
    }
}

impl Birth {
    /// The process as it is now; `None` when it is gone.
    pub(crate) fn look(self) -> Result<Option<Seen>, ProcError> {
        Ok(look(self.pid)?.filter(|seen| seen.birth == self))
    }
}

/// The live process with this pid.
pub(crate) fn look(pid: u32) -> Result<Option<Seen>, ProcError> {
    Ok(stat(pid)?.filter(lives).map(|stat| Seen::new(&stat)))
}

/// What `/proc` says of this pid, dead but not yet reaped ones included.
pub(crate) fn stat(pid: u32) -> Result<Option<Stat>, ProcError> {
    let Ok(pid) = i32::try_from(pid) else { return Ok(None) };
    match Process::new(pid).and_then(|p| p.stat()) {
        Ok(stat) => Ok(Some(stat)),
        Err(e) if is_gone(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// A zombie is gone, unless only its first thread ended.
fn lives(stat: &Stat) -> bool {
    !matches!(stat.state, 'Z' | 'X') || stat.num_threads > 1
}

fn is_gone(error: &ProcError) -> bool {
    match error {
        ProcError::NotFound(_) => true,
        // ESRCH: it ended while being read
        ProcError::Io(e, _) => e.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()),
        _ => false,
    }
}

/// Every live process that this user may see, in no order.
///
/// # Errors
/// One could not be read for another reason: who is left out here counts as gone.
pub(crate) fn everybody() -> Result<Vec<Seen>, ProcError> {
    let mut everybody = Vec::new();
    for process in all_processes()? {
        let stat = match process {
            Ok(process) => process.stat(),
            Err(e) if is_gone(&e) => continue,
            Err(e) => return Err(e),
        };
        match stat {
            Ok(stat) if lives(&stat) => everybody.push(Seen::new(&stat)),
            // hidden: another user's
            Ok(_) | Err(ProcError::PermissionDenied(_)) => {}
            Err(e) if is_gone(&e) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(everybody)
}

/// Whether this process got `token` from bluegreen. The environment of another user's process is hidden: no.
pub(crate) fn carries(pid: u32, token: &str) -> bool {
    let environ = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok()?.environ().ok());
    environ.is_some_and(|e| e.get(OsStr::new(TOKEN)).is_some_and(|t| t == token))
}

/// The user that a process runs as.
pub(crate) fn uid(pid: u32) -> Option<u32> {
    Some(Process::new(pid.try_into().ok()?).ok()?.status().ok()?.euid)
}

/// Those of `all` that descend from `root`, without it.
pub(crate) fn descendants(root: u32, all: &[Seen]) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([root]);
    while let Some(child) = all.iter().find(|s| found.contains(&s.parent) && !found.contains(&s.pid())) {
        found.insert(child.pid());
    }
    found.remove(&root);
    found
}

/// A process that is not ours. Never its arguments: they may hold secrets, and what is said of it goes into the state and the
/// history.
pub(crate) fn stranger(pid: u32) -> Stranger {
    let program = stat(pid).ok().flatten().map(|stat| sanitize(&stat.comm).replace('\n', " "));
    let mut stranger = Stranger::new();
    stranger.pid = Some(pid);
    stranger.user = uid(pid).map(host::user);
    stranger.program = program.filter(|program| !program.is_empty());
    stranger
}

/// A process for a person to read: pid, user, program.
pub fn describe(pid: u32) -> String {
    stranger(pid).to_string()
}
