//! `init`: what is there, and the configuration that follows from it.
//!
//! Each finder looks at a directory, or at facts, and says what it found and where; [`Draft::new`] decides; nothing here
//! asks anybody or writes a file.

mod artifact;
mod draft;
mod jar;
mod node;
mod ports;
pub(crate) mod proxy;
mod python;
mod scripts;
mod text;

use std::{
    cell::RefCell,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use bluegreen_linux::files;
use serde::Serialize;

pub(crate) use draft::{Draft, Wishes};
pub(crate) use ports::{Ephemeral, Neighbour, Owner, neighbours, owners};
pub(crate) use proxy::Proxy;

use crate::appspec::AppSpec;

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

/// Something that was found, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Found {
    /// What kind of thing, as `jar`.
    pub(crate) kind: &'static str,
    /// What it is.
    pub(crate) what: String,
    /// Where it was seen.
    pub(crate) origin: String,
}

/// How a kind of app is started and asked. What it does not say stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct App {
    /// As `jar`.
    pub(crate) kind: &'static str,
    /// What it is called there.
    pub(crate) name: Option<String>,
    /// What is deployed, relative to the directory where possible; none when the command alone is.
    pub(crate) artifact: Option<PathBuf>,
    /// A pattern for the artifact of the next builds.
    pub(crate) pattern: Option<String>,
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// The path of its health page.
    pub(crate) health: Option<&'static str>,
    /// Whether that page is its profile's name.
    pub(crate) says_profile: bool,
    /// Profiles that it has settings for, and their ports.
    pub(crate) profiles: Vec<(String, u16)>,
    /// What should be said about it.
    pub(crate) details: Vec<String>,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) app: Option<App>,
    pub(crate) spec: Option<AppSpec>,
    pub(crate) scripts: scripts::Scripts,
    pub(crate) proxy: Option<Proxy>,
    /// Who listens on the ports that matter.
    pub(crate) owners: Vec<Owner>,
    /// The ports of other apps.
    pub(crate) neighbours: Vec<Neighbour>,
    /// The ports of the kernel.
    pub(crate) ephemeral: Ephemeral,
    /// What could not be looked at, and would have counted.
    pub(crate) unseen: Vec<String>,
}

/// Looks at `dir`, or at `artifact` in it when one is named.
pub(crate) fn look_at(dir: &Path, artifact: Option<&Path>) -> Findings {
    let texts = Texts::default();
    let spec = AppSpec::find(dir, &texts);
    let scripts = scripts::find(dir, spec.as_ref(), &texts);
    let app = match artifact {
        Some(path) => Some(artifact::app_of(dir, path, &texts)),
        None => artifact::app_in(dir, &texts),
    };
    Findings { app, spec, scripts, unseen: texts.unread(), ..Findings::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_taken_for_absent() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look_at(dir.path(), None).unseen, [""; 0]);
        let file = |name: &str| dir.path().join(name);
        fs::write(file("package.json"), "{ \"name\": ").unwrap();
        fs::create_dir(file("requirements.txt")).unwrap();
        fs::create_dir(file("appspec.yml")).unwrap();
        let unseen = look_at(dir.path(), None).unseen;
        let said = format!("{} cannot be read: EOF while parsing", file("package.json").display());
        assert!(unseen.len() == 1 && unseen[0].starts_with(&said), "{unseen:?}");
        fs::remove_file(file("package.json")).unwrap();
        let unseen = look_at(dir.path(), None).unseen;
        let said = format!("{} cannot be read: ", file("requirements.txt").display());
        assert!(unseen.len() == 1 && unseen[0].starts_with(&said), "{unseen:?}");
    }
}
