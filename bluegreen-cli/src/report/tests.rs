use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use bluegreen_core::{Cause, EventKind, Events, Failure, Finding, Kind, Profile, Receipt, Step};

use bluegreen_core::EventSink;
use bluegreen_process::Releases;

use super::*;

/// A writer that remembers.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn out(&self) -> Out {
        Box::new(self.clone())
    }
}

/// A pipe that nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

fn profile(name: &str, port: u16) -> Profile {
    Profile::new(name.parse().unwrap(), port).unwrap()
}

fn waiting(reason: &str, waited_ms: u64) -> EventKind {
    EventKind::Waiting { step: Step::Health, reason: reason.to_owned(), waited_ms, limit_ms: 120_000 }
}

fn began() -> EventKind {
    let (from, to) = (Some(profile("real1", 8081)), profile("real2", 8082));
    EventKind::Began { kind: Kind::Deploy, from, to, release: "v2".parse().unwrap(), resumed: false }
}

fn done(step: Step, took_ms: u64, detail: &str) -> EventKind {
    EventKind::StepDone { step, took_ms, detail: detail.to_owned() }
}

fn finished(outcome: &str, exit_code: u8, active: &str, receipt: Option<Receipt>) -> EventKind {
    let (active, release) = (Some(active.to_owned()), "v2".parse().ok());
    EventKind::Finished { outcome: outcome.to_owned(), exit_code, active, release, receipt }
}

fn deploy() -> Vec<EventKind> {
    let receipt =
        Receipt { probes: 412, lost: 0, switch_us: Some(112), first_answer_us: Some(640), answers: Vec::new() };
    vec![
        began(),
        done(Step::Stop, 0, "port 8082 is free"),
        EventKind::StepStarted { step: Step::Health, profile: profile("real2", 8082) },
        waiting("real2 answers 503", 200),
        waiting("real2 answers 503", 1200),
        done(Step::Health, 8250, "2 good\u{1b}[2J answers"),
        EventKind::Warning { message: "old nginx".to_owned() },
        finished("switched", 0, "real2", Some(receipt)),
    ]
}

fn failing() -> Vec<EventKind> {
    let failure = Failure {
        causes: vec!["exit status 1".to_owned()],
        log: vec!["\u{1b}[31mERROR\u{1b}[0m no database".to_owned()],
        ..Failure::new(Step::Health, Cause::Died, "the new release died")
    };
    vec![
        began(),
        EventKind::StepStarted { step: Step::Health, profile: profile("real2", 8082) },
        EventKind::Failed { failure: failure.clone() },
        EventKind::Undoing { failure },
        finished("failed", 10, "real1", None),
    ]
}

/// An autopsy has looked; the events alone know a name.
#[test]
fn an_autopsy_knows_better_whose_the_traffic_is_and_what_to_type() {
    let found = |about: &'static str, says: &str| Finding::noted(about, says);
    let findings = vec![
        found("step", "health, on real2"),
        found("traffic", "nobody has it: nginx leads to real1, where nothing runs"),
        found("next", "cat /tmp/x"),
    ];
    let mut kinds = failing();
    kinds.insert(4, EventKind::Autopsy { findings });
    let (_, err) = lines(kinds, false);
    assert!(err.contains("     step  health, on real2\n\n"), "{err}");
    assert!(
        err.ends_with("  traffic  nobody has it: nginx leads to real1, where nothing runs\n     next  cat /tmp/x\n"),
        "{err}"
    );
    let (_, err) = lines(failing(), false);
    assert!(err.contains("traffic  real1 has it, as before"), "{err}");
}

/// What a reporter writes, to both, with no time passing.
fn lines(kinds: Vec<EventKind>, quiet: bool) -> (String, String) {
    let (out, err) = (Screen::default(), Screen::default());
    tell(LineReporter::new(out.out(), err.out(), Paint(false), quiet), kinds);
    (out.text(), err.text())
}

