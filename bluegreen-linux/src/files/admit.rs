//! Letting a group read what is ours.

use std::{io, os::fd::AsFd};

use rustix::fs::{Gid, Mode, fchmod, fchown, fstat};

/// Lets `group` read what its owner reads, and nobody else anything. It takes root, or to be its owner and in the group.
///
/// # Errors
/// It is closed to all but its owner then, or as it was.
pub fn admit(file: impl AsFd, group: u32) -> io::Result<()> {
    let stat = fstat(&file)?;
    let own = stat.st_mode & 0o700;
    if stat.st_gid != group {
        // neither group reads it between the two
        fchmod(&file, Mode::from_raw_mode(own))?;
        fchown(&file, None, Some(Gid::from_raw(group)))?;
    }
    let shared = own | own >> 3 & 0o050;
    if stat.st_gid != group || stat.st_mode & 0o7777 != shared {
        fchmod(&file, Mode::from_raw_mode(shared))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File, Permissions},
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    };

    use super::*;

    #[test]
    fn a_group_reads_what_the_owner_reads_and_nobody_else_anything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        let own = path.metadata().unwrap().gid();
        let other = if rustix::process::geteuid().is_root() { own + 1 } else { own };
        for (before, after) in [(0o600, 0o640), (0o666, 0o640), (0o400, 0o440), (0o777, 0o750), (0o000, 0o000)] {
            for group in [other, own] {
                let file = File::open(dir.path().join("file")).unwrap();
                file.set_permissions(Permissions::from_mode(before)).unwrap();
                admit(&file, group).unwrap();
                let meta = file.metadata().unwrap();
                assert_eq!((meta.gid(), meta.mode() & 0o7777), (group, after), "{before:o}");
                file.set_permissions(Permissions::from_mode(0o600)).unwrap();
            }
        }
    }
}
