//! The actor of marker mode.

use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::{Profile, ProxySwitcher, Route, SwitchError};

use super::{RouteDir, RouteDirError};
use crate::{
    drain::{connections_to, wait_until},
    text::chain,
};

/// Moves the route with one `rename(2)`: no reload, no root, no connection closed.
#[derive(Debug, Clone)]
pub struct MarkerSwitcher {
    route: RouteDir,
}

impl MarkerSwitcher {
    /// One that moves `route`.
    pub fn new(route: RouteDir) -> Self {
        Self { route }
    }
}

#[async_trait]
impl ProxySwitcher for MarkerSwitcher {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        let (dir, route) = (self.route.clone(), route.clone());
        // it waits for the disk; and once begun it ends, whatever becomes of this future
        let moved = tokio::task::spawn_blocking(move || dir.point(&route)).await;
        match moved.map_err(|e| SwitchError::Unsettled(e.to_string()))? {
            Ok(()) => Ok(()),
            Err(error @ RouteDirError::NotDurable { .. }) => Err(SwitchError::Unsettled(chain(&error))),
            Err(error) => Err(SwitchError::Refused(chain(&error))),
        }
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<(), SwitchError> {
        let drained = wait_until(within, || Ok(connections_to(profile.port())? == 0)).await;
        drained.map(drop).map_err(|e| SwitchError::Unsettled(format!("cannot see the connections to {profile}: {e}")))
    }
}
