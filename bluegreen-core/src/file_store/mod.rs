//! The state of an app on disk.

pub(crate) mod format;
mod holder;
mod safe;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_linux::{
    files::{self, New, Replace, Rule},
    users,
};
use rustix::{
    process::geteuid,
    time::{ClockId, clock_gettime},
};

use crate::{Holder, Lease, Stamp, State, StateStore, StoreError};

/// How the names of half-written states begin, and the one that they have now.
const TEMPORARY: &str = ".state.";
const NEW: &str = ".state.new";
/// How the names of the files begin that a group may read.
const READ: [&str; 3] = ["state.json", "history.jsonl", "lock"];
/// A state larger than this is not one of ours.
const LIMIT: u64 = 1 << 20;

/// Keeps the state in one directory, which belongs to the user that deploys.
///
/// `state.json` is the state, `state.json.prev` the one before it, `state.json.damaged` one that could not be read when it
/// was replaced, `lock` says who holds the lock. A new state is written beside the old
/// one, synced, renamed over it, and the directory synced: after a power cut there is the old or the new one. The lock is
/// `flock(2)` on the directory: it dies with its holder, and Rust opens every file close-on-exec, so no child inherits it.
#[derive(Debug, Clone)]
pub struct FileStore {
    dir: PathBuf,
    /// Whose the state is.
    owner: u32,
    /// Who reads it besides.
    group: Option<u32>,
}

impl FileStore {
    /// The store in `dir`, which must exist, belong to this user, and be writable for nobody else. Where there is a state
    /// already, or nothing at all, it is closed to all who could open it: they could take the lock, and keep it.
    ///
    /// # Errors
    /// [`StoreError::Unsafe`] when somebody else could write there, [`StoreError::Io`] when it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let dir = dir.into();
        safe::directory(&dir)?;
        Ok(Self { dir, owner: geteuid().as_raw(), group: None })
    }

    /// The store in `dir`, for who only looks: whoever owns it, and whether or not it is safe, which [`FileStore::trouble`] says.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it is not there.
    pub fn look_at(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let dir = dir.into();
        let owner = dir.metadata().map_err(|e| failed("cannot look at", &dir, &e))?.uid();
        Ok(Self { dir, owner, group: None })
    }

    /// The same, where this group reads what is written, as far as it can be given to it.
    #[must_use]
    pub fn with_group(self, group: Option<u32>) -> Self {
        Self { group, ..self }
    }

    /// Why nothing may be written there.
    pub fn trouble(&self) -> Option<StoreError> {
        if self.owner == geteuid().as_raw() { safe::judge(&self.dir).err() } else { None }
    }

    /// Takes the lock of the app whose state is in `dir`, without a note and whoever owns it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when somebody has the lock, [`StoreError::Io`] when the directory is not there.
    pub fn hold(dir: &Path) -> Result<Lease, StoreError> {
        let file = File::open(dir).map_err(|e| failed("cannot open", dir, &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Lease::new(file)),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked(None)),
            Err(fs::TryLockError::Error(e)) => Err(failed("cannot lock", dir, &e)),
        }
    }

    /// Who holds the lock now, to show it. Takes nothing, so it stands in nobody's way.
    pub fn holder(&self) -> Option<Holder> {
        holder::of(&self.dir, &self.path("lock"), self.owner)
    }

    /// Whether `state.json` cannot be read, or is gone, but the state before it can: the reason, for a warning.
    pub fn fell_back(&self) -> Option<StoreError> {
        let why = match self.read("state.json") {
            Ok(None) => StoreError::Corrupt { path: show(&self.path("state.json")), reason: "it is gone".to_owned() },
            Err(why @ StoreError::Corrupt { .. }) => why,
            // of one that is of a newer bluegreen, or that cannot be read, the one before it is not used
            Ok(Some(_)) | Err(_) => return None,
        };
        Some(why).filter(|_| matches!(self.read("state.json.prev"), Ok(Some(_))))
    }

    /// Why the lock cannot be had now. Takes nothing, so it stands in nobody's way.
    pub fn locked(&self) -> Option<StoreError> {
        self.holder().map(|holder| self.locked_by(holder))
    }

    fn locked_by(&self, holder: Holder) -> StoreError {
        if holder::is_command(&holder) { StoreError::Locked(Some(holder)) } else { self.taken(holder.pid) }
    }

    /// Somebody has the lock who is no command of ours.
    fn taken(&self, pid: u32) -> StoreError {
        let user = fs::metadata(format!("/proc/{pid}"))
            .map_or_else(|_| "a user who cannot be seen".to_owned(), |meta| users::shown(meta.uid()));
        StoreError::Taken { path: show(&self.dir), pid, user }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The state in the file `name`; `None` when there is no such file.
    fn read(&self, name: &str) -> Result<Option<State>, StoreError> {
        let path = self.path(name);
        let Some(text) = safe::text(&path, self.owner, LIMIT)? else { return Ok(None) };
        format::parse(&text, &path).map(Some)
    }

    fn write(&self, state: &State) -> io::Result<()> {
        let new = New::write(
            &self.path("state.json"),
            &format::print(state)?,
            &Replace::private().for_group(self.group).beside(NEW),
        )?;
        self.keep_previous()?;
        Ok(new.put()?)
    }

    /// Gives the state in force a second name; the rename that follows takes its first one away.
    fn keep_previous(&self) -> io::Result<()> {
        let (now, previous) = (self.path("state.json"), self.path("state.json.prev"));
        match self.read("state.json") {
            Ok(Some(_)) => second_name(&now, &previous),
            // a damaged state must not replace the good one before it; a person may want to see what it was
            Err(StoreError::Corrupt { .. }) => second_name(&now, &self.path("state.json.damaged")),
            _ => Ok(()),
        }
    }

    /// What a kill between two steps of a save left behind.
    fn sweep(&self) {
        for leftover in self.named(&[TEMPORARY]) {
            // the next save or lock tries again
            let _ = fs::remove_file(leftover);
        }
    }

    /// What was written before the group was this one.
    fn admit(&self) {
        let Some(group) = self.group else { return };
        for file in self.named(&READ) {
            // one that cannot be given to the group is no reason to end
            let _ = files::open(&file, Rule::OURS).map(|file| files::admit(file, group));
        }
    }

    /// The entries whose names begin with one of `prefixes`.
    fn named(&self, prefixes: &[&str]) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let is_meant = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        entries.filter(|entry| entry.file_name().to_str().is_some_and(is_meant)).map(|entry| entry.path()).collect()
    }
}

