//! Releases as plain processes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bluegreen_core::{Autopsy, Name, Occupant, Process, ProcessError, ProcessManager, Profile, Profiles, ReleaseId};

use crate::{Launch, PortOwners, ProcPorts, Releases};

/// What [`Processes`] needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where records, logs, releases and the shared directory are.
    pub state_dir: PathBuf,
    /// The app.
    pub app: Name,
    /// Its two places.
    pub profiles: Profiles,
    /// How its releases are started and stopped.
    pub launch: Launch,
}

/// Runs releases as plain processes of this user.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    ports: Box<dyn PortOwners>,
}

impl Processes {
    /// Processes after `config`; port owners are found with [`ProcPorts`].
    pub fn new(config: Config) -> Self {
        Self::with_ports(config, ProcPorts)
    }

    /// The same, with other means to find port owners.
    pub fn with_ports(config: Config, ports: impl PortOwners + 'static) -> Self {
        Self(Arc::new(Inner { config, ports: Box::new(ports) }))
    }

    /// The release store of this app: `state_dir/releases`.
    pub fn releases(&self) -> Releases {
        Releases::new(self.0.config.state_dir.join("releases"))
    }

    /// The log of the last start on `profile`.
    pub fn log(&self, profile: &Profile) -> Option<PathBuf> {
        unimplemented!("{profile} {:?}", self.0.ports)
    }

    /// The pid to show for what runs on `profile`.
    pub fn main_pid(&self, profile: &Profile) -> Option<u32> {
        unimplemented!("{profile}")
    }

    /// Takes over a process that somebody else started and that listens on the port of `profile`. With `pid`, that one.
    pub async fn adopt(&self, profile: &Profile, pid: Option<u32>) -> Result<Process, AdoptError> {
        unimplemented!("{profile} {pid:?}")
    }
}

/// Why a process cannot be adopted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// Nobody listens.
    #[error("nobody listens on port {0}")]
    Nobody(u16),
    /// A process of bluegreen's own is there.
    #[error("{0} runs a release of bluegreen already")]
    Ours(String),
    /// It is not safe to take it over.
    #[error("cannot adopt what listens on port {port}: {reason}")]
    Refused {
        /// The port.
        port: u16,
        /// Why.
        reason: String,
    },
}

#[async_trait]
impl ProcessManager for Processes {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, ProcessError> {
        unimplemented!("{profile}")
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        unimplemented!("{profile} {release}")
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        unimplemented!("{profile} {process:?} {grace:?}")
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        unimplemented!("{profile}")
    }
}
