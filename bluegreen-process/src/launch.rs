//! How a release is started, and how it is asked to stop.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use bluegreen_core::Template;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

/// How releases are started and asked to stop.
///
/// `command`, `env` and `workdir` become part of a release ([`Launch::spec`]) when it is added; the rest is taken from
/// today's configuration at each start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program and its arguments; no shell sees them.
    pub command: Vec<Template>,
    /// Environment variables.
    pub env: BTreeMap<String, Template>,
    /// More variables, `NAME=value` lines. For secrets: read at each start, never stored; it must not be readable by others.
    pub env_file: Option<PathBuf>,
    /// Variables of the caller to pass on, besides PATH, HOME, LANG, TZ and USER.
    pub pass_env: Vec<String>,
    /// The working directory.
    pub workdir: Template,
    /// The signal that asks the process to end.
    pub signal: StopSignal,
    /// Who gets that signal.
    pub to: SignalTo,
    /// The file mode creation mask of the process, as `0o027`.
    pub umask: u32,
}

impl Launch {
    /// Starts `command`, with every default of the configuration.
    pub fn new(command: Vec<Template>) -> Self {
        let workdir = Template::parse("{shared_dir}").expect("a known placeholder");
        Self {
            command,
            env: BTreeMap::new(),
            env_file: None,
            pass_env: Vec::new(),
            workdir,
            signal: StopSignal::default(),
            to: SignalTo::default(),
            umask: 0o027,
        }
    }

    /// The part that belongs to a release.
    pub fn spec(&self) -> Spec {
        Spec {
            command: self.command.iter().map(ToString::to_string).collect(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
            workdir: self.workdir.to_string(),
        }
    }
}

/// The part of a [`Launch`] that is stored with a release, so that an old release starts as it did. Templates, unrendered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub workdir: String,
}

/// A signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StopSignal {
    /// `SIGTERM`.
    #[default]
    Term,
    /// `SIGINT`.
    Int,
    /// `SIGQUIT`.
    Quit,
    /// `SIGHUP`.
    Hup,
    /// `SIGUSR1`.
    Usr1,
    /// `SIGUSR2`.
    Usr2,
    /// `SIGWINCH`, which some servers take for a graceful stop.
    Winch,
}

const SIGNALS: [(StopSignal, &str, Signal); 7] = [
    (StopSignal::Term, "TERM", Signal::TERM),
    (StopSignal::Int, "INT", Signal::INT),
    (StopSignal::Quit, "QUIT", Signal::QUIT),
    (StopSignal::Hup, "HUP", Signal::HUP),
    (StopSignal::Usr1, "USR1", Signal::USR1),
    (StopSignal::Usr2, "USR2", Signal::USR2),
    (StopSignal::Winch, "WINCH", Signal::WINCH),
];

impl StopSignal {
    fn row(self) -> &'static (Self, &'static str, Signal) {
        SIGNALS.iter().find(|row| row.0 == self).expect("every signal has a row")
    }

    pub(crate) fn signal(self) -> Signal {
        self.row().2
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.row().1)
    }
}

/// The text names no [`StopSignal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a signal to stop with: TERM, INT, QUIT, HUP, USR1, USR2 or WINCH")]
pub struct UnknownSignal(String);

impl FromStr for StopSignal {
    type Err = UnknownSignal;

    /// `TERM` or `SIGTERM`.
    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        SIGNALS.iter().find(|row| row.1 == name).map(|row| row.0).ok_or_else(|| UnknownSignal(text.to_owned()))
    }
}

/// Who gets the stop signal. `KILL` always goes to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignalTo {
    /// Every process that the release started and that can be told to be its own.
    #[default]
    Group,
    /// The process that was started; its children are its own business.
    Main,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_the_names_of_the_shell() {
        for (signal, name, _) in SIGNALS {
            assert_eq!(name.parse(), Ok(signal));
            assert_eq!(format!("SIG{signal}").parse(), Ok(signal));
        }
        assert!("KILL".parse::<StopSignal>().is_err());
        assert!("term".parse::<StopSignal>().is_err());
    }
}
