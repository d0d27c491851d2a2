//! Where nothing can move: a file, a pipe, a dumb terminal, CI.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bluegreen_core::{Event, EventKind, EventSink};

use super::{narrator::Narrator, paint::Paint};

/// Writes one line for each thing that happened, and now and then why it takes so long.
#[derive(Debug)]
pub struct LineReporter<W>(Mutex<Lines<W>>);

#[derive(Debug)]
struct Lines<W> {
    out: W,
    err: W,
    quiet: bool,
    narrator: Narrator,
    waiting: Waiting,
}

impl<W: Write> LineReporter<W> {
    /// The story goes to `out`, the block of a failure to `err`. `quiet`: only warnings and failures.
    pub fn new(out: W, err: W, paint: Paint, quiet: bool) -> Self {
        let narrator = Narrator::new(paint, None);
        Self(Mutex::new(Lines { out, err, quiet, narrator, waiting: Waiting::default() }))
    }
}

impl<W: Write + Send> EventSink for LineReporter<W> {
    fn event(&self, event: &Event) {
        let mut this = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = this.narrator.tell(event);
        let mut lines = told.lines;
        if let Some((label, text)) = this.waiting.due(event) {
            let waited = Duration::from_millis(this.waiting.waited_ms);
            lines = this.narrator.entry(&this.narrator.paint.busy("·"), &label, Some(waited), &text) + "\n";
        }
        if this.quiet && !matches!(event.kind, EventKind::Warning { .. }) {
            lines.clear();
        }
        // a reader who left does not stop a deploy
        let _ = this.out.write_all(lines.as_bytes()).and_then(|()| this.out.flush());
        let _ = this.err.write_all(told.trouble.as_bytes()).and_then(|()| this.err.flush());
    }
}

/// Decides when a reason for waiting is worth a line: a new one at most once a second, the same one every ten.
#[derive(Debug, Default)]
struct Waiting {
    said: Option<(String, u64)>,
    waited_ms: u64,
}

impl Waiting {
    fn due(&mut self, event: &Event) -> Option<(String, String)> {
        if let EventKind::StepStarted { .. } = event.kind {
            self.said = None;
        }
        let EventKind::Waiting { step, reason, waited_ms, limit_ms } = &event.kind else { return None };
        self.waited_ms = *waited_ms;
        let due = match &self.said {
            None => *waited_ms >= 1000,
            Some((said, at)) => event.elapsed_ms >= at + if said == reason { 10_000 } else { 1000 },
        };
        due.then(|| {
            self.said = Some((reason.clone(), event.elapsed_ms));
            (step.word().to_owned(), format!("{reason}{}", super::live::of(*waited_ms, *limit_ms)))
        })
    }
}
