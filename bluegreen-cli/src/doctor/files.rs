//! Who owns the files, and who may write to them.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bluegreen_core::{ReleaseId, StateStore as _, StoreError};
use bluegreen_linux::{
    files::{self, Unfit},
    users::User,
};
use bluegreen_process::{EnvFileError, check_env_file};
use rustix::process::geteuid;

use super::Finding;
use crate::{app::App, config::Config, history, home, owner::who_deploys, report::Trouble, trust};

/// The digits of an id that the store gave: of a SHA-256.
const WHOLE_ID: usize = 64;

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

pub(super) fn look(app: &App) -> Vec<Finding> {
    let config = &app.config;
    let me = geteuid().as_raw();
    let mut findings = state(app);
    let places = [&config.state_dir, &config.route_dir].map(|path| File::of(path));
    findings.extend(places.iter().flatten().filter_map(|file| shared(file, me)));
    findings.extend(places[0].as_ref().and_then(lockable));
    findings.extend(configuration(config, me));
    findings.extend(config.start.env_file.as_ref().and_then(|path| secrets(path, check_env_file(path))));
    findings.extend(config.start.env_file.as_ref().and_then(|path| secrets_place(path)));
    if let Some(wanted) = config.user.as_ref().filter(|name| **name != User::current().name) {
        let what =
            format!("`user` is {wanted}, and {} belongs to {}", config.state_dir.display(), User::current().name);
        let fix = format!("sudo chown -R {wanted} {}, or correct `user`", config.state_dir.display());
        findings.push(Finding::warning("wrong-user", what, fix));
    }
    findings.extend(startable(app));
    findings.extend(clock(
        config.state_dir.join("state.json").metadata().and_then(|m| m.modified()).ok(),
        SystemTime::now(),
    ));
    findings
}

/// Those that a rollback goes to, or that come back after a reboot, and that nothing could be started from. What was adopted never was
/// in the store.
fn startable(app: &App) -> Vec<Finding> {
    // one that cannot be read is told as such
    let Ok(state) = app.wired.store.load() else { return Vec::new() };
    let stored = |id: &&ReleaseId| id.as_str().len() == WHOLE_ID;
    let gone = |id: &ReleaseId| {
        let why = Trouble::from_error(&app.wired.processes.releases().get(id).err()?).one_line();
        let what = format!("release {id} was confirmed, and nothing could be started from it: {why}");
        Some(Finding::warning("release-gone", what, "bluegreen deploy ARTIFACT, which stores it anew"))
    };
    state.confirmed.iter().take(2).filter(stored).filter_map(gone).collect()
}

/// What can be said of files when there is no state yet: whether `setup` could make a place for it, and the secrets.
pub(super) fn before_setup(config: &Config) -> Vec<Finding> {
    let mut findings = stored(config);
    let user = match who_deploys(config.user.as_deref()) {
        Ok(user) => user,
        Err(error) => {
            findings.push(Finding::fatal("no-user", error.to_string(), error.fix()));
            findings.extend(config.start.env_file.as_ref().and_then(|path| secrets(path, check_env_file(path))));
            return findings;
        }
    };
    findings.push(match home::judge(config, &user) {
        Err(halt) => {
            let trouble = *halt.trouble;
            let fix = trouble.command.unwrap_or_else(|| "put that right, or choose another state_dir".to_owned());
            let what = [trouble.what].into_iter().chain(trouble.causes).collect::<Vec<_>>().join(": ");
            Finding::fatal("place", what, fix)
        }
        Ok(_) => Finding::good("place", format!("{} can be made there, for {}", config.state_dir.display(), user.name)),
    });
    findings.extend(configuration(config, user.uid));
    // somebody else may well not read it
    if let Some(path) = &config.start.env_file
        && let Ok(read) = user.act(|| check_env_file(path))
    {
        findings.extend(secrets(path, read));
    }
    findings
}

