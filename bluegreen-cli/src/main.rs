//! `bluegreen`: blue-green deploys on one Linux machine behind nginx that lose nothing.
#![forbid(unsafe_code)]

use std::{
    io::{Write as _, stderr},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    process::ExitCode,
};

use bluegreen_cli::{args::Args, exit::Exit};
use clap::Parser as _;

fn main() -> ExitCode {
    let typed = Args::try_parse();
    panic::set_hook(Box::new(tell));
    panic::catch_unwind(AssertUnwindSafe(|| bluegreen_cli::run(typed))).unwrap_or(Exit::Internal).into()
}

/// A mistake of ours. What is on disk is enough for the next command, as after a kill.
fn tell(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = text.unwrap_or("it stopped").replace('\n', " ");
    // who reads it may be gone
    let _ = writeln!(stderr(), "\nerror: internal error: {text} ({place})\n\n     next  bluegreen recover");
}
