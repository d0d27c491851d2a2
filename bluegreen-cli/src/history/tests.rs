use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use bluegreen_core::{EventKind, Events, Kind, ReleaseId};

use super::{
    files::{LIMIT, OLD, path},
    sink::Version,
    *,
};

#[derive(Debug)]
struct NoVersion;

impl Version for NoVersion {
    fn of(&self, _: &ReleaseId) -> Option<String> {
        Some("1.2".into())
    }
}

fn began(events: &Events, number: u64) {
    let to = bluegreen_core::Profile::new("real1".parse().unwrap(), 1).unwrap();
    let release: ReleaseId = "v1".parse().unwrap();
    events.set_deploy(number);
    events.emit(EventKind::Began { kind: Kind::Deploy, from: None, to, release, resumed: false });
}

fn finished(dir: &Path, outcome: &str) -> History {
    let history = History::new(dir, Header::default(), NoVersion);
    let events = Events::to(history.clone());
    began(&events, 3);
    let outcome = outcome.to_owned();
    events.emit(EventKind::Finished { outcome, exit_code: 0, active: None, release: None, receipt: None });
    history
}

#[test]
fn keeps_the_last_entries_and_survives_a_torn_line() {
    let dir = tempfile::tempdir().unwrap();
    finished(dir.path(), "first");
    let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
    file.write_all(b"{\"number\": 4, \"kin\n\xff\xfe\n").unwrap();
    finished(dir.path(), "second");
    let Kept { entries, torn } = all(dir.path()).unwrap();
    let outcomes: Vec<_> = entries.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!((outcomes, torn), (vec!["first", "second"], 2));
    assert_eq!(entries[1].version.as_deref(), Some("1.2"));
}

/// As a power cut, or a full disk, leaves it.
#[test]
fn a_line_without_an_end_takes_no_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    finished(dir.path(), "first");
    let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
    file.write_all(b"{\"number\": 4, \"kin").unwrap();
    finished(dir.path(), "second");
    let Kept { entries, torn } = all(dir.path()).unwrap();
    assert_eq!((entries.last().unwrap().outcome.as_str(), torn), ("second", 1));
}

#[test]
fn what_chattr_has_closed_is_opened_by_chattr() {
    let dir = tempfile::tempdir().unwrap();
    finished(dir.path(), "done");
    let file = path(dir.path());
    let chattr = |how| std::process::Command::new("chattr").arg(how).arg(&file).status();
    if !chattr("+i").is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no chattr here");
        return;
    }
    let trouble = trouble(dir.path());
    chattr("-i").unwrap();
    assert_eq!(trouble.unwrap().1, immutable(&file));
    assert_eq!(super::trouble(dir.path()), None);
}

#[test]
fn a_link_in_its_place_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("elsewhere");
    fs::write(&target, "as it was").unwrap();
    std::os::unix::fs::symlink(&target, path(dir.path())).unwrap();
    finished(dir.path(), "done");
    assert_eq!(fs::read_to_string(&target).unwrap(), "as it was");
    assert!(trouble(dir.path()).unwrap().0.contains("symbolic link"));
    assert!(all(dir.path()).is_err(), "what is in it is not known");
    fs::remove_file(path(dir.path())).unwrap();
    finished(dir.path(), "done");
    assert_eq!((trouble(dir.path()), all(dir.path()).unwrap().entries.len()), (None, 1));
}

#[test]
fn an_entry_that_could_not_be_written_is_told_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let lost = || finished(dir.path(), "done").lost();
    assert_eq!(lost(), None);
    fs::remove_file(path(dir.path())).unwrap();
    fs::create_dir(path(dir.path())).unwrap();
    let said = lost().unwrap();
    assert!(said.starts_with("1 entry of this command is not in the history: "), "{said}");
    let history = finished(dir.path(), "done");
    let events = Events::to(history.clone());
    began(&events, 4);
    began(&events, 5);
    let said = history.lost().unwrap();
    assert!(said.starts_with("2 entries of this command are not in the history: "), "{said}");
}

#[test]
fn does_not_grow_without_bound() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..7 {
        fs::write(path(dir.path()), vec![b'x'; usize::try_from(LIMIT).unwrap() + 1]).unwrap();
        finished(dir.path(), "done");
    }
    let files = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, usize::try_from(OLD).unwrap() + 1);
}

#[test]
fn two_halves_of_one_command_are_one_entry() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::to(History::new(dir.path(), Header::default(), NoVersion));
    events.emit(EventKind::Progress { what: "copying".into(), done: 7, total: 7 });
    for (number, resumed) in [(2, false), (3, false), (3, true)] {
        let to = bluegreen_core::Profile::new("real1".parse().unwrap(), 1).unwrap();
        let release = "v1".parse().unwrap();
        events.set_deploy(number);
        events.emit(EventKind::Began { kind: Kind::Deploy, from: None, to, release, resumed });
    }
    let outcome = "switched".to_owned();
    events.emit(EventKind::Finished { outcome, exit_code: 0, active: None, release: None, receipt: None });
    let entries = all(dir.path()).unwrap().entries;
    let seen: Vec<_> = entries.iter().cloned().map(|e| (e.number, e.outcome)).collect();
    assert_eq!(seen, [(2, "recovered".into()), (3, "switched".into())]);
    let find = |id| find(entries.clone(), id);
    assert_eq!(find(Some("#2"))[0].timeline.moments[0].what, What::Copied { bytes: 7 });
    let number = |id| find(id).first().map(|entry| entry.number);
    assert_eq!(
        (number(None), number(Some("1.2")), number(Some("v")), number(Some("9"))),
        (Some(3), Some(3), Some(3), None)
    );
}
