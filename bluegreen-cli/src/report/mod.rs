//! What a person, or a program, sees: every reporter is a sink of the engine's events.

mod command;
mod format;
mod json;
mod line;
mod live;
mod narrator;
mod paint;
mod patient;
mod table;
mod terminal;
mod text;
mod trouble;
mod units;

pub use bluegreen_core::took;

pub use self::{
    command::{as_typed, install, path_of},
    format::{Format, reporter},
    json::JsonReporter,
    line::LineReporter,
    live::LiveReporter,
    paint::{ColorChoice, Paint},
    table::{HistoryRow, StatusRow, Tone, history_table, release_table, status_table},
    terminal::{Out, stdout_paint, stdout_width, table_width},
    text::{indented, marked, sanitize},
    trouble::Trouble,
    units::{ago, size},
};
pub(crate) use self::{
    narrator::{brief, title},
    paint::is_dumb,
    patient::Patient,
    text::{escape, hanging, pad, truncate, wrap},
    trouble::{LISTENERS, NEXT, TRAFFIC, shows},
};

#[cfg(test)]
mod tests;
