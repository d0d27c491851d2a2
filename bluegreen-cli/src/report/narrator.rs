//! Turns events into the lines that stay: the same on a terminal and in a log.

use std::time::Duration;

use bluegreen_core::{Cause, Event, EventKind, Failure, Finding, Kind, ReleaseId, Step, took};
use bluegreen_process::Releases;
use unicode_width::UnicodeWidthStr;

use crate::exit::Exit;

use super::{
    paint::Paint,
    text::{pad, sanitize, truncate, wrap},
    trouble::Trouble,
    units::size,
};

/// The indentation of everything below a heading.
pub(super) const INDENT: &str = "  ";

/// Tells the story of one command.
#[derive(Debug)]
pub(super) struct Narrator {
    pub(super) paint: Paint,
    /// Columns; `None`: a line may be of any length.
    pub(super) width: Option<usize>,
    /// Knows what people call a release.
    pub(super) releases: Option<Releases>,
    failure: Option<Failure>,
    findings: Vec<Finding>,
    place: Option<String>,
    /// Whether an earlier command began what is told.
    resumed: bool,
    /// The number of the deploy that is told, and its steps that were.
    deploy: Option<u64>,
    done: Vec<Step>,
    /// Whether something served before.
    replaces: bool,
    /// What was copied, until it is told: below the heading, which comes later.
    copied: Option<u64>,
    /// When the step that is under way began, in milliseconds of the command.
    since_ms: Option<u64>,
    /// How long the order to move the route took.
    moved: Option<Duration>,
}

/// What to print after an event. Either may be empty; both end with a line break.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The story.
    pub(super) lines: String,
    /// The block of a failure.
    pub(super) trouble: String,
}

impl Narrator {
    pub(super) fn new(paint: Paint, width: Option<usize>) -> Self {
        Self {
            paint,
            width,
            releases: None,
            failure: None,
            findings: Vec::new(),
            place: None,
            resumed: false,
            deploy: None,
            done: Vec::new(),
            replaces: false,
            copied: None,
            since_ms: None,
            moved: None,
        }
    }

