//! A deploy as text.

use std::time::Duration;

use super::{
    row::{Row, row},
    words::{name, numbered, outcome, title, traffic, trouble, when},
};
use crate::{
    history::Entry,
    report::{Paint, Tone, pad, sanitize, took, truncate, wrap},
};

/// The entry with its timeline, its receipt and its autopsy, on lines of at most `width` columns; 0 leaves them as they
/// are.
pub(crate) fn text(entry: &Entry, paint: Paint, width: usize) -> String {
    let width = if width == 0 { usize::MAX } else { width };
    let (word, tone) = outcome(entry);
    let took = took(Duration::from_millis(entry.took_ms));
    let mut text = format!("{}, {}\n", paint.strong(sanitize(&title(entry))), tone.paint(paint, &sanitize(&word)));
    let mut say = |label: &str, what: &str| {
        for (n, part) in wrap(&sanitize(what), width.saturating_sub(12)).iter().enumerate() {
            text.extend([&paint.dim(pad(if n == 0 { label } else { "" }, 10)), "  ", part, "\n"]);
        }
    };
    let by = entry.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    say("     began", &format!("{}{by}", when(entry.began)));
    say("      took", &format!("{took}, exit code {}", entry.exit_code));
    say(
        "   traffic",
        &match (traffic(entry), entry.from.as_deref(), entry.active.as_deref()) {
            (Some(found), ..) => found.to_owned(),
            (_, Some(from), Some(active)) if from == active => format!("{active} has it, as before"),
            (_, Some(from), Some(active)) => format!("{from} had it, {active} has it"),
            // where it was before is not written down: at none of the two, or there already
            (_, None, Some(active)) => format!("{active} has it"),
            (_, Some(from), None) => format!("{from} had it; where it went could not be seen"),
            (_, None, None) => "where it is could not be seen".to_owned(),
        },
    );
    if let Some(config) = &entry.config {
        say("    config", &format!("bluegreen.toml {config}"));
    }
    if !entry.timeline.moments.is_empty() {
        text.push('\n');
    }
    for row in entry.timeline.moments.iter().filter_map(row) {
        text += &line(&row, paint, width);
    }
    if entry.timeline.more > 0 {
        text.extend(["  and ", &entry.timeline.more.to_string(), " more that were not kept\n"]);
    }
    if let Some(receipt) = entry.receipt.as_ref().filter(|receipt| receipt.probes > 0) {
        text.push('\n');
        for part in wrap(&receipt.to_string(), width.saturating_sub(2)) {
            text.extend(["  ", &part, "\n"]);
        }
    }
    if let Some(trouble) = trouble(entry) {
        text.push('\n');
        text += &trouble.render(paint, if width == usize::MAX { 0 } else { width });
    }
    text
}

fn line(row: &Row, paint: Paint, width: usize) -> String {
    let at = format!("{}.{:03}", row.at_ms / 1000, row.at_ms % 1000);
    let detail = truncate(&sanitize(&row.detail), width.saturating_sub(31));
    let detail = if row.tone == Tone::Dim { paint.dim(detail) } else { detail };
    let start = format!("{}  {} ", paint.dim(format!("{at:>9}")), row.tone.paint(paint, row.mark));
    let text = format!("{start}{} {:>7}  {detail}", pad(&sanitize(&row.label), 7), row.took);
    text.trim_end().to_owned() + "\n"
}

/// The title of a page or a file: `shop, deploy 7 of 1.4.2`.
pub(super) fn short(app: &str, entry: &Entry) -> String {
    format!("{app}, {} of {}", numbered(entry), name(entry))
}
