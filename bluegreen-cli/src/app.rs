//! One app: its configuration, its parts, and what is known of it.

use std::time::Duration;

use bluegreen_core::{Events, ReleaseId, Seen, State, StateStore as _, StoreError, machine::rebuild};
use tokio::time::sleep;

use crate::{config::Config, history::History, report::Trouble, wiring::Wired};

/// After so long it is looked once more at what could not be seen.
pub(crate) const AGAIN: Duration = Duration::from_millis(500);

/// What all that asks about an app, or works on it, goes by.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) events: Events,
    pub(crate) wired: Wired,
    pub(crate) history: History,
}

impl App {
    /// The state; when it is damaged, what the next writing command will make of it.
    pub(crate) async fn state(&self) -> Result<State, StoreError> {
        match self.wired.store.load() {
            Err(error @ StoreError::Corrupt { .. }) => {
                self.events.warn(format!("{error}; `bluegreen recover` writes anew what can be seen"));
                Ok(rebuild(&self.wired.deployer.look().await).unwrap_or_else(|_| State::forgotten()))
            }
            result => result,
        }
    }

    /// What is so now. One hiccup is no verdict: what cannot be seen is looked at once more.
    pub(crate) async fn sight(&self) -> Seen {
        let seen = self.wired.deployer.look().await;
        if seen.traffic.is_ok() && seen.occupants.iter().all(Result::is_ok) {
            return seen;
        }
        sleep(AGAIN).await;
        self.wired.deployer.look().await
    }

    /// `1.0 (3f2a91c0de12)`, or the id alone.
    pub(crate) fn name(&self, release: &ReleaseId) -> String {
        let known = self.wired.processes.releases().get(release).ok().and_then(|release| release.version);
        known.map_or_else(|| release.to_string(), |version| format!("{version} ({release})"))
    }

    /// What to know, and to type, where recovery left `newer` for an older release.
    pub(crate) fn older(&self, newer: &ReleaseId) -> String {
        let name = self.name(newer);
        match self.wired.processes.releases().get(newer) {
            Err(why) => format!("{name} cannot be started: {}", Trouble::from_error(&why).one_line()),
            Ok(_) => format!(
                "{name} ended under traffic, or did not start, and recovery left it: `bluegreen rollback {newer}` brings it back"
            ),
        }
    }

    /// Says it where what is started from the store is not what was stored. It is as it was run last, so nothing ends by that.
    pub(crate) fn verify(&self, release: &ReleaseId) {
        let releases = self.wired.processes.releases();
        let verify = || releases.get(release).and_then(|release| releases.verify(&release));
        if let Err(error) = tokio::task::block_in_place(verify) {
            self.events.warn(Trouble::from_error(&error).one_line());
        }
    }

    /// Writes anew what is damaged in the records of what runs. For who has the lock. What cannot be mended is said, and is in
    /// nobody's way here: whoever needs it says so.
    pub(crate) async fn mend(&self) {
        for mended in self.wired.processes.mend().await {
            self.events
                .warn(mended.map_or_else(|error| format!("a record was not mended: {error}"), |it| it.to_string()));
        }
    }
}

/// The newer release that recovery left for the one that serves.
pub(crate) fn replaced<'a>(state: &'a State, seen: &Seen) -> Option<&'a ReleaseId> {
    let serves = &seen.ours(&seen.route()?.active)?.release;
    state.replaced().filter(|newer| *newer != serves)
}
