//! Opening and reading.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, AtFlags, CWD, FileType, Mode, OFlags},
    io::Errno,
};

use super::{FileError, Rights, Rule, Unfit};
use crate::dirs::{self, Hand, Reached};

/// Of every opening: no link is followed, nobody is waited for, no child inherits it, no terminal becomes ours.
pub(super) const CAREFUL: OFlags =
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// So long a lease is waited for; the kernel takes it from who does not give it up, after 45 s as a rule.
const LEASE: Duration = Duration::from_secs(5);

/// Opens something that somebody may have a lease on (fcntl(2)), as a file server takes it: the holder is asked to give it up when it
/// is opened, so it is opened again until he has.
///
/// # Errors
/// As `open`, or he did not in time.
pub fn past_lease<T>(open: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    within(LEASE, open)
}

fn within<T>(limit: Duration, mut open: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let until = Instant::now() + limit;
    loop {
        match retry_on_intr(&mut open) {
            Err(Errno::AGAIN) if Instant::now() < until => sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
}

/// Opens a file for reading.
///
/// # Errors
/// It is not there ([`FileError::is_missing`]), is no regular file, or breaks the rule.
pub fn open(path: &Path, rule: Rule) -> Result<File, FileError> {
    opened(path, OFlags::RDONLY, 0, rule)
}

/// Opens a file to write at its end. With a mode, it is made when it is not there.
///
/// # Errors
/// It is not there or cannot be made, is no regular file, or breaks the rule.
pub fn append(path: &Path, rule: Rule, mode: Option<u32>) -> Result<File, FileError> {
    let create = if mode.is_some() { OFlags::CREATE } else { OFlags::empty() };
    opened(path, OFlags::WRONLY | OFlags::APPEND | create, mode.unwrap_or_default(), rule)
}

/// Opens a file for reading and writing as it is, and makes it with this mode when it is not there.
///
/// # Errors
/// As [`append`].
pub fn create(path: &Path, rule: Rule, mode: u32) -> Result<File, FileError> {
    opened(path, OFlags::RDWR | OFlags::CREATE, mode, rule)
}

/// All that is in a file, which must not be more than `limit` bytes.
///
/// # Errors
/// As [`open`], and [`Unfit::TooLarge`].
pub fn read(path: &Path, rule: Rule, limit: u64) -> Result<Vec<u8>, FileError> {
    read_from(open(path, rule)?, path, limit)
}

fn read_from(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let too_large = || FileError::unfit(path, Unfit::TooLarge { limit });
    let size = file.metadata().map_err(FileError::io(path))?.len();
    if size > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // it may grow while it is read
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(FileError::io(path))?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

/// The same as text.
///
/// # Errors
/// As [`read`], and [`Unfit::NoText`].
pub fn text(path: &Path, rule: Rule, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, rule, limit)?).map_err(|_| FileError::unfit(path, Unfit::NoText))
}

/// A file that links may have led to, and who could have put another one in its place.
#[derive(Debug)]
pub struct Found {
    /// As it was asked for.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// Whose it is, and who else may do what with it.
    pub rights: Rights,
    /// Who, besides root, could have put another file there.
    pub hands: Vec<Hand>,
}

impl Found {
    /// The same, if it keeps the rule.
    ///
    /// # Errors
    /// It breaks the rule.
    pub fn obeys(self, rule: Rule) -> Result<Self, FileError> {
        match rule.broken(&self.rights) {
            Some(why) => Err(FileError::unfit(&self.path, why)),
            None => Ok(self),
        }
    }

    /// All that is in it, which must not be more than `limit` bytes.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(self, limit: u64) -> Result<Vec<u8>, FileError> {
        read_from(self.file, &self.path, limit)
    }

    /// The same as text.
    ///
    /// # Errors
    /// As [`text`].
    pub fn text(self, limit: u64) -> Result<String, FileError> {
        let path = self.path.clone();
        String::from_utf8(self.read(limit)?).map_err(|_| FileError::unfit(&path, Unfit::NoText))
    }
}

