//! What a deploy saw with its own eyes.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::took;

/// What our own probes through the front door saw around a switch. It speaks only of them, not of users' requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The same probes in time, and one before the switch: answers of one kind in a row. At most [`Receipt::ROWS`], of which
    /// the last takes all that comes after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answers>,
}

impl Receipt {
    /// So many entries of `answers`.
    pub const ROWS: usize = 64;
}

/// Probes of the front door with the same answer, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answers {
    /// Who answered.
    pub by: AnsweredBy,
    /// How many.
    pub count: u64,
    /// When the first was answered, in microseconds after the order to switch; before it, less than 0.
    pub first_us: i64,
    /// When the last was.
    pub last_us: i64,
}

/// Who answered at the front door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnsweredBy {
    /// The profile that gets the traffic.
    Release,
    /// Somebody else: as a rule the profile that had it.
    Other,
    /// Nobody, or not properly.
    Nobody,
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |us: u64| took(Duration::from_micros(us));
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
