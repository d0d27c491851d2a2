//! Directories, walked by descriptors.
//!
//! [`reach`] goes to a directory one name at a time, holds each directory by its descriptor, and writes down who could have
//! led it elsewhere: [`Reached::hands`]. Where nobody but root could, what it found is what root meant, and is acted on
//! through the descriptor alone.

mod below;
mod hands;
mod make;
mod place;
mod system;
mod walk;

pub(crate) use hands::has_access_list;
pub use hands::{Hand, Who};
pub use make::MakeError;
pub use place::NoPlace;
pub use system::is_system;
pub use walk::{Reached, reach, reach_file};

#[cfg(test)]
mod tests;
