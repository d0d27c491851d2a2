//! `bluegreen-bench`: prints a Markdown table that compares the five scripts with `bluegreen`.
#![forbid(unsafe_code)]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use bluegreen_bench::{Bed, Contender, Figures, Kind, Machine, Plan, find_bluegreen, markdown, measure};
use bluegreen_lab::{app, nginx::Nginx};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Compares the five scripts with bluegreen: same app, same nginx, same load
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Run>,
    #[command(flatten)]
    compare: Compare,
}

#[derive(Debug, Subcommand)]
enum Run {
    /// Many switches in marker mode: half of them deploys, half of them warm rollbacks
    Switches {
        /// How many
        #[arg(long, default_value_t = 200)]
        count: usize,
        #[command(flatten)]
        options: Options,
    },
    /// The app that is deployed
    #[command(hide = true)]
    App(app::Options),
}

#[derive(Debug, Args)]
struct Compare {
    /// Contenders, in this order; ratios are those to the first one
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Scripts, Kind::Reload, Kind::Marker])]
    only: Vec<Kind>,
    /// Deploys and rollbacks of each contender
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// One round with ten clients: proves that the benchmark works, not more
    #[arg(long, conflicts_with = "rounds")]
    sample: bool,
    /// What the app takes to boot, in milliseconds
    #[arg(long, default_value_t = 1000)]
    boot_ms: u64,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
struct Options {
    /// The bluegreen binary; default: the one beside this program
    #[arg(long)]
    bluegreen: Option<PathBuf>,
    /// The nginx binary; default: that of the machine
    #[arg(long)]
    nginx: Option<PathBuf>,
    /// Keep-alive clients
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Clients do not look whether the connection has ended before they write
    #[arg(long)]
    naive: bool,
    /// Milliseconds that a request is under way to the server: half a round trip
    #[arg(long, default_value_t = 5)]
    air_ms: u64,
    /// bluegreen's `settle`, in milliseconds; deploys are spaced beyond it
    #[arg(long, default_value_t = 1000)]
    settle_ms: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse() {
        Cli { command: Some(Run::App(options)), .. } => app::serve(options).await.map(|()| true).map_err(Into::into),
        Cli { command: Some(Run::Switches { count, options }), .. } => {
            compare(&[Kind::Marker], count.div_ceil(2), Duration::ZERO, options).await
        }
        Cli { compare: Compare { sample: true, only, boot_ms, options, .. }, .. } => {
            let options = Options { clients: options.clients.min(10), ..options };
            compare(&only, 1, Duration::from_millis(boot_ms), options).await
        }
        Cli { compare: Compare { only, rounds, boot_ms, options, .. }, .. } => {
            compare(&only, rounds, Duration::from_millis(boot_ms), options).await
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table; whether every contender went all the way.
async fn compare(kinds: &[Kind], rounds: usize, boot: Duration, options: Options) -> Result<bool> {
    let nginx = options.nginx.or_else(Nginx::find).context("no nginx here: install it, or name it with --nginx")?;
    let bluegreen = options.bluegreen.or_else(find_bluegreen);
    let kinds = kinds.iter().filter(|kind| {
        let can_run = bluegreen.is_some() || **kind == Kind::Scripts;
        if !can_run {
            eprintln!("SKIPPED: {kind}: no bluegreen beside this program; build it, or name it with --bluegreen");
        }
        can_run
    });
    let bluegreen = bluegreen.clone().unwrap_or_default();
    let machine = Machine::look(&nginx);
    let settle = Duration::from_millis(options.settle_ms);
    let contenders: Vec<(String, Box<dyn Contender>)> = kinds
        .map(|kind| {
            let bed = Bed::new(&nginx, std::env::current_exe()?, boot)?;
            let contender = kind.set_up(bed, &bluegreen, settle).with_context(|| format!("cannot set up {kind}"))?;
            Ok((kind.to_string(), contender))
        })
        .collect::<Result<_>>()?;
    let plan = Plan {
        rounds,
        clients: options.clients,
        polite: !options.naive,
        air: Duration::from_millis(options.air_ms),
        pause: settle,
    };
    let mut term = signal(SignalKind::terminate())?;
    let all = tokio::select! {
        all = measure(&contenders, plan, |line| eprintln!("{line}")) => all,
        // The beds are dropped, and with them what was started.
        _ = term.recv() => return Ok(false),
        _ = tokio::signal::ctrl_c() => return Ok(false),
    };
    println!("{}", markdown(&machine.at_the_end(), plan, &all));
    Ok(all.iter().all(|Figures { failure, .. }| failure.is_none()))
}
