//! Why a release cannot be stored or found.

use std::{
    io,
    path::{Path, PathBuf},
};

use bluegreen_core::ReleaseId;

/// Why a release cannot be stored or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The artifact is no file and no directory, or holds something that cannot be stored.
    #[error("{}: {reason}", path.display())]
    BadArtifact {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// Each release would be in the next one.
    #[error("the release store {} is in {}: give the directory that was built", store.display(), path.display())]
    HoldsStore {
        /// The artifact.
        path: PathBuf,
        /// The store.
        store: PathBuf,
    },
    /// What is in the store is a release already.
    #[error("{} is in the release store {}: give the directory that was built", path.display(), store.display())]
    InStore {
        /// The artifact.
        path: PathBuf,
        /// The store.
        store: PathBuf,
    },
    /// The one who watched did not want to go on.
    #[error("stopped before the artifact was read to its end")]
    Stopped,
    /// Only root, and who is in a group, gives it something.
    #[error("{} cannot be given to the group {group}, which this user is not in", path.display())]
    NotInGroup {
        /// What was to be given.
        path: PathBuf,
        /// The number of the group.
        group: u32,
    },
    /// The artifact is not the one that was meant.
    #[error("the artifact has the digest {found}, not {wanted}: it may be half uploaded")]
    WrongDigest {
        /// What was asked for.
        wanted: String,
        /// What was read.
        found: String,
    },
    /// The disk is too full.
    #[error("{} has {} MB free, {} MB are needed", dir.display(), free / 1_000_000, needed.div_ceil(1_000_000))]
    NoSpace {
        /// Where.
        dir: PathBuf,
        /// Bytes needed, with a reserve.
        needed: u64,
        /// Bytes free to this user.
        free: u64,
    },
    /// There is no such release.
    #[error("no release {0:?}")]
    Unknown(String),
    /// Several releases begin with that text.
    #[error("{text:?} may be {first} or {second}: give more of the id")]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// One that begins so.
        first: ReleaseId,
        /// Another.
        second: ReleaseId,
    },
    /// Somebody changed a stored release.
    #[error("release {id} is damaged ({reason}): remove {} and deploy it again", path.display())]
    Damaged {
        /// Which one.
        id: ReleaseId,
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl ReleaseError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}
