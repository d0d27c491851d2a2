//! Making a directory for somebody else.

use std::{
    fs::{DirBuilder, File, Permissions},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            ffi::OsStrExt as _,
            fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
        },
    },
    path::{Path, PathBuf},
};

use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, AtFlags, Gid, Mode, OFlags, RenameFlags, Uid},
    io::Errno,
    process::geteuid,
};

use super::{Hand, Reached};
use crate::users::User;

/// Why a directory was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// Somebody else could lead us elsewhere.
    #[error("{0}, and could put something else there")]
    Hand(Hand),
    /// The system said no.
    #[error("{}: {why}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What it said.
        why: io::Error,
    },
}

/// Of the directories above it, whatever the umask.
const PARENT: u32 = 0o755;

impl Reached {
    /// Makes what is missing of the path: directories for all to pass, and the last one with `mode`, whatever the umask, for
    /// `owner`.
    ///
    /// Root gives away what it has just made, through the descriptor that it made it with, and only where nobody else could
    /// exchange it meanwhile. Below a directory of the owner nothing is given away: there the owner makes it.
    ///
    /// # Errors
    /// [`MakeError::Hand`] names who else could lead us elsewhere.
    pub fn make(&self, mode: u32, owner: &User) -> Result<(), MakeError> {
        if self.missing().is_empty() {
            return Ok(());
        }
        let path = self.missing().iter().fold(self.path().to_owned(), |path, name| path.join(name));
        let done = if !geteuid().is_root() {
            make_all(&path, mode)
        } else if self.hands().is_empty() {
            self.give(mode, owner)
        } else if let Some(hand) = self.other_than(&[owner.uid]) {
            return Err(MakeError::Hand(hand.clone()));
        } else {
            owner.act(|| make_all(&path, mode)).and_then(|done| done)
        };
        done.map_err(|why| MakeError::Io { path, why })
    }

    fn give(&self, mode: u32, owner: &User) -> io::Result<()> {
        let Some((name, parents)) = self.missing().split_last() else { return Ok(()) };
        let mut at = readable(self.dir())?;
        for parent in parents {
            sys::mkdirat(&at, parent, Mode::from_raw_mode(PARENT))?;
            let next = directory(&at, parent.as_bytes())?;
            sys::fchmod(&next, Mode::from_raw_mode(PARENT))?;
            sys::fsync(&at)?;
            at = next;
        }
        // under another name until it is theirs: what a killed one leaves is in nobody's way
        let new = [b".new-", name.as_bytes(), format!("-{}", std::process::id()).as_bytes()].concat();
        sys::mkdirat(&at, &*new, Mode::from_raw_mode(0o700))?;
        let give = || {
            let dir = directory(&at, &new)?;
            sys::fchown(&dir, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
            sys::fchmod(&dir, Mode::from_raw_mode(mode))?;
            match sys::renameat_with(&at, &*new, &at, name, RenameFlags::NOREPLACE) {
                // not every file system can; but for root, nobody makes one here meanwhile
                Err(Errno::INVAL | Errno::NOSYS) => sys::renameat(&at, &*new, &at, name),
                renamed => renamed,
            }
        };
        if let Err(error) = give() {
            let _ = sys::unlinkat(&at, &*new, AtFlags::REMOVEDIR);
            return Err(error.into());
        }
        Ok(sys::fsync(&at)?)
    }
}

/// As ourselves: wherever it leads, we have no more rights than we have.
fn make_all(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(PARENT).create(parent)?;
    }
    DirBuilder::new().mode(mode).create(path)?;
    let nofollow = (OFlags::NOFOLLOW | OFlags::DIRECTORY).bits().cast_signed();
    File::options().read(true).custom_flags(nofollow).open(path)?.set_permissions(Permissions::from_mode(mode))
}

fn readable(dir: impl AsFd) -> Result<OwnedFd, Errno> {
    directory(dir, b".")
}

fn directory(at: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let open = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| sys::openat(&at, name, open, Mode::empty()))
}
