//! What a deploy saw with its own eyes.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// What our own probes through the front door saw around a switch. It speaks only of them, not of users' requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Probes sent through the front door.
    pub probes: u64,
    /// Probes that got no proper answer.
    pub lost: u64,
    /// How long the switcher's call took, in microseconds; `None` when the route did not move.
    pub switch_us: Option<u64>,
    /// From the order to switch to the first answer of the release, in microseconds; `None` when nothing in the answers
    /// tells the two releases apart.
    pub first_answer_us: Option<u64>,
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |us: u64| format!("{}.{} ms", us / 1000, us % 1000 / 100);
        write!(f, "{} of our own probes through the front door, {} lost", self.probes, self.lost)?;
        if let Some(us) = self.switch_us {
            write!(f, "; switch {}", ms(us))?;
        }
        if let Some(us) = self.first_answer_us {
            write!(f, ", first answer of the release after {}", ms(us))?;
        }
        Ok(())
    }
}
