use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

use crate::{AnsweredBy, Answers, Cancel, HealthProbe, Profile, Receipt, Unhealthy, receipt::micros};

/// The pause between probes right around a switch, and how long that lasts.
const CLOSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));
/// The pause between probes from then on.
const FAR: Duration = Duration::from_millis(50);
/// How long the look before the switch may take, which only tells whether the answers can be told apart; and how long the last
/// probe is waited for.
const BASELINE: Duration = Duration::from_millis(250);

/// Asks the front door over and over, around a switch and through the bake.
#[derive(Debug)]
pub(super) struct Watch {
    tally: Arc<Mutex<Tally>>,
    stop: Cancel,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Tally {
    receipt: Receipt,
    ordered: Option<Instant>,
    answered: bool,
    last: Option<Unhealthy>,
    /// The profile seemed to answer before it had the traffic: the two cannot be told apart.
    alike: bool,
    /// Nobody has answered so far, so that nothing could be lost. The order itself takes a moment.
    nobody: bool,
    rows: Vec<Row>,
}

/// Answers of one kind in a row.
#[derive(Debug)]
struct Row {
    by: AnsweredBy,
    count: u64,
    first: Instant,
    last: Instant,
}

impl Watch {
    /// Begins, and goes on with the count of an earlier watch.
    pub(super) async fn start(
        door: Arc<dyn HealthProbe>,
        profile: Profile,
        Receipt { probes, lost, .. }: Receipt,
    ) -> Self {
        let receipt = Receipt { probes, lost, ..Receipt::default() };
        let (tally, stop) = (Arc::new(Mutex::new(Tally { receipt, ..Tally::default() })), Cancel::new());
        let asked = Instant::now();
        let baseline = tokio::time::timeout(BASELINE, door.check(&profile)).await;
        {
            let mut tally = lock(&tally);
            if let Ok(answer) = &baseline {
                tally.note(asked, answer);
            }
            tally.alike = matches!(baseline, Ok(Ok(())));
            tally.nobody = matches!(&baseline, Ok(Err(why)) if why.is_lost());
        }
        let task = tokio::spawn(watch(door, profile, tally.clone(), stop.clone()));
        Self { tally, stop, task }
    }

    /// Whether the front door has answered with the profile since the order; else the last answer that was none.
    pub(super) fn answered(&self) -> Result<(), Unhealthy> {
        let tally = lock(&self.tally);
        let last = || tally.last.clone().unwrap_or(Unhealthy::NoAnswer("no probe came back".to_owned()));
        if tally.answered { Ok(()) } else { Err(last()) }
    }

    /// The switcher is called now.
    pub(super) fn ordered(&self, at: Instant) {
        lock(&self.tally).ordered.get_or_insert(at);
    }

    /// The switcher's first call took this long.
    pub(super) fn switched_in(&mut self, took: Duration) {
        lock(&self.tally).receipt.switch_us.get_or_insert(micros(took));
    }

    /// Ends the probes and gives what they saw.
    pub(super) async fn finish(mut self) -> Receipt {
        self.stop.cancel();
        // a probe that is under way is counted, so that none is lost unseen; one that hangs must not hold up a revert
        let _ = tokio::time::timeout(BASELINE, &mut self.task).await;
        let tally = lock(&self.tally);
        Receipt { answers: tally.answers(), ..tally.receipt.clone() }
    }
}

impl Drop for Watch {
    /// One that nobody wants to hear asks no more.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn watch(door: Arc<dyn HealthProbe>, profile: Profile, tally: Arc<Mutex<Tally>>, stop: Cancel) {
    let began = Instant::now();
    while !stop.is_cancelled() {
        let asked = Instant::now();
        let answer = door.check(&profile).await;
        lock(&tally).count(asked, answer);
        let pause = if began.elapsed() < CLOSE.1 { CLOSE.0 } else { FAR };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Tally {
    fn count(&mut self, asked: Instant, answer: Result<(), Unhealthy>) {
        self.nobody &= answer.as_ref().is_err_and(Unhealthy::is_lost);
        if self.nobody {
            self.last = answer.err();
            return;
        }
        self.receipt.probes += 1;
        self.note(asked, &answer);
        match answer {
            Ok(()) => match self.ordered {
                // of answers that look alike, only those asked after the order are the new one's
                Some(ordered) if self.alike => self.answered |= asked >= ordered,
                Some(ordered) => {
                    self.answered = true;
                    self.receipt.first_answer_us.get_or_insert(micros(ordered.elapsed()));
                }
                None => self.alike = true,
            },
            Err(why) => {
                self.receipt.lost += u64::from(why.is_lost());
                self.last = Some(why);
            }
        }
    }

    fn note(&mut self, asked: Instant, answer: &Result<(), Unhealthy>) {
        let by = match answer {
            // of answers that look alike, those asked before the order are the old one's
            Ok(()) if self.ordered.is_some_and(|ordered| !self.alike || asked >= ordered) => AnsweredBy::Release,
            Err(why) if why.is_lost() => AnsweredBy::Nobody,
            _ => AnsweredBy::Other,
        };
        let (last, full) = (Instant::now(), self.rows.len() == Receipt::ROWS);
        match self.rows.last_mut().filter(|row| row.by == by || full) {
            Some(row) => (row.count, row.last) = (row.count + 1, last),
            None => self.rows.push(Row { by, count: 1, first: last, last }),
        }
    }

    /// The rows, with the order to switch as their zero. Without an order there is no zero.
    fn answers(&self) -> Vec<Answers> {
        let Some(ordered) = self.ordered else { return Vec::new() };
        let signed = |time| i64::try_from(micros(time)).unwrap_or(i64::MAX);
        let at = |when: Instant| match when.checked_duration_since(ordered) {
            Some(after) => signed(after),
            None => -signed(ordered - when),
        };
        let row = |row: &Row| Answers { by: row.by, count: row.count, first_us: at(row.first), last_us: at(row.last) };
        self.rows.iter().map(row).collect()
    }
}
