//! Where nothing can move: a file, a pipe, a dumb terminal, CI.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use bluegreen_core::{Event, EventKind, EventSink};
use bluegreen_process::Releases;

use super::{
    Out,
    live::{count, of},
    narrator::Narrator,
    paint::Paint,
};

/// Writes one line for each thing that happened, and now and then why it takes so long.
pub struct LineReporter(Mutex<Lines>);

struct Lines {
    out: Out,
    err: Out,
    quiet: bool,
    narrator: Narrator,
    waiting: Waiting,
}

impl LineReporter {
    /// The story goes to `out`, the block of a failure to `err`. `quiet`: only warnings and failures.
    pub fn new(out: Out, err: Out, paint: Paint, quiet: bool) -> Self {
        let narrator = Narrator::new(paint, None);
        Self(Mutex::new(Lines { out, err, quiet, narrator, waiting: Waiting::default() }))
    }

    /// Names releases by their versions too.
    #[must_use]
    pub fn with_releases(self, releases: Option<Releases>) -> Self {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).narrator.releases = releases;
        self
    }
}

impl EventSink for LineReporter {
    fn event(&self, event: &Event) {
        let mut this = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = this.narrator.tell(event);
        let mut lines = told.lines;
        if let Some((label, text)) = this.waiting.due(event) {
            lines = this.narrator.entry(&this.narrator.paint.busy("·"), &label, "", &text) + "\n";
        }
        if this.quiet && !matches!(event.kind, EventKind::Warning { .. }) {
            lines.clear();
        }
        // a reader who left does not stop a deploy
        let _ = this.out.write_all(lines.as_bytes()).and_then(|()| this.out.flush());
        let _ = this.err.write_all(told.trouble.as_bytes()).and_then(|()| this.err.flush());
    }
}

impl fmt::Debug for LineReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReporter").finish_non_exhaustive()
    }
}

/// Decides when a reason for waiting is worth a line: a new one at most once a second, the same one every ten.
#[derive(Debug, Default)]
struct Waiting {
    /// The last reason, and when it was said.
    said: Option<(String, u64)>,
}

impl Waiting {
    fn due(&mut self, event: &Event) -> Option<(String, String)> {
        if let EventKind::StepStarted { .. } = event.kind {
            self.said = None;
        }
        let (label, reason, limit, pause) = match &event.kind {
            EventKind::Waiting { step, reason, waited_ms, limit_ms } => {
                let again = self.said.as_ref().is_some_and(|(said, _)| said == reason);
                (step.word(), reason.clone(), of(*waited_ms, *limit_ms), if again { 10_000 } else { 1000 })
            }
            // a bake or a copy has its own end: only a long one is worth a line
            EventKind::Progress { what, done, total } => {
                (what.as_str(), String::new(), count(what, *done, *total), 10_000)
            }
            _ => return None,
        };
        // a wait that is over within a second is worth nothing
        let (_, at) = self.said.get_or_insert_with(|| (String::new(), event.elapsed_ms));
        (event.elapsed_ms >= *at + pause).then(|| {
            let text = (label.to_owned(), format!("{reason}{limit}"));
            self.said = Some((reason, event.elapsed_ms));
            text
        })
    }
}
