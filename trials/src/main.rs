//! `bluegreen-trials`: the long runs against the promise. Each prints its figure, and for every failure the line that
//! repeats it.
#![forbid(unsafe_code)]

mod race;
// what reads registers
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod power;
mod soak;
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod sweep;
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod trace;

use std::process::ExitCode;

use clap::Parser;

/// Tries bluegreen against what kills it
#[derive(Debug, Parser)]
#[command(version)]
enum Trial {
    Race(race::Options),
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    Power(power::Options),
    Soak(soak::Options),
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    Sweep(sweep::Options),
}

/// 0 when all held, 1 when something did not.
fn main() -> ExitCode {
    let held = match Trial::parse() {
        Trial::Race(options) => race::run(&options),
        #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
        Trial::Power(options) => power::run(&options),
        Trial::Soak(options) => soak::run(&options),
        #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
        Trial::Sweep(options) => sweep::run(&options),
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
