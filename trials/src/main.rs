//! `bluegreen-trials`: the long runs against the promise. Each prints its figure, and for every failure the line that
//! repeats it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

/// Tries bluegreen against what kills it
#[derive(Debug, Parser)]
#[command(version)]
enum Trial {}

#[expect(unreachable_code, reason = "no trial has landed yet")]
fn main() -> ExitCode {
    match Trial::parse() {}
}
