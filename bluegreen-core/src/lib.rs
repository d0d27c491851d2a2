//! The engine of bluegreen: blue-green deploys on one machine that lose nothing.
//!
//! An **app** has two **profiles**, places where a **release** runs. One is **active**: the proxy sends new requests to it.
//! A deploy brings the release onto the other one and moves the **route** there:
//!
//! ```text
//! Stop     the idle profile is nobody's standby and its port is free
//! Start    the release runs there
//! Health   it is proven healthy                                  <- `prepare` rests here
//! Switch   the resolver says that new requests go there          <- the commit point
//! Bake     it stayed healthy, and the front door answered with it
//! Retire   the old one is kept warm, or drained and stopped
//! ```
//!
//! This crate knows no nginx, no HTTP and no processes, only four traits: [`ProfileResolver`] reads the route (the
//! witness), [`ProxySwitcher`] moves it (the actor), [`ProcessManager`] runs releases, [`HealthProbe`] asks them. The
//! [`machine`] decides, purely; the [`Deployer`] looks, steps, saves and acts. Whatever kills it, the next run recovers.
//!
#![cfg_attr(feature = "test-util", doc = "```")]
#![cfg_attr(not(feature = "test-util"), doc = "```ignore")]
//! use bluegreen_core::{Outcome, testing::FakeHost};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = FakeHost::new(); // all four traits over one pure world
//! let deployer = host.deployer(&host.store());
//!
//! let report = deployer.deploy("v1".parse()?).await?;
//! assert_eq!(report.outcome, Some(Outcome::DONE));
//! assert_eq!(report.traffic?.route().map(|route| route.active.name().as_str()), Some("real1"));
//!
//! deployer.deploy("v2".parse()?).await?;
//! let report = deployer.rollback().await?;
//! assert_eq!(report.release, Some("v1".parse()?));
//! # Ok(())
//! # }
//! ```
//!
//! Backends live in their own crates (`bluegreen-nginx`, `bluegreen-process`, `bluegreen-http`); a new one passes the
//! conformance suite in `testing` first (feature `test-util`).
//!
//! What may grow is `#[non_exhaustive]`: errors, choices, and what only the library makes, for others to read. All else is complete in
//! every crate of bluegreen, so that whoever matches it answers each case, and whoever fills it in, each field: one more is a breaking
//! change, told in the changelog.
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

mod blind;
mod cancel;
mod checked;
mod engine;
mod event;
mod failure;
#[cfg(feature = "file-store")]
mod file_store;
mod finding;
mod front_door;
mod gate;
pub mod machine;
mod name;
mod policy;
mod probe;
mod processes;
mod profile;
#[cfg(all(any(test, fuzzing), feature = "file-store"))]
pub mod properties;
mod receipt;
mod release;
mod resolver;
mod route;
mod sanitize;
mod stamp;
mod state;
mod store;
mod switcher;
mod template;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod took;
mod transaction;

pub use blind::Blind;
pub use cancel::Cancel;
pub use engine::{Deployer, Options, Report, RunError};
pub use event::{EVENT_SCHEMA, Event, EventKind, EventSink, Events, millis};
pub use failure::{Cause, Elsewhere, Facts, Failure};
#[cfg(feature = "file-store")]
pub use file_store::FileStore;
pub use finding::{Finding, Severity, told};
pub use front_door::{Answer, FrontDoor};
pub use gate::{Gate, Refused};
pub use machine::{Command, Outcome, Refusal, Seen};
pub use name::{InvalidName, Name};
pub use policy::{Failover, Gates, Policy, Previous};
pub use probe::{HealthProbe, Unhealthy};
pub use processes::{Autopsy, Occupant, Process, ProcessError, ProcessManager, Stranger};
pub use profile::{InvalidProfiles, Profile, Profiles};
pub use receipt::{AnsweredBy, Answers, Receipt};
pub use release::{InvalidReleaseId, ReleaseId};
pub use resolver::{ProfileResolver, Traffic};
pub use route::Route;
pub use sanitize::sanitize;
pub use stamp::Stamp;
pub use state::State;
pub use store::{Held, Holder, Lease, StateStore, StoreError};
pub use switcher::{ProxySwitcher, SwitchError};
pub use template::{PLACEHOLDERS, Template, UnknownPlaceholder};
pub use took::took;
pub use transaction::{Kind, Step, Transaction};

#[cfg(test)]
use {
    front_door::MockFrontDoor, probe::MockHealthProbe, processes::MockProcessManager, resolver::MockProfileResolver,
    store::MockStateStore, switcher::MockProxySwitcher,
};
