//! The files of the history, the newest and the older ones.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bluegreen_linux::files::{self, FileError, Rule};
use rustix::io::Errno;

use super::entry::Entry;

/// A file larger than this becomes `history.jsonl.1`, and that one `.2`, up to [`OLD`].
pub(super) const LIMIT: u64 = 1 << 20;
pub(super) const OLD: u32 = 4;
/// With the entry that made it too large, no file of ours has more bytes.
const MOST: u64 = 16 << 20;

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

pub(super) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("history.jsonl")
}

pub(super) fn rotate(file: &Path) -> io::Result<()> {
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
