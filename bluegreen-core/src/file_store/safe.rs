//! Opening only what belongs to us.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use bluegreen_linux::{
    dirs,
    files::{self, FileError, Rule, Unfit},
};
use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, AtFlags, FileType, Mode, OFlags},
    io::Errno,
    process::geteuid,
};

use super::{failed, show};
use crate::StoreError;

/// Group and others may not write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Who can open a directory can take its lock; nginx's workers pass through it, and need no more.
const OPEN_TO_OTHERS: u32 = 0o066;

/// `f_type` of file systems that several machines can have at once, as in statfs(2).
const NETWORK: [(i64, &str); 9] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x5346_414f, "AFS"),
];

/// As [`judge`], and the home of a state is closed to all who could open it, and so take its lock; but where somebody else could lead
/// the way elsewhere, as that would be closed then.
pub(super) fn directory(path: &Path) -> Result<(), StoreError> {
    let (dir, mode) = judge(path)?;
    let is_ours_alone = || dirs::reach(path).is_ok_and(|way| way.other_than(&[geteuid().as_raw()]).is_none());
    if mode & OPEN_TO_OTHERS != 0 && is_home(&dir, path) && is_ours_alone() {
        // on a disk that is read-only nothing is written either; `check` says that it stays open
        let _ = sys::fchmod(&dir, Mode::from_raw_mode(mode & 0o7777 & !OPEN_TO_OTHERS));
    }
    Ok(())
}

/// The directory, with its mode: it is one, is ours, only we may write in it, and no other machine can. Changes nothing.
pub(super) fn judge(path: &Path) -> Result<(OwnedFd, u32), StoreError> {
    let error = |e: Errno| failed("cannot open", path, &e.into());
    let dir = match retry_on_intr(|| sys::openat(sys::CWD, path, reading() | OFlags::NOFOLLOW, Mode::empty())) {
        Err(Errno::NOTDIR | Errno::LOOP) if is_roots_link(path) => {
            retry_on_intr(|| sys::openat(sys::CWD, path, reading(), Mode::empty()))
        }
        dir => dir,
    };
    let dir = match dir {
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(unsafe_path(path, "it is not a directory", None)),
        // whose it is says more than that permission is denied
        Err(Errno::ACCESS) => {
            let stat = sys::statat(sys::CWD, path, AtFlags::SYMLINK_NOFOLLOW).map_err(error)?;
            check(path, stat.st_uid, stat.st_mode)?;
            return Err(error(Errno::ACCESS));
        }
        dir => dir.map_err(error)?,
    };
    let stat = sys::fstat(&dir).map_err(error)?;
    check(path, stat.st_uid, stat.st_mode)?;
    let disk = sys::fstatfs(&dir).map_err(|e| failed("cannot look at", path, &e.into()))?;
    if let Some(kind) = network(disk.f_type as i64) {
        let why = format!("it is on {kind}, which several machines can have: use a disk of this machine");
        return Err(unsafe_path(path, &why, None));
    }
    Ok((dir, stat.st_mode))
}

fn reading() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// As `/var/lib/bluegreen -> /data/bluegreen` is: nobody but root could have made it.
fn is_roots_link(path: &Path) -> bool {
    dirs::reach(path).is_ok_and(|reached| !reached.follows_others())
}

/// Whether it is ours to close: it has a state in it or nothing at all, and is no directory of the system.
fn is_home(dir: impl AsFd, path: &Path) -> bool {
    let is_file = |name| {
        let stat = sys::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file() && stat.st_uid == geteuid().as_raw())
    };
    let is_dot = |name: &[u8]| matches!(name, b"." | b"..");
    let is_empty = || {
        sys::Dir::read_from(&dir)
            .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_dot(entry.file_name().to_bytes()))))
    };
    let is_system = || path.canonicalize().map_or(true, |path| dirs::is_system(&path));
    (is_file("state.json") || is_file("lock") || is_empty()) && !is_system()
}

fn network(f_type: i64) -> Option<&'static str> {
    NETWORK.iter().find(|(number, _)| *number == f_type).map(|(_, name)| *name)
}

/// The text of a file of `owner`'s; `None` when there is no such file. One that is too long for ours, or no text, is damaged.
pub(super) fn text(path: &Path, owner: u32, limit: u64) -> Result<Option<String>, StoreError> {
    match files::text(path, Rule::OURS.of(owner), limit) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(refused(path, error)),
    }
}

fn refused(path: &Path, error: FileError) -> StoreError {
    let why = match error {
        FileError::Io { why, .. } => return failed("cannot read", path, &why),
        FileError::Unfit { why, .. } => why,
        error => return failed("cannot read", path, &io::Error::from(error)),
    };
    match why {
        Unfit::TooLarge { .. } | Unfit::NoText => StoreError::Corrupt { path: show(path), reason: why.to_string() },
        Unfit::Foreign { owner, me } => foreign(path, owner, me),
        Unfit::Everybody | Unfit::Group => writable(path),
        // what is there is none of ours: without it the state before is used
        why => unsafe_path(path, &why.to_string(), Some(format!("mv {0} {0}.damaged", show(path)))),
    }
}

fn foreign(path: &Path, owner: u32, me: u32) -> StoreError {
    let reason = format!("it belongs to uid {owner}, and this is uid {me}");
    unsafe_path(path, &reason, Some(format!("sudo chown {me} {}", show(path))))
}

fn writable(path: &Path) -> StoreError {
    unsafe_path(path, "others may write to it", Some(format!("chmod go-w {}", show(path))))
}

fn check(path: &Path, owner: u32, mode: u32) -> Result<(), StoreError> {
    let me = geteuid().as_raw();
    if owner != me {
        return Err(foreign(path, owner, me));
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(writable(path));
    }
    Ok(())
}

fn unsafe_path(path: &Path, reason: &str, fix: Option<String>) -> StoreError {
    StoreError::Unsafe { path: show(path), reason: reason.to_owned(), fix }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_disk_of_this_machine_is_told_from_a_share() {
        let [ext4, xfs, tmpfs] = [0xef53, 0x5846_5342, 0x0102_1994];
        assert_eq!([ext4, xfs, tmpfs].map(super::network), [None; 3]);
        assert_eq!([0x6969, 0xff53_4d42].map(super::network), [Some("NFS"), Some("CIFS")]);
    }
}
