//! The parts of the `bluegreen` command: config → wiring → engine → traits → events → reporter.
//!
//! ```
//! use bluegreen_cli::config::{Config, SMALLEST};
//!
//! let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref())?;
//! assert_eq!(config.app.as_str(), "shop");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod access;
mod advice;
mod app;
mod appspec;
pub mod args;
mod autopsy;
mod commands;
pub mod config;
mod doctor;
mod documents;
pub mod exit;
mod halt;
mod handover;
mod history;
mod home;
mod hooks;
mod init;
mod metrics;
mod output;
mod owner;
#[cfg(any(test, fuzzing))]
pub mod properties;
pub mod report;
mod session;
mod signals;
mod story;
mod threads;
mod trust;
mod wiring;

pub use commands::run;
#[cfg(feature = "schema")]
pub use documents::schemas;
