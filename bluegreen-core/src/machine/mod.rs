//! The state machine: pure and total, without I/O, clock or async.
//!
//! [`begin`] opens a transaction or refuses, [`recover`] says what a state that somebody left behind needs, [`step`] walks
//! the open transaction, and [`preview`] says what a command would do. All take what was written down ([`State`](crate::State)) and what is so ([`Seen`]), and give
//! what to write down next. Nothing here remembers: a step is a fact to be made true, and the world says when it is.

mod begin;
mod command;
mod effect;
mod forward;
mod outcome;
mod preview;
mod rebuild;
mod recover;
mod seen;
mod step;
mod undo;

pub use begin::{Begin, Target, begin, rollback_target};
pub use command::{Command, Refusal};
pub use effect::{Acted, Effect, Sacrifice};
pub use outcome::Outcome;
pub use preview::{Answer, Preview, Way, preview};
pub use rebuild::rebuild;
pub use recover::{Recovery, Tried, recover};
pub use seen::{Interrupt, Seen};
pub(crate) use step::hears;
pub use step::{Next, Then, step};
