//! What `--format json` prints besides events. New members may come; those that are there stay as they are.
//!
//! With the feature `schema` each has a JSON schema, which `docs/schema` publishes.

use std::{collections::BTreeMap, path::PathBuf};

use bluegreen_core::{Finding, Holder, Name, ReleaseId, Transaction};
use serde::Serialize;

use crate::{commands::Condition, config, init::Found};

/// The version of the documents. New members do not change it.
pub(crate) const SCHEMA: u32 = 1;

/// `status`
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Status {
    /// The version of this format.
    pub(crate) schema: u32,
    pub(crate) app: Name,
    /// How it is, in one word; more words may come. `up` and `empty` end with 0.
    pub(crate) condition: Condition,
    /// Why; empty when it is `up`.
    pub(crate) says: String,
    /// The release that should serve; `null` when none was confirmed yet.
    pub(crate) should: Option<ReleaseId>,
    /// The newer release that recovery left for the one that serves.
    pub(crate) replaced: Option<ReleaseId>,
    /// The command to type.
    pub(crate) next: Option<String>,
    /// Why the state is not the one that was written last.
    pub(crate) damaged: Option<String>,
    /// The profile that gets new requests; `null` when the route is not known.
    pub(crate) active: Option<Side>,
    /// The other one.
    pub(crate) idle: Option<Side>,
    /// The profile that nginx may fail over to.
    pub(crate) failover: Option<Name>,
    /// Whether the standby answers for a dead active profile.
    pub(crate) failed_over: bool,
    pub(crate) route: RouteSaid,
    /// The open transaction.
    pub(crate) transaction: Option<Transaction>,
    /// How long that waits already; `null` when none waits.
    pub(crate) waits: Option<Waits>,
    /// Who holds the lock.
    pub(crate) lock: Option<Holder>,
}

/// A release that waits for `promote` or `abort`.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Waits {
    /// RFC 3339 in UTC, as the history says it; `null` when it does not.
    pub(crate) since: Option<String>,
    /// Whole seconds; `null` also with `--watch`, which says only what changes.
    pub(crate) seconds: Option<u64>,
}

/// One profile.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Side {
    pub(crate) profile: Name,
    pub(crate) port: u16,
    /// What runs there; `null` when nothing of ours does.
    pub(crate) release: Option<ReleaseId>,
    /// What people call it.
    pub(crate) version: Option<String>,
    /// Its main process; `null` also when that cannot be seen.
    pub(crate) pid: Option<u32>,
    /// Whether it answers as the configuration wants; `null` when it cannot be seen who answers there.
    pub(crate) healthy: Option<bool>,
}

/// The route as the proxy says it.
#[derive(Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RouteSaid {
    /// `marker` or `reload`.
    pub(crate) mode: &'static str,
    /// Whether it is known.
    pub(crate) proven: bool,
    /// In words, or why it is not known.
    pub(crate) name: String,
}

/// `plan`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Plan<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    pub(crate) app: &'a Name,
    /// What would be deployed.
    pub(crate) release: PlannedRelease<'a>,
    /// What would be done before, because somebody left something behind.
    pub(crate) first: &'a [String],
    /// The profile that serves now.
    pub(crate) from: Option<&'a Name>,
    /// The profile that would; `null` when nothing would be done.
    pub(crate) to: Option<&'a Name>,
    /// Why nothing would be done.
    pub(crate) already: Option<&'a str>,
    pub(crate) steps: Vec<PlannedStep<'a>>,
    /// The median of the last deploys.
    pub(crate) usually_ms: Option<u64>,
    /// The releases that would be removed in the end.
    pub(crate) removes: Vec<&'a ReleaseId>,
}

/// What would be deployed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlannedRelease<'a> {
    pub(crate) id: &'a ReleaseId,
    /// What people call it.
    pub(crate) version: Option<&'a str>,
    /// In bytes.
    pub(crate) size: u64,
    /// Whether it is kept already.
    pub(crate) stored: bool,
}

/// One step of a plan.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlannedStep<'a> {
    /// As `health`, or another word for what is no step of the engine.
    pub(crate) step: &'a str,
    /// In words.
    pub(crate) does: &'a str,
    /// The median of the last deploys.
    pub(crate) usually_ms: Option<u64>,
}

