//! What was done, one line of JSON for each command that did something. Never read for a decision.

mod moment;
mod sink;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bluegreen_core::{Failure, Finding, Kind, Receipt, ReleaseId};
use bluegreen_linux::files::{self, FileError, Rule};
use jiff::Timestamp;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    moment::{Moment, Timeline, What},
    sink::{Header, History},
};

/// A file larger than this becomes `history.jsonl.1`, and that one `.2`, up to [`OLD`].
const LIMIT: u64 = 1 << 20;
const OLD: u32 = 4;
/// With the entry that made it too large, no file of ours has more bytes.
const MOST: u64 = 16 << 20;

/// One command's part of a transaction, as a person wants to read about it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Entry {
    /// Of the transaction; 0 when a hook stopped the deploy before there was one.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) release: ReleaseId,
    #[serde(default)]
    pub(crate) version: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(crate) began: Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) outcome: String,
    pub(crate) exit_code: u8,
    pub(crate) active: Option<String>,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) receipt: Option<Receipt>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// The digest of `bluegreen.toml` as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    #[serde(default)]
    pub(crate) timeline: Timeline,
    /// What the autopsy found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) findings: Vec<Finding>,
}

/// Why it cannot be written, or not be read, and what helps.
pub(crate) fn trouble(state_dir: &Path) -> Option<(String, String)> {
    let file = path(state_dir);
    let anew = || "remove it: the next deploy makes it anew".to_owned();
    match files::append(&file, Rule::TRUSTED, None) {
        Err(error) if !error.is_missing() => {
            let what = format!("{} is not written: {}", file.display(), error.without_path());
            // root may do anything, but for what `chattr +i` has closed
            let closed =
                matches!(&error, FileError::Io { why, .. } if why.raw_os_error() == Some(Errno::PERM.raw_os_error()));
            Some((what, if closed { immutable(&file) } else { anew() }))
        }
        _ => all(state_dir).err().map(|error| (format!("the history cannot be read: {error}"), anew())),
    }
}

/// What to type about something that `chattr` has closed.
pub(crate) fn immutable(path: &Path) -> String {
    format!("lsattr -d {0}; sudo chattr -i -a {0}", path.display())
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

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Oldest first.
    pub(crate) entries: Vec<Entry>,
    /// Lines that make no sense, as a power cut leaves them: of what they told, nobody knows.
    pub(crate) torn: usize,
}

impl Kept {
    fn read(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => self.entries.push(entry),
                Err(_) => self.torn += 1,
            }
        }
    }
}

/// All that is kept.
///
/// # Errors
/// A file of it is there, and cannot be read: what is in it is not known.
pub(crate) fn all(state_dir: &Path) -> Result<Kept, FileError> {
    let file = path(state_dir);
    let old = (1..=OLD).rev().map(|n| file.with_extension(format!("jsonl.{n}")));
    let mut kept = Kept::default();
    // who only looks believes who owns the state
    let rule = state_dir.metadata().map_or(Rule::TRUSTED, |meta| Rule::TRUSTED.of(meta.uid()));
    for file in old.chain([file.clone()]) {
        match files::read(&file, rule, MOST) {
            Err(error) if error.is_missing() => {}
            text => kept.read(&text?),
        }
    }
    Ok(kept)
}

