//! What happens, as it happens.

use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{Failure, Finding, Kind, Profile, Receipt, ReleaseId, Step, told};

/// The version of the event format. New kinds and new fields do not change it; readers skip what they do not know.
pub const EVENT_SCHEMA: u32 = 1;

/// One thing that happened in one command. `seq` starts at 0 and has no gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// [`EVENT_SCHEMA`].
    pub schema: u32,
    /// The number of the deploy (of its transaction); 0 before there is one.
    pub deploy: u64,
    /// Gapless from 0 within one command.
    pub seq: u64,
    /// Milliseconds since the command began.
    pub elapsed_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A command waits for the lock.
    LockWaiting {
        /// Who has it.
        holder: String,
    },
    /// A transaction was opened, or goes on.
    Began {
        /// What it is for.
        kind: Kind,
        /// The profile with the traffic.
        from: Option<Profile>,
        /// The profile that gets it.
        to: Profile,
        /// What shall run there.
        release: ReleaseId,
        /// Whether an earlier command had opened it.
        resumed: bool,
    },
    /// A step is under way.
    StepStarted {
        /// Which one.
        step: Step,
        /// The profile that it works on.
        profile: Profile,
    },
    /// Why a step is not done yet.
    Waiting {
        /// The step.
        step: Step,
        /// In words, as `real2 answers 503`.
        reason: String,
        /// Milliseconds of waiting so far.
        waited_ms: u64,
        /// Milliseconds after which we give up, or are done.
        limit_ms: u64,
    },
    /// How far something with a known end is.
    Progress {
        /// What, as `copying` or `bake`.
        what: String,
        /// So much of it.
        done: u64,
        /// All of it.
        total: u64,
    },
    /// A step is true.
    StepDone {
        /// Which one.
        step: Step,
        /// Milliseconds that it took.
        took_ms: u64,
        /// What was seen, in words.
        detail: String,
    },
    /// The route moved.
    Switched {
        /// The profile that gets new requests now.
        active: Profile,
        /// The failover.
        standby: Option<Profile>,
        /// Microseconds that the switcher's call took.
        took_us: u64,
    },
    /// Something that a person should know, and that stops nothing.
    Warning {
        /// What.
        message: String,
    },
    /// It is so already, and nothing was done.
    Already {
        /// What is so.
        what: String,
    },
    /// A step failed.
    Failed {
        /// What and why.
        failure: Failure,
    },
    /// What was done is taken back.
    Undoing {
        /// Because of this.
        failure: Failure,
    },
    /// A program of the owner runs: a hook. Sent by whoever runs it.
    HookStarted {
        /// Which one, as `before_switch`.
        hook: String,
        /// The profile that the release runs on, or will.
        #[serde(default)]
        profile: Option<Profile>,
        /// The release that it is about.
        #[serde(default)]
        release: Option<ReleaseId>,
    },
    /// What it says, a line at a time.
    HookSaid {
        /// Which one.
        hook: String,
        /// The line, as it came.
        line: String,
    },
    /// It is over.
    HookDone {
        /// Which one.
        hook: String,
        /// Milliseconds that it took.
        took_ms: u64,
        /// Why it counts as failed; `None` when it does not.
        failure: Option<String>,
    },
    /// What was found out about a failure, beyond the failure itself. Sent before `finished` by whoever knows the machine.
    Autopsy {
        /// One thing after the other, in the order in which a person wants to read them.
        #[serde(with = "told")]
        #[cfg_attr(feature = "schema", schemars(with = "Vec<told::Told>"))]
        findings: Vec<Finding>,
    },
    /// The command is over. Always the last event, sent by whoever owns the exit code.
    Finished {
        /// In one word, as `switched`.
        outcome: String,
        /// The exit code of the command.
        exit_code: u8,
        /// The name of the profile with the traffic, where known.
        active: Option<String>,
        /// The release that it is about.
        release: Option<ReleaseId>,
        /// What our own probes saw.
        receipt: Option<Receipt>,
    },
    /// An event of a newer version.
    #[cfg_attr(feature = "schema", schemars(skip))]
    #[serde(other)]
    Unknown,
}

/// Takes events. Any `Fn(&Event)` is one. Called in order, one at a time; should return quickly. What it emits itself comes after
/// the event that it was called with.
pub trait EventSink: Send + Sync {
    /// One event.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> EventSink for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}

/// Numbers the events of one command and hands them to the sinks.
#[derive(Clone, Default)]
pub struct Events(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sinks: Vec<Box<dyn EventSink>>,
    queue: Mutex<Queue>,
    /// Who has it hands out what is queued.
    turn: Mutex<()>,
}

struct Queue {
    deploy: u64,
    next: u64,
    start: Instant,
    untold: VecDeque<Event>,
    /// The thread whose turn it is.
    teller: Option<ThreadId>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { deploy: 0, next: 0, start: Instant::now(), untold: VecDeque::new(), teller: None }
    }
}