impl StateStore for FileStore {
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError> {
        // the directory is what is locked: unlike a file in it, nobody removes it by mistake while it is held
        let note = self.path("lock");
        let mut unseen = false;
        let lease = loop {
            match Self::hold(&self.dir) {
                Err(StoreError::Locked(_)) => {}
                result => break result?,
            }
            match self.holder() {
                Some(holder) => return Err(self.locked_by(holder)),
                // where /proc does not show it, the note is all there is
                None if unseen => return Err(StoreError::Locked(holder::read(&note, self.owner))),
                // it may have ended meanwhile
                None => unseen = true,
            }
        };
        self.sweep();
        self.admit();
        holder::leave(&note, who, self.group);
        Ok(lease)
    }

    fn note(&self, _: &Lease, at: Option<String>) {
        let note = self.path("lock");
        if let Some(who) = holder::read(&note, self.owner) {
            holder::leave(&note, &Holder { at, ..who }, self.group);
        }
    }

    fn load(&self) -> Result<State, StoreError> {
        match self.read("state.json") {
            Ok(Some(state)) => Ok(state),
            // what cannot be read now may be good, and newer than the one before it
            Err(error) if !matches!(error, StoreError::Corrupt { .. }) => Err(error),
            first => match self.read("state.json.prev")? {
                Some(state) => Ok(state.outdated()),
                None => first.map(Option::unwrap_or_default),
            },
        }
    }

    fn save(&self, lease: &Lease, state: &State) -> Result<(), StoreError> {
        let locked = lease.guard::<File>().map(File::metadata).transpose();
        let here = fs::metadata(&self.dir);
        match locked.and_then(|locked| Ok(locked.zip(Some(here?)))) {
            Ok(Some((locked, here))) if (locked.dev(), locked.ino()) == (here.dev(), here.ino()) => {}
            Ok(_) => return Err(StoreError::Foreign { path: show(&self.dir) }),
            Err(error) => return Err(failed("cannot look at", &self.dir, &error)),
        }
        self.write(state).map_err(|e| failed("cannot write", &self.path("state.json"), &e))
    }

    fn now(&self) -> Stamp {
        let time = clock_gettime(ClockId::Boottime);
        let since_boot = Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap_or_default());
        // without /proc every moment is of another boot, which counts as expired
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Stamp { boot: boot.trim().to_owned(), since_boot }
    }
}

fn second_name(now: &Path, name: &Path) -> io::Result<()> {
    match fs::remove_file(name) {
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => drop(files::set_aside(name)?),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    fs::hard_link(now, name)
}

fn failed(action: &'static str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io { action, path: show(path), kind: error.kind(), reason: error.to_string() }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
