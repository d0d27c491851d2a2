//! How long the last deploys took, step by step.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bluegreen_core::Kind;

use crate::history::{self, Entry, What};

/// So many deploys are looked at.
const LAST: usize = 20;

/// Medians over the last deploys that went well.
pub(super) struct Usual {
    steps: BTreeMap<String, u64>,
    total: Option<(u64, usize)>,
}

impl Usual {
    pub(super) fn of(state_dir: &Path) -> Self {
        // how long things took before is a help and no more: without it the plan says nothing of it
        history::all(state_dir).map_or_else(|_| Self::over(&[]), |kept| Self::over(&kept.entries))
    }

    fn over(entries: &[Entry]) -> Self {
        let good = |entry: &&Entry| entry.kind == Kind::Deploy && entry.exit_code == 0;
        let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        // the halves of a deploy have some of the steps each, and no total
        let mut totals = Vec::new();
        for entry in entries.iter().rev().filter(good).take(LAST) {
            if entry.outcome == "switched" && !entry.timeline.moments.iter().any(|m| m.what == What::Resumed) {
                totals.push(entry.took_ms);
            }
            // around a hook a step is looked at twice, and counts once
            let mut steps: BTreeMap<&str, u64> = BTreeMap::new();
            for moment in &entry.timeline.moments {
                if let What::Step { step, took_ms, .. } = &moment.what {
                    let longest = steps.entry(step.word()).or_default();
                    *longest = (*longest).max(*took_ms);
                }
            }
            for (step, took_ms) in steps {
                times.entry(step.to_owned()).or_default().push(took_ms);
            }
        }
        let steps = times.into_iter().filter_map(|(step, times)| Some((step, median(times)?))).collect();
        let count = totals.len();
        Self { steps, total: median(totals).map(|total| (total, count)) }
    }

    /// Of one step.
    pub(super) fn step(&self, label: &str) -> Option<Duration> {
        self.steps.get(label).copied().map(Duration::from_millis)
    }

    /// Of a whole deploy, and over how many.
    pub(super) fn total(&self) -> Option<(Duration, usize)> {
        self.total.map(|(total, count)| (Duration::from_millis(total), count))
    }
}

/// The middle one; of two in the middle the smaller.
fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_bad_day() {
        assert_eq!((median(vec![]), median(vec![7]), median(vec![9, 1, 5])), (None, Some(7), Some(5)));
        assert_eq!(median(vec![100, 110, 120, 90_000]), Some(110));
    }

    fn entry(outcome: &str, exit_code: u8, health_ms: u64) -> Entry {
        let text = format!(
            r#"{{"number":1,"kind":"deploy","release":"v1","from":null,"to":"real1","began":"2026-11-22T17:00:00Z",
            "took_ms":{},"outcome":"{outcome}","exit_code":{exit_code},"active":"real1",
            "timeline":{{"moments":[{{"at_ms":1,"what":"step","step":"health","took_ms":{health_ms},"detail":""}}]}}}}"#,
            health_ms * 2
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn only_what_went_well_counts() {
        let entries = [
            entry("switched", 0, 100),
            entry("failed", 10, 9000),
            entry("prepared", 0, 300),
            entry("switched", 0, 200),
        ];
        let usual = Usual::over(&entries);
        assert_eq!(usual.step("health"), Some(Duration::from_millis(200)));
        assert_eq!(usual.step("bake"), None);
        assert_eq!(usual.total(), Some((Duration::from_millis(200), 2)));
        assert_eq!(Usual::over(&[]).total(), None);
    }
}
