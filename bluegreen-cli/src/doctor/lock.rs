//! Who has the lock.

use bluegreen_core::StoreError;

use super::Finding;
use crate::{halt::Halt, session::Session};

/// The finding that a command of ours is at work: a deploy only waits for it.
pub(crate) const LOCKED: &str = "locked";
/// The finding that somebody else has the lock, for as long as he likes.
pub(super) const LOCK: &str = "lock";

pub(super) fn look(session: &Session) -> Option<Finding> {
    let error = session.wired.store.locked()?;
    let what = error.to_string();
    Some(match error {
        StoreError::Locked(_) => Finding::warning(LOCKED, what, "bluegreen status --watch, until it has ended"),
        other => Finding::fatal(LOCK, what, Halt::from(other).trouble.command.unwrap_or_default()),
    })
}
