//! Whether a directory is a place to keep something of a user in.

use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt as _};

use rustix::fs::{self as sys, Mode, OFlags};
use rustix::io::retry_on_intr;

use super::{
    Hand, Reached,
    system::{is_roots, is_system},
};
use crate::users::{self, User};

/// Why it is no place: a sentence without its subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPlace {
    /// The system's own.
    #[error("it is a directory of the system")]
    System,
    /// There already, and somebody else's.
    #[error("it is there already, and belongs to {}, not to {}", users::shown(*.owner), .wanted)]
    Foreign {
        /// Whose it is.
        owner: u32,
        /// Whose it would have to be.
        wanted: String,
    },
    /// Others may write to it.
    #[error("others may write to it (mode {0:o})")]
    Shared(u32),
    /// Full of other things.
    #[error("it has something in it, and nothing of bluegreen")]
    Full,
    /// Somebody could put another directory in its place.
    #[error("{0}, and could put something else there")]
    Hand(Hand),
}

impl NoPlace {
    /// What to type. `path` is the directory, `key` where it is configured.
    pub fn fix(&self, path: &std::path::Path, key: &str) -> String {
        let path = path.display();
        match self {
            Self::System | Self::Full => format!("choose another {key}"),
            Self::Foreign { wanted, .. } => {
                format!("choose another {key}; or, if it is for this app alone, sudo chown -R {wanted} {path}")
            }
            Self::Shared(_) => format!("chmod go-w {path}"),
            Self::Hand(hand) => hand.fix(),
        }
    }
}

const WRITABLE_BY_OTHERS: u32 = 0o022;

impl Reached {
    /// Whether it is, or could be made, a directory that is `owner`'s alone: what is there is given to nobody, whatever the
    /// configuration says. `ours` tells the names of what we keep there.
    ///
    /// # Errors
    /// [`NoPlace`]; the outer error is that it could not be looked at.
    pub fn fits(&self, owner: &User, ours: impl Fn(&OsStr) -> bool) -> io::Result<Result<(), NoPlace>> {
        if !self.missing().is_empty() {
            if let Some(hand) = self.other_than(&[owner.uid]) {
                return Ok(Err(NoPlace::Hand(hand.clone())));
            }
            let whole = self.missing().iter().fold(self.path().to_owned(), |path, name| path.join(name));
            // where nobody but root leads, it would be root who makes it and gives it away
            let is_roots = self.hands().is_empty() && if owner.uid == 0 { is_system(&whole) } else { is_roots(&whole) };
            return Ok(if is_roots { Err(NoPlace::System) } else { Ok(()) });
        }
        let is_system = is_system(self.path());
        if self.owner() != owner.uid {
            let foreign = NoPlace::Foreign { owner: self.owner(), wanted: owner.name.clone() };
            return Ok(Err(if is_system { NoPlace::System } else { foreign }));
        }
        if self.mode() & WRITABLE_BY_OTHERS != 0 {
            return Ok(Err(NoPlace::Shared(self.mode())));
        }
        // so much is root's that one more sign is wanted
        if owner.uid == 0 && is_system {
            return Ok(Err(NoPlace::System));
        }
        if self.is_full_of_others(ours)? {
            return Ok(Err(NoPlace::Full));
        }
        Ok(Ok(()))
    }

    fn is_full_of_others(&self, ours: impl Fn(&OsStr) -> bool) -> io::Result<bool> {
        let dir = retry_on_intr(|| {
            sys::openat(self.dir(), ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        })?;
        let mut is_full = false;
        for entry in sys::Dir::new(dir)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if ours(name) {
                return Ok(false);
            }
            // a new disk has this one
            is_full |= name != "." && name != ".." && name != "lost+found";
        }
        Ok(is_full)
    }
}
