//! What is at stdout, and where a reporter writes.

use std::io::{IsTerminal as _, Write, stdout};

use super::paint::{ColorChoice, Paint};

/// How stdout is painted.
pub fn stdout_paint(color: ColorChoice) -> Paint {
    Paint(color.enabled(stdout().is_terminal()))
}

/// Where a reporter writes. Its errors stop nothing: no deploy ends because nobody reads.
pub type Out = Box<dyn Write + Send>;

/// Columns for a table on stdout; 0, as many as it wants, when that is no terminal.
pub fn table_width() -> usize {
    if stdout().is_terminal() { stdout_width() } else { 0 }
}

/// Columns of the terminal at stdout; 80 when that cannot be told.
pub fn stdout_width() -> usize {
    let size = rustix::termios::tcgetwinsize(stdout());
    size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}
