//! Printing what was asked for. A reader that went away stops nothing.

use std::io::{Write as _, stderr, stdout};

use serde::Serialize;

use crate::report::{Patient, escape};

/// Prints `text` and a line break.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(stdout(), "{text}");
}

/// Prints JSON on one line.
pub(crate) fn json(value: &impl Serialize) {
    line(as_json(value));
}

/// `value` as JSON on one line.
pub(crate) fn as_json(value: &impl Serialize) -> String {
    // all keys of ours are text, so this cannot fail
    escape(&serde_json::to_string(value).unwrap_or_default())
}

/// Prints `text` as it is.
pub(crate) fn raw(text: impl std::fmt::Display) {
    let _ = write!(stdout(), "{text}").and_then(|()| stdout().flush());
}

/// Prints `text` to stderr, as it is.
pub(crate) fn error(text: impl std::fmt::Display) {
    let _ = write!(Patient::new(stderr()), "{text}");
}
