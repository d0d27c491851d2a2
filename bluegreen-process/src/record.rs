//! What was started on a profile: written down, and never trusted without a look.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use bluegreen_core::{Process, ReleaseId};
use bluegreen_linux::files::{self, Replace, Rule};
use procfs::ProcError;
use serde::{Deserialize, Serialize};

use crate::{
    host,
    oom::Kills,
    seen::{self, Birth, Seen},
};

/// A record has no more bytes.
const LIMIT: u64 = 1 << 16;

/// The last process that was put on a profile. Holds no secret and no environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) release: ReleaseId,
    /// The boot that `leader` belongs to.
    pub(crate) boot: String,
    /// In the environment of the process; an adopted one has none.
    pub(crate) token: Option<String>,
    /// `None` from before the start until just after it: a kill in between leaves the token to search for.
    pub(crate) leader: Option<Birth>,
    pub(crate) log: Option<PathBuf>,
    /// The kernel's counts at the start.
    #[serde(default)]
    pub(crate) kills: Kills,
    /// `stop` saw the end of it.
    pub(crate) stopped: bool,
}

impl Record {
    /// The identity. A token is enough: 122 random bits, used for one start.
    pub(crate) fn process(&self) -> Process {
        let id = match (&self.token, self.leader) {
            (Some(token), _) => token.clone(),
            (None, Some(leader)) => format!("{}-{}-{}", self.boot, leader.pid, leader.start),
            (None, None) => String::new(),
        };
        Process { release: self.release.clone(), id }
    }

    /// Whether something of it can still live.
    pub(crate) fn is_over(&self) -> io::Result<bool> {
        Ok(self.stopped || self.boot != host::boot_id()?)
    }

    /// The process that was started, if it lives.
    pub(crate) fn live_leader(&self) -> Result<Option<Seen>, ProcError> {
        self.leader.map_or(Ok(None), Birth::look)
    }

    /// Every live process of ours, the leader first. That nobody is left is believed when it was seen twice: one that forks
    /// and ends, between the list of all and the look at it, hides its child from the first look.
    pub(crate) fn family(&self) -> Result<Vec<Seen>, ProcError> {
        let family = self.living()?;
        if family.is_empty() { self.living() } else { Ok(family) }
    }

    fn living(&self) -> Result<Vec<Seen>, ProcError> {
        let all = seen::everybody()?;
        let leader = self.live_leader()?;
        let mut family = match &self.token {
            Some(token) => self.marked(token, leader, &all),
            None => leader.map(|leader| related(leader, &all)).unwrap_or_default(),
        };
        // an app may well run a deploy: the deploy is not the app
        family.retain(|s| s.pid() > 1 && s.pid() != std::process::id());
        family.sort_by_key(|s| (Some(s.birth) != self.leader, s.session != s.pid(), s.birth.start));
        Ok(family)
    }

    /// Who carries the token, wherever it went, and the leader's session: some programs write over their environment. The
    /// session's number is trusted while the leader or a carrier is in it, for that long it is not given to another one.
    fn marked(&self, token: &str, leader: Option<Seen>, all: &[Seen]) -> Vec<Seen> {
        let carriers: Vec<Seen> = all.iter().copied().filter(|s| seen::carries(s.pid(), token)).collect();
        let session = match self.leader {
            Some(leader) => Some(leader.pid),
            None => carriers.iter().find(|s| s.session == s.pid()).map(Seen::pid),
        };
        let session = session.filter(|s| leader.is_some() || carriers.iter().any(|c| c.session == *s));
        all.iter().copied().filter(|s| carriers.contains(s) || session == Some(s.session)).collect()
    }

    /// Reads the record at `path`; `None` when nothing was ever started there.
    pub(crate) fn load(path: &Path) -> io::Result<Option<Self>> {
        let text = match files::text(path, Rule::OURS, LIMIT) {
            Err(error) if error.is_missing() => return Ok(None),
            text => text?,
        };
        serde_json::from_str(&text).map(Some).map_err(|e| with_path(path, &e.into()))
    }

    /// Writes the record, durable and never half.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let dir = path.parent().unwrap_or(Path::new("."));
        private_dir(dir)?;
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        // one writer at a time (the app's lock), so one name will do for both profiles: what a killed one left goes away
        // with the next start, wherever that is
        Ok(files::replace(path, &text, &Replace::private().beside(".new"))?)
    }
}

/// An adopted process has no token: itself, who descends from it, and its process group when it leads one. (The group of
/// a script that started it with `&` is the script's.)
fn related(leader: Seen, all: &[Seen]) -> Vec<Seen> {
    let children = seen::descendants(leader.pid(), all);
    let leads = leader.group == leader.pid();
    let ours = |s: &Seen| *s == leader || children.contains(&s.pid()) || leads && s.group == leader.group;
    all.iter().copied().filter(ours).collect()
}

/// Makes a directory that only this user can look into.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    own_dir(dir, 0o750)
}

/// Makes a directory. One that is there must be one, and ours: not a link to a place where we would write for others.
pub(crate) fn own_dir(dir: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(dir).map_err(|e| with_path(dir, &e))?;
    let meta = fs::symlink_metadata(dir)?;
    let refuse = |why: &str| Err(io::Error::other(format!("{} is not safe: {why}", dir.display())));
    if !meta.is_dir() {
        return refuse("it is a symbolic link");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if meta.mode() & 0o002 != 0 {
        return refuse("everybody may write to it; chmod o-w");
    }
    Ok(())
}

/// The same error with the path in its text.
pub(crate) fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_that_was_cut_off_leaves_nothing_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("processes/real1.json");
        let record = Record {
            release: "v1".parse().unwrap(),
            boot: "boot".into(),
            token: None,
            leader: None,
            log: None,
            kills: Kills::default(),
            stopped: false,
        };
        record.save(&path).unwrap();
        // of the other profile
        fs::write(dir.path().join("processes/.new"), "{\"rel").unwrap();
        record.save(&path).unwrap();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(Record::load(&path).unwrap(), Some(record));
    }
}
