//! Plain Linux processes for bluegreen: [`Processes`] is a [`ProcessManager`](bluegreen_core::ProcessManager) that needs
//! no daemon, no root and no systemd; [`Releases`] keeps what it starts, immutable and by digest. What may grow is marked, as in `bluegreen-core`.
//!
//! ```
//! use std::{ops::ControlFlow, time::Duration};
//!
//! use bluegreen_core::{Occupant, ProcessManager, Profile, Profiles, Template};
//! use bluegreen_process::{Config, Launch, NewRelease, Processes};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let state_dir = dir.path().to_owned();
//! let [first, second] = [8081, 8082];
//! # let [first, second] = [bluegreen_process::free_port()?, bluegreen_process::free_port()?];
//! let real1 = Profile::new("real1".parse()?, first)?;
//! let real2 = Profile::new("real2".parse()?, second)?;
//! let command = ["sleep", "60"].map(Template::parse).into_iter().collect::<Result<_, _>>()?;
//! let launch = Launch::new(command);
//!
//! let config = Config {
//!     state_dir,
//!     app: "shop".parse()?,
//!     profiles: Profiles::new(real1.clone(), real2)?,
//!     launch: launch.clone(),
//!     group: None,
//! };
//! let processes = Processes::new(config);
//! let new = NewRelease { artifact: None, spec: &launch.spec(), version: Some("v1"), sha256: None };
//! let release = processes.releases().add(&new, &mut |_done, _total| ControlFlow::Continue(()))?;
//!
//! processes.start(&real1, &release.id).await?;
//! let Occupant::Ours { process, .. } = processes.inspect(&real1).await? else { panic!("it runs") };
//! processes.stop(&real1, &process, Duration::from_secs(5)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! In the state directory:
//!
//! ```text
//! processes/real1.json      what was started last, always compared with /proc before it is believed
//! logs/real1/000042.log     its output; `current` is a link to the newest
//! releases/ID/              release.json and the artifact, read-only; ID.pin beside it keeps it
//! shared/                   the working directory, common to both profiles
//! ```
//!
//! What it cannot do: a process that leaves its session *and* clears its environment is no longer known to be ours; it is
//! reported as a stranger when it holds the port. And what is started inside a unit of systemd dies with that unit:
//! [`ends_with_us`] tells.
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

mod cgroup;
mod environment;
mod family;
mod host;
mod launch;
mod logs;
mod lost;
mod oom;
mod own_probe;
mod ports;
mod processes;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod record;
mod releases;
mod stranger;

pub use cgroup::{Unit, ends_with_us};
pub use environment::{EnvFileError, check_env_file};
pub use launch::{Launch, SignalTo, Spec, StopSignal, UnknownSignal};
pub use own_probe::{OwnProbe, SharedAddress};
pub use ports::{Hold, Listener, LsofPorts, PortOwners, ProcPorts, free_port};
pub use processes::{AdoptError, Config, Mended, Processes, in_words};
pub use releases::{NewRelease, Release, ReleaseError, Releases, Stored, Unreadable};
pub use stranger::{InTheWay, describe, stranger};
