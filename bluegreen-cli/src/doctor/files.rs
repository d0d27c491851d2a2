//! Who owns the files, and who may write to them.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bluegreen_core::StateStore as _;
use bluegreen_linux::users::User;
use bluegreen_nginx::check_place;

use super::Finding;
use crate::{config::Config, history, owner::who_deploys, session::Session};

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    path: PathBuf,
    uid: u32,
    mode: u32,
}

impl File {
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self { path: path.to_owned(), uid: meta.uid(), mode: meta.mode() & 0o7777 })
    }
}

pub(super) fn look(session: &Session) -> Vec<Finding> {
    let config = &session.config;
    let me = rustix::process::geteuid().as_raw();
    let mut findings = state(session);
    let places = [&config.state_dir, &config.route_dir].map(|path| File::of(path));
    findings.extend(places.into_iter().flatten().filter_map(|file| shared(&file, me)));
    findings.extend(config.start.env_file.as_ref().and_then(|path| secrets(path, File::of(path), me)));
    if let Some(wanted) = config.user.as_ref().filter(|name| **name != User::current().name) {
        let what =
            format!("`user` is {wanted}, and {} belongs to {}", config.state_dir.display(), User::current().name);
        let fix = format!("sudo chown -R {wanted} {}, or correct `user`", config.state_dir.display());
        findings.push(Finding::warning("wrong-user", what, fix));
    }
    findings.extend(clock(
        config.state_dir.join("state.json").metadata().and_then(|m| m.modified()).ok(),
        SystemTime::now(),
    ));
    findings
}

/// What can be said of files when there is no state yet: whether `setup` could make a place for it, and the secrets.
pub(super) fn before_setup(config: &Config) -> Vec<Finding> {
    let me = rustix::process::geteuid().as_raw();
    let mut findings = stored(config);
    findings.push(match who_deploys(config.user.as_deref()) {
        Err(error) => Finding::fatal("no-user", error.to_string(), error.fix()),
        Ok(user) => match check_place(&config.state_dir, user.uid, config.allow_temporary) {
            Err(error) => Finding::fatal("place", error.to_string(), "put that right, or choose another state_dir"),
            Ok(()) => {
                Finding::good("place", format!("{} can be made there, for {}", config.state_dir.display(), user.name))
            }
        },
    });
    findings.extend(config.start.env_file.as_ref().and_then(|path| secrets(path, File::of(path), me)));
    findings
}

fn state(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    match session.wired.store.load() {
        Ok(_) => findings.push(Finding::good("state", "the state can be read")),
        Err(error) => findings.push(Finding::fatal("state", error.to_string(), "put a copy of the state back")),
    }
    if let Some(error) = session.wired.store.fell_back() {
        let what = format!("{error}; the one before it is used");
        findings.push(Finding::warning("state-fell-back", what, "the next deploy writes it anew"));
    }
    if let Some(trouble) = history::trouble(&session.config.state_dir) {
        findings.push(Finding::warning("history", trouble, "remove it: the next deploy makes it anew"));
    }
    findings.extend(stored(&session.config));
    findings
}

/// Secrets where none should be.
fn stored(config: &Config) -> Vec<Finding> {
    let fix = "put it into the file of start.env_file, which is read at each start and never stored";
    let looks = |place| format!("{place} looks like a secret, and is stored with each release");
    config.secrets().into_iter().map(|place| Finding::warning("secret", looks(place), fix)).collect()
}

/// A directory that others can write to, or that is not ours.
fn shared(file: &File, me: u32) -> Option<Finding> {
    let path = file.path.display();
    if file.mode & 0o022 != 0 {
        let what = format!("others may write to {path} (mode {:o}), and what is in it is run", file.mode);
        return Some(Finding::fatal("mode", what, format!("chmod go-w {path}")));
    }
    (file.uid != me).then(|| {
        let what = format!("{path} belongs to user {}, and you are user {me}", file.uid);
        Finding::fatal("owner", what, format!("sudo chown {me} {path}"))
    })
}

/// The file of secrets: `start` refuses one that others can read.
fn secrets(path: &Path, file: Option<File>, me: u32) -> Option<Finding> {
    let shown = path.display();
    let Some(file) = file else {
        return Some(Finding::fatal(
            "env-file",
            format!("there is no {shown}, which start.env_file names"),
            format!("ls -l {shown}"),
        ));
    };
    if file.mode & 0o007 != 0 {
        let what = format!("others may read {shown} (mode {:o}), which has secrets", file.mode);
        return Some(Finding::fatal("env-file", what, format!("chmod o= {shown}")));
    }
    let readable = file.uid == me || me == 0 || fs::File::open(path).is_ok();
    (!readable).then(|| {
        Finding::fatal("env-file", format!("{shown} cannot be read by user {me}"), format!("sudo chown {me} {shown}"))
    })
}

/// Files from the future: the proof of a reload compares their times with those of nginx's workers.
fn clock(written: Option<SystemTime>, now: SystemTime) -> Option<Finding> {
    let ahead = written?.duration_since(now).ok().filter(|ahead| ahead.as_secs() > 60)?;
    let what = format!("the clock went back: the state was written {} s in the future", ahead.as_secs());
    Some(Finding::warning("clock", what, "timedatectl status"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file(uid: u32, mode: u32) -> File {
        File { path: "/srv/state".into(), uid, mode }
    }

    #[test]
    fn nobody_else_may_write() {
        let fix = |uid, mode| shared(&file(uid, mode), 7).map(|f| f.fix);
        assert_eq!(fix(7, 0o711), None);
        assert_eq!(fix(7, 0o775), Some("chmod go-w /srv/state".into()));
        assert_eq!(fix(8, 0o755), Some("sudo chown 7 /srv/state".into()));
    }

    #[test]
    fn secrets_are_for_nobody_else() {
        let path = Path::new("/no/such/env");
        let what = |file| secrets(path, file, 7).map(|f| f.what).unwrap_or_default();
        assert!(what(None).contains("there is no"));
        assert!(what(Some(file(7, 0o644))).contains("mode 644"));
        assert!(what(Some(file(8, 0o600))).contains("cannot be read by user 7"));
        assert_eq!(what(Some(file(7, 0o600))), "");
    }

    #[test]
    fn a_clock_that_went_back_is_noticed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(clock(Some(now + Duration::from_secs(5)), now), None);
        assert_eq!(clock(Some(now), now + Duration::from_secs(5000)), None);
        assert!(clock(Some(now + Duration::from_secs(600)), now).unwrap().what.contains("600 s"));
    }
}
