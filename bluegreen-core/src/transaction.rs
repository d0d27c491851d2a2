//! One deploy, rollback or start, written down before every effect.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Failure, Profile, ReleaseId};

/// A fact to be made true. The order is the order of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The idle profile is nobody's standby and its port is free.
    Stop,
    /// The release runs there.
    Start,
    /// It is proven healthy. `prepare` rests here.
    Health,
    /// The resolver says that new requests go there: the commit point.
    Switch,
    /// It stayed healthy, and the front door answered with it.
    Bake,
    /// The old one is kept warm, or drained and stopped.
    Retire,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::Stop, Self::Start, Self::Health, Self::Switch, Self::Bake, Self::Retire];

    /// The one after it.
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// Its word in commands, events and files.
    pub fn word(self) -> &'static str {
        ["stop", "start", "health", "switch", "bake", "retire"][self as usize]
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A new release on the idle profile.
    Deploy,
    /// Back to a confirmed release.
    Rollback,
    /// The active process is gone, the other one lives: the route moves to it.
    Flip,
    /// Nothing lives where the proxy points: the last good release is started there.
    Up,
    /// The previous release is started again on the idle profile, for an instant rollback.
    Warm,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Flip => "flip",
            Self::Up => "up",
            Self::Warm => "warm",
        })
    }
}

/// The open transaction. What is here was decided, not seen: what is so, the world says.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each written down once")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Transaction {
    /// Counts up by one with each transaction of an app.
    pub number: u64,
    /// What it is for.
    pub kind: Kind,
    /// The profile that served when it began; `None` when neither did.
    pub from: Option<Profile>,
    /// The profile that gets it.
    pub to: Profile,
    /// What shall run there.
    pub release: ReleaseId,
    /// What ran on `from` when it began, if it was ours.
    #[serde(default)]
    pub old_release: Option<ReleaseId>,
    /// The step under way: every earlier one was true once.
    pub step: Step,
    /// It rests when this step is true; [`Step::Retire`] is the end.
    pub until: Step,
    /// The two releases cannot live side by side: no failover, no warm rollback.
    #[serde(default)]
    pub breaking: bool,
    /// The old release is stopped in the end, whatever the policy says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
    /// The gate before the stop let this release through. The one before the switch needs no such mark: the step after it tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admitted: bool,
    /// Whether this transaction decided to start the process on `to` (then an undo stops it).
    #[serde(default)]
    pub started: bool,
    /// The run on `to` that was proven healthy.
    #[serde(default)]
    pub proven: Option<String>,
    /// The front door answered with the release.
    #[serde(default)]
    pub answered: bool,
    /// It was decided whether the previous release is standby in the bake.
    #[serde(default)]
    pub standby_settled: bool,
    /// When it began, the standby answered for the active one, and recovery did not flip to it: unless it is proven healthy, it
    /// may be taken away.
    #[serde(default)]
    pub sacrifices_standby: bool,
    /// Set once it was decided to undo, and never taken back.
    #[serde(default)]
    pub undo: Option<Failure>,
}

impl Transaction {
    /// The profiles that it is about.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &Profile> {
        [Some(&self.to), self.from.as_ref()].into_iter().flatten()
    }
}
