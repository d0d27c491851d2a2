//! A moment that outlives the process that took it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment as (boot id, time since that boot). No wall clock: it may jump.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The machine's boot id.
    pub boot: String,
    /// `CLOCK_BOOTTIME`, which goes on while the machine sleeps.
    pub since_boot: Duration,
}

impl Stamp {
    /// Time passed from `earlier` to `self`; `None` when another boot lies between, which counts as expired.
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        // without /proc no boot is known, and then none is the same
        (self.boot == earlier.boot && !self.boot.is_empty()).then(|| self.since_boot.saturating_sub(earlier.since_boot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_boot_is_expired() {
        let at = |boot: &str, s| Stamp { boot: boot.into(), since_boot: Duration::from_secs(s) };
        assert_eq!(at("a", 9).since(&at("a", 4)), Some(Duration::from_secs(5)));
        assert_eq!(at("a", 4).since(&at("a", 9)), Some(Duration::ZERO));
        assert_eq!(at("b", 9).since(&at("a", 4)), None);
    }
}
