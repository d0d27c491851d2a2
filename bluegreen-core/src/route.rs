//! Where the proxy sends traffic.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Profile;

/// What the proxy does now.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The profile that gets new requests.
    pub active: Profile,
    /// The profile that the proxy may fail over to. A permission, never an order.
    pub standby: Option<Profile>,
}

impl Route {
    /// `active`, with no failover.
    pub fn solo(active: Profile) -> Self {
        Self { active, standby: None }
    }

    /// `active`, with `standby` as failover.
    pub fn with_standby(active: Profile, standby: Profile) -> Self {
        Self { active, standby: Some(standby) }
    }

    /// Whether the proxy sends requests to `profile`, or may.
    pub fn uses(&self, profile: &Profile) -> bool {
        self.active == *profile || self.standby.as_ref() == Some(profile)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.standby {
            None => write!(f, "{} solo", self.active),
            Some(standby) => write!(f, "{} with {standby} as standby", self.active),
        }
    }
}
