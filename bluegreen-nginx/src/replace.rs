//! Writing a file so that it is old or new at any moment.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::Path,
    time::SystemTime,
};

/// Gives `path` this text with one rename, on the disk when this returns; `modified` is its time, else now. Mode and owner
/// stay; a new file is everybody's to read.
pub(crate) fn replace(path: &Path, text: &str, modified: Option<SystemTime>) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    // a leading dot: `include sites-enabled/*` does not see it; always the same name: what a killed one left goes
    let mut name = OsString::from(".bluegreen-");
    name.push(path.file_name().unwrap_or_default());
    match fs::remove_file(dir.join(&name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    let new = file.as_file();
    match path.metadata() {
        Ok(old) => {
            let made = new.metadata()?;
            if (old.uid(), old.gid()) != (made.uid(), made.gid()) {
                fchown(new, Some(old.uid()), Some(old.gid()))?;
            }
            new.set_permissions(old.permissions())?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => new.set_permissions(Permissions::from_mode(0o644))?,
        Err(error) => return Err(error),
    }
    if let Some(time) = modified {
        new.set_modified(time)?;
    }
    new.sync_all()?;
    file.persist(path)?;
    File::open(dir)?.sync_all()
}
