//! Files of an app that may say how it is started.

use std::{
    cell::RefCell,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use bluegreen_linux::files;

/// Files that may help, and what could not be read of them: what that would have said is not known, and may not be absent.
#[derive(Debug, Default)]
pub(crate) struct Texts(RefCell<Vec<String>>);

impl Texts {
    /// The text of a file; `None` where there is none, or it is among the unread.
    pub(crate) fn of(&self, file: &Path) -> Option<String> {
        const LIMIT: u64 = 1 << 20;
        match files::find(file).and_then(|found| found.text(LIMIT)) {
            Err(error) if is_absent(error.kind()) => None,
            text => text.map_err(|error| self.cannot_read(file, &error.without_path())).ok(),
        }
    }

    /// What is in a directory, by name; nothing where there is none, or it is among the unread.
    pub(crate) fn entries(&self, dir: &Path) -> Vec<PathBuf> {
        let read = || -> io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
        let mut entries = match read() {
            Err(error) if is_absent(error.kind()) => Vec::new(),
            entries => entries.map_err(|error| self.cannot_read(dir, &error)).unwrap_or_default(),
        };
        entries.sort();
        entries
    }

    /// What is there, and makes no sense or cannot be read.
    pub(crate) fn cannot_read(&self, path: &Path, why: &dyn Display) {
        self.0.borrow_mut().push(format!("{} cannot be read: {why}", path.display()));
    }

    pub(crate) fn unread(self) -> Vec<String> {
        self.0.into_inner()
    }
}

fn is_absent(why: io::ErrorKind) -> bool {
    matches!(why, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
