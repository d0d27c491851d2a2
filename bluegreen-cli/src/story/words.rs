//! What an entry is called, and how it ended.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    exit::Exit,
    history::Entry,
    report::{TRAFFIC, Tone, Trouble},
};

/// `deploy 7: 1.4.2 (3f2a91c0de12) to real2`
pub(super) fn title(entry: &Entry) -> String {
    format!("{}: {} to {}", numbered(entry), name(entry), entry.to)
}

/// `deploy 7`, or `deploy` of what never became one.
pub(crate) fn numbered(entry: &Entry) -> String {
    if entry.number == 0 { entry.kind.to_string() } else { format!("{} {}", entry.kind, entry.number) }
}

/// What the autopsy found out about the traffic.
pub(super) fn traffic(entry: &Entry) -> Option<&str> {
    entry.findings.iter().find(|finding| finding.id == TRAFFIC).map(|finding| finding.what.as_str())
}

/// `1.4.2 (3f2a91c0de12)`, or the id alone.
pub(super) fn name(entry: &Entry) -> String {
    entry.version.as_ref().map_or_else(|| entry.release.to_string(), |v| format!("{v} ({})", entry.release))
}

/// How it ended, in words.
pub(super) fn outcome(entry: &Entry) -> (String, Tone) {
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
pub(super) fn trouble(entry: &Entry) -> Option<Trouble> {
    let failure = entry.failure.as_ref().filter(|_| entry.exit_code != 0)?;
    let trouble = Trouble::of(failure, Some(&entry.to), entry.active.as_deref(), entry.exit_code);
    Some(trouble.with_findings(&entry.findings))
}
