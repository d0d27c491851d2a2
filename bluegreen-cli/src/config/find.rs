//! Where the configuration is.

use std::{
    ffi::OsString,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use bluegreen_core::Name;

use super::ConfigError;
use crate::trust::{Distrust, distrust};

/// What says where the configuration is.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `$BLUEGREEN_CONFIG`.
    pub env: Option<OsString>,
    /// `--app`.
    pub app: Option<Name>,
    /// The file may belong to anybody: for root, as whom nothing of it is run.
    pub foreign: bool,
}

impl Lookup {
    /// From the two flags and the environment.
    pub fn new(config: Option<PathBuf>, app: Option<Name>) -> Self {
        Self { config, env: std::env::var_os("BLUEGREEN_CONFIG").filter(|v| !v.is_empty()), app, foreign: false }
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
        looked.iter().find(|file| file.exists()).cloned().ok_or(ConfigError::NotFound { looked })
    }
}

/// The largest configuration that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// The text of `path`, unless others could have written it: what is in it is run. `foreign`: its owner may be anybody.
pub(super) fn read(path: &Path, foreign: bool) -> Result<String, ConfigError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => ConfigError::NotFound { looked: vec![path.to_owned()] },
        _ => ConfigError::Unreadable { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if let Some(who) = distrust(&meta).filter(|who| !foreign || *who != Distrust::Foreign) {
        return Err(ConfigError::Unsafe {
            path: path.to_owned(),
            reason: format!("{}, and it names commands to run", who.reason()),
            fix: format!("{} {}", who.fix(), path.display()),
        });
    }
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 == LIMIT {
        return Err(unreadable(ErrorKind::FileTooLarge.into()));
    }
    Ok(text)
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
