//! Where the owner has a say in a deploy.

use std::{fmt::Debug, ops::Deref};

use async_trait::async_trait;

use crate::{Seen, Step, Transaction};

/// Asks the owner whether a deploy may go on: before anything is stopped, and before the release gets the traffic.
///
/// Which of the two are asked, and how long an answer may take, [`Policy::gates`](crate::Policy) says. A no takes the deploy back, and
/// speaks against no release.
///
/// # Contract
/// What it does must do no harm when it is done twice: after a kill the next deploy asks again.
///
/// # Idempotency
/// See the contract: asked at least once.
///
/// # Crash
/// A kill in a gate is a kill half-way: the next run takes the deploy back.
///
/// # Cancellation
/// The engine drops it when the answer takes too long, when the deploy is to end, and when the release that it is about has died. What
/// it has started must end then.
///
/// # Errors
/// [`Refused`] is a no.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Gate: Debug + Send + Sync {
    /// May `tx` go on to `before`, which is [`Step::Stop`] or [`Step::Switch`]? `seen` is what is so now.
    async fn ask(&self, before: Step, tx: &Transaction, seen: &Seen) -> Result<(), Refused>;

    /// What it is called, for messages.
    fn name(&self, before: Step) -> String;
}

#[async_trait]
impl<P: Deref<Target: Gate> + Debug + Send + Sync> Gate for P {
    async fn ask(&self, before: Step, tx: &Transaction, seen: &Seen) -> Result<(), Refused> {
        (**self).ask(before, tx, seen).await
    }

    fn name(&self, before: Step) -> String {
        (**self).name(before)
    }
}

/// The owner said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// Why, a lower-case fragment.
    pub message: String,
    /// What was said last, line by line.
    pub log: Vec<String>,
}
