//! A tiny app, a load client and a private nginx: what `bluegreen demo`, the end-to-end tests and the benchmark share.

pub mod app;
pub mod load;
pub mod nginx;
mod tally;
pub(crate) mod wire;

pub use tally::{Loss, Sample, Tally};
