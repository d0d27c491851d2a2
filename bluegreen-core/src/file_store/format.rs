//! The text of a state file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::show;
use crate::{State, StoreError};

/// The newest form of the file that this version reads, and the one that it writes. A newer one is refused, in words. The second
/// has what 0.1.0 would lose: releases that crashed, and failures of which it does not know the cause.
const SCHEMA: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Envelope {
    schema: u32,
    #[serde(flatten)]
    state: State,
}

/// Only the number, so that a newer file can be told from a damaged one.
#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// The state in `text`, which came from `path`.
pub(crate) fn parse(text: &str, path: &Path) -> Result<State, StoreError> {
    let corrupt = |e: serde_json::Error| StoreError::Corrupt { path: show(path), reason: e.to_string() };
    let SchemaOnly { schema } = serde_json::from_str(text).map_err(corrupt)?;
    if schema > SCHEMA {
        return Err(StoreError::Newer { path: show(path), found: schema, known: SCHEMA });
    }
    let Envelope { state, .. } = serde_json::from_str(text).map_err(corrupt)?;
    Ok(state)
}

/// The text of `state`.
pub(crate) fn print(state: &State) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(&Envelope { schema: SCHEMA, state: state.clone() })?;
    text.push(b'\n');
    Ok(text)
}
