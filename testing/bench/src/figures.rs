//! What was measured.

use std::time::Duration;

/// One switch of the traffic under load, by a deploy or by a rollback.
#[derive(Debug, Clone, Copy)]
pub struct Switch {
    /// Requests that were sent while it ran, and shortly after.
    pub requests: usize,
    /// Those without a proper answer.
    pub lost: usize,
    /// Those that the release before answered though they were sent after the command had returned.
    pub stale: usize,
    /// From the start of the first command to the end of the last one.
    pub whole: Duration,
    /// The app's own boot, from the start of its process until it listens; none at a rollback.
    pub boot: Option<Duration>,
    /// From "the app listens" to the first answer of it through the front door; none at a rollback.
    pub ready_to_live: Option<Duration>,
    /// The switch itself, as the contender says.
    pub switch: Option<Duration>,
}

impl Switch {
    /// What a deploy takes beyond the app's own boot.
    pub fn overhead(&self) -> Option<Duration> {
        self.boot.map(|boot| self.whole.saturating_sub(boot))
    }
}

/// All that one contender did.
#[derive(Debug, Default)]
pub struct Figures {
    /// Its name.
    pub name: String,
    /// Its deploys, without the first one, which has no traffic.
    pub deploys: Vec<Switch>,
    /// Its warm rollbacks.
    pub rollbacks: Vec<Switch>,
    /// Why it gave up.
    pub failure: Option<String>,
}

/// The middle one; of an even number, the upper of the two in the middle.
pub(crate) fn median<T: Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    let middle = values.len() / 2;
    values.into_iter().nth(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 3, 2]), Some(3));
        assert_eq!(median::<u8>([]), None);
    }
}