    /// What to print after `event`.
    pub(super) fn tell(&mut self, event: &Event) -> Told {
        let paint = self.paint;
        let line = |text: String| Told { lines: text + "\n", trouble: String::new() };
        match &event.kind {
            EventKind::LockWaiting { holder } => {
                line(self.entry(&paint.warn("…"), "lock", "", &format!("waiting for {holder}")))
            }
            // the second half of the same command
            EventKind::Began { resumed: true, .. } if self.deploy == Some(event.deploy) => Told::default(),
            EventKind::StepDone { step, .. } if self.done.contains(step) => Told::default(),
            EventKind::Began { .. } => line(self.began(event)),
            EventKind::StepStarted { .. } => {
                self.since_ms = Some(event.elapsed_ms);
                Told::default()
            }
            EventKind::Switched { took_us, .. } => {
                self.moved = Some(Duration::from_micros(*took_us));
                Told::default()
            }
            EventKind::StepDone { step, took_ms, detail } => line(self.step_done(*step, *took_ms, detail)),
            EventKind::Warning { message } => line(self.wrapped(&paint.warn("!"), message)),
            EventKind::Failed { failure } => {
                self.failure.get_or_insert_with(|| failure.clone());
                // its own line is there already
                if failure.cause == Cause::Hook {
                    return Told::default();
                }
                let time =
                    self.since_ms.map(|since| took(Duration::from_millis(event.elapsed_ms.saturating_sub(since))));
                // the whole sentence comes in the end, once
                line(self.entry(&paint.bad("✗"), failure.step.word(), &time.unwrap_or_default(), brief(failure)))
            }
            EventKind::Undoing { failure } => {
                let earlier = self.resumed && !matches!(failure.cause, Cause::Aborted | Cause::Crashed);
                self.failure.get_or_insert_with(|| if earlier { of_earlier(failure) } else { failure.clone() });
                line(self.entry(&paint.warn("↩"), "undo", "", "taking back what was done"))
            }
            EventKind::Progress { what, done, total } if what == "copying" && done == total => {
                self.copied = Some(*total);
                Told::default()
            }
            EventKind::HookSaid { line: said, .. } => {
                let text = sanitize(said);
                let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(6));
                line(format!("{INDENT}{} {}", paint.dim("  │"), truncate(&text, room)))
            }
            EventKind::HookDone { hook, took_ms, failure } => {
                let time = took(Duration::from_millis(*took_ms));
                line(match failure {
                    None => self.entry(&paint.good("✓"), "hook", &time, hook),
                    // why, the error or the warning says
                    Some(_) => self.entry(&paint.bad("✗"), "hook", &time, &format!("{hook} failed")),
                })
            }
            EventKind::Already { what } => line(self.wrapped(&paint.good("✓"), &format!("nothing to do: {what}"))),
            EventKind::Autopsy { findings } => {
                self.findings.clone_from(findings);
                Told::default()
            }
            EventKind::Finished { .. } => self.finished(event),
            _ => Told::default(),
        }
    }

    /// The heading of a story.
    fn began(&mut self, event: &Event) -> String {
        let EventKind::Began { kind, from, to, release, resumed } = &event.kind else { return String::new() };
        (self.deploy, self.done) = (Some(event.deploy), Vec::new());
        (self.place, self.failure, self.resumed) = (Some(to.to_string()), None, *resumed);
        let from = from.as_ref().filter(|from| *from != to);
        self.replaces = from.is_some();
        let from = from.map(|from| format!("; {from} serves")).unwrap_or_default();
        let more = if *resumed { ", going on where it stopped" } else { "" };
        let does = heading(*kind, &to.to_string(), &self.name(release));
        let head = title((self.paint, self.width.unwrap_or(0)), &does, &format!("{from}{more}"));
        // what an earlier command had begun, or what recovery starts, is not what was copied
        let copied = self.copied.take_if(|_| !resumed && *kind == Kind::Deploy).map(size);
        let copied = copied.map(|size| "\n".to_owned() + &self.entry(&self.paint.good("✓"), "copy", "", &size));
        head + &copied.unwrap_or_default()
    }

    fn step_done(&mut self, step: Step, took_ms: u64, detail: &str) -> String {
        self.done.push(step);
        let time = if took_ms == 0 { String::new() } else { took(Duration::from_millis(took_ms)) };
        let detail = match self.moved {
            Some(moved) if step == Step::Switch && detail.is_empty() => of_the_switch(moved),
            _ => detail.to_owned(),
        };
        self.entry(&self.paint.good("✓"), step.word(), &time, &detail)
    }

    /// `1.0 (3f2a91c0de12)`, or the id alone.
    fn name(&self, release: &ReleaseId) -> String {
        let version = self.releases.as_ref().and_then(|releases| releases.get(release).ok()?.version);
        version.map_or_else(|| release.to_string(), |version| format!("{} ({release})", sanitize(&version)))
    }

    /// `✓ health   8.2 s  2 good answers`, on as many lines as it needs.
    pub(super) fn entry(&self, mark: &str, label: &str, time: &str, detail: &str) -> String {
        let time = format!("{time:>7}");
        let time = if time.trim().is_empty() { time } else { self.paint.dim(time) };
        let detail = wrap(&sanitize(detail), self.width.map_or(usize::MAX, |width| width.saturating_sub(COLUMNS)));
        let detail = detail.join(&format!("\n{}", " ".repeat(COLUMNS)));
        format!("{INDENT}{mark} {} {time}  {detail}", pad(&sanitize(label), 7)).trim_end().to_owned()
    }

    /// Text behind a mark, on as many lines as it needs.
    fn wrapped(&self, mark: &str, text: &str) -> String {
        let lines = wrap(&sanitize(text), self.width.map_or(usize::MAX, |w| w.saturating_sub(4)));
        format!("{INDENT}{mark} {}", lines.join("\n    "))
    }

    fn finished(&self, event: &Event) -> Told {
        let EventKind::Finished { outcome, active, release, receipt, exit_code } = &event.kind else {
            return Told::default();
        };
        // why it did not begin is an error of its own, which says what recovery did before
        let begun = ![Exit::Refused.code(), Exit::Busy.code()].contains(exit_code);
        let trouble = match self.failure.as_ref().filter(|_| *exit_code != 0 && begun) {
            Some(failure) => Some(Trouble::of(failure, self.place.as_deref(), active.as_deref(), *exit_code)),
            None if *exit_code == Exit::Degraded.code() => Some(Trouble::unsafe_to_go_on(active.as_deref())),
            None => None,
        };
        if let Some(trouble) = trouble {
            let trouble = trouble.with_findings(&self.findings);
            return Told {
                lines: String::new(),
                trouble: "\n".to_owned() + &trouble.render(self.paint, self.width.unwrap_or(0)),
            };
        }
        let active = active.as_deref();
        let place = self.place.as_deref().or(active).unwrap_or("the idle profile");
        if release.is_none() && outcome == "unchanged" {
            // nothing was ever deployed, so nothing serves
            return Told { lines: format!("\n{INDENT}nothing to do\n"), trouble: String::new() };
        }
        let name = release.as_ref().map_or_else(|| "the release".to_owned(), |release| self.name(release));
        let Some((what, next)) = ending(outcome, active, place, &name) else { return Told::default() };
        let kept = release.as_ref().and_then(|release| self.releases.as_ref()?.get(release).ok());
        let next = match outcome.as_str() {
            "switched" if !self.replaces => "",
            "paused" if kept.is_some_and(|kept| kept.lacks_artifact()) => {
                "`bluegreen start ARTIFACT` goes on, `bluegreen abort` ends it"
            }
            _ => next,
        };
        let receipt = receipt.as_ref().filter(|r| r.probes > 0).map(ToString::to_string).unwrap_or_default();
        let time = self.paint.dim(format!(", {} in all", took(Duration::from_millis(event.elapsed_ms))));
        let mut lines = format!("\n{INDENT}{}{time}\n", self.paint.good(sanitize(&what)));
        for text in [receipt.as_str(), next].into_iter().filter(|text| !text.is_empty()) {
            for part in wrap(&sanitize(text), self.width.map_or(usize::MAX, |w| w.saturating_sub(INDENT.len()))) {
                lines.extend([INDENT, &self.paint.dim(part), "\n"]);
            }
        }
        Told { lines, trouble: String::new() }
    }
}

