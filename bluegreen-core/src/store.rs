//! Where the state is kept, and who may change it.

use std::{any::Any, fmt::Debug, ops::Deref};

use serde::{Deserialize, Serialize};

use crate::{Stamp, State};

/// Keeps the state of one app.
///
/// # Contract
/// At most one [`Lease`] exists at a time, on the whole machine; it ends with its holder, however that ends, and no child
/// process inherits it. `save` is durable when it returns: after a power cut the state is the old one or the new one.
///
/// # Idempotency
/// Saving the same state again changes nothing.
///
/// # Crash
/// Killed at any instant, `load` gives what was last saved, or what was being saved.
///
/// # Cancellation
/// The calls are short and synchronous.
///
/// # Errors
/// A state that cannot be read is an error, never an empty state.
#[cfg_attr(test, mockall::automock)]
pub trait StateStore: Debug + Send + Sync {
    /// Takes the lock for `who`, or says who has it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with who has it, where that is known; [`StoreError::Taken`] when that is nobody of ours.
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError>;

    /// Reads the state; an app that has none yet has the default one. Needs no lock.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] and [`StoreError::Newer`] when there is a state that cannot be read; never an empty one instead.
    fn load(&self) -> Result<State, StoreError>;

    /// Replaces the state.
    ///
    /// # Errors
    /// The state before is still there, whole; also of [`StoreError::Foreign`], a lease that is another store's.
    fn save(&self, lease: &Lease, state: &State) -> Result<(), StoreError>;

    /// Says what the holder of the lock is at, when that is not one of the steps; `None`: at them again. It is for messages, and may
    /// be left out.
    fn note(&self, lease: &Lease, at: Option<String>) {
        let _ = (lease, at);
    }

    /// Now, as a moment that outlives this process.
    fn now(&self) -> Stamp;
}

impl<P: Deref<Target: StateStore> + Debug + Send + Sync> StateStore for P {
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError> {
        (**self).lock(who)
    }

    fn load(&self) -> Result<State, StoreError> {
        (**self).load()
    }

    fn save(&self, lease: &Lease, state: &State) -> Result<(), StoreError> {
        (**self).save(lease, state)
    }

    fn note(&self, lease: &Lease, at: Option<String>) {
        (**self).note(lease, at);
    }

    fn now(&self) -> Stamp {
        (**self).now()
    }
}

/// Who holds the lock; for messages only, never read for a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holder {
    /// The command, as `deploy`.
    pub command: String,
    /// The user's name.
    pub user: String,
    /// The process id.
    pub pid: u32,
    /// When it took the lock, RFC 3339.
    pub since: String,
    /// What it is at, as `the hook before_switch`, when it is not one of the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, user, pid, since, at } = self;
        if command.is_empty() {
            return write!(f, "pid {pid}");
        }
        write!(f, "`{command}` of {user} (pid {pid}) since {since}")?;
        at.iter().try_for_each(|at| write!(f, ", at {at}"))
    }
}

/// The right to save. Dropping it frees the lock.
#[derive(Debug)]
pub struct Lease(Box<dyn Held>);

/// What a store puts into a [`Lease`]: anything whose drop frees the lock.
pub trait Held: Any + Debug + Send + Sync {}

impl<T: Any + Debug + Send + Sync> Held for T {}

impl Lease {
    /// For implementors of [`StateStore`]: wraps what frees the lock when dropped.
    pub fn new(guard: impl Held) -> Self {
        Self(Box::new(guard))
    }

    /// For implementors of [`StateStore`]: what it was made of, by which a store knows its own.
    pub fn guard<T: Any>(&self) -> Option<&T> {
        let guard: &dyn Any = &*self.0;
        guard.downcast_ref()
    }
}

/// Why the state could not be read, locked or saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else is at work.
    #[error("locked by {}", .0.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string))]
    Locked(Option<Holder>),
    /// Somebody has the lock who is no command of bluegreen.
    #[error("{path} is locked by pid {pid} of {user}, which is no command of bluegreen")]
    Taken {
        /// What is locked.
        path: String,
        /// The process.
        pid: u32,
        /// Whose it is, as `user backup`.
        user: String,
    },
    /// The lease is the right to save another store.
    #[error("the lock that is held is not the one of {path}")]
    Foreign {
        /// What was to be saved.
        path: String,
    },
    /// Reading or writing failed.
    #[error("{action} {path}: {reason}")]
    Io {
        /// What was tried, as `cannot write`.
        action: &'static str,
        /// The file.
        path: String,
        /// What kind of error that is.
        kind: std::io::ErrorKind,
        /// What the system said.
        reason: String,
    },
    /// The file is there but makes no sense.
    #[error("{path} is damaged: {reason}")]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A newer version of bluegreen wrote it.
    #[error("{path} was written by a newer bluegreen (schema {found}, this one reads {known})")]
    Newer {
        /// The file.
        path: String,
        /// Its schema number.
        found: u32,
        /// The newest that this version reads.
        known: u32,
    },
    /// The file or directory is not safe to use (owner, mode, link).
    #[error("{path} is not safe: {reason}")]
    Unsafe {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
        /// One command that cures it, where there is one.
        fix: Option<String>,
    },
}

impl StoreError {
    /// The command that makes an unsafe state safe, where there is one.
    pub fn fix(self) -> Option<String> {
        if let Self::Unsafe { fix, .. } = self { fix } else { None }
    }
}
