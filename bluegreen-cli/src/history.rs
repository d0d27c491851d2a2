//! What was done, one line of JSON for each command that did something. Never read for a decision.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bluegreen_core::{Event, EventKind, EventSink, Failure, Kind, Receipt, ReleaseId};
use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::trust::distrust;

/// A file larger than this becomes `history.jsonl.1`, and that one `.2`, up to [`OLD`].
const LIMIT: u64 = 1 << 20;
const OLD: u32 = 4;

/// One transaction, as a person wants to read about it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) release: ReleaseId,
    #[serde(default)]
    pub(crate) version: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) began: Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) outcome: String,
    pub(crate) exit_code: u8,
    pub(crate) active: Option<String>,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) receipt: Option<Receipt>,
}

/// Follows the events of one command and writes its entry at the end.
#[derive(Debug)]
pub(crate) struct History {
    file: PathBuf,
    began: Timestamp,
    version: Box<dyn Version>,
    entry: Mutex<Option<Entry>>,
}

/// Finds the version of a release.
pub(crate) trait Version: Send + Sync + std::fmt::Debug {
    fn of(&self, release: &ReleaseId) -> Option<String>;
}

impl Version for bluegreen_process::Releases {
    fn of(&self, release: &ReleaseId) -> Option<String> {
        self.get(release).ok()?.version
    }
}

impl History {
    pub(crate) fn new(state_dir: &Path, version: impl Version + 'static) -> Self {
        let (file, version) = (path(state_dir), Box::new(version));
        Self { file, began: Timestamp::now(), version, entry: Mutex::default() }
    }

    fn append(&self, entry: &Entry) -> io::Result<()> {
        if fs::metadata(&self.file).is_ok_and(|meta| meta.len() > LIMIT) {
            rotate(&self.file)?;
        }
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = open(&self.file, OpenOptions::new().append(true).create(true).mode(0o600))?;
        file.write_all(&line)?;
        // with the file itself, when it is new
        file.sync_data()?;
        fs::File::open(self.file.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl EventSink for History {
    fn event(&self, event: &Event) {
        let mut current = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        match (&event.kind, current.as_mut()) {
            (EventKind::Began { kind, from, to, release, .. }, before) => {
                if let Some(before) = before {
                    // what a command had to finish or take back before its own work
                    "recovered".clone_into(&mut before.outcome);
                    before.took_ms = event.elapsed_ms;
                    let _ = self.append(before);
                }
                *current = Some(Entry {
                    number: event.deploy,
                    kind: *kind,
                    release: release.clone(),
                    version: self.version.of(release),
                    from: from.as_ref().map(ToString::to_string),
                    to: to.to_string(),
                    began: self.began,
                    took_ms: 0,
                    outcome: String::new(),
                    exit_code: 0,
                    active: None,
                    failure: None,
                    receipt: None,
                });
            }
            (EventKind::Failed { failure } | EventKind::Undoing { failure }, Some(entry)) => {
                entry.failure.get_or_insert_with(|| failure.clone());
            }
            (EventKind::Finished { outcome, exit_code, active, receipt, .. }, Some(entry)) => {
                entry.took_ms = event.elapsed_ms;
                (entry.outcome, entry.exit_code) = (outcome.clone(), *exit_code);
                (entry.active, entry.receipt) = (active.clone(), receipt.clone());
                // a deploy does not fail because its history cannot be written
                let _ = self.append(entry);
                *current = None;
            }
            _ => {}
        }
    }
}

/// Opens it, never through a link, and only if it is ours.
fn open(file: &Path, options: &mut OpenOptions) -> io::Result<fs::File> {
    let file = options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()).open(file)?;
    match distrust(&file.metadata()?) {
        Some(who) => Err(io::Error::other(who.reason())),
        None => Ok(file),
    }
}

/// Why it cannot be written.
pub(crate) fn trouble(state_dir: &Path) -> Option<String> {
    let file = path(state_dir);
    let error = open(&file, OpenOptions::new().append(true)).err().filter(|e| e.kind() != io::ErrorKind::NotFound)?;
    let link = file.is_symlink().then(|| "it is a symbolic link".to_owned());
    Some(format!("{} is not written: {}", file.display(), link.unwrap_or_else(|| error.to_string())))
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("history.jsonl")
}

fn rotate(file: &Path) -> io::Result<()> {
    let old = |n: u32| file.with_extension(format!("jsonl.{n}"));
    for n in (1..OLD).rev().filter(|n| old(*n).exists()) {
        fs::rename(old(n), old(n + 1))?;
    }
    fs::rename(file, old(1))
}

/// The last `count` entries, oldest first. A line that cannot be read is left out: a power cut may have torn it.
pub(crate) fn last(state_dir: &Path, count: usize) -> Vec<Entry> {
    let file = path(state_dir);
    let mut entries = Vec::new();
    let files = [file.with_extension("jsonl.1"), file];
    for file in files.iter().filter_map(|file| open(file, OpenOptions::new().read(true)).ok()) {
        let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        entries.extend(lines.filter_map(|line| serde_json::from_slice::<Entry>(&line).ok()));
    }
    entries.split_off(entries.len().saturating_sub(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct NoVersion;

    impl Version for NoVersion {
        fn of(&self, _: &ReleaseId) -> Option<String> {
            Some("1.2".into())
        }
    }

    fn finished(dir: &Path, outcome: &str) {
        let events = bluegreen_core::Events::to(History::new(dir, NoVersion));
        let to = bluegreen_core::Profile::new("real1".parse().unwrap(), 1).unwrap();
        let release: ReleaseId = "v1".parse().unwrap();
        let began = EventKind::Began { kind: Kind::Deploy, from: None, to, release, resumed: false };
        events.set_deploy(3);
        events.emit(began);
        let outcome = outcome.to_owned();
        events.emit(EventKind::Finished { outcome, exit_code: 0, active: None, release: None, receipt: None });
    }

    #[test]
    fn keeps_the_last_entries_and_survives_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        finished(dir.path(), "first");
        let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
        file.write_all(b"{\"number\": 4, \"kin\n\xff\xfe\n").unwrap();
        finished(dir.path(), "second");
        let outcomes = |n| last(dir.path(), n).into_iter().map(|e| e.outcome).collect::<Vec<_>>();
        assert_eq!(outcomes(9), ["first", "second"]);
        assert_eq!(outcomes(1), ["second"]);
        assert_eq!(last(dir.path(), 1)[0].version.as_deref(), Some("1.2"));
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("elsewhere");
        fs::write(&target, "as it was").unwrap();
        std::os::unix::fs::symlink(&target, path(dir.path())).unwrap();
        finished(dir.path(), "done");
        assert_eq!(fs::read_to_string(&target).unwrap(), "as it was");
        assert!(trouble(dir.path()).unwrap().contains("symbolic link"));
        assert_eq!(last(dir.path(), 9).len(), 0);
        fs::remove_file(path(dir.path())).unwrap();
        finished(dir.path(), "done");
        assert_eq!((trouble(dir.path()), last(dir.path(), 9).len()), (None, 1));
    }

    #[test]
    fn does_not_grow_without_bound() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..7 {
            fs::write(path(dir.path()), vec![b'x'; usize::try_from(LIMIT).unwrap() + 1]).unwrap();
            finished(dir.path(), "done");
        }
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, usize::try_from(OLD).unwrap() + 1);
    }
}
