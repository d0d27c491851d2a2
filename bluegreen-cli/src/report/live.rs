//! A terminal: the last line moves, the others stay.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bluegreen_core::{Event, EventKind, EventSink, millis, took};
use bluegreen_process::Releases;
use unicode_width::UnicodeWidthStr;

use super::{
    Out,
    narrator::{INDENT, Narrator},
    text::{pad, sanitize, truncate},
    units::size,
};

/// One line for each finished step, and below them one that shows what is going on. The cursor is never hidden and the
/// line is never wider than the terminal, so whatever ends the program leaves a clean one.
pub struct LiveReporter {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    over: Condvar,
}

struct State {
    out: Out,
    width: Box<dyn Fn() -> usize + Send>,
    narrator: Narrator,
    now: Option<Now>,
    over: bool,
}

/// The columns of a label, of the time behind it, and of all before the time.
const LABEL: usize = 7;
const TIME: usize = 9;
const SHORT: usize = 12;

/// What is going on.
#[derive(Debug)]
struct Now {
    label: String,
    since: Instant,
    doing: Doing,
}

#[derive(Debug)]
enum Doing {
    Nothing,
    Waiting { reason: String, began: Instant, limit_ms: u64 },
    Counting { what: String, done: u64, total: u64 },
}

impl LiveReporter {
    /// One that draws on `out`, a terminal of `width()` columns.
    pub fn new(out: Out, width: Box<dyn Fn() -> usize + Send>, paint: super::Paint) -> Self {
        let narrator = Narrator::new(paint, Some(width()));
        let state = Mutex::new(State { out, width, narrator, now: None, over: false });
        let shared = Arc::new(Shared { state, over: Condvar::new() });
        let ticker = std::thread::Builder::new().name("spinner".to_owned()).spawn({
            let shared = shared.clone();
            move || shared.tick()
        });
        // without a thread to spare, it moves with the events only
        Self { shared, ticker: ticker.ok() }
    }

    /// Names releases by their versions too.
    #[must_use]
    pub fn with_releases(self, releases: Option<Releases>) -> Self {
        self.shared.lock().narrator.releases = releases;
        self
    }
}

impl EventSink for LiveReporter {
    fn event(&self, event: &Event) {
        let mut state = self.shared.lock();
        let moved = state.now.is_some();
        state.follow(event);
        state.narrator.width = Some((state.width)());
        let told = state.narrator.tell(event);
        let text = told.lines + &told.trouble;
        // what others write after the end of a command begins at the left
        if !text.is_empty() || (moved && state.now.is_none()) {
            state.write(&format!("\r\x1b[K{text}"));
        }
        state.draw();
    }
}

impl Drop for LiveReporter {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.over = true;
            if state.now.take().is_some() {
                state.write("\r\x1b[K");
            }
        }
        self.shared.over.notify_all();
        let _ = self.ticker.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Redraws ten times a second, until it is over.
    fn tick(&self) {
        let mut state = self.lock();
        while !state.over {
            let waited = self.over.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.draw();
        }
    }
}

impl State {
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn draw(&mut self) {
        let Some(now) = &self.now else { return };
        let frame = now.frame(&self.narrator, (self.width)(), now.since.elapsed());
        self.write(&format!("\r{frame}\x1b[K"));
    }

    /// Notes what is going on after `event`.
    fn follow(&mut self, event: &Event) {
        let now = |label: &str, doing| Now { label: label.to_owned(), since: Instant::now(), doing };
        match &event.kind {
            EventKind::StepStarted { step, .. } => self.now = Some(now(step.word(), Doing::Nothing)),
            EventKind::Waiting { step, reason, waited_ms, limit_ms } => {
                let began = Instant::now().checked_sub(Duration::from_millis(*waited_ms)).unwrap_or_else(Instant::now);
                let now = self.now.get_or_insert_with(|| now(step.word(), Doing::Nothing));
                now.doing = Doing::Waiting { reason: reason.clone(), began, limit_ms: *limit_ms };
            }
            EventKind::Progress { what, done, total } if what == "copying" && done == total => self.now = None,
            EventKind::Progress { what, done, total } => {
                let now = self.now.get_or_insert_with(|| now(what, Doing::Nothing));
                now.doing = Doing::Counting { what: what.clone(), done: *done, total: *total };
            }
            EventKind::HookStarted { hook, .. } => self.now = Some(now(hook, Doing::Nothing)),
            EventKind::Undoing { .. } => self.now = Some(now("undo", Doing::Nothing)),
            EventKind::Began { .. }
            | EventKind::StepDone { .. }
            | EventKind::Failed { .. }
            | EventKind::HookDone { .. }
            | EventKind::Finished { .. } => self.now = None,
            _ => {}
        }
    }
}

impl Now {
    /// The moving line; the cursor stays in it, and a `^C` still fits.
    fn frame(&self, narrator: &Narrator, width: usize, elapsed: Duration) -> String {
        const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
        let turn = usize::try_from(elapsed.as_millis() / 100).unwrap_or(0) % SPINNER.len();
        let mut time = match elapsed.as_secs() {
            0 => String::new(),
            seconds @ 1..60 => format!("{seconds} s"),
            _ => took(elapsed),
        };
        // the rest of the line, without the column of the time; a `^C` fits behind it
        let room = width.saturating_sub(3 + SHORT);
        let detail = match &self.doing {
            Doing::Nothing => String::new(),
            Doing::Waiting { reason, began, limit_ms } => {
                let (reason, limit) = (sanitize(reason), of(millis(began.elapsed()), *limit_ms));
                if !limit.is_empty() {
                    time.clear();
                }
                // the reason is cut before the time is
                let text = truncate(&reason, room.saturating_sub(limit.len())) + &limit;
                if text.width() + TIME <= room || !time.is_empty() { format!("{time:>7}  {text}") } else { text }
            }
            Doing::Counting { what, done, total } => {
                let count = count(what, *done, *total);
                let count = if *what == self.label { count } else { format!("{count} {}", sanitize(what)) };
                let bar = bar(*done, *total, room.saturating_sub(TIME + 2 + count.width()).min(30));
                format!("{time:>7}  {bar}  {count}")
            }
        };
        let detail = if detail.is_empty() { format!("{time:>7}") } else { detail };
        let mark = narrator.paint.busy(SPINNER[turn]);
        format!("{INDENT}{mark} {} {}", pad(&sanitize(&self.label), LABEL), truncate(&detail, room))
    }
}

/// `, 12 s of 120 s`; nothing without a limit.
pub(super) fn of(waited_ms: u64, limit_ms: u64) -> String {
    let seconds = |ms: u64| ms / 1000;
    // between two events the clock may be past the limit
    let waited = seconds(waited_ms.min(limit_ms));
    if limit_ms == 0 { String::new() } else { format!(", {waited} s of {} s", seconds(limit_ms)) }
}

/// `16 MB of 36 MB`
pub(super) fn count(what: &str, done: u64, total: u64) -> String {
    format!("{} of {}", amount(what, done), amount(what, total))
}

fn amount(what: &str, number: u64) -> String {
    match what {
        "copying" => size(number),
        "bake" | "settle" | "drain" => format!("{} s", number / 1000),
        _ => number.to_string(),
    }
}

fn bar(done: u64, total: u64, width: usize) -> String {
    let full = usize::try_from(done.min(total).saturating_mul(width as u64) / total.max(1)).unwrap_or(width);
    "━".repeat(full) + &"╌".repeat(width - full)
}

impl fmt::Debug for LiveReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReporter").finish_non_exhaustive()
    }
}
