//! The actor of marker mode.

use std::time::Duration;

use async_trait::async_trait;
use bluegreen_core::{Blind, Profile, ProxySwitcher, Route, SwitchError};

use super::{RouteDir, RouteDirError};
use crate::{drain::drain, text::chain};

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

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        drain(profile, within, || Ok(0)).await
    }
}
