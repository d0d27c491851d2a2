//! What is kept of one command.

use bluegreen_core::{Failure, Finding, Kind, Receipt, ReleaseId, told};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::moment::Timeline;

/// One command's part of a transaction, as a person wants to read about it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Entry {
    /// Of the transaction; 0 when a hook stopped the deploy before there was one.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) release: ReleaseId,
    #[serde(default)]
    pub(crate) version: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(crate) began: Timestamp,
    pub(crate) took_ms: u64,
    pub(crate) outcome: String,
    pub(crate) exit_code: u8,
    pub(crate) active: Option<String>,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) receipt: Option<Receipt>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// The digest of `bluegreen.toml` as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    #[serde(default)]
    pub(crate) timeline: Timeline,
    /// What the autopsy found.
    #[serde(with = "told", default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<told::Told>"))]
    pub(crate) findings: Vec<Finding>,
}
