//! What an app's state file says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Name, Profile, ReleaseId, Stamp, Transaction};

/// How many confirmed and how many failed releases are remembered.
const REMEMBERED: usize = 32;

/// All that an app's deploys must remember. Small: what runs where, and where the traffic goes, the world says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The number of the last transaction.
    #[serde(default)]
    pub number: u64,
    /// Releases that were proven under traffic, newest first. The first is the last good one.
    #[serde(default)]
    pub confirmed: Vec<ReleaseId>,
    /// Releases that failed, newest first: no rollback leads to them.
    #[serde(default)]
    pub failed: Vec<ReleaseId>,
    /// Confirmed releases that recovery left because they had ended under traffic, or could not be started, newest first: no rollback
    /// without a name leads to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crashed: Vec<ReleaseId>,
    /// For each profile that the proxy was ever seen to use: when it lost its traffic, `None` while it has it.
    #[serde(default)]
    pub lost_traffic: BTreeMap<Name, Option<Stamp>>,
    /// What was written last is lost: this is what was written before that, or what was seen, which did not say which release
    /// is good. One that answers under traffic ends this.
    #[serde(default)]
    pub lost: bool,
    /// The transaction under way.
    #[serde(default)]
    pub transaction: Option<Transaction>,
}

impl State {
    /// That of an app of which nothing is known any more.
    pub fn forgotten() -> Self {
        Self { lost: true, ..Self::default() }
    }

    /// What still holds of it when what was written after it is lost. Not who had the traffic: what runs there may have come
    /// since, and may only have been prepared.
    #[must_use = "returns what still holds"]
    pub fn outdated(self) -> Self {
        Self { lost: true, lost_traffic: BTreeMap::new(), ..self }
    }

    /// Whether a profile had the traffic when the route was last read.
    pub(crate) fn has_traffic(&self) -> bool {
        self.lost_traffic.values().any(Option::is_none)
    }

    /// The release that was last proven under traffic.
    pub fn last_good(&self) -> Option<&ReleaseId> {
        self.confirmed.first()
    }

    /// Whether a rollback may never lead to `release`.
    pub fn has_failed(&self, release: &ReleaseId) -> bool {
        self.failed.contains(release)
    }

    /// Notes that `release` was proven under traffic.
    pub fn confirm(&mut self, release: &ReleaseId) {
        self.lost = false;
        self.failed.retain(|r| r != release);
        self.crashed.retain(|r| r != release);
        remember(&mut self.confirmed, release);
    }

    /// Notes that `release`, which was confirmed, ended under traffic or cannot be started, and that recovery has left it.
    pub fn mark_crashed(&mut self, release: &ReleaseId) {
        remember(&mut self.crashed, release);
    }

    /// The release that recovery left for the last good one, which is older.
    pub fn replaced(&self) -> Option<&ReleaseId> {
        self.crashed.first().filter(|crashed| self.confirmed.get(1) == Some(*crashed))
    }

    /// Notes that `release` failed, or was left by a rollback.
    pub fn mark_failed(&mut self, release: &ReleaseId) {
        self.confirmed.retain(|r| r != release);
        remember(&mut self.failed, release);
    }

    /// Keeps account of when each profile lost its traffic.
    pub fn note_traffic(&mut self, profile: &Profile, used: bool, now: &Stamp) {
        if used {
            self.lost_traffic.insert(profile.name().clone(), None);
        } else if let Some(lost @ None) = self.lost_traffic.get_mut(profile.name()) {
            *lost = Some(now.clone());
        }
    }
}

fn remember(list: &mut Vec<ReleaseId>, release: &ReleaseId) {
    list.retain(|r| r != release);
    list.insert(0, release.clone());
    list.truncate(REMEMBERED);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ReleaseId {
        text.parse().unwrap()
    }

    #[test]
    fn a_release_is_confirmed_or_failed_never_both() {
        let mut state = State::default();
        state.confirm(&id("v1"));
        state.confirm(&id("v2"));
        assert_eq!(state.last_good(), Some(&id("v2")));
        state.mark_failed(&id("v2"));
        assert_eq!((state.last_good(), state.has_failed(&id("v2"))), (Some(&id("v1")), true));
        state.confirm(&id("v2"));
        assert_eq!(state.confirmed, [id("v2"), id("v1")]);
        assert!(!state.has_failed(&id("v2")));
    }

    #[test]
    fn remembers_a_bounded_number() {
        let mut state = State::default();
        (0..100).for_each(|n| state.confirm(&id(&format!("v{n}"))));
        assert_eq!((state.confirmed.len(), state.last_good()), (REMEMBERED, Some(&id("v99"))));
    }
}
