//! A moment of an entry as one line of a timeline.

use std::time::Duration;

use crate::{
    history::{Moment, What},
    report::{self, Tone, size, took},
};

/// One line of a timeline.
pub(super) struct Row {
    pub(super) at_ms: u64,
    pub(super) mark: &'static str,
    pub(super) tone: Tone,
    pub(super) label: String,
    pub(super) took: String,
    pub(super) detail: String,
}

/// The line of a moment; none for what a newer version wrote.
pub(super) fn row(moment: &Moment) -> Option<Row> {
    let row = |mark, tone, label: &str, took: Option<u64>, detail: String| {
        let took = took.filter(|ms| *ms > 0).map(|ms| report::took(Duration::from_millis(ms))).unwrap_or_default();
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
