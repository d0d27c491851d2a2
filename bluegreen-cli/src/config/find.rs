//! Where the configuration is.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use bluegreen_core::Name;
use bluegreen_linux::{
    dirs::Hand,
    files::{self, FileError, Rights, Rule, Unfit, is_missing},
    users::{User, shown},
};
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};

use super::ConfigError;

/// What says where the configuration is.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `$BLUEGREEN_CONFIG`.
    pub env: Option<OsString>,
    /// `--app`.
    pub app: Option<Name>,
    /// The file may belong to anybody: for root, who judges it before anything of it is run, and for who runs nothing.
    pub foreign: bool,
    /// The file may also belong to this user.
    pub caller: Option<u32>,
    /// Who called `sudo`: of a file that is no configuration they are shown no more than they could read.
    pub asked_by: Option<u32>,
    /// Its group may write to it, as 0.1.0 let it: to bring back what ran.
    pub lenient: bool,
}

impl Lookup {
    /// From the two flags and the environment.
    pub fn new(config: Option<PathBuf>, app: Option<Name>) -> Self {
        let env = std::env::var_os("BLUEGREEN_CONFIG").filter(|v| !v.is_empty());
        Self { config, env, app, ..Self::default() }
    }

    /// The file, first match: `--config`, `$BLUEGREEN_CONFIG`, `./bluegreen.toml`, `/etc/bluegreen/<app>.toml`. One that
    /// was named must be there.
    pub fn find(&self) -> Result<PathBuf, ConfigError> {
        let named = self.config.clone().or_else(|| self.env.clone().map(PathBuf::from));
        let looked = named.map_or_else(
            || {
                let shared = self.app.as_ref().map(|app| format!("/etc/bluegreen/{app}.toml").into());
                [Some("bluegreen.toml".into()), shared].into_iter().flatten().collect()
            },
            |file| vec![file],
        );
        looked.iter().find(|file| !is_missing(file)).cloned().ok_or(ConfigError::NotFound { looked })
    }
}

/// The largest configuration that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// Where a configuration came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// Whose it is.
    pub(crate) owner: u32,
    /// Who else, besides root, could have put another file in its place.
    pub(crate) hands: Vec<Hand>,
    /// What is wrong with it, and what to type, where that is no more than a warning.
    pub(crate) warning: Option<String>,
    /// A short digest of its text.
    pub(crate) digest: Option<String>,
}

/// The text of `path`, unless others could have written it: what is in it is run.
pub(super) fn read(path: &Path, lookup: &Lookup) -> Result<(String, Source), ConfigError> {
    let failed = |error: FileError| match error {
        error if error.is_missing() => ConfigError::NotFound { looked: vec![path.to_owned()] },
        FileError::Io { why: source, .. } => ConfigError::Unreadable { path: path.to_owned(), source },
        error => ConfigError::Unreadable { path: path.to_owned(), source: std::io::Error::other(error.without_path()) },
    };
    let found = files::find(path).map_err(failed)?;
    let Rights { owner, .. } = found.rights;
    // whoever it may belong to is judged as we would be
    let judged = if lookup.foreign || lookup.caller == Some(owner) { owner } else { geteuid().as_raw() };
    let mut source = Source { owner, hands: found.hands.clone(), ..Source::default() };
    if let Some(why) = Rule::TRUSTED.of(judged).broken(&found.rights) {
        let wrong = ConfigError::of(path, why);
        if !(lookup.lenient && matches!(why, Unfit::Group | Unfit::Listed)) {
            return Err(wrong);
        }
        source.warning = Some(wrong.to_string());
    }
    let text = found.read(LIMIT).map_err(failed)?;
    source.digest = Some(digest(&text));
    let text = String::from_utf8(text).map_err(|_| {
        let no_text = ConfigError::Unreadable { path: path.to_owned(), source: std::io::ErrorKind::InvalidData.into() };
        source.may_show(path, lookup).err().unwrap_or(no_text)
    })?;
    Ok((text, source))
}

impl ConfigError {
    /// What is wrong with a configuration that others could have written.
    pub(crate) fn of(path: &Path, why: Unfit) -> Self {
        let fix = if matches!(why, Unfit::Foreign { .. }) { Some("sudo chown root".to_owned()) } else { why.fix() };
        Self::Unsafe {
            path: path.to_owned(),
            reason: format!("{why}, and it names commands to run"),
            fix: format!("{} {}", fix.unwrap_or_default(), path.display()),
        }
    }
}

impl Source {
    /// Whether a text that is no configuration may be shown: root could have been led to a secret of somebody else.
    pub(super) fn may_show(&self, path: &Path, lookup: &Lookup) -> Result<(), ConfigError> {
        let hand = self.hands.iter().find(|hand| !hand.is_of(&[self.owner])).map(ToString::to_string);
        let blind =
            || lookup.asked_by.filter(|uid| !may_read(*uid, path)).map(|uid| format!("{} cannot read it", shown(uid)));
        match hand.or_else(blind) {
            Some(why) if geteuid().is_root() => Err(ConfigError::Unsafe {
                path: path.to_owned(),
                reason: format!("it is no configuration, and {why}, so it is not shown"),
                fix: format!("ls -l {}", path.display()),
            }),
            _ => Ok(()),
        }
    }
}

/// Tried, as that user; who is not known to the system may read nothing.
fn may_read(uid: u32, path: &Path) -> bool {
    let user = User::of(uid).ok().flatten();
    user.is_some_and(|user| user.act(|| File::open(path).is_ok()).unwrap_or(false))
}

/// A short digest of a text, to tell whether it changed. The text may name secrets, its digest does not.
fn digest(text: &[u8]) -> String {
    Sha256::digest(text)[..6].iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_first_wins_and_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.toml");
        std::fs::write(&file, "").unwrap();
        let gone = dir.path().join("gone.toml");
        let find = |config: &Path, env: &Path| {
            Lookup { config: Some(config.into()), env: Some(env.into()), ..Lookup::default() }.find()
        };
        assert_eq!(find(&file, &gone).unwrap(), file);
        let error = find(&gone, &file).unwrap_err();
        assert!(matches!(error, ConfigError::NotFound { looked } if looked == [gone]));
    }

    #[test]
    fn looks_in_etc_only_for_a_named_app() {
        let looked = |app: Option<&str>| {
            let lookup = Lookup { app: app.map(|a| a.parse().unwrap()), ..Lookup::default() };
            match lookup.find() {
                Err(ConfigError::NotFound { looked }) => looked,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(looked(None), [PathBuf::from("bluegreen.toml")]);
        assert_eq!(looked(Some("no-such")), [PathBuf::from("bluegreen.toml"), "/etc/bluegreen/no-such.toml".into()]);
    }
}
