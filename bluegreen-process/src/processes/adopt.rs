//! Taking over what somebody else started.

use std::{collections::BTreeSet, io};

use bluegreen_core::{Process, Profile, ReleaseId};

use super::Inner;
use crate::{
    Listener, host,
    oom::Kills,
    record::Record,
    seen::{self, Seen},
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
        // also one that does not listen while somebody else does: its record is all that we know of it
        let earlier = self.load(profile)?.filter(|r| !r.is_over().unwrap_or(false));
        if earlier.is_some_and(|r| r.family().is_ok_and(|family| !family.is_empty())) {
            return Err(AdoptError::Ours(profile.to_string()));
        }
        let listeners = self.ports.listeners(profile.port(), &[])?;
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
        let family = record.family().map_err(io::Error::other)?;
        let is_ours = |l: &Listener| l.pids.iter().all(|pid| family.iter().any(|seen| seen.pid() == *pid));
        if let Some(foreign) = listeners.iter().find(|l| !is_ours(l)) {
            return Err(refused(format!("besides pid {}, it is held by {}", leader.pid(), foreign.stranger())));
        }
        record.save(&self.record_path(profile))?;
        Ok(record.process())
    }
}

/// The process to adopt: of all that hold the port, the one from which the others descend.
fn pick(pid: Option<u32>, listeners: &[Listener]) -> Result<Seen, String> {
    if let Some(hidden) = listeners.iter().find(|l| l.pids.is_empty()) {
        return Err(format!("it is held by {}", hidden.stranger()));
    }
    let all = seen::everybody().map_err(|e| e.to_string())?;
    let holders: BTreeSet<u32> = listeners.iter().flat_map(|l| l.pids.iter().copied()).collect();
    let leads = |candidate: u32| {
        let children = seen::descendants(candidate, &all);
        holders.iter().all(|holder| *holder == candidate || children.contains(holder))
    };
    let chosen = match pid {
        Some(pid) if leads(pid) => pid,
        Some(pid) => {
            return Err(format!("pid {pid} is not, or not alone, who listens: {}", listeners[0].stranger()));
        }
        None => holders.iter().copied().find(|holder| leads(*holder)).ok_or_else(|| {
            let pids: Vec<String> = holders.iter().map(ToString::to_string).collect();
            format!("several processes listen, pids {}: name their common parent", pids.join(", "))
        })?,
    };
    let us = rustix::process::geteuid().as_raw();
    if chosen <= 1 || chosen == std::process::id() || seen::uid(chosen) != Some(us) {
        return Err(format!("it must be a process of user {}, not {}", host::user(us), seen::describe(chosen)));
    }
    // a shell that started both is an ancestor of what listens, too
    if seen::descendants(chosen, &all).contains(&std::process::id()) {
        return Err(format!("this command runs below {}", seen::describe(chosen)));
    }
    all.into_iter().find(|seen| seen.pid() == chosen).ok_or_else(|| format!("pid {chosen} is gone"))
}
