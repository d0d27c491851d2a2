//! Plain Linux processes for bluegreen: [`Processes`] is a [`ProcessManager`](bluegreen_core::ProcessManager) that needs
//! no daemon, no root and no systemd; [`Releases`] keeps what it starts, immutable and by digest.
#![forbid(unsafe_code)]

mod cgroup;
mod environment;
mod host;
mod launch;
mod logs;
mod ports;
mod processes;
mod record;
mod releases;
mod sanitize;
mod seen;
mod spawn;

pub use cgroup::cgroup_warning;
pub use launch::{Launch, SignalTo, Spec, StopSignal, UnknownSignal};
pub use ports::{Listener, LsofPorts, PortOwners, ProcPorts};
pub use processes::{AdoptError, Config, Processes};
pub use releases::{NewRelease, Release, ReleaseError, Releases};
pub use sanitize::sanitize;
