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

/// The directory is one, is ours, and only we may write in it.
pub(super) fn directory(path: &Path) -> Result<(), StoreError> {
    let meta = fs::symlink_metadata(path).map_err(|e| failed("cannot open", path, &e))?;
    if !meta.is_dir() {
        return Err(unsafe_path(path, "it is not a directory"));
    }
    check(path, &meta)
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
        Err(e) => Err(failed("cannot open", path, &e)),
    }
}

fn check(path: &Path, meta: &fs::Metadata) -> Result<(), StoreError> {
    let me = geteuid().as_raw();
    if meta.uid() != me {
        return Err(unsafe_path(path, &format!("it belongs to uid {}, and this is uid {me}", meta.uid())));
    }
    if meta.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(unsafe_path(path, "others may write to it; chmod go-w"));
    }
    Ok(())
}

fn unsafe_path(path: &Path, reason: &str) -> StoreError {
    StoreError::Unsafe { path: show(path), reason: reason.to_owned() }
}
