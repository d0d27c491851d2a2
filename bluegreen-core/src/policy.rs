//! What the owner of an app wants.

use std::time::Duration;

use crate::Step;
use serde::{Deserialize, Serialize};

/// When the proxy may fail over to the previous release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Failover {
    /// While the new release bakes.
    #[default]
    Bake,
    /// Until the next deploy.
    Always,
    /// Never; `recover` does not flip to it either, unless somebody else has taken the port of the active one.
    Never,
}

/// What happens to the previous release after a deploy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Previous {
    /// It keeps running, for an instant rollback.
    #[default]
    Warm,
    /// It is drained and stopped.
    Stop,
}

/// Where a deploy asks its [`Gate`](crate::Gate), and how long each answer may take. `None`: it does not ask there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Gates {
    /// Before anything is stopped.
    pub before_stop: Option<Duration>,
    /// When the release is healthy, before it gets the traffic.
    pub before_switch: Option<Duration>,
}

impl Gates {
    /// How long the answer before this step may take.
    pub fn before(&self, step: Step) -> Option<Duration> {
        match step {
            Step::Stop => self.before_stop,
            Step::Switch => self.before_switch,
            _ => None,
        }
    }
}

/// How a deploy goes. [`Policy::default`] has the defaults of `bluegreen.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Successful attempts in a row that make a release healthy. At least 1.
    pub healthy_threshold: u32,
    /// How long a release may take to become healthy.
    pub health_deadline: Duration,
    /// The longest pause between two attempts; polling starts tight and backs off to it.
    pub health_interval: Duration,
    /// How long the new release is watched under real traffic.
    pub bake: Duration,
    /// When the proxy may fail over.
    pub failover: Failover,
    /// What happens to the previous release.
    pub previous: Previous,
    /// A profile that had traffic is stopped no sooner than this after losing it.
    pub settle: Duration,
    /// How long requests in flight may take before a profile that had traffic is stopped all the same.
    pub drain: Duration,
    /// How long a process may take to end after it was asked to.
    pub grace: Duration,
    /// How long what cannot be seen is looked for again before that is believed, and what did not start waits for another try.
    pub blindness: Duration,
    /// Where the owner has a say.
    pub gates: Gates,
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            healthy_threshold: 2,
            health_deadline: seconds(120),
            health_interval: seconds(1),
            bake: seconds(10),
            failover: Failover::Bake,
            previous: Previous::Warm,
            settle: seconds(10),
            drain: seconds(30),
            grace: seconds(30),
            blindness: seconds(5),
            gates: Gates::default(),
        }
    }
}