/// Whether there is no such thing. What cannot be looked at may be there.
pub fn is_missing(path: &Path) -> bool {
    path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Opens a file for reading whose path was written down by a person, and so may lead through links: whoever made them is
/// among the [`Found::hands`].
///
/// # Errors
/// It is not there, cannot be opened, or is no regular file.
pub fn find(path: &Path) -> Result<Found, FileError> {
    let (dir, name) = way(path)?;
    let seen = sys::statat(dir.dir(), &name, AtFlags::SYMLINK_NOFOLLOW).map_err(FileError::errno(path))?;
    is_file(path, &seen)?;
    let (file, rights) = at(&dir, &name, OFlags::RDONLY | CAREFUL, path)?;
    Ok(Found { path: path.to_owned(), file: file.into(), rights, hands: dir.hands().to_vec() })
}

/// Whose the file is that such a path leads to, and who could put another one in its place. It need not be readable.
///
/// # Errors
/// It is not there, cannot be looked at, or is no regular file.
pub fn look(path: &Path) -> Result<(Rights, Vec<Hand>), FileError> {
    let (dir, name) = way(path)?;
    let (_, rights) = at(&dir, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, path)?;
    Ok((rights, dir.hands().to_vec()))
}

fn way(path: &Path) -> Result<(Reached, OsString), FileError> {
    match dirs::reach_file(path).map_err(FileError::io(path))? {
        (dir, Some(name)) => Ok((dir, name)),
        (dir, None) if dir.missing().is_empty() => Err(FileError::unfit(path, Unfit::Kind("a directory"))),
        _ => Err(FileError::io(path)(io::ErrorKind::NotFound.into())),
    }
}

fn at(dir: &Reached, name: &OsStr, how: OFlags, path: &Path) -> Result<(OwnedFd, Rights), FileError> {
    let fd = past_lease(|| sys::openat(dir.dir(), name, how, Mode::empty())).map_err(FileError::errno(path))?;
    is_file(path, &sys::fstat(&fd).map_err(FileError::errno(path))?)?;
    let rights = Rights::of(&fd).map_err(FileError::errno(path))?;
    Ok((fd, rights))
}

fn opened(path: &Path, access: OFlags, mode: u32, rule: Rule) -> Result<File, FileError> {
    // a device can do something when it is opened, so it is looked at before; what counts is asked of the descriptor
    match sys::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => is_file(path, &stat)?,
        Err(Errno::NOENT) => {}
        Err(error) => return Err(FileError::errno(path)(error)),
    }
    let fd = past_lease(|| sys::openat(CWD, path, access | CAREFUL, Mode::from_raw_mode(mode))).map_err(|error| {
        match error {
            // who put it there did so this very moment
            Errno::LOOP => FileError::unfit(path, Unfit::Link),
            Errno::NXIO => FileError::unfit(path, Unfit::Kind("a pipe")),
            error => refused(path, rule, error),
        }
    })?;
    let stat = sys::fstat(&fd).map_err(FileError::errno(path))?;
    is_file(path, &stat)?;
    match rule.broken(&Rights::of(&fd).map_err(FileError::errno(path))?) {
        Some(why) => Err(FileError::unfit(path, why)),
        None => Ok(fd.into()),
    }
}

/// What the rule says of a file that may not be opened tells more than that permission is denied.
fn refused(path: &Path, rule: Rule, error: Errno) -> FileError {
    let broken = || {
        let place = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = retry_on_intr(|| sys::openat(CWD, path, place, Mode::empty())).ok()?;
        rule.broken(&Rights::of(fd).ok()?)
    };
    match error {
        Errno::ACCESS | Errno::PERM => {
            broken().map_or_else(|| FileError::errno(path)(error), |why| FileError::unfit(path, why))
        }
        error => FileError::errno(path)(error),
    }
}

pub(super) fn is_file(path: &Path, stat: &sys::Stat) -> Result<(), FileError> {
    match Unfit::of_kind(FileType::from_raw_mode(stat.st_mode)) {
        Some(why) => Err(FileError::unfit(path, why)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_lease_is_waited_for_and_not_for_ever() {
        let mut left = 2;
        let mut open = || {
            left -= 1;
            if left < 0 { Ok(()) } else { Err(Errno::AGAIN) }
        };
        assert_eq!(past_lease(&mut open), Ok(()));
        assert_eq!(within(Duration::ZERO, || Err::<(), _>(Errno::AGAIN)), Err(Errno::AGAIN));
        let told = FileError::errno(Path::new("/x"))(Errno::AGAIN);
        assert_eq!(told.kind(), io::ErrorKind::WouldBlock);
        assert!(told.to_string().starts_with("/x: another process has a lease on it"), "{told}");
    }
}
