//! Which reporter tells a command.

use std::io::{IsTerminal as _, stderr, stdout};

use bluegreen_core::EventSink;
use bluegreen_process::Releases;

use super::{
    json::JsonReporter,
    line::LineReporter,
    live::LiveReporter,
    paint::{ColorChoice, is_dumb},
    patient::Patient,
    terminal::{Out, stdout_paint, stdout_width},
};
use crate::output::Stdout;

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