impl Queue {
    fn push(&mut self, kind: EventKind) {
        let elapsed_ms = millis(self.start.elapsed());
        self.untold.push_back(Event { schema: EVENT_SCHEMA, deploy: self.deploy, seq: self.next, elapsed_ms, kind });
        self.next += 1;
    }
}

/// The turn of this thread. It ends also when a sink panics.
struct Turn<'a>(&'a Inner, #[expect(dead_code, reason = "held for its Drop")] MutexGuard<'a, ()>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.queue().teller = None;
    }
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other thread tells.
    fn turn(&self) -> Turn<'_> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue().teller = Some(thread::current().id());
        Turn(self, turn)
    }
}

impl Events {
    /// Events that go to each of `sinks`, first to last.
    pub fn new(sinks: Vec<Box<dyn EventSink>>) -> Self {
        Self(Arc::new(Inner { sinks, ..Inner::default() }))
    }

    /// Events that go to one sink.
    pub fn to(sink: impl EventSink + 'static) -> Self {
        Self::new(vec![Box::new(sink)])
    }

    /// Says which deploy the events from now on belong to.
    pub fn set_deploy(&self, number: u64) {
        self.0.queue().deploy = number;
    }

    /// Sends one event. The sinks have had it when this returns, unless one of them sends it.
    pub fn emit(&self, kind: EventKind) {
        let mut queue = self.0.queue();
        queue.push(kind);
        let telling = queue.teller == Some(thread::current().id());
        drop(queue);
        if telling {
            return;
        }
        let turn = self.0.turn();
        let next = || turn.0.queue().untold.pop_front();
        while let Some(event) = next() {
            self.0.sinks.iter().for_each(|sink| sink.event(&event));
        }
    }

    /// Sends a [`EventKind::Warning`].
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(EventKind::Warning { message: message.into() });
    }
}

impl Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("sinks", &self.0.sinks.len()).finish_non_exhaustive()
    }
}

/// Whole milliseconds of `time`.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_gapless_and_in_order() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = Events::to({
            let seen = seen.clone();
            move |e: &Event| seen.lock().unwrap().push((e.deploy, e.seq))
        });
        events.warn("a");
        events.set_deploy(7);
        events.clone().warn("b");
        assert_eq!(*seen.lock().unwrap(), [(0, 0), (7, 1)]);
    }

    #[test]
    fn what_a_sink_emits_comes_after_what_it_was_told() {
        let (seen, sender) = (Arc::new(Mutex::new(Vec::new())), Arc::new(std::sync::OnceLock::<Events>::new()));
        let echo = {
            let (seen, sender) = (seen.clone(), sender.clone());
            move |e: &Event| {
                if e.seq == 0 {
                    sender.get().unwrap().warn("b");
                }
                seen.lock().unwrap().push(e.seq);
            }
        };
        let second = {
            let seen = seen.clone();
            move |e: &Event| seen.lock().unwrap().push(10 + e.seq)
        };
        let events = sender.get_or_init(|| Events::new(vec![Box::new(echo), Box::new(second)]));
        events.warn("a");
        events.warn("c");
        assert_eq!(*seen.lock().unwrap(), [0, 10, 1, 11, 2, 12]);
    }

    #[test]
    fn a_sink_that_panics_does_not_silence_the_others() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = Events::to({
            let seen = seen.clone();
            move |e: &Event| if e.seq == 0 { panic!("once") } else { seen.lock().unwrap().push(e.seq) }
        });
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| events.warn("a")));
        assert!(told.is_err());
        events.warn("b");
        assert_eq!(*seen.lock().unwrap(), [1]);
    }

    #[test]
    fn a_reader_survives_kinds_of_the_future() {
        let line = r#"{"schema":1,"deploy":1,"seq":0,"elapsed_ms":0,"event":"invented_later","x":1}"#;
        assert_eq!(serde_json::from_str::<Event>(line).unwrap().kind, EventKind::Unknown);
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let kind = EventKind::Warning { message: "m".into() };
        let event = Event { schema: 1, deploy: 2, seq: 3, elapsed_ms: 4, kind };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(line, r#"{"schema":1,"deploy":2,"seq":3,"elapsed_ms":4,"event":"warning","message":"m"}"#);
    }
}
