//! Where programs are.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use crate::{
    dirs::{self, Hand},
    files,
};

/// For who has no `PATH`.
const DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where system programs are: users often have no sbin in theirs.
const SYSTEM: [&str; 5] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/// The caller's `PATH`. Root's has no entries that are relative, or that others may write to.
pub fn path() -> OsString {
    let ours = env::var_os("PATH").unwrap_or_else(|| DEFAULT.into());
    if geteuid().is_root() { cleaned(&ours) } else { ours }
}

fn cleaned(path: &OsStr) -> OsString {
    let clean = env::split_paths(path).filter(|dir| dir.is_absolute() && is_safe(dir, 0).is_ok_and(|safe| safe));
    match env::join_paths(clean) {
        Ok(path) if !path.is_empty() => path,
        _ => DEFAULT.into(),
    }
}

/// The program of this name in [`path`], or where system programs are. What is named with its whole path is that file.
pub fn find(name: impl AsRef<Path>) -> Option<PathBuf> {
    search(name.as_ref(), geteuid().is_root())
}

/// The program that root would find by this name, for a person who is to type it as root.
pub fn find_for_root(name: impl AsRef<Path>) -> Option<PathBuf> {
    search(name.as_ref(), true)
}

fn search(name: &Path, root: bool) -> Option<PathBuf> {
    if name.components().count() != 1 {
        return Some(name.to_owned()).filter(|file| file.is_absolute() && file.is_file());
    }
    let path = path();
    let may = |dir: &PathBuf| dir.is_absolute() && (!root || is_safe(dir, 0).is_ok_and(|safe| safe));
    let dirs = env::split_paths(&path).chain(SYSTEM.map(PathBuf::from)).filter(may);
    let mut files = dirs.map(|dir| dir.join(name));
    files.find(|file| file.is_file())
}

/// Whether nobody but root and `user` can change what `path` leads to, nor what is in it when it is a directory.
///
/// # Errors
/// It is not there, or cannot be looked at.
pub fn is_safe(path: &Path, user: u32) -> io::Result<bool> {
    let only_theirs = |hands: &[Hand]| hands.iter().all(|hand| hand.is_of(&[user]));
    if !path.is_absolute() {
        return Ok(false);
    }
    if path.metadata()?.is_dir() {
        // who could put a file of any name there
        let (dir, _) = dirs::reach_file(&path.join("any"))?;
        return Ok(only_theirs(dir.hands()));
    }
    let (rights, hands) = files::look(path)?;
    Ok([0, user].contains(&rights.owner) && rights.mode & 0o022 == 0 && only_theirs(&hands))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, chown, symlink},
    };

    use super::*;

    #[test]
    fn a_path_is_as_safe_as_its_weakest_part() {
        let home = tempfile::tempdir().unwrap();
        let me = geteuid().as_raw();
        let at = |name: &str| home.path().join(name);
        let safe = |name: &str| is_safe(&at(name), me).unwrap();
        let mode = |name: &str, mode| fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
        fs::create_dir_all(at("open/mine")).unwrap();
        fs::write(at("open/mine/file"), "").unwrap();
        symlink("open/mine/../mine/file", at("link")).unwrap();
        symlink("loop", at("loop")).unwrap();
        assert!(safe("open/mine/file") && safe("link"), "below the place for temporary files, where all may write");
        mode("open", 0o777);
        assert!(!safe("open/mine/file") && !safe("link"));
        mode("open", 0o1777);
        assert!(safe("open/mine/file") && !safe("open"), "others may put their own there");
        mode("open/mine/file", 0o646);
        assert!(!safe("link"));
        assert!(is_safe(&at("loop"), me).is_err() && is_safe(&at("none"), me).is_err());
        assert!(!is_safe(Path::new("bin"), me).unwrap());
        if !geteuid().is_root() {
            eprintln!("SKIPPED: only root gives files away");
            return;
        }
        mode("open/mine/file", 0o644);
        for part in ["open/mine/file", "open/mine", "open"] {
            chown(at(part), Some(65534), None).unwrap();
            assert!(!safe("open/mine/file"), "{part}");
            assert!(is_safe(&at("open/mine/file"), 65534).unwrap(), "{part}");
            chown(at(part), Some(0), None).unwrap();
        }
        std::os::unix::fs::lchown(at("link"), Some(65534), None).unwrap();
        assert!(!safe("link"), "who owns a link may exchange it");
    }

    #[test]
    fn roots_path_has_what_only_root_can_change() {
        if !geteuid().is_root() {
            eprintln!("SKIPPED: the directories would be safe for root only");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str, mode| {
            let dir = home.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
            dir
        };
        let (closed, open) = (at("closed", 0o755), at("open", 0o757));
        let path =
            env::join_paths([".".into(), open.clone(), closed.clone(), "/no/such".into(), "/bin".into()]).unwrap();
        assert_eq!(cleaned(&path), env::join_paths([closed, "/bin".into()]).unwrap());
        assert_eq!(cleaned(open.as_os_str()), DEFAULT, "root always has one");
    }

    #[test]
    fn finds_programs_by_name_and_by_whole_path() {
        let sh = find("sh").unwrap();
        assert!(sh.is_absolute() && find(&sh) == Some(sh));
        for none in ["no-such-program", "./sh", "bin/sh", "/no/such/sh"] {
            assert_eq!(find(none), None, "{none}");
        }
    }
}
