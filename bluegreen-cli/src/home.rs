//! The directory of the state.

use std::{ffi::OsStr, fs::Permissions, io, os::unix::fs::PermissionsExt as _, path::Path};

use bluegreen_linux::{
    dirs::{self, Reached},
    files::is_missing,
    users::User,
};
use bluegreen_nginx::check_place;
use rustix::process::geteuid;

use crate::{
    config::{Config, ProxyMode},
    exit::Exit,
    halt::Halt,
    output, report,
};

/// Others may pass through, as nginx's workers must to see the route, and may not open it: who can open it can lock it.
const MODE: u32 = 0o711;
const OURS: [&str; 9] =
    ["state.json", "lock", "releases", "processes", "route", "logs", "shared", "history.jsonl", "state.json.prev"];

/// Makes the home of the state for the deploy user. One that is there must be theirs already: nothing else is given away,
/// whatever the configuration says.
pub(crate) fn make(config: &Config, owner: &User) -> Result<(), Halt> {
    let dir = &config.state_dir;
    let reached = judge(config, owner)?;
    if owner.uid == 0 && config.user.is_none() && is_missing(dir) {
        let what = format!(
            "nobody said who deploys, so it is root, and the app runs as root too; for another one: `user = \"deploy\"` in {}, \
             before this",
            config.file().display()
        );
        output::raw(report::marked("!", &what, report::table_width()));
    }
    if !reached.missing().is_empty() {
        return reached.make(MODE, owner).map_err(|error| refused(dir, &error.to_string(), None));
    }
    let closed = owner.act(|| close(dir));
    closed.and_then(|closed| closed).map_err(|error| refused(dir, &error.to_string(), None))
}

/// Whether the state could be kept where the configuration says, by `owner`.
pub(crate) fn judge(config: &Config, owner: &User) -> Result<Reached, Halt> {
    let dir = &config.state_dir;
    if config.nginx.mode == ProxyMode::Marker {
        check_place(dir, owner.uid, config.allow_temporary).map_err(|e| Halt::error(Exit::Refused, &e))?;
    }
    let reached = dirs::reach(dir).map_err(|error| refused(dir, &error.to_string(), None))?;
    let ours = |name: &OsStr| OURS.iter().any(|ours| *ours == name);
    match reached.fits(owner, ours).map_err(|error| refused(dir, &error.to_string(), None))? {
        Ok(()) => Ok(reached),
        Err(why) => Err(refused(dir, &why.to_string(), Some(why.fix(dir, "state_dir")))),
    }
}

fn refused(dir: &Path, why: &str, fix: Option<String>) -> Halt {
    let shown = dir.display();
    if fix.is_none() && is_missing(dir) && !geteuid().is_root() {
        return Halt::new(Exit::Refused, format!("to make {shown} takes root: {why}"))
            .next("sudo bluegreen setup --apply");
    }
    Halt::new(Exit::Refused, format!("{shown} cannot be the home of the state: {why}"))
        .next(fix.unwrap_or_else(|| format!("ls -ld {shown}")))
}

/// As its owner, who may have exchanged it: that would be theirs too.
fn close(dir: &Path) -> io::Result<()> {
    let dir = std::fs::File::open(dir)?;
    let mode = dir.metadata()?.permissions().mode() & 0o7777;
    if mode & !MODE == 0 { Ok(()) } else { dir.set_permissions(Permissions::from_mode(mode & MODE)) }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt as _};

    use super::*;

    fn config(state_dir: &Path) -> Config {
        let text = format!(
            "allow_temporary = true\nstate_dir = {:?}\n{}",
            state_dir.display().to_string(),
            crate::config::SMALLEST
        );
        Config::parse(&text, "bluegreen.toml".as_ref()).unwrap()
    }

    fn seen(dir: &Path) -> (u32, u32) {
        let meta = fs::symlink_metadata(dir).unwrap();
        (meta.uid(), meta.mode() & 0o7777)
    }

    /// A directory that others may enter, and a user who is nobody.
    fn ground() -> Option<(tempfile::TempDir, User)> {
        if !geteuid().is_root() {
            eprintln!("SKIPPED: only root gives directories away");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        Some((dir, User::by_number(4242, 4242)))
    }

    #[test]
    fn gives_away_only_what_it_made() {
        let Some((dir, user)) = ground() else { return };
        let (new, full, empty) = (dir.path().join("a/new"), dir.path().join("full"), dir.path().join("empty"));
        make(&config(&new), &user).unwrap();
        assert_eq!((seen(&new), seen(&dir.path().join("a"))), ((4242, MODE), (0, 0o755)));
        make(&config(&new), &user).unwrap();

        fs::create_dir(&full).unwrap();
        fs::write(full.join("passwd"), "").unwrap();
        fs::create_dir(&empty).unwrap();
        for there in [&full, &empty] {
            let before = seen(there);
            let halt = make(&config(there), &user).unwrap_err();
            assert_eq!((halt.exit, seen(there)), (Exit::Refused, before));
            assert!(halt.trouble.what.contains("belongs to user root, not to 4242"), "{}", halt.trouble.what);
        }
    }

    #[test]
    fn what_is_theirs_already_is_closed_to_others() {
        let Some((dir, user)) = ground() else { return };
        let theirs = dir.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        fs::set_permissions(&theirs, Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(&theirs, Some(4242), None).unwrap();
        make(&config(&theirs), &user).unwrap();
        assert_eq!(seen(&theirs), (4242, MODE));
    }

    #[test]
    fn not_even_root_keeps_a_state_among_other_things() {
        let Some((dir, _)) = ground() else { return };
        let full = dir.path().join("full");
        fs::create_dir(&full).unwrap();
        fs::write(full.join("passwd"), "").unwrap();
        let root = User::current();
        for there in [&full, Path::new("/etc"), Path::new("/usr/local/sbin"), Path::new("/srv")] {
            let before = seen(there);
            assert_eq!(judge(&config(there), &root).unwrap_err().exit, Exit::Refused, "{}", there.display());
            assert_eq!(make(&config(there), &User::by_number(4242, 4242)).unwrap_err().exit, Exit::Refused);
            assert_eq!(seen(there), before);
        }
        fs::write(full.join("state.json"), "").unwrap();
        judge(&config(&full), &root).unwrap();
    }
}
