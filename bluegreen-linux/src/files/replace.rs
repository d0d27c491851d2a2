//! Replacing a file so that it is the old or the new one at any moment.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, Permissions},
    io::Write as _,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{PermissionsExt as _, fchown},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, AtFlags, Mode, OFlags},
    io::Errno,
    process::geteuid,
};

use super::{
    FileError, Unfit, admit,
    open::{CAREFUL, is_file},
};
use crate::dirs;

/// How a file is replaced.
#[derive(Debug, Clone)]
pub struct Replace {
    /// Its mode, whatever the umask.
    mode: u32,
    /// Whether mode and owner of the one before are kept.
    keeps: bool,
    modified: Option<SystemTime>,
    /// Who reads it besides its owner.
    group: Option<u32>,
    beside: Beside,
}

/// The name of the new file until it is in its place.
#[derive(Debug, Clone)]
enum Beside {
    /// This very name: there is one writer at a time, and what a killed one left is taken away.
    One(OsString),
    /// One that begins so, and that nobody else has.
    Any(&'static str),
}

impl Replace {
    /// A file for its owner only. Several may be at it at once.
    pub fn private() -> Self {
        Self { mode: 0o600, keeps: false, modified: None, group: None, beside: Beside::Any(".new-") }
    }

    /// A file that all may read.
    pub fn public() -> Self {
        Self { mode: 0o644, ..Self::private() }
    }

    /// The same with another mode.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// The same, where mode and owner of a file that is there stay.
    #[must_use]
    pub fn as_before(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// The same with this time of its last change.
    #[must_use]
    pub fn modified(self, modified: Option<SystemTime>) -> Self {
        Self { modified, ..self }
    }

    /// The same, which this group reads too, as far as it can be given to it: what has to be written is written.
    #[must_use]
    pub fn for_group(self, group: Option<u32>) -> Self {
        Self { group, ..self }
    }

    /// The same, written under this name first. There must be one writer at a time.
    #[must_use]
    pub fn beside(self, name: impl Into<OsString>) -> Self {
        Self { beside: Beside::One(name.into()), ..self }
    }

    /// The same, written first under a name that begins so.
    #[must_use]
    pub fn beginning(self, prefix: &'static str) -> Self {
        Self { beside: Beside::Any(prefix), ..self }
    }
}

/// Gives `path` these bytes with one rename; they are on the disk when this returns. What is there must be a regular file:
/// a link, a device or a directory is refused and left as it is.
///
/// As root, no link on the way is followed that others could have put there.
///
/// # Errors
/// The file is the old one, and nothing is left beside it.
pub fn replace(path: &Path, bytes: &[u8], how: &Replace) -> Result<(), FileError> {
    New::write(path, bytes, how)?.put()
}

/// A new file that is whole and on the disk, and not yet in its place. Dropping it removes it.
#[derive(Debug)]
pub struct New {
    dir: Parent,
    /// `None` once it is in its place.
    name: Option<OsString>,
    path: PathBuf,
}

impl New {
    /// Writes it beside `path`.
    ///
    /// # Errors
    /// As [`replace`].
    pub fn write(path: &Path, bytes: &[u8], how: &Replace) -> Result<Self, FileError> {
        let dir = Parent::of(path)?;
        let old = match sys::statat(&dir.fd, last(path)?, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => is_file(path, &stat).map(|()| Some(stat))?,
            Err(Errno::NOENT) => None,
            Err(error) => return Err(FileError::errno(path)(error)),
        };
        let (mut file, name) = dir.make(&how.beside, path)?;
        let new = Self { dir, name: Some(name), path: path.to_owned() };
        let mut write = || {
            file.write_all(bytes)?;
            let mut mode = how.mode;
            if let Some(old) = old.filter(|_| how.keeps) {
                let now = sys::fstat(&file)?;
                mode = old.st_mode & 0o7777;
                if old.st_uid != now.st_uid {
                    fchown(&file, Some(old.st_uid), Some(old.st_gid))?;
                } else if old.st_gid != now.st_gid && fchown(&file, None, Some(old.st_gid)).is_err() {
                    // it is ours, and its group is none of ours: another one gets no more than everybody has
                    mode &= !0o070 | (mode & 0o007) << 3;
                }
            }
            file.set_permissions(Permissions::from_mode(mode))?;
            let _ = how.group.map_or(Ok(()), |group| admit(&file, group));
            how.modified.iter().try_for_each(|time| file.set_modified(*time))?;
            file.sync_all()
        };
        write().map_err(FileError::io(path))?;
        Ok(new)
    }

    /// Puts it into its place.
    ///
    /// # Errors
    /// The rename failed, or may not survive a power cut.
    pub fn put(mut self) -> Result<(), FileError> {
        let failed = FileError::errno(&self.path);
        if let Some(name) = &self.name {
            sys::renameat(&self.dir.fd, name, &self.dir.fd, last(&self.path)?).map_err(&failed)?;
        }
        self.name = None;
        self.dir.sync().map_err(failed)
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = sys::unlinkat(&self.dir.fd, name, AtFlags::empty());
        }
    }
}

fn last(path: &Path) -> Result<&OsStr, FileError> {
    path.file_name().ok_or_else(|| FileError::unfit(path, Unfit::Kind("a directory")))
}

/// The directory of a file.
#[derive(Debug)]
struct Parent {
    fd: OwnedFd,
    /// One that we may enter and not read cannot be synced.
    can_sync: bool,
}

impl Parent {
    fn of(path: &Path) -> Result<Self, FileError> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if geteuid().is_root() {
            let reached = dirs::reach(dir).map_err(FileError::io(dir))?;
            if reached.follows_others() {
                return Err(FileError::unfit(path, Unfit::LinkOnTheWay));
            }
            let fd = reached.into_dir().map_err(FileError::io(dir))?;
            return Self::readable(&fd, Path::new(".")).map_err(FileError::errno(dir));
        }
        Self::readable(sys::CWD, dir).map_err(FileError::errno(dir))
    }

    fn readable(at: impl AsFd, dir: &Path) -> Result<Self, Errno> {
        let open = |access| {
            retry_on_intr(|| sys::openat(&at, dir, OFlags::DIRECTORY | OFlags::CLOEXEC | access, Mode::empty()))
        };
        match open(OFlags::RDONLY) {
            Err(Errno::ACCESS) => Ok(Self { fd: open(OFlags::PATH)?, can_sync: false }),
            fd => Ok(Self { fd: fd?, can_sync: true }),
        }
    }

    fn make(&self, beside: &Beside, path: &Path) -> Result<(File, OsString), FileError> {
        let failed = FileError::errno(path);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | CAREFUL;
        let make = |name: &OsStr| {
            retry_on_intr(|| sys::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600))).map(File::from)
        };
        match beside {
            Beside::One(name) => {
                match sys::unlinkat(&self.fd, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(Errno::ISDIR) => {
                        return Err(FileError::unfit(&path.with_file_name(name), Unfit::Kind("a directory")));
                    }
                    Err(error) => return Err(failed(error)),
                }
                Ok((make(name).map_err(failed)?, name.clone()))
            }
            Beside::Any(prefix) => loop {
                let name = OsString::from(format!("{prefix}{:016x}", random().map_err(&failed)?));
                match make(&name) {
                    Err(Errno::EXIST) => {}
                    file => return Ok((file.map_err(failed)?, name)),
                }
            },
        }
    }

    fn sync(&self) -> Result<(), Errno> {
        if self.can_sync { sys::fsync(&self.fd) } else { Ok(()) }
    }
}

fn random() -> Result<u64, Errno> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}
