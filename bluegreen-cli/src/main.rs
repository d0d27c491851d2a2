//! `bluegreen`: blue-green deploys on one Linux machine behind nginx that lose nothing.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use bluegreen_cli::args::Args;
use clap::Parser as _;

fn main() -> ExitCode {
    bluegreen_cli::run(Args::parse()).into()
}