#[expect(clippy::needless_pass_by_value, reason = "a reporter ends when it is dropped")]
fn tell(reporter: impl EventSink, kinds: Vec<EventKind>) {
    for (seq, kind) in (0..).zip(kinds) {
        reporter.event(&bluegreen_core::Event { schema: 1, deploy: 7, seq, elapsed_ms: seq * 1000, kind });
    }
}

#[test]
fn a_deploy_in_a_log() {
    let expected = "\
Deploying v2 to real2; real1 serves
  ✓ stop             port 8082 is free
  · health           real2 answers 503, 1 s of 120 s
  ✓ health    8.2 s  2 good answers
  ! old nginx

  real2 serves v2, 7 s in all
  412 of our own probes through the front door, 0 lost; switch 0.1 ms, first answer of the release after 0.6 ms
  `bluegreen rollback` goes back
";
    assert_eq!(lines(deploy(), false), (expected.to_owned(), String::new()));
}

#[test]
fn a_failure_says_what_why_where_and_what_to_type() {
    let (out, err) = lines(failing(), false);
    assert!(
        out.ends_with("  ✗ health      1 s  the app died\n  ↩ undo             taking back what was done\n"),
        "{out}"
    );
    // the sentence is said once, wherever the two go
    assert!(!out.contains("the new release died"), "{out}");
    let expected = "
error: the new release died
  because: exit status 1

  the last lines of its log:
  │ ERROR no database

  traffic  real1 has it, as before
     next  bluegreen logs real2
";
    assert_eq!(err, expected);
}

/// A hook between the halves of one command makes no second story of it.
/// What recovery had to take back is one of the causes that the refusal names, and no error beside it.
#[test]
fn a_command_that_is_refused_after_a_recovery_has_one_error() {
    let failure = Failure::new(Step::Switch, Cause::Switch, "the route did not become real1 solo");
    let resumed = match began() {
        EventKind::Began { kind, from, to, release, .. } => EventKind::Began { kind, from, to, release, resumed: true },
        other => other,
    };
    let undone = |outcome, code| {
        lines(
            vec![
                resumed.clone(),
                EventKind::Undoing { failure: failure.clone() },
                finished(outcome, code, "real1", None),
            ],
            false,
        )
        .1
    };
    assert_eq!(undone("refused", 3), "");
    assert_eq!(undone("locked", 75), "");
    let still =
        "error: what an earlier command left is still being taken back, as then the route did not become real1 solo";
    assert!(undone("degraded", 20).contains(still), "{}", undone("degraded", 20));
}

#[test]
fn two_halves_of_one_command_are_one_story() {
    let again = EventKind::Began {
        kind: Kind::Deploy,
        from: None,
        to: profile("real2", 8082),
        release: "v2".parse().unwrap(),
        resumed: true,
    };
    let hook = || "before_switch".to_owned();
    let kinds = vec![
        began(),
        done(Step::Health, 8250, "2 good answers"),
        EventKind::HookStarted { hook: hook(), profile: None, release: None },
        EventKind::HookSaid { hook: hook(), line: "\u{1b}[31mmigrating".to_owned() },
        EventKind::HookDone { hook: hook(), took_ms: 120, failure: None },
        again,
        done(Step::Health, 5, ""),
        done(Step::Switch, 9, ""),
    ];
    let expected = "\
Deploying v2 to real2; real1 serves
  ✓ health    8.2 s  2 good answers
    │ migrating
  ✓ hook     120 ms  before_switch
  ✓ switch     9 ms
";
    assert_eq!(lines(kinds, false).0, expected);
}

#[test]
fn quiet_leaves_warnings_and_failures() {
    assert_eq!(lines(deploy(), true), ("  ! old nginx\n".to_owned(), String::new()));
    let (out, err) = lines(failing(), true);
    assert_eq!(out, "");
    assert!(err.contains("the new release died"), "{err}");
}

