//! Printing what was asked for. A reader that went away stops nothing.

use std::io::{Write as _, stderr, stdout};

use crate::report::{Patient, escape};

/// Prints `text` and a line break.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(stdout(), "{text}");
}

/// Prints JSON on one line.
pub(crate) fn json(value: impl std::fmt::Display) {
    line(escape(&value.to_string()));
}

/// Prints `text` as it is.
pub(crate) fn raw(text: impl std::fmt::Display) {
    let _ = write!(stdout(), "{text}").and_then(|()| stdout().flush());
}

/// Prints `text` to stderr, as it is.
pub(crate) fn error(text: impl std::fmt::Display) {
    let _ = write!(Patient::new(stderr()), "{text}");
}
