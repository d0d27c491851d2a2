//! What happened when, in one line each.

use bluegreen_core::{Cause, EventKind, Step};
use serde::{Deserialize, Serialize};

use crate::report::sanitize;

/// So many moments of one entry are kept; what comes after is counted.
const MOST: usize = 160;
/// The longest text of a moment, in characters.
const TEXT: usize = 300;

/// One moment of a deploy, or several alike in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Moment {
    /// Milliseconds since the command began.
    pub(crate) at_ms: u64,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum What {
    /// The artifact is in the store.
    Copied { bytes: u64 },
    /// An earlier command had opened the transaction.
    Resumed,
    /// A step is true since now.
    Step { step: Step, took_ms: u64, detail: String },
    /// Why it is not, from `at_ms` to `until_ms`.
    Waiting { step: Step, reason: String, until_ms: u64 },
    /// The route moved.
    Switched { active: String, standby: Option<String>, took_us: u64 },
    /// A hook is over.
    Hook { hook: String, took_ms: u64, failure: Option<String> },
    /// A warning.
    Warning { message: String },
    /// A step failed.
    Failed { step: Step, message: String },
    /// The way back begins.
    Undoing,
    /// Of a newer version.
    #[cfg_attr(feature = "schema", schemars(skip))]
    #[serde(other)]
    Unknown,
}

impl What {
    /// The step that it is about.
    fn step(&self) -> Option<Step> {
        match self {
            Self::Step { step, .. } | Self::Waiting { step, .. } | Self::Failed { step, .. } => Some(*step),
            _ => None,
        }
    }

    /// What is worth to be remembered of an event.
    fn of(event: &EventKind, at_ms: u64) -> Option<Self> {
        Some(match event {
            EventKind::Progress { what, done, total } if what == "copying" && done == total => {
                Self::Copied { bytes: *total }
            }
            EventKind::Began { resumed: true, .. } => Self::Resumed,
            EventKind::StepDone { step, took_ms, detail } => {
                Self::Step { step: *step, took_ms: *took_ms, detail: short(detail) }
            }
            EventKind::Waiting { step, reason, .. } => {
                Self::Waiting { step: *step, reason: short(reason), until_ms: at_ms }
            }
            EventKind::Switched { active, standby, took_us } => Self::Switched {
                active: active.to_string(),
                standby: standby.as_ref().map(ToString::to_string),
                took_us: *took_us,
            },
            EventKind::HookDone { hook, took_ms, failure } => {
                Self::Hook { hook: hook.clone(), took_ms: *took_ms, failure: failure.as_deref().map(short) }
            }
            EventKind::Warning { message } => Self::Warning { message: short(message) },
            // a hook has its own moment
            EventKind::Failed { failure } if failure.cause == Cause::Hook => return None,
            EventKind::Failed { failure } => Self::Failed { step: failure.step, message: short(&failure.message) },
            EventKind::Undoing { .. } => Self::Undoing,
            _ => return None,
        })
    }
}

fn short(text: &str) -> String {
    sanitize(text).chars().take(TEXT).collect()
}

/// Moments in order, not too many.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct Timeline {
    pub(crate) moments: Vec<Moment>,
    /// So many more came, and were not kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Timeline {
    /// Takes note of an event, if it is worth it. The same reason for waiting again makes the last one longer.
    pub(crate) fn note(&mut self, event: &EventKind, at_ms: u64) {
        let Some(what) = What::of(event, at_ms) else { return };
        let kept = self.moments.len();
        // what was so until now was so until now, though it was said less often
        if let Some(Moment { what: What::Waiting { step, until_ms, .. }, .. }) = self.moments.last_mut()
            && what.step() == Some(*step)
        {
            *until_ms = at_ms;
        }
        let last = self.moments.last_mut().map(|moment| &mut moment.what);
        match (&what, last) {
            (What::Waiting { step, reason, .. }, Some(What::Waiting { step: before, reason: same, .. }))
                if step == before && reason == same => {}
            // a flapping app must not push out how it ended
            (What::Waiting { .. }, _) if kept >= MOST / 2 => self.more += 1,
            _ if kept >= MOST => self.more += 1,
            _ => self.moments.push(Moment { at_ms, what }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(reason: &str) -> EventKind {
        EventKind::Waiting { step: Step::Health, reason: reason.into(), waited_ms: 0, limit_ms: 0 }
    }

    #[test]
    fn the_same_reason_in_a_row_is_one_moment() {
        let mut timeline = Timeline::default();
        for (at, why) in [(0, "a"), (10, "a"), (20, "b"), (30, "a")] {
            timeline.note(&waiting(why), at);
        }
        // it lasts until the step is done, and no longer
        for at in [90, 95] {
            timeline.note(&EventKind::StepDone { step: Step::Health, took_ms: 1, detail: String::new() }, at);
        }
        let seen = |m: &Moment| match &m.what {
            What::Waiting { reason, until_ms, .. } => Some((m.at_ms, *until_ms, reason.clone())),
            _ => None,
        };
        let seen: Vec<_> = timeline.moments.iter().filter_map(seen).collect();
        assert_eq!(seen, [(0, 20, "a".into()), (20, 30, "b".into()), (30, 90, "a".into())]);
    }

    #[test]
    fn is_bounded_and_keeps_the_end() {
        let mut timeline = Timeline::default();
        for at in 0..10_000 {
            timeline.note(&waiting(&format!("{at} {}", "x".repeat(5000))), at);
        }
        timeline.note(&EventKind::StepDone { step: Step::Health, took_ms: 1, detail: String::new() }, 10_000);
        assert!(matches!(timeline.moments.last().unwrap().what, What::Step { .. }));
        assert_eq!(timeline.more, 10_000 - MOST as u64 / 2);
        assert!(serde_json::to_string(&timeline).unwrap().len() < 64 << 10);
    }

    #[test]
    fn a_reader_survives_moments_of_the_future() {
        let timeline: Timeline = serde_json::from_str(r#"{"moments":[{"at_ms":1,"what":"invented","x":1}]}"#).unwrap();
        assert_eq!(timeline.moments, [Moment { at_ms: 1, what: What::Unknown }]);
    }
}
