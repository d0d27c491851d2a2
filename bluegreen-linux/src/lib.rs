//! The ground that the crates of bluegreen stand on: what they all ask of Linux, once.
//!
//! Internal: it is published because the others need it, and promises no stable interface.

#![forbid(unsafe_code)]

pub mod dirs;
pub mod files;
pub mod ports;
pub mod proc;
pub mod program;
#[cfg(any(test, fuzzing))]
pub mod properties;
pub mod users;