/// The entries of one transaction, of `entries`: of this number, else the last of a release with this version or beginning of an
/// id; without an `id` the last of all.
pub(crate) fn find(mut entries: Vec<Entry>, id: Option<&str>) -> Vec<Entry> {
    let named = |entry: &&Entry, id: &str| {
        entry.version.as_deref() == Some(id) || (!id.is_empty() && entry.release.as_str().starts_with(id))
    };
    let number = match id {
        None => entries.last().map(|entry| entry.number),
        Some(id) => match id.trim_start_matches('#').parse() {
            Ok(number) if entries.iter().any(|entry| entry.number == number) => Some(number),
            _ => entries.iter().rev().find(|entry| named(entry, id)).map(|entry| entry.number),
        },
    };
    entries.retain(|entry| Some(entry.number) == number);
    // those without a number have nothing to do with each other
    if number == Some(0) { entries.split_off(entries.len() - 1) } else { entries }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write as _};

    use bluegreen_core::{EventKind, Events};

    use super::{sink::Version, *};

    #[derive(Debug)]
    struct NoVersion;

    impl Version for NoVersion {
        fn of(&self, _: &ReleaseId) -> Option<String> {
            Some("1.2".into())
        }
    }

    fn began(events: &Events, number: u64) {
        let to = bluegreen_core::Profile::new("real1".parse().unwrap(), 1).unwrap();
        let release: ReleaseId = "v1".parse().unwrap();
        events.set_deploy(number);
        events.emit(EventKind::Began { kind: Kind::Deploy, from: None, to, release, resumed: false });
    }

    fn finished(dir: &Path, outcome: &str) -> History {
        let history = History::new(dir, Header::default(), NoVersion);
        let events = Events::to(history.clone());
        began(&events, 3);
        let outcome = outcome.to_owned();
        events.emit(EventKind::Finished { outcome, exit_code: 0, active: None, release: None, receipt: None });
        history
    }

    #[test]
    fn keeps_the_last_entries_and_survives_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        finished(dir.path(), "first");
        let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
        file.write_all(b"{\"number\": 4, \"kin\n\xff\xfe\n").unwrap();
        finished(dir.path(), "second");
        let Kept { entries, torn } = all(dir.path()).unwrap();
        let outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome.as_str()).collect();
        assert_eq!((outcomes, torn), (vec!["first", "second"], 2));
        assert_eq!(entries[1].version.as_deref(), Some("1.2"));
    }

    /// As a power cut, or a full disk, leaves it.
    #[test]
    fn a_line_without_an_end_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        finished(dir.path(), "first");
        let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
        file.write_all(b"{\"number\": 4, \"kin").unwrap();
        finished(dir.path(), "second");
        let Kept { entries, torn } = all(dir.path()).unwrap();
        assert_eq!((entries.last().unwrap().outcome.as_str(), torn), ("second", 1));
    }

    #[test]
    fn what_chattr_has_closed_is_opened_by_chattr() {
        let dir = tempfile::tempdir().unwrap();
        finished(dir.path(), "done");
        let file = path(dir.path());
        let chattr = |how| std::process::Command::new("chattr").arg(how).arg(&file).status();
        if !chattr("+i").is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: no chattr here");
            return;
        }
        let trouble = trouble(dir.path());
        chattr("-i").unwrap();
        assert_eq!(trouble.unwrap().1, immutable(&file));
        assert_eq!(super::trouble(dir.path()), None);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("elsewhere");
        fs::write(&target, "as it was").unwrap();
        std::os::unix::fs::symlink(&target, path(dir.path())).unwrap();
        finished(dir.path(), "done");
        assert_eq!(fs::read_to_string(&target).unwrap(), "as it was");
        assert!(trouble(dir.path()).unwrap().0.contains("symbolic link"));
        assert!(all(dir.path()).is_err(), "what is in it is not known");
        fs::remove_file(path(dir.path())).unwrap();
        finished(dir.path(), "done");
        assert_eq!((trouble(dir.path()), all(dir.path()).unwrap().entries.len()), (None, 1));
    }

    #[test]
    fn an_entry_that_could_not_be_written_is_told_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let lost = || finished(dir.path(), "done").lost();
        assert_eq!(lost(), None);
        fs::remove_file(path(dir.path())).unwrap();
        fs::create_dir(path(dir.path())).unwrap();
        let said = lost().unwrap();
        assert!(said.starts_with("1 entry of this command is not in the history: "), "{said}");
        let history = finished(dir.path(), "done");
        let events = Events::to(history.clone());
        began(&events, 4);
        began(&events, 5);
        let said = history.lost().unwrap();
        assert!(said.starts_with("2 entries of this command are not in the history: "), "{said}");
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

    #[test]
    fn two_halves_of_one_command_are_one_entry() {
        let dir = tempfile::tempdir().unwrap();
        let events = Events::to(History::new(dir.path(), Header::default(), NoVersion));
        events.emit(EventKind::Progress { what: "copying".into(), done: 7, total: 7 });
        for (number, resumed) in [(2, false), (3, false), (3, true)] {
            let to = bluegreen_core::Profile::new("real1".parse().unwrap(), 1).unwrap();
            let release = "v1".parse().unwrap();
            events.set_deploy(number);
            events.emit(EventKind::Began { kind: Kind::Deploy, from: None, to, release, resumed });
        }
        let outcome = "switched".to_owned();
        events.emit(EventKind::Finished { outcome, exit_code: 0, active: None, release: None, receipt: None });
        let entries = all(dir.path()).unwrap().entries;
        let seen: Vec<_> = entries.iter().cloned().map(|e| (e.number, e.outcome)).collect();
        assert_eq!(seen, [(2, "recovered".into()), (3, "switched".into())]);
        let find = |id| find(entries.clone(), id);
        assert_eq!(find(Some("#2"))[0].timeline.moments[0].what, What::Copied { bytes: 7 });
        let number = |id| find(id).first().map(|entry| entry.number);
        assert_eq!(
            (number(None), number(Some("1.2")), number(Some("v")), number(Some("9"))),
            (Some(3), Some(3), Some(3), None)
        );
    }
}