/// As a `recover` to whom the proxy gives no answer.
#[test]
fn what_is_degraded_without_a_failed_step_says_what_to_type() {
    let finished = EventKind::Finished {
        outcome: "degraded".to_owned(),
        exit_code: 20,
        active: None,
        release: None,
        receipt: None,
    };
    let why = EventKind::Warning { message: "the route is not known".to_owned() };
    let (out, err) = lines(vec![why, finished], false);
    assert_eq!(out, "  ! the route is not known\n");
    assert!(err.contains("traffic  no profile is known to have it") && err.contains("next  bluegreen check"), "{err}");
}

#[test]
fn a_wait_is_never_longer_than_its_limit() {
    assert_eq!(live::of(7400, 6000), ", 6 s of 6 s");
    assert_eq!(live::of(7400, 0), "");
}

#[test]
fn a_log_is_not_flooded() {
    let screen = Screen::default();
    let reporter = LineReporter::new(screen.out(), screen.out(), Paint(false), false);
    for (seq, waited) in (0..).zip((0..30_000).step_by(100)) {
        // a new reason at 25 s
        let kind = waiting(if waited < 25_000 { "starting" } else { "migrating" }, waited);
        reporter.event(&bluegreen_core::Event { schema: 1, deploy: 7, seq, elapsed_ms: waited, kind });
    }
    let expected = "  · health           starting, 1 s of 120 s\n  · health           starting, 11 s of 120 s\n  \
                    · health           starting, 21 s of 120 s\n  · health           migrating, 25 s of 120 s\n";
    assert_eq!(screen.text(), expected);
}

#[test]
fn a_long_bake_says_now_and_then_how_far_it_is() {
    let screen = Screen::default();
    let reporter = LineReporter::new(screen.out(), screen.out(), Paint(false), false);
    for (seq, done) in (0..).zip((0..=25_000).step_by(500)) {
        let kind = EventKind::Progress { what: "bake".to_owned(), done, total: 25_000 };
        reporter.event(&bluegreen_core::Event { schema: 1, deploy: 7, seq, elapsed_ms: 60_000 + done, kind });
    }
    assert_eq!(screen.text(), "  · bake             10 s of 25 s\n  · bake             20 s of 25 s\n");
}

/// What a terminal of `width` columns shows at the end: the last text of every line, escapes obeyed.
fn terminal(kinds: Vec<EventKind>, width: usize) -> Vec<String> {
    let screen = Screen::default();
    tell(LiveReporter::new(screen.out(), Box::new(move || width), Paint(true)), kinds);
    let text = screen.text();
    assert!(!text.contains("\u{1b}[?25l"), "the cursor is never hidden");
    let shown = |line: &str| sanitize(line.rsplit(['\r']).next().unwrap_or(line));
    text.split('\n').map(shown).collect()
}

#[test]
fn a_terminal_shows_what_a_log_has_and_no_line_is_too_wide() {
    for width in [40, 60, 80] {
        let shown = terminal(deploy(), width);
        assert!(shown.iter().all(|line| line.chars().count() <= width), "{shown:#?}");
        assert_eq!(shown.last().map(String::as_str), Some(""), "the moving line is gone");
        assert!(shown.iter().any(|line| line.starts_with("  ✓ health    8.2 s  2 good")), "{shown:#?}");
    }
    let shown = terminal(failing(), 80);
    assert!(shown.contains(&"error: the new release died".to_owned()), "{shown:#?}");
}

#[test]
fn a_terminal_that_is_left_half_way_is_clean() {
    let kinds = vec![began(), EventKind::StepStarted { step: Step::Health, profile: profile("real2", 8082) }];
    assert_eq!(terminal(kinds, 80), ["Deploying v2 to real2; real1 serves", ""]);
}

