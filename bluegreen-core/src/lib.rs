//! The engine of bluegreen.
#![forbid(unsafe_code)]

mod cancel;
mod engine;
mod event;
mod failure;
pub mod machine;
mod name;
mod policy;
mod probe;
mod processes;
mod profile;
mod receipt;
mod release;
mod resolver;
mod route;
mod stamp;
mod state;
mod store;
mod switcher;
mod template;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod transaction;

pub use cancel::Cancel;
pub use engine::{Deployer, Options, Report, RunError};
pub use event::{EVENT_SCHEMA, Event, EventKind, EventSink, Events, millis};
pub use failure::{Cause, Failure};
pub use machine::{
    Acted, Begin, Command, Effect, Interrupt, Next, Outcome, Recovery, Refusal, Seen, Then, Tried, begin, recover, step,
};
pub use name::{InvalidName, Name};
pub use policy::{Failover, Policy, Previous};
pub use probe::{HealthProbe, Unhealthy};
pub use processes::{Autopsy, Occupant, Process, ProcessError, ProcessManager};
pub use profile::{InvalidProfiles, Profile, Profiles};
pub use receipt::Receipt;
pub use release::{InvalidReleaseId, ReleaseId};
pub use resolver::{ProfileResolver, ResolveError};
pub use route::Route;
pub use stamp::Stamp;
pub use state::State;
pub use store::{Held, Holder, Lease, StateStore, StoreError};
pub use switcher::{ProxySwitcher, SwitchError};
pub use template::{PLACEHOLDERS, Template, UnknownPlaceholder};
pub use transaction::{Kind, Step, Transaction};
