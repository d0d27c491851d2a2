//! A way to deploy: a set-up and two recipes of commands.

use std::{fmt, path::Path, process::Command, time::Duration};

use anyhow::Result;

use crate::{Bed, scripts::Scripts, tool::Tool};

/// The ways that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// The five scripts of the seed article.
    Scripts,
    /// `bluegreen` in reload mode.
    Reload,
    /// `bluegreen` in marker mode.
    Marker,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scripts => "five scripts",
            Self::Reload => "bluegreen, reload",
            Self::Marker => "bluegreen, marker",
        })
    }
}

/// A way to deploy, on its bed. The commands of a recipe run one after the other; each must end with 0.
pub trait Contender: fmt::Debug {
    /// Its place.
    fn bed(&self) -> &Bed;
    /// Deploys the release `version`.
    fn deploy(&self, version: &str) -> Result<Vec<Command>>;
    /// Sends traffic back to the release before, which still runs.
    fn rollback(&self) -> Vec<Command>;
    /// How long the switch inside a deploy took, as the deploy's own output says.
    fn switch_time(&self, output: &str) -> Option<Duration>;
}

impl Kind {
    /// Sets the contender up. `bluegreen` is not looked at for [`Kind::Scripts`].
    ///
    /// # Errors
    /// A file cannot be written, nginx refuses its part, or `bluegreen setup --print` fails.
    pub fn set_up(self, bed: Bed, bluegreen: &Path, settle: Duration) -> Result<Box<dyn Contender>> {
        Ok(match self {
            Self::Scripts => Box::new(Scripts::set_up(bed)?),
            Self::Reload | Self::Marker => Box::new(Tool::set_up(bed, bluegreen, self == Self::Marker, settle)?),
        })
    }
}
