use std::time::Duration;

use tokio::time::Instant;

use super::Options;
use crate::{Cancel, Failure, Step, machine::Interrupt};

/// Who may end a wait early: the person, and the deadline of the command.
#[derive(Debug, Clone)]
pub(super) struct Interrupts {
    cancel: Cancel,
    deadline: Option<Instant>,
}

impl Interrupts {
    /// The deadline counts from now.
    pub(super) fn of(options: &Options) -> Self {
        Self { cancel: options.cancel.clone(), deadline: options.deadline.map(|d| Instant::now() + d) }
    }

    /// For a recovery, which nobody stops, but which may be cut off.
    pub(super) fn only_deadline(&self) -> Self {
        Self { cancel: Cancel::new(), deadline: self.deadline }
    }

    /// For what must not be interrupted, as an undo.
    pub(super) fn never() -> Self {
        Self::of(&Options::default())
    }

    pub(super) fn now(&self) -> Option<Interrupt> {
        if self.cancel.is_cancelled() {
            return Some(Interrupt::Cancelled);
        }
        self.deadline.is_some_and(|at| Instant::now() >= at).then_some(Interrupt::Deadline)
    }

    /// Returns when there is an interrupt; for some there never is.
    pub(super) async fn heard(&self, step: Step) -> Failure {
        let deadline = async {
            match self.deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => Interrupt::Cancelled.failure(step),
            () = deadline => Interrupt::Deadline.failure(step),
        }
    }

    /// Sleeps, unless interrupted before or meanwhile.
    pub(super) async fn sleep(&self, step: Step, time: Duration) -> Result<(), Failure> {
        tokio::select! {
            biased;
            failure = self.heard(step) => Err(failure),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}
