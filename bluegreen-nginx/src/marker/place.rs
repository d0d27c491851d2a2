//! Where a route directory may be.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A place where a route would be lost, or where nginx could not see it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Gone after a reboot, cleaned by the system, or hidden from nginx by its unit file.
    #[error("{path} is {why}: choose a directory on a disk, as /var/lib/bluegreen/APP (or set allow_temporary = true)")]
    Temporary {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Somebody else could replace the route.
    #[error("{path} {why}")]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, and what to type.
        why: String,
    },
    /// nginx's workers are another user, who cannot get through.
    #[error("nginx's workers cannot enter {path}: chmod o+x {path}", path = .0.display())]
    NotSearchable(PathBuf),
    /// It could not be looked at.
    #[error("cannot look at {path}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

const TMPFS: [i64; 2] = [0x0102_1994, 0x8584_58f6];
const TEMPORARY: [(&str, &str); 7] = [
    ("/run", "below /run, which is empty after a reboot"),
    ("/var/run", "below /run, which is empty after a reboot"),
    ("/dev/shm", "in memory, and empty after a reboot"),
    ("/tmp", "a temporary directory, which nginx's unit may hide from it"),
    ("/var/tmp", "a temporary directory, which nginx's unit may hide from it"),
    ("/home", "below a home, which nginx's workers cannot enter"),
    ("/root", "below a home, which nginx's workers cannot enter"),
];

/// Whether a route directory may be at `path` (which need not exist yet): on a disk, no other user than root and `owner` can
/// replace it, and nginx's workers can enter every directory on the way. `allow_temporary` lets all but the last pass, for
/// tests and demos.
///
/// # Errors
/// [`PlaceError`] names the directory on the way, and what is wrong with it.
pub fn check_place(path: &Path, owner: u32, allow_temporary: bool) -> Result<(), PlaceError> {
    let existing = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let io = |source| PlaceError::Io { path: existing.to_path_buf(), source };
    let real = existing.canonicalize().map_err(io)?;
    if !allow_temporary {
        check_lasting(&real)?;
    }
    for dir in real.ancestors() {
        let meta = dir.metadata().map_err(|source| PlaceError::Io { path: dir.to_path_buf(), source })?;
        if !allow_temporary {
            check_owner(dir, &meta, owner)?;
        }
        if meta.mode() & 0o001 == 0 {
            return Err(PlaceError::NotSearchable(dir.to_path_buf()));
        }
    }
    Ok(())
}

fn check_lasting(real: &Path) -> Result<(), PlaceError> {
    let temporary = |why| Err(PlaceError::Temporary { path: real.to_path_buf(), why });
    if let Some((_, why)) = TEMPORARY.iter().find(|(prefix, _)| real.starts_with(prefix)) {
        return temporary(why);
    }
    let stat = rustix::fs::statfs(real).map_err(|e| PlaceError::Io { path: real.to_path_buf(), source: e.into() })?;
    if TMPFS.contains(&(stat.f_type as i64)) { temporary("in memory, and empty after a reboot") } else { Ok(()) }
}

fn check_owner(dir: &Path, meta: &std::fs::Metadata, owner: u32) -> Result<(), PlaceError> {
    let unsafe_because = |why| Err(PlaceError::Unsafe { path: dir.to_path_buf(), why });
    if meta.mode() & 0o002 != 0 {
        return unsafe_because(format!("can be written by everybody: chmod o-w {}", dir.display()));
    }
    if meta.uid() != 0 && meta.uid() != owner {
        return unsafe_because(format!(
            "belongs to user {}, who could replace the route: chown {owner} {}",
            meta.uid(),
            dir.display()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn me() -> u32 {
        rustix::process::getuid().as_raw()
    }

    #[test]
    fn refuses_what_does_not_last() {
        for place in ["/tmp/x", "/run/x", "/dev/shm/route", "/root/route", "/home/x/y"] {
            let refused = matches!(check_place(Path::new(place), me(), false), Err(PlaceError::Temporary { .. }));
            let there = Path::new(place).parent().is_some_and(Path::exists);
            assert!(refused || !there, "{place}");
        }
        check_place(Path::new("/var/lib/bluegreen-does-not-exist/route"), me(), false).unwrap();
    }

    #[test]
    fn names_the_directory_that_cannot_be_searched() {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o750)).unwrap();
        let error = check_place(&home.path().join("route"), me(), true).unwrap_err();
        let path = home.path().canonicalize().unwrap();
        assert_eq!(error.to_string(), format!("nginx's workers cannot enter {0}: chmod o+x {0}", path.display()));
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        check_place(&home.path().join("route"), me(), true).unwrap();
    }

    #[test]
    fn refuses_what_others_can_replace() {
        let home = tempfile::tempdir().unwrap();
        let meta = home.path().metadata().unwrap();
        check_owner(home.path(), &meta, me()).unwrap();
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o757)).unwrap();
        let meta = home.path().metadata().unwrap();
        assert!(check_owner(home.path(), &meta, me()).unwrap_err().to_string().contains("chmod o-w"));
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let meta = home.path().metadata().unwrap();
        assert_eq!(check_owner(home.path(), &meta, me() + 1).is_err(), me() != 0);
    }
}
