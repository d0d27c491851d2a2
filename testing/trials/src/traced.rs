//! The real program under ptrace: what stops it at a system call, and what must be so afterwards.

mod aftermath;
pub(crate) mod errors;
mod fault;
mod ground;
mod story;
pub(crate) mod sweep;
pub(crate) mod trace;
