//! A tiny app, a load client and a private nginx: what `bluegreen demo`, the end-to-end tests, the trials and the benchmark share.
//!
//! ```no_run
//! use bluegreen_lab::{load::Load, nginx::{Nginx, Site}};
//!
//! # async fn example() -> std::io::Result<()> {
//! let binary = Nginx::find().expect("nginx is installed");
//! let nginx = Nginx::start(&binary, &Site::default())?;
//! let load = Load::new(nginx.address()).start();
//! // … what must lose nothing …
//! let tally = load.stop().await;
//! assert_eq!(tally.lost(), 0, "{tally}");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod app;
pub mod load;
pub mod nginx;
mod tally;
mod wire;

pub use tally::{Loss, Sample, Tally};
#[cfg(any(test, fuzzing))]
pub use wire::message;
