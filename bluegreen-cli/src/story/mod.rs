//! One entry of the history, told again: as text and as a page.

mod page;
mod svg;
mod text;

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

pub(crate) use self::{page::page, text::text};
use crate::{
    exit::Exit,
    history::{Entry, Moment, What},
    report::{TRAFFIC, Tone, Trouble, size, took},
};

/// One line of a timeline.
struct Row {
    at_ms: u64,
    mark: &'static str,
    tone: Tone,
    label: String,
    took: String,
    detail: String,
}

/// The line of a moment; none for what a newer version wrote.
fn row(moment: &Moment) -> Option<Row> {
    let row = |mark, tone, label: &str, took: Option<u64>, detail: String| {
        let took = took.filter(|ms| *ms > 0).map(|ms| self::took(Duration::from_millis(ms))).unwrap_or_default();
        Some(Row { at_ms: moment.at_ms, mark, tone, label: label.to_owned(), took, detail })
    };
    match &moment.what {
        What::Copied { bytes } => row("✓", Tone::Good, "copy", None, size(*bytes)),
        What::Resumed => row("·", Tone::Dim, "goes on", None, "an earlier command had begun it".to_owned()),
        What::Step { step, took_ms, detail } => row("✓", Tone::Good, step.word(), Some(*took_ms), detail.clone()),
        What::Waiting { step, reason, until_ms } => {
            let until = until_ms - moment.at_ms.min(*until_ms);
            let long =
                if until < 100 { String::new() } else { format!(", for {}", took(Duration::from_millis(until))) };
            row("·", Tone::Dim, step.word(), None, format!("{reason}{long}"))
        }
        What::Switched { active, standby, took_us } => {
            let standby = standby.as_ref().map(|standby| format!(", {standby} is its standby")).unwrap_or_default();
            let call = took(Duration::from_micros(*took_us));
            row("⇄", Tone::Good, "route", None, format!("{active}{standby}; moved in {call}"))
        }
        What::Hook { hook, took_ms, failure: None } => row("✓", Tone::Good, "hook", Some(*took_ms), hook.clone()),
        What::Hook { hook, took_ms, failure: Some(why) } => {
            row("✗", Tone::Bad, "hook", Some(*took_ms), format!("{hook} {why}"))
        }
        What::Warning { message } => row("!", Tone::Warn, "warning", None, message.clone()),
        What::Failed { step, message } => row("✗", Tone::Bad, step.word(), None, message.clone()),
        What::Undoing => row("↩", Tone::Warn, "undo", None, "what was done is taken back".to_owned()),
        What::Unknown => None,
    }
}

/// `deploy 7: 1.4.2 (3f2a91c0de12) to real2`
fn title(entry: &Entry) -> String {
    format!("{}: {} to {}", numbered(entry), name(entry), entry.to)
}

/// `deploy 7`, or `deploy` of what never became one.
pub(crate) fn numbered(entry: &Entry) -> String {
    if entry.number == 0 { entry.kind.to_string() } else { format!("{} {}", entry.kind, entry.number) }
}

/// What the autopsy found out about the traffic.
fn traffic(entry: &Entry) -> Option<&str> {
    entry.findings.iter().find(|finding| finding.about == TRAFFIC).map(|finding| finding.says.as_str())
}

/// `1.4.2 (3f2a91c0de12)`, or the id alone.
fn name(entry: &Entry) -> String {
    entry.version.as_ref().map_or_else(|| entry.release.to_string(), |v| format!("{v} ({})", entry.release))
}

/// How it ended, in words.
fn outcome(entry: &Entry) -> (String, Tone) {
    let tone = match entry.exit_code {
        0 => Tone::Good,
        code if code == Exit::Degraded.code() => Tone::Bad,
        _ => Tone::Warn,
    };
    (entry.outcome.replace('_', " "), tone)
}

/// When it began, as the clock on the wall says it.
pub(crate) fn when(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%a %-d %b %Y, %H:%M:%S %Z").to_string()
}

/// The failure, as it was shown then.
fn trouble(entry: &Entry) -> Option<Trouble> {
    let failure = entry.failure.as_ref().filter(|_| entry.exit_code != 0)?;
    let trouble = Trouble::of(failure, Some(&entry.to), entry.active.as_deref(), entry.exit_code);
    Some(trouble.with_findings(&entry.findings))
}

#[cfg(test)]
mod tests;
