//! Why a command ended before, or instead of, a run of the engine.

use std::{io::ErrorKind, path::Path};

use bluegreen_core::{Outcome, Refusal, RunError, StoreError};
use bluegreen_process::{AdoptError, ReleaseError};

use crate::{config::ConfigError, exit::Exit, output::FILE_SIZE, report::Trouble};

/// An exit code and what to say.
#[derive(Debug)]
pub(crate) struct Halt {
    pub(crate) exit: Exit,
    pub(crate) trouble: Box<Trouble>,
    /// The text of a mistake in the configuration, with its lines.
    pub(crate) mistake: Option<String>,
    /// An option with which it would have gone on, where the command has it.
    pub(crate) option: Option<&'static str>,
}

/// The traffic line of everything that is refused.
const UNTOUCHED: &str = "untouched";

impl Halt {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self::from_trouble(exit, Trouble::new(what))
    }

    pub(crate) fn error(exit: Exit, error: &dyn std::error::Error) -> Self {
        Self::from_trouble(exit, Trouble::from_error(error))
    }

    fn from_trouble(exit: Exit, trouble: Trouble) -> Self {
        Self {
            exit,
            trouble: Box::new(Trouble { traffic: Some(UNTOUCHED.into()), ..trouble }),
            mistake: None,
            option: None,
        }
    }

    /// A mistake in the configuration.
    pub(crate) fn mistake(error: &ConfigError, color: bool) -> Self {
        let next = match error {
            ConfigError::NotFound { .. } => "bluegreen init",
            ConfigError::Unsafe { fix, .. } => fix,
            _ => "bluegreen config",
        };
        Self { mistake: Some(error.render(color)), ..Self::error(Exit::Usage, error) }.next(next)
    }

    /// Why the engine did not run, or not to the end; and what to do about it, where that is known.
    pub(crate) fn run(error: RunError, fix: Option<String>) -> Self {
        let recovered = match &error {
            RunError::Refused { recovered, .. } => recovered.clone(),
            _ => None,
        };
        let halt = fix.into_iter().fold(error.into(), Self::next);
        recovered.as_deref().into_iter().fold(halt, Self::after)
    }

    /// The same after a recovery, which may have moved the traffic.
    fn after(mut self, recovered: &Outcome) -> Self {
        let did = match recovered {
            Outcome::Undone(failure) => format!("took back what an earlier command left: {failure}"),
            Outcome::Degraded { reason, .. } => format!("could not make it safe: {reason}"),
            _ => "brought to its end what an earlier command left".to_owned(),
        };
        self.trouble.causes.push(format!("the recovery before this command {did}"));
        self.traffic("as that recovery left it; ask `bluegreen status`")
    }

    /// The same, with a command to type.
    pub(crate) fn next(mut self, command: impl Into<String>) -> Self {
        self.trouble.command = Some(command.into());
        self
    }

    /// The same for a command that has the options `known`.
    pub(crate) fn with_options(mut self, known: &[&str]) -> Self {
        if let (Some(option), Some(command)) = (self.option.filter(|it| known.contains(it)), &mut self.trouble.command)
        {
            *command = format!("{command}, or the same with {option}");
        }
        self
    }

    /// The same, with something else to say of the traffic.
    pub(crate) fn traffic(mut self, traffic: impl Into<String>) -> Self {
        self.trouble.traffic = Some(traffic.into());
        self
    }
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Self {
        match &error {
            RunError::Store(store) => store.clone().into(),
            RunError::Refused { refusal, .. } => refusal.clone().into(),
            RunError::Unsaved(store) => {
                let next = match store {
                    StoreError::Io { kind: ErrorKind::FileTooLarge, .. } => format!("{FILE_SIZE} && bluegreen recover"),
                    _ => "bluegreen recover".to_owned(),
                };
                Self::error(Exit::Internal, &error)
                    .traffic("where it was, or as the last step that is listed above left it")
                    .next(next)
            }
            _ => Self::error(Exit::Internal, &error),
        }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        let exit = if matches!(error, StoreError::Locked(_)) { Exit::Busy } else { Exit::Refused };
        let halt = Self::error(exit, &error);
        match &error {
            StoreError::Locked(_) => Self { option: Some("--wait"), ..halt.next("bluegreen status") },
            StoreError::Taken { pid, .. } => {
                halt.next(format!("ps -o user,pid,lstart,args -p {pid}; when it has ended, the same again"))
            }
            StoreError::Io { kind: ErrorKind::FileTooLarge, .. } => halt.next(FILE_SIZE),
            // whoever has a lease on it is told to give it up
            StoreError::Io { kind: ErrorKind::WouldBlock, path, .. } => halt.next(format!("sudo lsof {path}")),
            StoreError::Newer { .. } => halt.next("bluegreen --version, and the newer one that wrote it"),
            StoreError::Io { kind: ErrorKind::NotFound, .. } => {
                halt.next("sudo bluegreen setup --apply (it makes the directory)")
            }
            StoreError::Io { kind: ErrorKind::StorageFull | ErrorKind::QuotaExceeded, .. } => {
                halt.next("bluegreen releases prune, or free some disk")
            }
            // as of a limit of this process: the words of the system say which
            StoreError::Io { .. } => halt.next("bluegreen check"),
            StoreError::Corrupt { .. } => halt.next("bluegreen recover"),
            StoreError::Unsafe { fix: Some(fix), .. } => halt.next(format!("{fix} && bluegreen recover")),
            _ => halt,
        }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        let exit = if matches!(refusal, Refusal::Waiting(_)) { Exit::Busy } else { Exit::Refused };
        let halt = Self::error(exit, &refusal);
        match &refusal {
            Refusal::Waiting(tx) if tx.undo.is_some() => halt.next("bluegreen recover"),
            Refusal::Waiting(_) => {
                Self { option: Some("--replace"), ..halt.next("bluegreen promote or bluegreen abort") }
            }
            Refusal::Lost(..) => halt.next("bluegreen deploy ARTIFACT"),
            Refusal::NothingPrepared | Refusal::NotPrepared(_) => halt.next("bluegreen prepare ARTIFACT"),
            Refusal::NothingToRollBack => halt.next("bluegreen releases"),
            Refusal::HasFailed(_) => halt.next("bluegreen history"),
            _ => halt,
        }
    }
}