#[test]
fn json_is_one_object_a_line_without_control_characters() {
    let screen = Screen::default();
    let kinds =
        vec![EventKind::Warning { message: "\u{9b}31m\u{202e}\n".to_owned() }, finished("switched", 0, "real2", None)];
    tell(JsonReporter::new(screen.out()), kinds);
    let text = screen.text();
    let objects: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["message"], "\u{9b}31m\u{202e}\n");
    assert_eq!((&objects[1]["event"], &objects[1]["seq"]), (&"finished".into(), &1.into()));
    assert!(!text.chars().any(|c| c != '\n' && text::is_unsafe(c)));
}

#[test]
fn nobody_who_stops_reading_stops_a_deploy() {
    tell(JsonReporter::new(Box::new(Closed)), deploy());
    tell(LineReporter::new(Box::new(Closed), Box::new(Closed), Paint(true), false), failing());
    tell(LiveReporter::new(Box::new(Closed), Box::new(|| 80), Paint(true)), failing());
    // and the engine's own way of calling them
    let events = Events::to(JsonReporter::new(Box::new(Closed)));
    events.warn("still here");
}

#[test]
fn tables_are_columns() {
    let row = |role: &str, profile: &str, release: Option<&str>, health: &str| StatusRow {
        role: role.to_owned(),
        profile: profile.to_owned(),
        port: 8081,
        release: release.map(str::to_owned),
        health: health.to_owned(),
        ..StatusRow::default()
    };
    let rows = [
        row("active", "real1", Some("3f2a91c0de12"), "healthy"),
        row("idle", "a-longer-name", None, "nothing runs there at all"),
    ];
    let expected = "        PROFILE        PORT  RELEASE       VERSION  PID  HEALTH
active  real1          8081  3f2a91c0de12  –        –    healthy
idle    a-longer-name  8081  –             –        –    nothing runs there at all
";
    assert_eq!(status_table(&rows, Paint(false), 0), expected);
    let narrow = "        PROFILE        PORT  RELEASE       HEALTH
active  real1          8081  3f2a91c0de12  healthy
idle    a-longer-name  8081  –             nothing runs there at all
";
    assert_eq!(status_table(&rows, Paint(false), 73), narrow);
    let cut = "        PROFILE        RELEASE       HEALTH
active  real1          3f2a91c0de12  healthy
idle    a-longer-name  –             nothing
                                     runs there
                                     at all
";
    assert_eq!(status_table(&rows, Paint(false), 48), cut);
    let named = StatusRow { version: Some("1.4".to_owned()), ..rows[0].clone() };
    let known = "        PROFILE  PORT  VERSION  HEALTH\nactive  real1    8081  1.4      healthy\n";
    assert_eq!(status_table(&[named], Paint(false), 48), known, "people know a version, not its id");
}

/// The outcome is what a person looks for: others make room for it, and it is never cut.
#[test]
fn history_keeps_the_outcome() {
    let row = |number, version: Option<&str>, outcome: &str| HistoryRow {
        number,
        when: "3 min ago".to_owned(),
        what: "deploy".to_owned(),
        release: "3f2a91c0de12".to_owned(),
        version: version.map(str::to_owned),
        to: "real2".to_owned(),
        took: "8.2 s".to_owned(),
        outcome: outcome.to_owned(),
        tone: Tone::Good,
    };
    let rows = [row(7, Some("1.4.2"), "switched"), row(8, None, "failed: real2 was not healthy within 120 s")];
    let wide = "\
#  WHEN       WHAT    RELEASE       TO     TOOK   OUTCOME
7  3 min ago  deploy  1.4.2         real2  8.2 s  switched
8  3 min ago  deploy  3f2a91c0de12  real2  8.2 s  failed: real2 was not healthy within 120 s
";
    assert_eq!(history_table(&rows, Paint(false), 0), wide);
    let usual = "\
#  WHEN       WHAT    RELEASE       OUTCOME
7  3 min ago  deploy  1.4.2         switched
8  3 min ago  deploy  3f2a91c0de12  failed: real2 was not healthy within 120 s
";
    assert_eq!(history_table(&rows, Paint(false), 80), usual);
    let narrow = "\
#  WHEN       WHAT    RELEASE       OUTCOME
7  3 min ago  deploy  1.4.2         switched
8  3 min ago  deploy  3f2a91c0de12  failed: real2
                                    was not
                                    healthy within
                                    120 s
";
    assert_eq!(history_table(&rows, Paint(false), 50), narrow);
}

