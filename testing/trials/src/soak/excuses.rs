//! Which requests may be lost: those that a killed app had in hand, and what nginx itself cuts off when it is reloaded.

use std::{ops::RangeInclusive, time::Instant};

use bluegreen_lab::{Loss, Sample, Tally};

/// When an app was killed, from the signal until nginx had nothing open to it any more, and when nginx was reloaded, until
/// its old workers were gone.
#[derive(Debug, Default)]
pub(super) struct Excuses {
    pub(super) kills: Vec<RangeInclusive<Instant>>,
    pub(super) reloads: Vec<RangeInclusive<Instant>>,
    /// For a person: the deeds, and when each began.
    pub(super) deeds: Vec<(Instant, String)>,
}

/// The lost requests by who had them.
#[derive(Debug, Default)]
pub(super) struct Sorted<'a> {
    pub(super) killed: usize,
    pub(super) reloaded: usize,
    /// Nobody may lose these.
    pub(super) lost: Vec<(&'a Sample, Loss)>,
}

impl Excuses {
    /// A request is excused when it was under way in the moment of the accident: sent before its end, and over after its
    /// beginning. One that is sent later has none.
    pub(super) fn sort<'a>(&self, tally: &'a Tally) -> Sorted<'a> {
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
                sorted.lost.push((sample, loss));
            }
        }
        sorted
    }

    /// What was being done at that moment.
    pub(super) fn during(&self, moment: Instant) -> String {
        let begun = self.deeds.iter().rev().find(|(began, _)| *began <= moment);
        begun.map_or_else(
            || "before the first deed of this load".to_owned(),
            |(began, deed)| format!("{} ms after the beginning of {deed}", (moment - *began).as_millis()),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_was_under_way_is_excused() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let lost = |sent, done| Sample { sent: at(sent), done: at(done), outcome: Err(Loss::Status(502)) };
        let excuses = Excuses { kills: vec![at(10)..=at(12)], reloads: vec![at(30)..=at(40)], ..Excuses::default() };
        let tally = |samples: &[(u64, u64)]| Tally(samples.iter().map(|(sent, done)| lost(*sent, *done)).collect());
        let samples = tally(&[(5, 11), (12, 13), (11, 99)]);
        let sorted = excuses.sort(&samples);
        assert_eq!((sorted.killed, sorted.reloaded, sorted.lost.len()), (3, 0, 0));
        let samples = tally(&[(31, 32), (1, 9), (13, 14), (41, 50)]);
        let sorted = excuses.sort(&samples);
        assert_eq!((sorted.killed, sorted.reloaded, sorted.lost.len()), (0, 1, 3));
    }
}
