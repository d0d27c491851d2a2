//! Directories in the making, and what killed commands left of them.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};

use super::access::only_mode;

pub(super) const TEMPORARY: &str = ".tmp-";

/// A directory in the making. Locked, which tells `sweep` that somebody is at work; removed unless it was renamed.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    _lock: fs::File,
}

impl Scratch {
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        // the sweep of another command may come between making it and locking it
        for _ in 0..10 {
            let path = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(dir)?.keep();
            let lock = match fs::File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock?,
            };
            // what is made in it is for nobody but whom its source says
            only_mode(&lock)?;
            if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() && path.exists() {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::Error::other("somebody keeps removing our temporary directories"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = remove_tree(&self.path);
    }
}

/// Removes what killed commands left in `dir`. Best effort: the next one tries again.
pub(super) fn sweep(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())) {
        let path = entry.path();
        // nothing else under that name: to open a pipe would wait for whoever sits at its other end
        let open = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(dir) = rustix::io::retry_on_intr(|| rustix::fs::open(&path, open, Mode::empty())) else { continue };
        if flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = remove_tree(&path);
        }
    }
}

/// Removes a tree whose directories are read-only, however deep it is.
pub(super) fn remove_tree(dir: &Path) -> io::Result<()> {
    let mut left = vec![dir.to_owned()];
    while let Some(dir) = left.last().cloned() {
        let before = left.len();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        // it is looked at again when those in it are gone
        if left.len() == before {
            fs::remove_dir(&dir)?;
            left.pop();
        }
    }
    Ok(())
}
