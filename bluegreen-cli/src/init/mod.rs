//! `init`: what is there, and the configuration that follows from it.
//!
//! Each finder looks at a directory, or at facts, and says what it found and where; [`Draft::new`] decides; nothing here
//! asks anybody or writes a file.

mod artifact;
mod draft;
mod findings;
mod found;
mod jar;
mod node;
mod ports;
pub(crate) mod proxy;
mod python;
mod scripts;
mod text;
mod texts;

pub(crate) use draft::{Draft, Wishes};
pub(crate) use findings::{Findings, look_at};
pub(crate) use found::Found;
pub(crate) use ports::{Ephemeral, neighbours, owners};
pub(crate) use proxy::Proxy;
pub(crate) use texts::Texts;
