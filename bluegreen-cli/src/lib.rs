//! bluegreen-cli
#![forbid(unsafe_code)]

pub mod config;
pub mod exit;
pub mod report;
