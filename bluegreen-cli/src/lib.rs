//! The parts of the `bluegreen` command: config → wiring → engine → traits → events → reporter.
#![forbid(unsafe_code)]

pub mod args;
mod autopsy;
mod commands;
pub mod config;
pub mod demo;
pub mod exit;
mod halt;
mod history;
mod hooks;
mod output;
mod owner;
pub mod report;
mod session;
mod signals;
mod story;
mod trust;
mod wiring;

pub use commands::run;
