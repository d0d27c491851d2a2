//! Files that say what is run: nobody else may change them.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bluegreen_linux::{
    files::{self, Rule, Unfit},
    program, users,
};
use rustix::process::geteuid;

use crate::config::{Config, ConfigError};

/// What a configuration is read for, which decides whose it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `setup`: who called `sudo` may use a file of their own.
    SetUp,
    /// `rollback`, `recover` and `up` bring back what ran: on a machine where 0.1.0 did so, they go on.
    BringBack,
    /// `status`, `logs`, `history` and `releases` run nothing and change nothing: the readers of `[access] group` may ask too.
    Look,
    /// Everything else.
    Rest,
}

impl Purpose {
    /// Who called `sudo`, where that counts: for root, who judges what they wrote.
    pub(crate) fn caller(self) -> Option<u32> {
        if self == Self::SetUp { asked_by() } else { None }
    }
}

/// Who called `sudo`, of root.
pub(crate) fn asked_by() -> Option<u32> {
    if geteuid().is_root() { std::env::var("SUDO_UID").ok()?.parse().ok() } else { None }
}

/// Whether who only looks may believe `config`: it is root's or his own, or of the user whose state it tells of, who shows him
/// nothing but his own by it.
pub(crate) fn may_look(config: &Config) -> Result<(), ConfigError> {
    let (owner, me) = (config.source().owner, geteuid().as_raw());
    let is_of_the_state = || config.state_dir.metadata().is_ok_and(|meta| meta.uid() == owner);
    if [0, me].contains(&owner) || is_of_the_state() {
        return Ok(());
    }
    Err(ConfigError::of(config.file(), Unfit::Foreign { owner, me }))
}

/// Where a configuration is root's alone: what to type.
pub(crate) fn elsewhere(config: &Config) -> String {
    let (path, app) = (config.file().display(), &config.app);
    format!("sudo install -D -m 644 {path} /etc/bluegreen/{app}.toml, and use it with --app {app}")
}

/// A program that is not run, why, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distrust {
    pub(crate) file: PathBuf,
    pub(crate) why: String,
    pub(crate) fix: String,
}

/// Whether others could have written a program that is run, or could put another one in its place. Root's can be trusted, and
/// ours. One that is not there, or no file, is left to who runs it.
pub(crate) fn distrust(program: &str) -> Option<Distrust> {
    let file = found(program)?;
    let on = |command: &str| format!("{command} {}", file.display());
    let (why, fix) = match files::look(&file) {
        Err(error) if error.is_missing() || error.reason().is_some() => return None,
        Err(error) => (error.without_path(), on("ls -l")),
        Ok((rights, hands)) => match Rule::TRUSTED.broken(&rights) {
            Some(Unfit::Foreign { .. }) => ("it belongs to another user".to_owned(), on("sudo chown root")),
            Some(why) => (why.to_string(), on(&why.fix().unwrap_or_else(|| "ls -l".to_owned()))),
            None => {
                let hand = hands.iter().find(|hand| !hand.is_of(&[geteuid().as_raw()]))?;
                (format!("{hand}, and so could put another program in its place"), hand.fix())
            }
        },
    };
    Some(Distrust { file, why, fix })
}

/// The file that a program's name means, as the kernel or `PATH` finds it.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(program.into());
    }
    std::env::split_paths(&program::path()).map(|dir| dir.join(program)).find(|file| Path::is_file(file))
}

/// Whether root may go on with `config` as the user `uid`: it must be root's or theirs, and nobody else may be able to put
/// another one in its place. What it names would else run with more rights than whoever wrote it has. A text is a warning.
pub(crate) fn root_may(config: &Config, uid: u32, purpose: Purpose) -> Result<Option<String>, ConfigError> {
    let (path, source) = (config.file(), config.source());
    let caller = purpose.caller();
    let refuse = |reason: String, fix: String| ConfigError::Unsafe { path: path.to_owned(), reason, fix };
    let whose = |uid| if uid == 0 { "root".to_owned() } else { users::shown(uid) };
    if source.owner != 0 && source.owner != uid && Some(source.owner) != caller {
        let (owner, runs) = (whose(source.owner), whose(uid));
        let reason = format!("it belongs to {owner}, and {runs} would run the commands that it names");
        return Err(refuse(reason, format!("sudo chown root {}", path.display())));
    }
    let trusted = [uid, caller.unwrap_or(uid)];
    let Some(hand) = source.hands.iter().find(|hand| !hand.is_of(&trusted)) else { return Ok(None) };
    let reason = format!("{hand}, and so could put another file in its place");
    let fix = elsewhere(config);
    if purpose == Purpose::BringBack {
        Ok(Some(format!("{}: {reason}; {fix}", path.display())))
    } else {
        Err(refuse(reason, fix))
    }
}
