//! Plays a scripted deploy through the reporter of this terminal, to look at it: `story [deploy|broken|prepare] [--json]`.

use std::{thread::sleep, time::Duration};

use bluegreen_cli::report::{ColorChoice, Format, reporter};
use bluegreen_core::{Cause, EventKind, Events, Failure, Kind, Profile, Receipt, Step};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let has = |word: &str| args.iter().any(|a| a == word);
    let format = if has("--json") { Format::Json } else { Format::Human };
    let events = Events::new(vec![reporter(format, ColorChoice::Auto, has("-q"), None)]);
    events.set_deploy(7);
    copy(&events);
    begin(&events);
    match () {
        () if has("broken") => broken(&events),
        () if has("prepare") => {
            healthy(&events);
            finish(&events, "prepared", 0, "real1", None);
        }
        () => deploy(&events),
    }
}

fn profile(name: &str, port: u16) -> Profile {
    Profile::new(name.parse().expect("a name"), port).expect("a port")
}

fn step(events: &Events, step: Step, ms: u64, detail: &str, during: impl FnOnce()) {
    events.emit(EventKind::StepStarted { step, profile: profile("real2", 8082) });
    during();
    events.emit(EventKind::StepDone { step, took_ms: ms, detail: detail.to_owned() });
}

fn progress(events: &Events, what: &str, total: u64, pause_ms: u64) {
    for n in 0..=20 {
        events.emit(EventKind::Progress { what: what.to_owned(), done: total * n / 20, total });
        sleep(Duration::from_millis(pause_ms));
    }
}

fn copy(events: &Events) {
    progress(events, "copying", 36_400_000, 100);
}

fn begin(events: &Events) {
    let release = "3f2a91c0de12aa".parse().expect("an id");
    let (from, to) = (Some(profile("real1", 8081)), profile("real2", 8082));
    events.emit(EventKind::Began { kind: Kind::Deploy, from, to, release, resumed: false });
    step(events, Step::Stop, 12, "port 8082 is free", || ());
    step(events, Step::Start, 140, "pid 41234", || sleep(Duration::from_millis(140)));
}

fn waits(events: &Events, reason: &str, from_ms: u64, to_ms: u64) {
    for waited_ms in (from_ms..to_ms).step_by(250) {
        let reason = reason.to_owned();
        events.emit(EventKind::Waiting { step: Step::Health, reason, waited_ms, limit_ms: 120_000 });
        sleep(Duration::from_millis(250));
    }
}

fn healthy(events: &Events) {
    step(events, Step::Health, 5100, "2 good answers in a row", || {
        waits(events, "nobody listens on port 8082 yet", 0, 2000);
        waits(
            events,
            "real2 answers 503: the database is starting, \u{1b}[31mplease\u{1b}[0m wait for a little while",
            2000,
            5000,
        );
        events.emit(EventKind::Progress { what: "good answers".to_owned(), done: 1, total: 2 });
        sleep(Duration::from_millis(500));
    });
}

fn deploy(events: &Events) {
    healthy(events);
    step(events, Step::Switch, 3, "new requests go to real2", || ());
    step(events, Step::Bake, 10_000, "healthy all the time; real1 was standby", || {
        progress(events, "bake", 10_000, 200);
    });
    events.warn("nginx 1.22.1 sends truncated answers when it is reloaded while a client reads slowly; update it to 1.24 or newer");
    step(events, Step::Retire, 0, "real1 stays warm", || ());
    let receipt =
        Receipt { probes: 412, lost: 0, switch_us: Some(112), first_answer_us: Some(640), answers: Vec::new() };
    finish(events, "switched", 0, "real2", Some(receipt));
}

fn broken(events: &Events) {
    events.emit(EventKind::StepStarted { step: Step::Health, profile: profile("real2", 8082) });
    waits(events, "nobody listens on port 8082 yet", 0, 3000);
    let log = [
        "2026-11-22 15:00:01 INFO  Starting ShopApplication v1.4.2 using Java 21",
        "2026-11-22 15:00:02 \u{1b}[31mERROR\u{1b}[0m Cannot connect to jdbc:postgresql://db.internal:5432/shop: connection refused",
        "Application run failed",
    ];
    let failure = Failure {
        causes: vec!["it exited with status 1".to_owned(), "its last log lines are below".to_owned()],
        log: log.map(str::to_owned).to_vec(),
        ..Failure::new(
            Step::Health,
            Cause::Died,
            "the new release died 2.9 s after its start, before it answered once on port 8082",
        )
    };
    events.emit(EventKind::Failed { failure: failure.clone() });
    events.emit(EventKind::Undoing { failure });
    sleep(Duration::from_millis(800));
    finish(events, "failed", 10, "real1", None);
}

fn finish(events: &Events, outcome: &str, exit_code: u8, active: &str, receipt: Option<Receipt>) {
    let release = "3f2a91c0de12aa".parse().ok();
    events.emit(EventKind::Finished {
        outcome: outcome.to_owned(),
        exit_code,
        active: Some(active.to_owned()),
        release,
        receipt,
    });
}
