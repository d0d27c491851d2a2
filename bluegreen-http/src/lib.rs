//! Health, front door and `GET /profile` over HTTP for bluegreen.
//!
//! Every request is one attempt over a fresh connection, bounded in time and bytes. No proxy environment, no redirects, no
//! decompression; and without `allow_remote` nothing but loopback is ever dialled.
//! What may grow is marked, as in `bluegreen-core`.
//!
//! ```
//! use bluegreen_core::{Profile, Profiles, Template};
//! use bluegreen_http::{Body, HttpProbe, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let profiles = Profiles::new(Profile::new("real1".parse()?, 8081)?, Profile::new("real2".parse()?, 8082)?)?;
//! let url = Template::parse("http://127.0.0.1:{port}/profile")?;
//! let probe = HttpProbe::new(&"shop".parse()?, &profiles, &url, &Options::default())?
//!     .status("200-299".parse()?)
//!     .body(Body::Text(Template::parse("{profile}")?));
//! # let _ = probe;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

mod answer;
mod body;
mod client;
mod fault;
mod front_door;
mod probe;
mod profile_endpoint;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod status;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use answer::Answer;
pub use body::Body;
pub use client::{BODY_LIMIT, Client, ClientError, Options};
pub use front_door::FrontDoor;
pub use probe::HttpProbe;
pub use profile_endpoint::ProfileEndpoint;
pub use status::{InvalidStatus, StatusRanges};
pub use url::InvalidUrl;
