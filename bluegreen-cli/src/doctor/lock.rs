//! Who has the lock, and what waits: a deploy begins after both.

use bluegreen_core::{
    Seen, StateStore as _, Step, StoreError,
    machine::{Recovery, Tried, recover},
};

use super::Finding;
use crate::{app::App, halt::Halt};

/// The finding that a command of ours is at work: a deploy only waits for it.
pub(crate) const LOCKED: &str = "locked";
/// The finding that a prepared release waits for a person.
pub(crate) const WAITS: &str = "waits";
/// The finding that somebody else has the lock, for as long as he likes.
pub(super) const LOCK: &str = "lock";

pub(super) fn look(app: &App, seen: &Seen) -> Vec<Finding> {
    let Some(error) = app.wired.store.locked() else { return waits(app, seen).into_iter().collect() };
    let what = error.to_string();
    vec![match error {
        StoreError::Locked(_) => Finding::warning(LOCKED, what, "bluegreen status --watch, until it has ended"),
        other => Finding::fatal(LOCK, what, Halt::from(other).trouble.command.unwrap_or_default()),
    }]
}

/// A release that waits as it should: a deploy takes it back only when it is told to. Where only a port was freed, a deploy goes on.
fn waits(app: &App, seen: &Seen) -> Option<Finding> {
    // a state that cannot be read is a finding of its own
    let state = app.wired.store.load().ok()?;
    let tx = state.transaction.as_ref().filter(|tx| tx.step > Step::Stop)?;
    let Recovery::Rests(_) = recover(&state, seen, &app.config.policy(), Tried::default()) else {
        return None;
    };
    let what = format!("{} waits on {}", app.name(&tx.release), tx.to);
    Some(Finding::warning(WAITS, what, "bluegreen promote or bluegreen abort, or deploy with --replace"))
}
