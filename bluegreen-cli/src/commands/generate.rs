//! What packagers generate.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Exit, Halt};
use crate::{args::Args, output};

/// The completion script of `shell`.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "bluegreen", &mut script);
    output::raw(String::from_utf8_lossy(&script));
    Exit::Done
}

/// The manual page.
pub(super) fn man() -> Result<Exit, Halt> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page).map_err(|e| Halt::error(Exit::Internal, &e))?;
    output::raw(String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
