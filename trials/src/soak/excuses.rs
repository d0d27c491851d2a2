//! Which requests may be lost: those that a killed app had in hand, and what nginx itself cuts off when it is reloaded.

use std::{ops::RangeInclusive, time::Instant};

use bluegreen_cli::demo::Tally;

/// When an app was killed, from the signal until it was gone, and when nginx was reloaded, until its old workers were gone.
#[derive(Debug, Default)]
pub(super) struct Excuses {
    pub(super) kills: Vec<RangeInclusive<Instant>>,
    pub(super) reloads: Vec<RangeInclusive<Instant>>,
}

/// The lost requests by who had them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    pub(super) killed: usize,
    pub(super) reloaded: usize,
    /// Nobody may lose these.
    pub(super) lost: Vec<String>,
}

impl Excuses {
    /// A request is excused when it was under way in the moment of the accident: sent before its end, and over after its
    /// beginning. One that is sent later has none.
    pub(super) fn sort(&self, tally: &Tally) -> Sorted {
        let mut sorted = Sorted::default();
        for sample in &tally.0 {
            let Err(loss) = sample.outcome else { continue };
            let within = |times: &[RangeInclusive<Instant>]| {
                times.iter().any(|time| sample.sent <= *time.end() && sample.done >= *time.start())
            };
            if within(&self.kills) {
                sorted.killed += 1;
            } else if within(&self.reloads) {
                sorted.reloaded += 1;
            } else {
                let ago = sample.sent.elapsed().as_millis();
                sorted.lost.push(format!("{loss}, {ago} ms before the end of this load"));
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bluegreen_cli::demo::{Loss, Sample};

    use super::*;

    #[test]
    fn only_what_was_under_way_is_excused() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let lost = |sent, done| Sample { sent: at(sent), done: at(done), outcome: Err(Loss::Status(502)) };
        let excuses = Excuses { kills: vec![at(10)..=at(12)], reloads: vec![at(30)..=at(40)] };
        let tally = |samples: &[(u64, u64)]| Tally(samples.iter().map(|(sent, done)| lost(*sent, *done)).collect());
        let sorted = excuses.sort(&tally(&[(5, 11), (12, 13), (11, 99)]));
        assert_eq!((sorted.killed, sorted.reloaded, sorted.lost.len()), (3, 0, 0));
        let sorted = excuses.sort(&tally(&[(31, 32), (1, 9), (13, 14), (41, 50)]));
        assert_eq!((sorted.killed, sorted.reloaded, sorted.lost.len()), (0, 1, 3));
    }
}
