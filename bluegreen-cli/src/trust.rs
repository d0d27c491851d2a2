//! Files that say what is run: nobody else may change them.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

use bluegreen_linux::{
    files::{Rule, Unfit},
    users,
};

use crate::config::{Config, ConfigError};

/// What a configuration is read for, which decides whose it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `setup`: who called `sudo` may use a file of their own.
    SetUp,
    /// `rollback`, `recover` and `up` bring back what ran: on a machine where 0.1.0 did so, they go on.
    BringBack,
    /// Everything else.
    Rest,
}

impl Purpose {
    /// Who called `sudo`, where that counts.
    pub(crate) fn caller(self) -> Option<u32> {
        if self == Self::Rest { None } else { std::env::var("SUDO_UID").ok()?.parse().ok() }
    }
}

/// Where a configuration is root's alone: what to type.
pub(crate) fn elsewhere(config: &Config) -> String {
    let (path, app) = (config.file().display(), &config.app);
    format!("sudo install -D -m 644 {path} /etc/bluegreen/{app}.toml, and use it with --app {app}")
}

/// Whether others could have written a file that is run. Root's can be trusted, and ours.
pub(crate) fn distrust(meta: &Metadata) -> Option<Unfit> {
    Rule::TRUSTED.broken(meta.uid(), meta.mode())
}

/// Whether root may go on with `config` as the user `uid`: it must be root's or theirs, and nobody else may be able to put
/// another one in its place. What it names would else run with more rights than whoever wrote it has. A text is a warning.
pub(crate) fn root_may(config: &Config, uid: u32, purpose: Purpose) -> Result<Option<String>, ConfigError> {
    let (path, source) = (config.file(), config.source());
    let caller = purpose.caller();
    let refuse = |reason: String, fix: String| ConfigError::Unsafe { path: path.to_owned(), reason, fix };
    let whose = |uid| if uid == 0 { "root".to_owned() } else { users::shown(uid) };
    let owner = source.owner;
    let foreign = || {
        let (owner, runs) = (whose(owner), whose(uid));
        format!("it belongs to {owner}, and {runs} would run the commands that it names")
    };
    let fix = format!("sudo chown root {}", path.display());
    let mut warning = None;
    if owner != 0 && owner != uid {
        // as root it would run as root what the caller wrote
        if Some(owner) != caller || (purpose == Purpose::BringBack && uid == 0) {
            return Err(refuse(foreign(), fix));
        }
        warning = (purpose == Purpose::BringBack).then(|| format!("{}: {}; {fix}", path.display(), foreign()));
    }
    let trusted = [uid, caller.unwrap_or(uid)];
    let Some(hand) = source.hands.iter().find(|hand| !hand.is_of(&trusted)) else { return Ok(warning) };
    let reason = format!("{hand}, and so could put another file in its place");
    let fix = elsewhere(config);
    if purpose == Purpose::BringBack {
        Ok(Some(format!("{}: {reason}; {fix}", path.display())))
    } else {
        Err(refuse(reason, fix))
    }
}