/// What a command that went well says last, and what may come next. `release` is what it was about.
fn ending(outcome: &str, active: Option<&str>, place: &str, release: &str) -> Option<(String, &'static str)> {
    let serves = format!("{} serves {release}", active.unwrap_or(place));
    let traffic = active.map_or_else(
        || "no profile is known to have the traffic".to_owned(),
        |active| format!("{active} has the traffic"),
    );
    Some(match outcome {
        "switched" => (serves, "`bluegreen rollback` goes back"),
        "started" => (serves, ""),
        "rolled_back" => (format!("{serves} again"), ""),
        "unchanged" => (format!("{serves} already"), ""),
        "prepared" => (
            format!("{release} is ready on {place}"),
            "`bluegreen promote` gives it the traffic, `bluegreen abort` ends it",
        ),
        "paused" => (format!("{release} rests on {place}"), "`bluegreen promote` goes on, `bluegreen abort` ends it"),
        "aborted" => (format!("{release} is taken back; {traffic}"), ""),
        "recovered" | "adopted" => (format!("{outcome}; {traffic}"), ""),
        _ => return None,
    })
}

/// What is done, and what is so beside it; that goes below where it has no room. 0 columns are as many as it wants.
pub(crate) fn title((paint, width): (Paint, usize), does: &str, beside: &str) -> String {
    if width == 0 || does.width() + beside.width() <= width {
        return paint.strong(does) + beside;
    }
    let strong = wrap(does, width).into_iter().map(|line| paint.strong(line));
    let rest = wrap(beside.trim_start_matches([';', ',', ' ']), width.saturating_sub(INDENT.len()));
    let rest = rest.into_iter().filter(|line| !line.is_empty()).map(|line| format!("{INDENT}{line}"));
    strong.chain(rest).collect::<Vec<_>>().join("\n")
}

/// What made an earlier command take its work back, which need not be so any more.
fn of_earlier(failure: &Failure) -> Failure {
    Failure {
        message: format!("what an earlier command left is still being taken back, as then {failure}"),
        ..failure.clone()
    }
}

/// The kind of a failure, for a place where the sentence does not fit, or follows.
pub(crate) fn brief(failure: &Failure) -> &'static str {
    match (failure.cause, failure.step) {
        (Cause::Unhealthy, _) => "not healthy",
        (Cause::Died, _) => "the app died",
        (Cause::Process, Step::Stop | Step::Retire) => "not as it should be",
        (Cause::Process, Step::Start) => "cannot be started",
        (Cause::Process, _) => "not what was started",
        (Cause::PortTaken, _) => "the port is taken",
        (Cause::Switch, _) => "not taken by the proxy",
        (Cause::Route, _) => "the route is not certain",
        (Cause::Blind, _) => "cannot be seen",
        (Cause::Interrupted, _) => "interrupted",
        (Cause::Deadline, _) => "out of time",
        (Cause::Crashed, _) => "left half-way",
        (Cause::Aborted, _) => "aborted",
        (Cause::Hook, _) => "stopped by a hook",
    }
}

/// The step is the move and the proof of it; the receipt speaks of the move.
fn of_the_switch(moved: Duration) -> String {
    format!("moved in {}, then proven", took(moved))
}

/// Columns in front of the detail of an entry.
pub(super) const COLUMNS: usize = 21;

fn heading(kind: Kind, to: &str, release: &str) -> String {
    match kind {
        Kind::Deploy => format!("Deploying {release} to {to}"),
        Kind::Rollback => format!("Going back to {release} on {to}"),
        // who is there may have to be started first
        Kind::Flip => format!("Moving the traffic to {release} on {to}"),
        // it may run, and only its route has to be put right
        Kind::Up => format!("Recovering {release} on {to}"),
        Kind::Warm => format!("Starting {release} on {to} again, for a rollback"),
    }
}
