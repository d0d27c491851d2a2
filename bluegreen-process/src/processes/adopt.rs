//! Taking over what somebody else started.

use std::{collections::BTreeSet, io};

use bluegreen_core::{Process, Profile, ReleaseId};
use bluegreen_linux::{
    proc::{self, Seen, Sight, Uids},
    users,
};

use super::{Inner, dialled};
use crate::{
    Listener, describe, host,
    oom::Kills,
    record::{OnFile, Record},
    stranger,
};

/// Why a process cannot be adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// Nobody listens.
    #[error("nobody listens on port {0}")]
    Nobody(u16),
    /// A process of bluegreen's own is there.
    #[error("{0} runs a release of bluegreen already")]
    Ours(String),
    /// It is not safe to take it over.
    #[error("cannot adopt what listens on port {port}: {reason}")]
    Refused {
        /// The port.
        port: u16,
        /// Why.
        reason: String,
    },
    /// Something could not be read or written.
    #[error("cannot look at the process or write it down")]
    Io(#[from] io::Error),
}

impl Inner {
    pub(super) fn adopt(&self, profile: &Profile, pid: Option<u32>) -> Result<Process, AdoptError> {
        let refused = |reason| AdoptError::Refused { port: profile.port(), reason };
        if let Some(found) = self.misplaced(profile)? {
            self.save(profile, &found)?;
            return Ok(found.process());
        }
        // also one that does not listen while somebody else does: its record is all that we know of it
        if let Some(earlier) = self.live(profile)?
            && !earlier.family()?.is_empty()
        {
            return Err(AdoptError::Ours(profile.to_string()));
        }
        let listeners = self.ports.answering(dialled(profile), &[])?;
        if listeners.is_empty() {
            return Err(AdoptError::Nobody(profile.port()));
        }
        let leader = pick(pid, &listeners).map_err(refused)?;
        let record = Record {
            release: format!("adopted-{}-{}", leader.pid(), leader.birth.start)
                .parse::<ReleaseId>()
                .map_err(io::Error::other)?,
            boot: host::boot_id()?,
            token: None,
            leader: Some(leader.birth),
            log: None,
            kills: Kills::now(),
            stopped: false,
        };
        let family = record.family()?;
        let is_ours = |l: &Listener| l.pids.iter().all(|pid| family.iter().any(|seen| seen.pid() == *pid));
        if let Some(foreign) = listeners.iter().find(|l| !is_ours(l)) {
            return Err(refused(format!("besides pid {}, it is held by {}", leader.pid(), stranger(foreign))));
        }
        self.save(profile, &record)?;
        Ok(record.process())
    }

    /// A start of ours that has the port by itself, while the record is none or tells of another one, as after a restore that mixed
    /// them up: it is no stranger, and keeps the name of its release.
    fn misplaced(&self, profile: &Profile) -> io::Result<Option<Record>> {
        let on_file = match self.on_file(profile)? {
            OnFile::Record(record) => Some(record.process()),
            OnFile::Nothing | OnFile::Damaged(_) => None,
        };
        Ok(self.find_listening(profile)?.filter(|found| on_file != Some(found.process())))
    }
}

/// The process to adopt: of all that hold the port, the one from which the others descend.
fn pick(pid: Option<u32>, listeners: &[Listener]) -> Result<Seen, String> {
    if let Some(hidden) = listeners.iter().find(|l| l.pids.is_empty()) {
        return Err(format!("it is held by {}", stranger(hidden)));
    }
    let all = proc::everybody().map_err(|e| e.to_string())?;
    let holders: BTreeSet<u32> = listeners.iter().flat_map(|l| l.pids.iter().copied()).collect();
    let leads = |candidate: u32| {
        let children = proc::descendants(candidate, &all);
        holders.iter().all(|holder| *holder == candidate || children.contains(holder))
    };
    let chosen = match pid {
        Some(pid) if leads(pid) => pid,
        Some(pid) => {
            return Err(format!("pid {pid} is not, or not alone, who listens: {}", stranger(&listeners[0])));
        }
        None => holders.iter().copied().find(|holder| leads(*holder)).ok_or_else(|| {
            let pids: Vec<String> = holders.iter().map(ToString::to_string).collect();
            format!("several processes listen, pids {}: name their common parent", pids.join(", "))
        })?,
    };
    let us = rustix::process::geteuid().as_raw();
    let uids = proc::uids(chosen).map_err(|e| e.to_string())?;
    let is_our_user = matches!(uids, Sight::Seen(Uids { effective, .. }) if effective == us);
    if chosen <= 1 || chosen == std::process::id() || !is_our_user {
        return Err(format!("it must be a process of user {}, not {}", users::name(us), describe(chosen)));
    }
    // a shell that started both is an ancestor of what listens, too
    if proc::descendants(chosen, &all).contains(&std::process::id()) {
        return Err(format!("this command runs below {}", describe(chosen)));
    }
    all.into_iter().find(|seen| seen.pid() == chosen).ok_or_else(|| format!("pid {chosen} is gone"))
}
