//! The directory of the state.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, lchown},
    path::Path,
};

use bluegreen_nginx::check_place;

use super::{Exit, Halt};
use crate::{
    config::{Config, ProxyMode},
    output,
    owner::{User, is_missing},
    report,
};

/// Others may pass through, as nginx's workers must to see the route, and may not open it: who can open it can lock it.
const MODE: u32 = 0o711;

/// Makes the home of the state for the deploy user. One that is there must be theirs already, or empty: nothing else is
/// given away, whatever the configuration says.
pub(super) fn make(config: &Config, owner: &User) -> Result<(), Halt> {
    let dir = &config.state_dir;
    if config.nginx.mode == ProxyMode::Marker {
        check_place(dir, owner.uid, config.allow_temporary).map_err(|e| Halt::error(Exit::Refused, &e))?;
    }
    if owner.uid == 0 && config.user.is_none() && is_missing(dir) {
        let what = format!(
            "nobody said who deploys, so it is root, and the app runs as root too; for another one: `user = \"deploy\"` in {}, \
             before this",
            config.file().display()
        );
        output::raw(report::marked("!", &what, report::table_width()));
    }
    given(dir, owner).map_err(|error| refused(dir, owner, &error))
}

fn refused(dir: &Path, owner: &User, error: &io::Error) -> Halt {
    let may_not_make = error.kind() == io::ErrorKind::PermissionDenied && is_missing(dir);
    let (dir, name) = (dir.display(), &owner.name);
    if may_not_make && !rustix::process::geteuid().is_root() {
        return Halt::new(Exit::Refused, format!("to make {dir} takes root: {error}"))
            .next("sudo bluegreen setup --apply");
    }
    Halt::new(Exit::Refused, format!("{dir} cannot be the home of the state: {error}"))
        .next(format!("sudo chown -R {name} {dir}, if it is that of this app; else another state_dir"))
}

fn given(dir: &Path, owner: &User) -> io::Result<()> {
    let theirs = match fs::symlink_metadata(dir) {
        Ok(meta) if !meta.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
        Ok(meta) if meta.uid() == owner.uid => true,
        Ok(_) if fs::read_dir(dir)?.next().is_some() => {
            return Err(io::Error::other(format!("it has something in it, and does not belong to {}", owner.name)));
        }
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = dir.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
            }
            fs::DirBuilder::new().mode(MODE).create(dir)?;
            false
        }
        Err(error) => return Err(error),
    };
    if theirs || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    lchown(dir, Some(owner.uid), Some(owner.gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner_of(dir: &Path) -> u32 {
        fs::symlink_metadata(dir).unwrap().uid()
    }

    #[test]
    fn gives_away_only_what_is_new_or_empty() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: only root gives directories away");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut user = User::current();
        (user.uid, user.gid) = (4242, 4242);
        let (new, full, link) = (dir.path().join("a/new"), dir.path().join("full"), dir.path().join("link"));
        given(&new, &user).unwrap();
        assert_eq!((owner_of(&new), fs::metadata(&new).unwrap().mode() & 0o777), (4242, MODE));
        given(&new, &user).unwrap();

        fs::create_dir(&full).unwrap();
        fs::write(full.join("passwd"), "").unwrap();
        given(&full, &user).unwrap_err();
        std::os::unix::fs::symlink("full", &link).unwrap();
        given(&link, &user).unwrap_err();
        assert_eq!((owner_of(&full), owner_of(&link)), (0, 0));
    }
}
