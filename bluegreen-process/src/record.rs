//! What was started on a profile: written down, and never trusted without a look.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use bluegreen_core::{Process, ReleaseId};
use bluegreen_linux::{
    files::{self, FileError, Replace, Rule},
    proc::{Birth, Seen},
};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::{host, oom::Kills, releases::Readers};

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

/// What the file of a profile says. A file that cannot be read says nothing of all this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OnFile {
    /// Nothing was ever started there.
    Nothing,
    /// This was started last.
    Record(Record),
    /// Something was, and it cannot be made out what; the text says why.
    Damaged(String),
}

impl Record {
    /// The identity. A token is enough: 122 random bits, used for one start.
    pub(crate) fn process(&self) -> Process {
        let id = match (&self.token, self.leader) {
            (Some(token), _) => token.clone(),
            (None, Some(leader)) => format!("{}-{}-{}", self.boot, leader.pid, leader.start),
            (None, None) => String::new(),
        };
        Process::new(self.release.clone(), id)
    }

    /// Whether something of it can still live.
    pub(crate) fn is_over(&self) -> io::Result<bool> {
        Ok(self.stopped || self.boot != host::boot_id()?)
    }

    /// The process that was started, if it lives.
    pub(crate) fn live_leader(&self) -> io::Result<Option<Seen>> {
        self.leader.map_or(Ok(None), Birth::look)
    }

    /// Reads what the file at `path` says. What is no file of `owner`'s alone is neither followed nor read: others may have written
    /// it, and nobody is signalled by their word.
    pub(crate) fn load(path: &Path, owner: u32) -> io::Result<OnFile> {
        let bytes = match files::read(path, Rule::OURS.of(owner), LIMIT) {
            Err(error) if error.is_missing() => return Ok(OnFile::Nothing),
            Err(error) => match error.reason() {
                Some(why) => return Ok(OnFile::Damaged(why.to_string())),
                // it may be good
                None => return Err(unreadable(path, &error)),
            },
            Ok(bytes) => bytes,
        };
        Ok(serde_json::from_slice(&bytes).map_or_else(|e| OnFile::Damaged(e.to_string()), OnFile::Record))
    }

    /// Writes the record, durable and never half, for `group` to read too.
    pub(crate) fn save(&self, path: &Path, group: Option<u32>) -> io::Result<()> {
        let dir = path.parent().unwrap_or(Path::new("."));
        private_dir(dir)?;
        let _ = Readers { group }.let_into(dir);
        set_aside(path)?;
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        // one writer at a time (the app's lock), so one name will do for both profiles: what a killed one left goes away
        // with the next start, wherever that is
        Ok(files::replace(path, &text, &Replace::private().for_group(group).beside(".new"))?)
    }
}

/// Gives a damaged record another name, for a person to look at; `None` when it is not damaged.
pub(crate) fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let OnFile::Damaged(_) = Record::load(path, geteuid().as_raw())? else { return Ok(None) };
    files::set_aside(path).map(Some)
}

/// The same error with a way out: without the record what runs is found by what it carries.
fn unreadable(path: &Path, error: &FileError) -> io::Error {
    let in_the_way = if error.kind() == io::ErrorKind::NotADirectory { path.parent() } else { None };
    let shown = in_the_way.unwrap_or(path).display();
    io::Error::new(error.kind(), format!("{error}; if that stays so: mv {shown} {shown}.damaged"))
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
    if meta.uid() != geteuid().as_raw() {
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
        record.save(&path, None).unwrap();
        // of the other profile
        fs::write(dir.path().join("processes/.new"), "{\"rel").unwrap();
        record.save(&path, None).unwrap();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(Record::load(&path, geteuid().as_raw()).unwrap(), OnFile::Record(record));
    }
}
