//! `bluegreen-trials`: the long runs against the promise. Each prints its figure, and for every failure the line that
//! repeats it.
#![forbid(unsafe_code)]

mod adversary;
mod crew;
mod race;
// it reads registers
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod power;
mod soak;
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod traced;

use std::process::ExitCode;

use clap::Parser;

/// Tries bluegreen against what kills it
#[derive(Debug, Parser)]
#[command(version)]
enum Trial {
    Adversary(adversary::Options),
    Race(race::Options),
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    Power(power::Options),
    Soak(soak::Options),
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    Sweep(traced::sweep::Options),
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    Errors(traced::errors::Options),
}

/// 0 when all held, 1 when something did not.
fn main() -> ExitCode {
    let held = match Trial::parse() {
        Trial::Adversary(options) => adversary::run(&options),
        Trial::Race(options) => race::run(&options),
        #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
        Trial::Power(options) => power::run(&options),
        Trial::Soak(options) => soak::run(&options),
        #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
        Trial::Sweep(options) => traced::sweep::run(&options),
        #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
        Trial::Errors(options) => traced::errors::run(&options),
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
