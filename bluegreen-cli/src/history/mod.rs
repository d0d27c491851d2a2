//! What was done, one line of JSON for each command that did something. Never read for a decision.

mod entry;
mod files;
pub(crate) mod moment;
mod sink;

pub(crate) use self::{
    entry::Entry,
    files::{Kept, all, find, immutable, trouble},
    moment::{Moment, What},
    sink::{Header, History},
};

#[cfg(test)]
mod tests;
