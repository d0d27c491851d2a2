//! Why a file is not used.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::{fs::FileType, io::Errno};

/// Why a file could not be opened, read or replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system said no.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        why: io::Error,
    },
    /// It is there, and not what it should be.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Unfit,
    },
}

/// What is wrong with a file that is there: a sentence without its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// A link, which is not followed.
    #[error("it is a symbolic link")]
    Link,
    /// A link on the way to it, which is not root's alone.
    #[error("a symbolic link on the way to it is not root's alone")]
    LinkOnTheWay,
    /// No regular file.
    #[error("it is {0}, and no file")]
    Kind(&'static str),
    /// Somebody else's.
    #[error("it belongs to another user (uid {owner}, and this is uid {me})")]
    Foreign {
        /// Whose it is.
        owner: u32,
        /// Who we are.
        me: u32,
    },
    /// All may write to it.
    #[error("everybody may write to it")]
    Everybody,
    /// A group may write to it.
    #[error("a group may write to it")]
    Group,
    /// Some whom an access list names may write to it.
    #[error("an access list lets others write to it")]
    Listed,
    /// Others may read it, and it holds secrets.
    #[error("it can be read by others")]
    Readable,
    /// More than it can have in it, if it is what it should be.
    #[error("it has more than {limit} bytes in it, and none of ours has")]
    TooLarge {
        /// So many bytes would be read.
        limit: u64,
    },
    /// Bytes that are no text.
    #[error("it is no text (UTF-8)")]
    NoText,
}

impl Unfit {
    /// What to type, in front of the path; `None` where no one command cures it.
    pub fn fix(self) -> Option<String> {
        match self {
            Self::Foreign { me, .. } => Some(format!("sudo chown {me}")),
            Self::Everybody => Some("chmod go-w".into()),
            // with an access list, the bits of the group are the most that anybody in the list has
            Self::Group | Self::Listed => Some("chmod g-w".into()),
            Self::Readable => Some("chmod 600".into()),
            _ => None,
        }
    }

    /// What a file of this kind is, when it is not a regular one.
    pub(super) fn of_kind(kind: FileType) -> Option<Self> {
        match kind {
            FileType::RegularFile => None,
            FileType::Symlink => Some(Self::Link),
            FileType::Directory => Some(Self::Kind("a directory")),
            FileType::Fifo => Some(Self::Kind("a pipe")),
            FileType::Socket => Some(Self::Kind("a socket")),
            FileType::CharacterDevice | FileType::BlockDevice => Some(Self::Kind("a device")),
            FileType::Unknown => Some(Self::Kind("something unknown")),
        }
    }
}

impl FileError {
    pub(super) fn unfit(path: &Path, why: Unfit) -> Self {
        Self::Unfit { path: path.to_owned(), why }
    }

    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |why| Self::Io { path: path.to_owned(), why }
    }

    pub(super) fn errno(path: &Path) -> impl Fn(Errno) -> Self {
        move |errno| Self::Io { path: path.to_owned(), why: said(errno) }
    }

    /// What the system said; what is unfit is of the kind [`io::ErrorKind::InvalidInput`].
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { why, .. } => why.kind(),
            Self::Unfit { .. } => io::ErrorKind::InvalidInput,
        }
    }

    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }

    /// What is wrong with a file that is there.
    pub fn reason(&self) -> Option<Unfit> {
        match self {
            Self::Io { .. } => None,
            Self::Unfit { why, .. } => Some(*why),
        }
    }

    /// The same without the path, for a sentence that names it.
    pub fn without_path(&self) -> String {
        match self {
            Self::Io { why, .. } => why.to_string(),
            Self::Unfit { why, .. } => why.to_string(),
        }
    }
}

/// Of a file that is opened without waiting the system says no more than that it would have to.
fn said(errno: Errno) -> io::Error {
    match errno {
        Errno::AGAIN => io::Error::new(
            io::ErrorKind::WouldBlock,
            "another process has a lease on it and does not give it up; the kernel takes it away within a minute",
        ),
        errno => errno.into(),
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}