impl From<ReleaseError> for Halt {
    fn from(error: ReleaseError) -> Self {
        // the disk, what this user may have of it, and the size of a file: nothing was touched
        let no_room = |e: &std::io::Error| match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("bluegreen releases prune"),
            ErrorKind::FileTooLarge => Some(FILE_SIZE),
            _ => None,
        };
        if let ReleaseError::Io { source, .. } = &error
            && let Some(fix) = no_room(source)
        {
            return Self::error(Exit::Refused, &error).next(fix);
        }
        match &error {
            ReleaseError::NoSpace { .. } => Self::error(Exit::Refused, &error).next("bluegreen releases prune"),
            ReleaseError::Io { path, source } if source.kind() == ErrorKind::NotFound => {
                let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
                Self::error(Exit::Process, &error).next(format!("ls -l {}", dir.display()))
            }
            ReleaseError::Io { path, .. } | ReleaseError::BadArtifact { path, .. } => {
                Self::error(Exit::Process, &error).next(format!("ls -ld {}", path.display()))
            }
            ReleaseError::HoldsStore { .. } | ReleaseError::InStore { .. } => {
                Self::error(Exit::Process, &error).next("bluegreen deploy ARTIFACT")
            }
            ReleaseError::Damaged { path, .. } => {
                // what is in it is read-only
                let dir = path.display();
                Self::error(Exit::Process, &error)
                    .next(format!("chmod -R u+w {dir} && rm -r {dir}, and deploy it again"))
            }
            ReleaseError::NotInGroup { .. } => Self::error(Exit::Refused, &error).next("bluegreen check"),
            ReleaseError::WrongDigest { .. } => Self::error(Exit::Process, &error).next("sha256sum ARTIFACT"),
            _ => Self::error(Exit::Process, &error).next("bluegreen releases"),
        }
    }
}

impl From<AdoptError> for Halt {
    fn from(error: AdoptError) -> Self {
        Self::error(Exit::Process, &error).next("bluegreen status")
    }
}
