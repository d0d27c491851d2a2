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

use std::path::{Path, PathBuf};

use bluegreen_linux::files;
use serde::Serialize;

pub(crate) use draft::{Draft, Wishes};
pub(crate) use ports::{Ephemeral, Neighbour, Owner, neighbours, owners};
pub(crate) use proxy::Proxy;

use crate::appspec::AppSpec;

/// The text of a file that may help; without it, what it would have said is not said.
pub(crate) fn text_of(file: &Path) -> Option<String> {
    const LIMIT: u64 = 1 << 20;
    files::find(file).and_then(|found| found.text(LIMIT)).ok()
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
    let spec = AppSpec::find(dir);
    let scripts = scripts::find(dir, spec.as_ref());
    let app = match artifact {
        Some(path) => Some(artifact::app_of(dir, path)),
        None => artifact::app_in(dir),
    };
    Findings { app, spec, scripts, ..Findings::default() }
}