/// What the moving line of a terminal of `width` columns shows after each of `kinds`.
fn moving(kinds: Vec<EventKind>, width: usize) -> Vec<String> {
    let screen = Screen::default();
    tell(LiveReporter::new(screen.out(), Box::new(move || width), Paint(false)), kinds);
    let text = screen.text();
    text.split(['\r', '\n']).map(sanitize).filter(|line| line.contains(['⠋', '⠙'])).collect()
}

#[test]
fn a_narrow_terminal_still_says_what_is_waited_for() {
    let progress = |what: &str, done, total| EventKind::Progress { what: what.to_owned(), done, total };
    let step = |step| EventKind::StepStarted { step, profile: profile("real2", 8082) };
    let kinds = vec![
        progress("copying", 16_000_000, 36_000_000),
        progress("copying", 36_000_000, 36_000_000),
        began(),
        step(Step::Health),
        waiting("real2 answers 503: database starting", 12_000),
        step(Step::Bake),
        progress("bake", 4000, 10_000),
    ];
    for (width, seen) in [
        (80, "  ⠋ health           real2 answers 503: database starting, 12 s of 120 s"),
        (66, "  ⠋ health  real2 answers 503: database starting, 12 s of 120 s"),
        (50, "  ⠋ health  real2 answers 503:…, 12 s of 120 s"),
    ] {
        let shown = moving(kinds.clone(), width);
        assert!(shown.iter().any(|line| line == seen), "{shown:#?}");
        // with room for a `^C`
        assert!(shown.iter().all(|line| line.chars().count() <= width - 3), "{shown:#?}");
        assert!(shown.iter().any(|line| line.contains("━╌") && line.ends_with("16 MB of 36 MB")), "{shown:#?}");
        assert!(shown.iter().any(|line| line.contains("━╌") && line.ends_with("4 s of 10 s")), "{shown:#?}");
    }
}

/// A refusal comes from elsewhere: it begins at the left of a clean line.
#[test]
fn a_command_that_is_refused_leaves_no_moving_line() {
    let progress = |done| EventKind::Progress { what: "copying".to_owned(), done, total: 9 };
    for kinds in
        [vec![progress(9), finished("locked", 75, "", None)], vec![progress(4), finished("locked", 75, "", None)]]
    {
        assert_eq!(terminal(kinds, 80).concat(), "");
    }
}

/// What a hook stops is aborted, which is no second error.
#[test]
fn a_hook_that_stops_a_deploy_is_one_error() {
    let aborted = Failure::new(Step::Health, Cause::Aborted, "deploy of v2 was aborted");
    let failure = Failure {
        log: vec!["the table is locked".to_owned()],
        ..Failure::new(Step::Health, Cause::Hook, "the hook before_switch (migrate) failed: exited with code 3")
    };
    let why = Some("(migrate) failed: exited with code 3".to_owned());
    let hook = EventKind::HookDone { hook: "before_switch".to_owned(), took_ms: 3, failure: why };
    let kinds = vec![
        began(),
        hook,
        EventKind::Failed { failure },
        EventKind::Undoing { failure: aborted.clone() },
        finished("failed", 10, "real1", None),
    ];
    let (out, err) = lines(kinds, false);
    let expected = "Deploying v2 to real2; real1 serves
  ✗ hook       3 ms  before_switch failed
  ↩ undo             taking back what was done
";
    assert_eq!(out, expected);
    let expected = "
error: the hook before_switch (migrate) failed: exited with code 3

  the last lines of its log:
  │ the table is locked

  traffic  real1 has it, as before
     next  bluegreen config
";
    assert_eq!(err, expected);
    let kinds = vec![began(), EventKind::Undoing { failure: aborted }, finished("degraded", 20, "real1", None)];
    let (_, err) = lines(kinds, false);
    assert!(err.contains("error: deploy of v2 was aborted"), "{err}");
}

