//! Since when a release waits for `promote` or `abort`: nothing ends it by itself.

use std::time::Duration;

use bluegreen_core::{State, Step, Transaction};
use jiff::Timestamp;

use super::Session;
use crate::{
    documents,
    history::{self, Entry},
    report::ago,
};

/// A transaction that rests.
pub(super) struct Waits {
    /// When the command that brought it there ended; `None` when the history does not say it.
    since: Option<Timestamp>,
}

impl Waits {
    pub(super) fn look(session: &Session, state: &State) -> Option<Self> {
        let tx = state.transaction.as_ref().filter(|tx| waits(tx))?;
        // for people: who cannot read it is told that it is not known
        let entries = history::all(&session.config.state_dir).unwrap_or_default().entries;
        let last = entries.iter().rev().find(|entry| entry.number == tx.number && entry.release == tx.release);
        Some(Self { since: last.map(ended) })
    }

    pub(super) fn document(&self, now: Option<Timestamp>) -> documents::Waits {
        let seconds = now.and_then(|now| self.age(now)).map(|age| age.as_secs());
        documents::Waits { since: self.since.map(|since| since.to_string()), seconds }
    }

    /// For a person.
    pub(super) fn says(&self, now: Timestamp) -> String {
        match self.age(now) {
            Some(age) => format!("since {}; nothing but `promote`, `abort` or `--replace` ends it", ago(age)),
            None => "since when is not known; nothing but `promote`, `abort` or `--replace` ends it".to_owned(),
        }
    }

    /// Not known either when the clock was put back since.
    fn age(&self, now: Timestamp) -> Option<Duration> {
        now.duration_since(self.since?).try_into().ok()
    }
}

/// Whether `tx` has come to where it was to wait. Whether it still may, recovery says.
pub(super) fn waits(tx: &Transaction) -> bool {
    tx.undo.is_none() && tx.step == tx.until && tx.step != Step::Switch
}

fn ended(entry: &Entry) -> Timestamp {
    entry.began.saturating_add(Duration::from_millis(entry.took_ms)).expect("a time, not a calendar's span")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_known_or_said_not_to_be() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let waits = |since: Option<i64>| Waits { since: since.map(at) };
        assert!(waits(Some(100)).says(at(100 + 3 * 3600)).starts_with("since 3 h ago; "));
        assert_eq!(waits(Some(100)).document(Some(at(190))).seconds, Some(90));
        for unknown in [waits(None), waits(Some(200))] {
            assert!(unknown.says(at(100)).starts_with("since when is not known; "));
            assert_eq!(unknown.document(Some(at(100))).seconds, None);
        }
        let watched = waits(Some(100)).document(None);
        assert_eq!((watched.since.as_deref(), watched.seconds), (Some("1970-01-01T00:01:40Z"), None));
    }
}
