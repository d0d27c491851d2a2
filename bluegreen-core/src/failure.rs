//! What went wrong, in a form that outlives the process that saw it.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::Step;

/// The kind of a failure: what a program can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The release did not become healthy in time, or became sick in the bake.
    Unhealthy,
    /// The process of the release ended by itself.
    Died,
    /// A process could not be started, stopped or looked at.
    Process,
    /// A foreign process holds the port.
    PortTaken,
    /// The proxy did not take the route, or the front door did not answer with the release.
    Switch,
    /// The route is not known, or somebody else moved it.
    Route,
    /// The person, or the machine, asked us to stop.
    Interrupted,
    /// The deadline of the whole command passed.
    Deadline,
    /// An earlier run was killed half-way.
    Crashed,
    /// `abort`.
    Aborted,
    /// A program of the owner said no before the switch. Given by whoever runs it: the engine knows none.
    Hook,
}

impl Cause {
    /// Whether it speaks against the release itself, so that no rollback may lead to it.
    pub fn blames_release(self) -> bool {
        matches!(self, Self::Unhealthy | Self::Died)
    }
}

/// A step that could not be made true. Strings, because the process that reports may not be the one that failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// The step that was under way.
    pub step: Step,
    /// What kind of failure.
    pub cause: Cause,
    /// What happened, a lower-case fragment.
    pub message: String,
    /// Why, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The last log lines of the app, when it matters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl Failure {
    /// A failure of `step` with nothing behind it.
    pub fn new(step: Step, cause: Cause, message: impl Into<String>) -> Self {
        Self { step, cause, message: message.into(), causes: Vec::new(), log: Vec::new() }
    }

    /// The same, with the chain of `error` as causes.
    #[must_use = "returns the failure with its causes"]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.causes.extend(std::iter::successors(Some(error), |&e| e.source()).map(ToString::to_string));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}