#[test]
fn what_was_copied_stands_below_the_heading() {
    let copied = EventKind::Progress { what: "copying".to_owned(), done: 9, total: 9 };
    let (to, release) = (profile("real1", 8081), "v1".parse().unwrap());
    let up = EventKind::Began { kind: Kind::Up, from: None, to, release, resumed: false };
    let (out, _) = lines(vec![copied, up, began()], false);
    assert_eq!(out, "Recovering v1 on real1\nDeploying v2 to real2; real1 serves\n  ✓ copy             9 B\n");
}

/// The step has the proof in it, the receipt speaks of the move alone.
#[test]
fn the_two_times_of_a_switch_have_names() {
    let moved = EventKind::Switched { active: profile("real2", 8082), standby: None, took_us: 2640 };
    let (out, _) = lines(vec![began(), moved, done(Step::Switch, 122, "")], false);
    assert!(out.ends_with("  ✓ switch   122 ms  moved in 2.6 ms, then proven\n"), "{out}");
}

#[test]
fn an_error_is_shown_cause_by_cause() {
    let error = ConfigErrorLike(io::Error::other("the disk is full"));
    let trouble = Trouble { command: Some("df -h".to_owned()), ..Trouble::from_error(&error) };
    let expected = "error: cannot write the state\n  because: the disk is full\n\n     next  df -h\n";
    assert_eq!(trouble.render(Paint(false), 0), expected);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write the state")]
struct ConfigErrorLike(#[source] io::Error);

#[test]
fn the_last_line_names_who_has_the_traffic_and_what_may_come_next() {
    for (outcome, active, expected) in [
        ("rolled_back", "real1", "real1 serves v2 again, 1 s in all"),
        ("unchanged", "real1", "real1 serves v2 already, 1 s in all"),
        ("started", "real1", "real1 serves v2, 1 s in all"),
        // what was aborted is not what serves
        ("aborted", "real1", "v2 is taken back; real1 has the traffic, 1 s in all"),
        ("recovered", "real1", "recovered; real1 has the traffic, 1 s in all"),
        (
            "prepared",
            "real1",
            "v2 is ready on real2, 1 s in all\n  `bluegreen promote` gives it the traffic, `bluegreen abort` ends it",
        ),
        ("paused", "real1", "v2 rests on real2, 1 s in all\n  `bluegreen promote` goes on, `bluegreen abort` ends it"),
    ] {
        let (out, _) = lines(vec![began(), finished(outcome, 0, active, None)], false);
        assert_eq!(out, format!("Deploying v2 to real2; real1 serves\n\n  {expected}\n"));
    }
    // a refusal is for whoever refused to explain
    assert_eq!(lines(vec![finished("refused", 3, "real1", None)], false), (String::new(), String::new()));
}

#[test]
fn a_release_is_named_as_people_call_it() {
    let dir = tempfile::tempdir().unwrap();
    let releases = Releases::new(dir.path().to_owned());
    let spec = bluegreen_process::Launch::new(Vec::new()).spec();
    let new =
        bluegreen_process::NewRelease { artifact: None, spec: &spec, version: Some("1.0\u{1b}[31m"), sha256: None };
    let release = releases.add(&new, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap().id;
    let screen = Screen::default();
    let reporter = LineReporter::new(screen.out(), screen.out(), Paint(false), false).with_releases(Some(releases));
    let to = Profile::new("real2".parse().unwrap(), 8082).unwrap();
    let began = EventKind::Began { kind: Kind::Deploy, from: None, to, release: release.clone(), resumed: false };
    tell(reporter, vec![began, EventKind::Warning { message: String::new() }]);
    assert!(screen.text().starts_with(&format!("Deploying 1.0 ({release}) to real2\n")), "{}", screen.text());
}