fn state(app: &App) -> Vec<Finding> {
    let mut findings = Vec::new();
    match app.wired.store.load() {
        Ok(_) => findings.push(Finding::good("state", "the state can be read")),
        // a deploy goes on by what it sees
        Err(error @ StoreError::Corrupt { .. }) => {
            findings.push(Finding::warning("state", error.to_string(), "bluegreen recover, which writes what it sees"));
        }
        Err(error) => {
            let fix = match &error {
                StoreError::Unsafe { fix: Some(fix), .. } => fix.clone(),
                StoreError::Newer { .. } => "bluegreen --version, and the newer one that wrote it".to_owned(),
                StoreError::Io { kind: ErrorKind::WouldBlock, path, .. } => format!("sudo lsof {path}"),
                _ => "put a copy of the state back".to_owned(),
            };
            findings.push(Finding::fatal("state", error.to_string(), fix));
        }
    }
    if let Some(error) = app.wired.store.fell_back() {
        let what = format!("{error}; the one before it is used");
        findings.push(Finding::warning("state-fell-back", what, "the next deploy writes it anew"));
    }
    if let Some((trouble, fix)) = history::trouble(&app.config.state_dir) {
        findings.push(Finding::warning("history", trouble, fix));
    }
    findings.extend(stored(&app.config));
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

/// The file of secrets, as a start would read it.
fn secrets(path: &Path, read: Result<(), EnvFileError>) -> Option<Finding> {
    let error = read.err()?;
    let shown = path.display();
    let what = match &error {
        EnvFileError::File(file) if file.is_missing() => format!("there is no {shown}, which start.env_file names"),
        EnvFileError::File(file) if file.reason() == Some(Unfit::Readable) => {
            format!("others may read {shown}, which has secrets")
        }
        error => format!("start.env_file cannot be used: {error}"),
    };
    Some(Finding::fatal("env-file", what, error.fix()))
}

/// Who else could lead a start to another file of secrets, which may be one of ours that is meant for something else.
fn secrets_place(path: &Path) -> Option<Finding> {
    let me = geteuid();
    let (_, hands) = files::look(path).ok()?;
    let hand = hands.iter().find(|hand| !hand.is_of(&[me.as_raw()]))?;
    let what = format!("{hand}, and so could put another {} there, which start.env_file names", path.display());
    let severity = if me.is_root() { Finding::fatal } else { Finding::warning };
    Some(severity("env-file-place", what, hand.fix()))
}

/// Who else could put another configuration in the place of ours: run by root, it is refused then.
fn configuration(config: &Config, me: u32) -> Option<Finding> {
    let hand = config.source().hands.iter().find(|hand| !hand.is_of(&[me]))?;
    let what = format!("{hand}, and so could put another {} there: root refuses it", config.file().display());
    Some(Finding::warning("config-place", what, trust::elsewhere(config)))
}

/// Whoever can open the directory of the state can take its lock, and keep it.
fn lockable(dir: &File) -> Option<Finding> {
    let path = dir.path.display();
    let what = || format!("others may open {path} (mode {:o}), and so take the lock of the app and keep it", dir.mode);
    (dir.mode & 0o044 != 0).then(|| Finding::warning("lockable", what(), format!("chmod go-r {path}")))
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
        let fix = |uid, mode| shared(&file(uid, mode), 7).map(|f| f.fix.unwrap());
        assert_eq!(fix(7, 0o711), None);
        assert_eq!(fix(7, 0o775), Some("chmod go-w /srv/state".into()));
        assert_eq!(fix(8, 0o755), Some("sudo chown 7 /srv/state".into()));
    }

    #[test]
    fn secrets_are_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        let said = || secrets(&path, check_env_file(&path)).map(|f| format!("{}; {}", f.what, f.fix()));
        let is = |mode| fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        assert!(said().unwrap().contains("there is no"));
        fs::write(&path, "A=b\n").unwrap();
        is(0o640);
        assert!(said().unwrap().ends_with(&format!("which has secrets; chmod 600 {}", path.display())));
        is(0o600);
        assert_eq!(said(), None);
        fs::write(&path, "secret\n").unwrap();
        let line = said().unwrap();
        assert!(line.contains("line 1 is not NAME=value; correct line 1"), "{line}");
    }

    #[test]
    fn a_home_that_others_can_open_is_one_that_they_can_lock() {
        let fix = |mode| lockable(&file(7, mode)).map(|f| f.fix.unwrap());
        assert_eq!([fix(0o711), fix(0o700)], [None, None]);
        assert_eq!([fix(0o755), fix(0o750)], [(); 2].map(|()| Some("chmod go-r /srv/state".to_owned())));
    }

    #[test]
    fn a_clock_that_went_back_is_noticed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(clock(Some(now + Duration::from_secs(5)), now), None);
        assert_eq!(clock(Some(now), now + Duration::from_secs(5000)), None);
        assert!(clock(Some(now + Duration::from_secs(600)), now).unwrap().what.contains("600 s"));
    }
}
