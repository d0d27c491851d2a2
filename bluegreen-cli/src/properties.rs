//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use bluegreen_core::{Event, EventSink};
use jiff::fmt::friendly::SpanPrinter;

pub use crate::config::properties::config;
use crate::{
    config::{parse_duration, properties::is_clean},
    history::Entry,
    report::{JsonReporter, LineReporter, LiveReporter, Out, Paint},
};

/// A duration says the same once printed.
pub fn duration(text: &str) {
    if let Ok(duration) = parse_duration(text) {
        let printed = SpanPrinter::new().unsigned_duration_to_string(&duration);
        assert_eq!(parse_duration(&printed), Ok(duration), "{printed}");
    }
}

/// An entry of the history is left out, or says the same once written.
pub fn history(line: &str) {
    let Ok(entry) = serde_json::from_str::<Entry>(line) else { return };
    let written = serde_json::to_string(&entry).unwrap();
    assert!(!written.contains('\n'), "one entry is one line");
    assert_eq!(serde_json::from_str::<Entry>(&written).unwrap(), entry);
}

/// Whatever an event says: in a log it controls no terminal, and as JSON it is one line that says the same.
pub fn report(lines: &str) {
    let events: Vec<Event> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let told = |reporter: &dyn Fn(Out) -> Box<dyn EventSink>| {
        let page = Page::default();
        let reporter = reporter(Box::new(page.clone()));
        for event in &events {
            reporter.event(event);
        }
        drop(reporter);
        page.text()
    };
    let plain = Paint(false);
    is_clean(&told(&|out| Box::new(LineReporter::new(out, Box::new(io::sink()), plain, false))));
    is_clean(&told(&|err| Box::new(LineReporter::new(Box::new(io::sink()), err, plain, false))));
    told(&|out| Box::new(LiveReporter::new(out, Box::new(|| 40), plain)));
    let json = told(&|out| Box::new(JsonReporter::new(out)));
    is_clean(&json);
    let again: Vec<Event> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(again, events);
}

/// What a reporter wrote.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bluegreen_seeds::{proptest::prelude::*, texts};

    use super::*;

    #[test]
    fn of_what_a_person_writes() {
        texts("config", config);
        texts("duration", duration);
    }

    #[test]
    fn of_what_is_kept_and_told() {
        texts("history", history);
        texts("report", report);
    }

    proptest! {
        #![proptest_config(bluegreen_seeds::config())]

        #[test]
        fn every_duration_is_read(seconds in 0..=u64::from(u32::MAX), millis in 0..1000u64) {
            let duration = Duration::from_millis(seconds * 1000 + millis);
            let printed = SpanPrinter::new().unsigned_duration_to_string(&duration);
            prop_assert_eq!(parse_duration(&printed), Ok(duration));
        }
    }
}
