use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

use crate::{Answer, AnsweredBy, Answers, Cancel, FrontDoor, Profile, Receipt, receipt::micros};

/// The pause between probes right around a switch, and how long that lasts.
const CLOSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(500));
/// The pause between probes from then on.
const FAR: Duration = Duration::from_millis(50);
/// The pause between probes once the proxy has refused one by a limit: what is left of it is for the users.
const LIMITED: Duration = Duration::from_secs(1);
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

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the answers so far")]
#[derive(Debug, Default)]
struct Tally {
    receipt: Receipt,
    ordered: Option<Instant>,
    answered: bool,
    last: Option<Answer>,
    /// The profile seemed to answer before it had the traffic: the two cannot be told apart.
    alike: bool,
    /// The error that users got before the switch, from a profile that served: it is no fault of the release.
    sick_before: Option<u16>,
    /// Users got no answer before the switch, though a profile served.
    silent_before: bool,
    /// Nobody has answered so far, so that nothing could be lost. The order itself takes a moment.
    nobody: bool,
    limited: bool,
    since: Sample,
    rows: Vec<Row>,
}

/// What the answers of some time say of the release. Those that nobody can tell apart say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sample {
    /// Its own good answers.
    pub(super) good: u32,
    /// Answers that count against it.
    pub(super) bad: u32,
    /// The last answer that said anything, when it counts against it.
    pub(super) last_bad: Option<Answer>,
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
    /// Begins, and goes on with the count of an earlier watch. `served`: a profile had the traffic and listened, so that what users
    /// got before is no fault of the release.
    pub(super) async fn start(
        door: Arc<dyn FrontDoor>,
        profile: Profile,
        served: bool,
        Receipt { probes, lost, .. }: Receipt,
    ) -> Self {
        let receipt = Receipt { probes, lost, ..Receipt::default() };
        let limited = door.is_limited();
        let (tally, stop) = (Arc::new(Mutex::new(Tally { receipt, limited, ..Tally::default() })), Cancel::new());
        let asked = Instant::now();
        if let Ok(answer) = tokio::time::timeout(BASELINE, door.ask(&profile)).await {
            lock(&tally).before(asked, &answer, served);
        }
        let task = tokio::spawn(watch(door, profile, tally.clone(), stop.clone()));
        Self { tally, stop, task }
    }

    /// Whether the front door has answered with the profile since the order; else the last answer that was none, in words.
    pub(super) fn answered(&self) -> Result<(), String> {
        let tally = lock(&self.tally);
        let last = || tally.last.as_ref().map_or("no probe came back", Answer::says).to_owned();
        if tally.answered { Ok(()) } else { Err(last()) }
    }

    /// What the answers since the last call say.
    pub(super) fn sample(&self) -> Sample {
        let mut tally = lock(&self.tally);
        let last_bad = tally.since.last_bad.clone();
        std::mem::replace(&mut tally.since, Sample { last_bad, ..Sample::default() })
    }

    /// The last answer that said anything of the release, when it counts against it.
    pub(super) fn against(&self) -> Option<Answer> {
        lock(&self.tally).since.last_bad.clone()
    }

    /// Whether the proxy limits the probes, as it has said, or as is known.
    pub(super) fn is_limited(&self) -> bool {
        lock(&self.tally).limited
    }

    /// The switcher is called now.
    pub(super) fn ordered(&self, at: Instant) {
        lock(&self.tally).ordered.get_or_insert(at);
    }

    /// The switcher's first call took this long.
    pub(super) fn switched_in(&self, took: Duration) {
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

async fn watch(door: Arc<dyn FrontDoor>, profile: Profile, tally: Arc<Mutex<Tally>>, stop: Cancel) {
    let began = Instant::now();
    while !stop.is_cancelled() {
        let asked = Instant::now();
        let answer = door.ask(&profile).await;
        let limited = {
            let mut tally = lock(&tally);
            tally.count(asked, answer);
            tally.limited
        };
        let pause = match began.elapsed() {
            _ if limited => LIMITED,
            time if time < CLOSE.1 => CLOSE.0,
            _ => FAR,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Tally {
    /// The look before the switch.
    fn before(&mut self, asked: Instant, answer: &Answer, served: bool) {
        self.note(asked, answer);
        self.alike = *answer == Answer::Release;
        self.sick_before = answer.error().filter(|_| served);
        self.silent_before = served && matches!(answer, Answer::Nobody(_));
        self.nobody = answer.is_lost();
        self.limited |= matches!(answer, Answer::Limited(_));
    }

    fn count(&mut self, asked: Instant, answer: Answer) {
        self.limited |= matches!(answer, Answer::Limited(_));
        self.nobody &= answer.is_lost();
        let forgiven = match &answer {
            Answer::Nobody(_) => self.silent_before,
            answer => answer.error().is_some_and(|status| self.sick_before == Some(status)),
        };
        if forgiven && matches!(answer, Answer::Sick { .. }) {
            // it answers as the one before it did
            self.answered |= self.ordered.is_some_and(|ordered| asked >= ordered);
        }
        let ordered = self.ordered.filter(|ordered| !self.alike || asked >= *ordered);
        let against = matches!(answer, Answer::Sick { .. } | Answer::Gateway { .. } | Answer::Nobody(_));
        if against && !forgiven && ordered.is_some() {
            self.since.bad += 1;
            self.since.last_bad = Some(answer.clone());
        }
        if self.nobody {
            self.last = Some(answer);
            return;
        }
        self.receipt.probes += 1;
        self.receipt.lost += u64::from(answer.is_lost());
        self.note(asked, &answer);
        match (answer, self.ordered) {
            (Answer::Release, Some(order)) => {
                // of answers that look alike, only those asked after the order are the new one's
                self.answered |= ordered.is_some();
                if !self.alike {
                    self.receipt.first_answer_us.get_or_insert(micros(order.elapsed()));
                }
                self.since.good += 1;
                self.since.last_bad = None;
            }
            (Answer::Release, None) => self.alike = true,
            (answer, _) => self.last = Some(answer),
        }
    }

    fn note(&mut self, asked: Instant, answer: &Answer) {
        let by = match answer {
            // of answers that look alike, those asked before the order are the old one's
            Answer::Release if self.ordered.is_some_and(|ordered| !self.alike || asked >= ordered) => {
                AnsweredBy::Release
            }
            answer if answer.is_lost() => AnsweredBy::Nobody,
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
