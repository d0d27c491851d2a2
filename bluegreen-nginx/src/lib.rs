//! nginx as the proxy of a blue-green deploy.
//!
//! **Marker mode** (the default) needs no reload and no root: nginx looks at two marker files on every request, and one
//! `rename(2)` of the symlink `live` in a [`RouteDir`] is the whole switch. [`MarkerSwitcher`] moves it, [`MarkerResolver`]
//! asks nginx itself, at the front door, what it does now. [`Snippet`] is the text that nginx needs for that, and
//! [`setup`] puts it in place once.
//!
//! **Reload mode** ([`reload`]) is the scripts' way: an include file and a reload for each switch.
//!
//! In both, [`Master`] is the nginx that runs and [`Commands`] is how it is called. What may grow is marked, as in
//! `bluegreen-core`.
//!
//! ```
//! use bluegreen_core::{Profile, Profiles, Route};
//! use bluegreen_nginx::RouteDir;
//!
//! # let home = tempfile::tempdir().unwrap();
//! # let home = home.path().canonicalize().unwrap();
//! let first = Profile::new("real1".parse()?, 8081)?;
//! let second = Profile::new("real2".parse()?, 8082)?;
//! let route = RouteDir::new(home.join("route"), Profiles::new(first.clone(), second.clone())?)?;
//! route.create()?;
//! route.point(&Route::with_standby(second, first))?;
//! assert_eq!(std::fs::read_link(home.join("route/live"))?.to_str(), Some("real2+standby"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

mod argv;
mod commands;
mod drain;
mod marker;
mod master;
#[cfg(any(test, fuzzing))]
pub mod properties;
pub mod reload;
pub mod setup;
mod text;

pub use commands::Commands;
pub use marker::{
    MarkerResolver, MarkerSwitcher, PlaceError, ProofLocation, RouteDir, RouteDirError, Snippet, check_place,
};
pub use master::{Master, MasterError};
