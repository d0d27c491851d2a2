//! What a person, or a program, sees: every reporter is a sink of the engine's events.

mod command;
mod json;
mod line;
mod live;
mod narrator;
mod paint;
mod patient;
mod table;
mod text;
mod trouble;
mod units;

use std::io::{IsTerminal, Write, stderr, stdout};

use bluegreen_core::EventSink;
pub use bluegreen_core::took;
use bluegreen_process::Releases;

use crate::output::Stdout;

pub use self::{
    command::{as_typed, install, path_of},
    json::JsonReporter,
    line::LineReporter,
    live::LiveReporter,
    paint::{ColorChoice, Paint},
    table::{HistoryRow, StatusRow, Tone, history_table, release_table, status_table},
    text::{indented, marked, sanitize},
    trouble::Trouble,
    units::{ago, size},
};
pub(crate) use self::{
    narrator::{brief, title},
    patient::Patient,
    text::escape,
    trouble::{LISTENERS, NEXT, TRAFFIC, shows},
};

pub(crate) use self::{
    paint::is_dumb,
    text::{hanging, pad, truncate, wrap},
};

/// `--format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON object per line on stdout.
    Json,
}

/// The reporter for this stdout: JSON when asked for, a live one on a terminal that can move its cursor and is not CI,
/// else plain lines. `releases` knows the versions.
pub fn reporter(format: Format, color: ColorChoice, quiet: bool, releases: Option<Releases>) -> Box<dyn EventSink> {
    let paint = stdout_paint(color);
    let live = stdout().is_terminal() && !is_dumb() && std::env::var_os("CI").is_none() && !quiet;
    let out: Out = Box::new(Patient::new(Stdout));
    match format {
        Format::Json => Box::new(JsonReporter::new(out)),
        Format::Human if live => {
            Box::new(LiveReporter::new(out, Box::new(stdout_width), paint).with_releases(releases))
        }
        Format::Human => {
            Box::new(LineReporter::new(out, Box::new(Patient::new(stderr())), paint, quiet).with_releases(releases))
        }
    }
}

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

#[cfg(test)]
mod tests;
