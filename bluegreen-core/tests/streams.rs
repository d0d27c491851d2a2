//! Whoever reads the events of 0.1 also reads those of tomorrow, and whoever reads today's also reads those of 0.1.

use bluegreen_core::{Event, EventKind};
use serde_json::{Value, json};

/// What 0.1 wrote in two deploys: one with hooks that went well, and one that waited for the lock and was taken back. Never changed: a reader of today reads it, or breaks those who kept their logs.
const STREAM: &str = include_str!("streams/0.1.jsonl");

fn read(line: &str) -> Event {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn a_stream_of_0_1_is_read_word_for_word() {
    for line in STREAM.lines() {
        let event = read(line);
        assert_ne!(event.kind, EventKind::Unknown, "{line}");
        let (before, now): (Value, Value) = (
            serde_json::from_str(line).unwrap(),
            serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap(),
        );
        for (name, value) in before.as_object().unwrap() {
            assert!(contains(&now[name], value), "{name} was {value}, and is {}: {line}", now[name]);
        }
    }
}

/// The same, but for members that came later.
fn contains(now: &Value, before: &Value) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            before.iter().all(|(name, value)| now.get(name).is_some_and(|now| contains(now, value)))
        }
        _ => now == before,
    }
}

#[test]
fn a_reader_skips_fields_and_events_that_it_does_not_know() {
    for line in STREAM.lines() {
        let mut later: Value = serde_json::from_str(line).unwrap();
        add_members(&mut later);
        assert_eq!(read(&later.to_string()), read(line));
        let other =
            json!({ "schema": 1, "deploy": 1, "seq": 0, "elapsed_ms": 0, "event": "invented_later", "x": later });
        assert_eq!(read(&other.to_string()).kind, EventKind::Unknown);
    }
}

fn add_members(value: &mut Value) {
    if let Value::Object(members) = value {
        members.values_mut().for_each(add_members);
        members.insert("invented_later".to_owned(), json!({ "a": [1] }));
    }
}
