//! Files that others may have touched: one way to open them, and one to replace them.
//!
//! A file is opened without following a link in its place, without waiting for whoever sits at the other end of a pipe, and
//! only when it is a regular file; what a [`Rule`] asks of its owner and mode is asked of the descriptor, after the opening.
//! A read has a limit that is compared with the size first, so that a sparse file of 200 GB is an error and no wait.
//!
//! ```
//! use bluegreen_linux::files::{self, Rule};
//!
//! let dir = tempfile::tempdir()?;
//! let path = dir.path().join("note");
//! files::replace(&path, b"hello", &files::Replace::private())?;
//! assert_eq!(files::text(&path, Rule::OURS, 1 << 10)?, "hello");
//! assert!(files::read(&path, Rule::OURS, 3).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admit;
mod aside;
mod error;
mod open;
mod replace;
mod rule;

pub use admit::admit;
pub use aside::set_aside;
pub use error::{FileError, Unfit};
pub use open::{Found, append, create, find, is_missing, look, open, past_lease, read, text};
pub use replace::{New, Replace, replace};
pub use rule::{Rights, Rule};

#[cfg(test)]
mod tests;
