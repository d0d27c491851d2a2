use crate::{Failure, Step};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// All of it is true. With `unfinished`, the old release could not be retired: traffic is right, the transaction stays
    /// open, the next command finishes it.
    Done {
        /// Why the last step is not true yet.
        unfinished: Option<Failure>,
    },
    /// It rests after this step, as it was asked to.
    Paused(Step),
    /// It failed and was taken back: traffic is where it was.
    Undone(Failure),
    /// It failed and could not be taken back: a person is needed.
    Degraded {
        /// What failed first.
        failure: Failure,
        /// What is so now, in words.
        reason: String,
    },
}

impl Outcome {
    /// Done, with nothing left over.
    pub const DONE: Self = Self::Done { unfinished: None };

    /// The failure behind it.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Done { unfinished } => unfinished.as_ref(),
            Self::Paused(_) => None,
            Self::Undone(failure) | Self::Degraded { failure, .. } => Some(failure),
        }
    }
}
