//! What a load saw, request by request.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

/// One request of a load. It was sent once: nothing is ever retried.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Just before its first byte was written.
    pub sent: Instant,
    /// When the answer was whole, or the request lost.
    pub done: Instant,
    /// The first line of the answer, as `v1 real1`, or why there was none.
    pub outcome: Result<Arc<str>, Loss>,
}

/// Why a request got no proper answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Loss {
    /// No connection: nobody listens at the front door.
    NotConnected,
    /// The connection was reset or broken.
    Reset,
    /// The connection was closed before the answer was whole.
    Closed,
    /// No whole answer in time.
    TimedOut,
    /// A status of 500 or more.
    Status(u16),
    /// Not HTTP, or the body of a POST did not come back.
    Garbled,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected => f.write_str("not connected"),
            Self::Reset => f.write_str("reset"),
            Self::Closed => f.write_str("closed"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Garbled => f.write_str("garbled"),
        }
    }
}

/// The requests of a load, in the order in which they ended.
#[derive(Debug, Clone, Default)]
pub struct Tally(pub Vec<Sample>);

impl Tally {
    /// The requests that were sent within `time`.
    #[must_use]
    pub fn during(&self, time: Range<Instant>) -> Self {
        Self(self.0.iter().filter(|s| time.contains(&s.sent)).cloned().collect())
    }

    /// Requests that got a proper answer.
    pub fn answered(&self) -> usize {
        self.answers().count()
    }

    /// Requests that got none.
    pub fn lost(&self) -> usize {
        self.0.len() - self.answered()
    }

    /// The lost ones, by reason.
    pub fn losses(&self) -> BTreeMap<Loss, usize> {
        count(self.0.iter().filter_map(|s| s.outcome.as_ref().err().copied()))
    }

    /// The answered ones, by the first line of the answer.
    pub fn by_release(&self) -> BTreeMap<Arc<str>, usize> {
        count(self.answers().map(|(_, label)| label.clone()))
    }

    /// When the first answer that begins with `label` was complete.
    pub fn first_from(&self, label: &str) -> Option<Instant> {
        self.answers().filter(|(_, l)| l.starts_with(label)).map(|(s, _)| s.done).min()
    }

    /// Answers that begin with `label` to requests that were sent after `moment`: the old release, still there after a
    /// switch was said to be done.
    pub fn answered_by_after(&self, label: &str, moment: Instant) -> usize {
        self.answers().filter(|(s, l)| s.sent > moment && l.starts_with(label)).count()
    }

    /// The time within which `percent` of the answers came; 100 is the slowest.
    pub fn latency(&self, percent: usize) -> Option<Duration> {
        let mut times: Vec<_> = self.answers().map(|(s, _)| s.done - s.sent).collect();
        times.sort_unstable();
        times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied()
    }

    fn answers(&self) -> impl Iterator<Item = (&Sample, &Arc<str>)> {
        self.0.iter().filter_map(|s| s.outcome.as_ref().ok().map(|label| (s, label)))
    }
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    items.fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(item).or_default() += 1;
        counts
    })
}

/// One line: how many, how many lost and why, how long they took.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests, {} lost", self.0.len(), self.lost())?;
        for (index, (loss, times)) in self.losses().iter().enumerate() {
            write!(f, "{}{times} {loss}", if index == 0 { ": " } else { ", " })?;
        }
        let ms = |percent| self.latency(percent).unwrap_or_default().as_secs_f64() * 1000.0;
        write!(f, "; p50 {:.1} ms, p99 {:.1} ms, slowest {:.1} ms", ms(50), ms(99), ms(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(outcomes: &[(u64, u64, Result<&str, Loss>)]) -> (Instant, Tally) {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let sample = |(sent, done, outcome): &(u64, u64, Result<&str, Loss>)| Sample {
            sent: at(*sent),
            done: at(*done),
            outcome: outcome.map(Into::into),
        };
        (start, Tally(outcomes.iter().map(sample).collect()))
    }

    #[test]
    fn tells_what_was_lost_what_was_new_and_what_was_stale() {
        let (start, tally) = tally(&[
            (0, 5, Ok("v1 real1")),
            (1, 2, Err(Loss::Reset)),
            (10, 30, Ok("v2 real2")),
            (11, 13, Ok("v1 real1")),
            (12, 20, Ok("v2 real2")),
            (13, 14, Err(Loss::Status(502))),
            (14, 16, Err(Loss::Reset)),
        ]);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!((tally.answered(), tally.lost()), (4, 3));
        assert_eq!(tally.losses(), BTreeMap::from([(Loss::Reset, 2), (Loss::Status(502), 1)]));
        assert_eq!(tally.by_release()["v2 real2"], 2);
        assert_eq!(tally.first_from("v2"), Some(at(20)));
        assert_eq!(tally.first_from("v3"), None);
        assert_eq!(tally.answered_by_after("v1 ", at(10)), 1);
        assert_eq!(tally.during(at(0)..at(11)).lost(), 1);
        assert_eq!(
            tally.to_string(),
            "7 requests, 3 lost: 2 reset, 1 status 502; p50 5.0 ms, p99 20.0 ms, slowest 20.0 ms"
        );
    }

    #[test]
    fn an_empty_tally_has_no_latency() {
        assert_eq!(Tally::default().latency(50), None);
    }
}
