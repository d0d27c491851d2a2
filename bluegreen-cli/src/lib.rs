//! The parts of the `bluegreen` command: config → wiring → engine → traits → events → reporter.
#![forbid(unsafe_code)]

pub mod config;
pub mod demo;
pub mod exit;
pub mod report;
