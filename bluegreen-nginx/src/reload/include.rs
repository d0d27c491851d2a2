//! The include file: `set $service_url http://127.0.0.1:8081;`

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bluegreen_linux::files;
use tempfile::NamedTempFile;

use super::address::{Says, parse};
use crate::{argv, setup::write};

/// An include file larger than this is none.
const LIMIT: u64 = 1 << 20;

/// The file that nginx includes, and how a new one gets into its place.
#[derive(Debug, Clone)]
pub struct IncludeFile {
    path: PathBuf,
    install: Option<Vec<String>>,
}

/// Why an include file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IncludeError {
    /// There is none.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It cannot be written by this user, or the install command failed.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
}

impl IncludeError {
    /// The same for who has named the file already.
    pub(super) fn of_the_file(&self) -> String {
        match self {
            Self::Missing(_) => "is not there".to_owned(),
            Self::Read { reason, .. } => format!("cannot be read: {reason}"),
            Self::Write { reason, .. } => format!("cannot be written: {reason}"),
        }
    }
}

/// An include file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) modified: SystemTime,
}

impl IncludeFile {
    /// The file at `path`, replaced by a rename; its mode and owner are kept and a symlink is followed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), install: None }
    }

    /// The same, replaced by running `command` with source and destination appended: `["sudo", "-n", "cp"]`. With
    /// `--preserve=timestamps` a refused switch leaves no trace: else nginx must be reloaded once before the next deploy.
    #[must_use = "returns the file"]
    pub fn install_with(mut self, command: Vec<String>) -> Self {
        self.install = Some(command);
        self
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it sends requests.
    ///
    /// # Errors
    /// It is missing or cannot be read.
    pub fn read(&self) -> Result<Says, IncludeError> {
        self.content().map(|content| parse(&content.text))
    }

    pub(super) fn content(&self) -> Result<Content, IncludeError> {
        let read = || {
            let found = files::find(&self.path)?;
            let modified = found.file.metadata()?.modified()?;
            Ok(Content { text: found.text(LIMIT)?, modified })
        };
        read().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => IncludeError::Missing(self.path.clone()),
            _ => IncludeError::Read { path: self.path.clone(), reason: error.to_string() },
        })
    }

    /// Puts `text` in its place; `modified` is given to keep the time of a file that is put back.
    pub(super) async fn write(&self, text: &str, modified: Option<SystemTime>) -> Result<(), IncludeError> {
        let wrong = |reason: String| IncludeError::Write { path: self.path.clone(), reason };
        match &self.install {
            None => {
                // what a symlink leads to, not the symlink
                let path = fs::canonicalize(&self.path);
                let replace = |path: PathBuf| write::replace(&path, text, modified);
                path.and_then(replace).map_err(|error| wrong(error.to_string()))
            }
            Some(command) => {
                self.install(command, text, modified).await.map_err(wrong)?;
                let written = self.content()?.text == text;
                if written { Ok(()) } else { Err(wrong(format!("`{}` left something else there", command.join(" ")))) }
            }
        }
    }

    /// Whether a new one could be written beside it, as a switch does before it puts that in its place; nothing is left of it.
    ///
    /// # Errors
    /// Why not.
    pub fn try_beside(&self) -> io::Result<()> {
        write::try_beside(&fs::canonicalize(&self.path)?)
    }

    async fn install(&self, command: &[String], text: &str, modified: Option<SystemTime>) -> Result<(), String> {
        let source = readable(text, modified).map_err(|error| format!("no temporary file: {error}"))?;
        let mut command = command.to_vec();
        command.extend([source.path(), &self.path].map(|path| path.to_string_lossy().into_owned()));
        argv::run(&command).await.map(drop).map_err(|failed| failed.to_string())
    }
}

/// A temporary file with this text, which the install command may read as another user.
fn readable(text: &str, modified: Option<SystemTime>) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    if let Some(time) = modified {
        file.as_file().set_modified(time)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