/// `check`, `setup --check`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Check<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    pub(crate) app: &'a Name,
    /// The worst first.
    pub(crate) findings: &'a [Finding],
}

/// `releases`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::struct_field_names, reason = "that is what the document calls them")]
pub(crate) struct Releases<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    /// Those that are kept, the newest first.
    pub(crate) releases: Vec<KeptRelease<'a>>,
    /// Those of which it cannot be read what they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<UnreadableRelease>,
}

/// One release that is there and cannot be read.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct UnreadableRelease {
    /// The name of its directory.
    pub(crate) id: ReleaseId,
    /// Why, and what to do.
    pub(crate) says: String,
}

/// One release that is kept.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct KeptRelease<'a> {
    /// SHA-256 over artifact, command and version.
    pub(crate) id: &'a ReleaseId,
    /// What people call it.
    pub(crate) version: Option<&'a str>,
    /// The name of the artifact.
    pub(crate) artifact: Option<&'a str>,
    /// The SHA-256 of it.
    pub(crate) sha256: Option<&'a str>,
    /// In bytes.
    pub(crate) size: u64,
    /// When it was added, RFC 3339 in UTC.
    pub(crate) created: &'a str,
    /// What it is now, as `active`, `last confirmed` or `pinned`.
    pub(crate) is: Vec<&'static str>,
}

/// `releases prune`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Pruned<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    /// What is gone.
    pub(crate) removed: Vec<&'a ReleaseId>,
}

/// `profile`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Chosen<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    pub(crate) profile: &'a Name,
    pub(crate) port: u16,
    /// Whether it was asked for the active one.
    pub(crate) active: bool,
}

/// `init`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Init<'a> {
    /// The version of this format.
    pub(crate) schema: u32,
    /// The file that was written.
    pub(crate) config: PathBuf,
    pub(crate) found: &'a [Found],
    /// What a person should know.
    pub(crate) notes: &'a [String],
    /// The next command.
    pub(crate) next: String,
}

/// `config`
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Config {
    /// The version of this format.
    pub(crate) schema: u32,
    /// The file that was read.
    pub(crate) file: PathBuf,
    /// By dotted key, as `stop.grace`.
    pub(crate) settings: BTreeMap<String, Setting>,
}

impl Config {
    pub(crate) fn of(config: &config::Config) -> Self {
        let setting = |(key, value, origin)| {
            // a value of TOML is one of JSON, but for a number that is none, which no key takes
            (key, Setting { value: serde_json::to_value(value).unwrap_or_default(), origin })
        };
        Self { schema: SCHEMA, file: config.file().to_owned(), settings: config.entries().map(setting).collect() }
    }
}

/// A value in effect. What looks like a secret is `***`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Setting {
    pub(crate) value: serde_json::Value,
    /// `default`, or the file and the line.
    pub(crate) origin: String,
}

/// `demo`: what its clients saw. Before it come the events of its commands.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Demo {
    /// The version of this format.
    pub(crate) schema: u32,
    /// All that were asked.
    pub(crate) requests: usize,
    /// Those without an answer of the app.
    pub(crate) lost: usize,
}

/// The schema of each kind of output, by the name of its file in `docs/schema`.
#[cfg(feature = "schema")]
pub fn schemas() -> Vec<(&'static str, serde_json::Value)> {
    fn of<T: schemars::JsonSchema>() -> serde_json::Value {
        schemars::generate::SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<T>()
            .into()
    }
    vec![
        ("events", of::<bluegreen_core::Event>()),
        ("history", of::<crate::history::Entry>()),
        ("status", of::<Status>()),
        ("plan", of::<Plan<'_>>()),
        ("check", of::<Check<'_>>()),
        ("releases", of::<Releases<'_>>()),
        ("pruned", of::<Pruned<'_>>()),
        ("profile", of::<Chosen<'_>>()),
        ("init", of::<Init<'_>>()),
        ("config", of::<Config>()),
        ("demo", of::<Demo>()),
    ]
}
