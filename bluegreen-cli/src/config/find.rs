//! Where the configuration is.

use std::{
    ffi::OsString,
    fs::File,
    io::{ErrorKind, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use bluegreen_core::Name;

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
}

impl Lookup {
    /// From the two flags and the environment.
    pub fn new(config: Option<PathBuf>, app: Option<Name>) -> Self {
        Self { config, env: std::env::var_os("BLUEGREEN_CONFIG").filter(|v| !v.is_empty()), app }
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

/// The text of `path`, unless others could have written it: what is in it is run.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => ConfigError::NotFound { looked: vec![path.to_owned()] },
        _ => ConfigError::Unreadable { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    let mine = meta.uid() == rustix::process::geteuid().as_raw();
    if let Some((who, fix)) = unsafe_mode(meta.mode(), mine) {
        return Err(ConfigError::Unsafe {
            path: path.to_owned(),
            reason: format!("{who} may write to it, and it names commands to run"),
            fix: format!("chmod {fix} {}", path.display()),
        });
    }
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 == LIMIT {
        return Err(unreadable(ErrorKind::FileTooLarge.into()));
    }
    Ok(text)
}

/// Who may write besides the owner, and the `chmod` against it.
fn unsafe_mode(mode: u32, mine: bool) -> Option<(&'static str, &'static str)> {
    match (mode & 0o020 != 0, mode & 0o002 != 0) {
        (_, true) => Some(("everybody", "go-w")),
        (true, _) if !mine => Some(("a group", "g-w")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_may_not_write() {
        assert_eq!(unsafe_mode(0o644, false), None);
        assert_eq!(unsafe_mode(0o664, true), None);
        assert_eq!(unsafe_mode(0o664, false), Some(("a group", "g-w")));
        assert_eq!(unsafe_mode(0o646, true), Some(("everybody", "go-w")));
        assert_eq!(unsafe_mode(0o666, false), Some(("everybody", "go-w")));
    }

    #[test]
    fn what_is_named_first_wins_and_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.toml");
        std::fs::write(&file, "").unwrap();
        let gone = dir.path().join("gone.toml");
        let find =
            |config: &Path, env: &Path| Lookup { config: Some(config.into()), env: Some(env.into()), app: None }.find();
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
