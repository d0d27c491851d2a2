//! What a finder says: the app, and what shall be shown of it.

use std::path::PathBuf;

use serde::Serialize;

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
