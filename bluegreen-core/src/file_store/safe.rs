//! Opening only what belongs to us.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::OFlags, process::geteuid};

use super::{failed, show};
use crate::StoreError;

/// Group and others may not write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

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

/// The directory is one, is ours, only we may write in it, and no other machine can.
pub(super) fn directory(path: &Path) -> Result<(), StoreError> {
    let meta = fs::symlink_metadata(path).map_err(|e| failed("cannot open", path, &e))?;
    if !meta.is_dir() {
        return Err(unsafe_path(path, "it is not a directory"));
    }
    check(path, &meta)?;
    let stat = rustix::fs::statfs(path).map_err(|e| failed("cannot look at", path, &e.into()))?;
    match network(stat.f_type as i64) {
        Some(kind) => Err(unsafe_path(
            path,
            &format!("it is on {kind}, which several machines can have: use a disk of this machine"),
        )),
        None => Ok(()),
    }
}

fn network(f_type: i64) -> Option<&'static str> {
    NETWORK.iter().find(|(number, _)| *number == f_type).map(|(_, name)| *name)
}

/// Opens a file for reading, never through a link.
pub(super) fn open(path: &Path) -> Result<Option<File>, StoreError> {
    opened(path, OpenOptions::new().read(true))
}

/// Opens a file for reading and writing, and makes it if it is not there.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    let file = opened(path, OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600))?;
    file.ok_or_else(|| failed("cannot open", path, &io::ErrorKind::NotFound.into()))
}

fn opened(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, StoreError> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    match options.custom_flags(flags).open(path) {
        Ok(file) => {
            check(path, &file.metadata().map_err(|e| failed("cannot open", path, &e))?)?;
            Ok(Some(file))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(unsafe_path(path, "it is a symbolic link"))
        }
        Err(e) => {
            // says more than that permission is denied
            if e.kind() == io::ErrorKind::PermissionDenied
                && let Ok(meta) = fs::symlink_metadata(path)
            {
                check(path, &meta)?;
            }
            Err(failed("cannot open", path, &e))
        }
    }
}

fn check(path: &Path, meta: &fs::Metadata) -> Result<(), StoreError> {
    let me = geteuid().as_raw();
    if meta.uid() != me {
        let (owner, path_to) = (meta.uid(), show(path));
        return Err(unsafe_path(
            path,
            &format!("it belongs to uid {owner}, and this is uid {me}; sudo chown {me} {path_to}"),
        ));
    }
    if meta.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(unsafe_path(path, "others may write to it; chmod go-w"));
    }
    Ok(())
}

fn unsafe_path(path: &Path, reason: &str) -> StoreError {
    StoreError::Unsafe { path: show(path), reason: reason.to_owned() }
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
