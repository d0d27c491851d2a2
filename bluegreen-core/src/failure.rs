//! What went wrong, in a form that outlives the process that saw it.

use std::{error::Error, fmt, net::SocketAddr};

use serde::{Deserialize, Serialize};

use crate::{ProcessError, Profile, ReleaseId, Step, Stranger};

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
    /// Somebody else moved the route. (0.1.0 also said so when it was not known.)
    Route,
    /// What is so could not be seen for longer than the policy waits.
    Blind,
    /// The person, or the machine, asked us to stop.
    Interrupted,
    /// The deadline of the whole command passed.
    Deadline,
    /// An earlier run was killed half-way.
    Crashed,
    /// `abort`.
    Aborted,
    /// The owner said no: see [`Gate`](crate::Gate).
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
    /// What was seen, for programs. A failure of 0.1.0 has none.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Box<Facts>,
}

/// What was seen of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Facts {
    /// Who is where the release should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranger: Option<Stranger>,
    /// Where the release listens, which is not where it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listens: Option<Elsewhere>,
    /// What the last health attempt said, of a release that died in its proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// There is nothing that could be started: see [`ProcessError::Start`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unstartable: bool,
}

/// Where a release listens, of which nobody answers where it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Elsewhere {
    /// Whether it has the port of its profile, and only the address is another one.
    pub on_port: bool,
    /// The addresses; none where it listens nowhere.
    pub at: Vec<SocketAddr>,
}

impl Facts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Failure {
    /// A failure of `step` with nothing behind it.
    pub fn new(step: Step, cause: Cause, message: impl Into<String>) -> Self {
        let (causes, log, facts) = (Vec::new(), Vec::new(), Box::default());
        Self { step, cause, message: message.into(), causes, log, facts }
    }

    /// The failure of `step` that `who` has the port of `profile`.
    pub(crate) fn taken(step: Step, profile: &Profile, who: &Stranger) -> Self {
        let message = format!("port {} of {profile} is taken by {who}", profile.port());
        let facts = Box::new(Facts { stranger: Some(who.clone()), ..Facts::default() });
        Self { facts, ..Self::new(step, Cause::PortTaken, message) }
    }

    /// The failure of `step` that `release` did not start on `profile`.
    pub(crate) fn start(step: Step, profile: &Profile, release: &ReleaseId, error: &ProcessError) -> Self {
        let unstartable = matches!(error, ProcessError::Start { unstartable: true, .. });
        let taken = matches!(error, ProcessError::Taken { .. });
        let cause = if taken { Cause::PortTaken } else { Cause::Process };
        let failure = Self::new(step, cause, format!("{release} did not start on {profile}"));
        Self { facts: Box::new(Facts { unstartable, ..Facts::default() }), ..failure }.because(error)
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
