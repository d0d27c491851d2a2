//! `--format json`.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use bluegreen_core::{Event, EventSink};

use super::{Out, text::escape};

/// Writes each event as one JSON object on one line, and nothing else.
pub struct JsonReporter(Mutex<Out>);

impl JsonReporter {
    /// One that writes to `out`.
    pub fn new(out: Out) -> Self {
        Self(Mutex::new(out))
    }
}

impl EventSink for JsonReporter {
    fn event(&self, event: &Event) {
        // an event has no maps with odd keys, so this cannot fail
        let Ok(line) = serde_json::to_string(event) else { return };
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // nobody reads any more: that is no reason to stop a deploy
        let _ = out.write_all((escape(&line) + "\n").as_bytes()).and_then(|()| out.flush());
    }
}

impl fmt::Debug for JsonReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonReporter").finish_non_exhaustive()
    }
}
