//! The state on disk: old or new, never half, and only ours.
#![cfg(feature = "file-store")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use bluegreen_core::{
    FileStore, Holder, Policy, State, StateStore, StoreError,
    machine::{Recovery, Tried, recover},
    testing::{World, conformance},
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap()
}

fn saved(dir: &TempDir, numbers: &[u64]) -> FileStore {
    let store = FileStore::open(dir.path()).unwrap();
    let lease = store.lock(&Holder::default()).unwrap();
    for &number in numbers {
        store.save(&lease, &State { number, ..State::default() }).unwrap();
    }
    store
}

#[test]
fn passes_the_conformance_suite() {
    let (dir, other) = (dir(), dir());
    conformance::store(|| FileStore::open(dir.path()).unwrap(), &FileStore::open(other.path()).unwrap());
}

#[test]
fn a_damaged_state_falls_back_to_the_one_before() {
    let damages: [&[u8]; 6] = [b"", b"{", b"{\"schema\":1", b"null", b"\0\0\0\0", b"\x7fELF\xff\xfe"];
    for damage in damages {
        let dir = dir();
        let store = saved(&dir, &[1, 2]);
        fs::write(dir.path().join("state.json"), damage).unwrap();
        let fallen = store.load().unwrap();
        assert_eq!(fallen, State { number: 1, ..State::default() }.outdated(), "{damage:?}");
        assert!(store.fell_back().is_some());
        // and saving over it does not lose the good one
        let lease = store.lock(&Holder::default()).unwrap();
        store.save(&lease, &State { number: 3, ..State::default() }).unwrap();
        assert_eq!((store.load().unwrap().number, store.fell_back()), (3, None));
        let previous = fs::read_to_string(dir.path().join("state.json.prev")).unwrap();
        assert!(previous.contains("\"number\": 1"), "{previous}");
        assert_eq!(fs::read(dir.path().join("state.json.damaged")).unwrap(), damage, "a person may want to see it");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_an_error_and_never_an_empty_one() {
    let dir = dir();
    let store = saved(&dir, &[1]);
    fs::write(dir.path().join("state.json"), "{").unwrap();
    assert!(matches!(store.load(), Err(StoreError::Corrupt { .. })));
    fs::write(dir.path().join("state.json"), r#"{"schema":99,"new":true}"#).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Newer { found: 99, .. })));
}

/// What the system does not give us may be good, and newer than the one before it.
#[test]
fn a_state_that_the_system_cannot_read_is_not_replaced_by_the_one_before() {
    let dir = dir();
    let store = saved(&dir, &[1, 2]);
    let state = dir.path().join("state.json");
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Unsafe { .. })), "{:?}", store.load());
}

/// Each file in the fixtures was written by some version, and is read by all that follow: never remove one.
#[test]
fn the_states_of_all_versions_are_read() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/state");
    let mut seen = 0;
    for fixture in fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()) {
        let dir = dir();
        let store = FileStore::open(dir.path()).unwrap();
        fs::copy(&fixture, dir.path().join("state.json")).unwrap();
        fs::set_permissions(dir.path().join("state.json"), fs::Permissions::from_mode(0o600)).unwrap();
        let name = fixture.file_stem().unwrap().to_str().unwrap();
        if name.ends_with("-newer") {
            assert!(matches!(store.load(), Err(StoreError::Newer { .. })), "{name}: {:?}", store.load());
            continue;
        }
        let state = store.load().unwrap_or_else(|error| panic!("{name}: {error}"));
        // resumed: on a machine on which both releases run, recovery knows what to do with it
        let mut world = World::new();
        for (profile, release) in world.profiles.clone().both().into_iter().zip(["v3", "v2"]) {
            world.start(profile, &release.parse().unwrap()).unwrap();
        }
        let found = match recover(&state, &world.seen(), &Policy::default(), Tried::default()) {
            Recovery::Walk(_) => "goes on",
            Recovery::Rests(_) => "rests",
            Recovery::Stable => "is stable",
            Recovery::Degraded(why) => panic!("{name}: {why}"),
            Recovery::Blind(why) => panic!("{name}: {why}"),
        };
        let expected = [
            ("1-prepared", "goes on"),
            ("1-undoing", "goes on"),
            ("1-served", "is stable"),
            ("1-smallest", "is stable"),
        ];
        assert!(expected.contains(&(name, found)), "{name} {found}");
        store.save(&store.lock(&Holder::default()).unwrap(), &state).unwrap();
        assert_eq!(store.load().unwrap(), state, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn foreign_modes_and_links_are_refused() {
    let dir = dir();
    let store = saved(&dir, &[1]);
    let state = dir.path().join("state.json");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Unsafe { .. })));
    fs::rename(&state, dir.path().join("elsewhere")).unwrap();
    symlink("elsewhere", &state).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Unsafe { .. })));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(FileStore::open(dir.path()), Err(StoreError::Unsafe { .. })));
}

/// Without it the state before is used, and that is said.
#[test]
fn whatever_is_in_the_place_of_a_state_is_put_away_by_the_command_that_is_said() {
    let hands: [fn(&Path); 4] = [
        |at| fs::create_dir_all(at.join("deep")).unwrap(),
        |at| symlink("elsewhere", at).unwrap(),
        |at| mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap(),
        |at| {
            fs::write(at, fs::read(at.with_file_name("state.json.prev")).unwrap()).unwrap();
            fs::set_permissions(at, fs::Permissions::from_mode(0o660)).unwrap();
        },
    ];
    for (n, put) in hands.into_iter().enumerate() {
        let dir = dir();
        let store = saved(&dir, &[1, 2]);
        let state = dir.path().join("state.json");
        fs::remove_file(&state).unwrap();
        put(&state);
        let Err(StoreError::Unsafe { fix: Some(fix), .. }) = store.load() else { panic!("{:?}", store.load()) };
        assert_eq!(store.fell_back(), None, "the state before is not used as long as it is there");
        assert!(Command::new("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
        assert_eq!(store.load().unwrap().number, 1, "{fix}");
        // what could be made safe is the state that it was
        assert_eq!(store.fell_back().is_some(), n < 3, "{fix}");
        let lease = store.lock(&Holder::default()).unwrap();
        store.save(&lease, &State { number: 3, ..State::default() }).unwrap();
        assert_eq!((store.load().unwrap().number, store.fell_back()), (3, None));
    }
}

/// It is for messages: whoever put something there stops nobody.
#[test]
fn what_is_in_the_place_of_the_note_or_of_an_old_state_is_set_aside() {
    let dir = dir();
    let store = saved(&dir, &[1]);
    let at = |name: &str| dir.path().join(name);
    let hands: [fn(&Path); 4] = [
        |at| fs::create_dir_all(at.join("deep")).unwrap(),
        |at| fs::create_dir_all(at.join("deep")).unwrap(),
        |at| symlink("state.json", at).unwrap(),
        |at| mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap(),
    ];
    for put in hands {
        fs::remove_file(at("lock")).unwrap();
        put(&at("lock"));
        let me = Holder { command: "deploy".into(), pid: std::process::id(), ..Holder::default() };
        let lease = store.lock(&me).unwrap();
        assert_eq!(store.holder(), Some(me));
        for name in ["state.json.prev", "state.json.damaged"] {
            let _ = fs::remove_file(at(name));
            fs::create_dir_all(at(name).join("deep")).unwrap();
            fs::write(at("state.json"), "{").unwrap();
            store.save(&lease, &State { number: 4, ..State::default() }).unwrap();
            store.save(&lease, &State { number: 5, ..State::default() }).unwrap();
        }
        assert_eq!(store.load().unwrap().number, 5);
    }
}

#[test]
fn modes_are_private_and_leftovers_are_swept() {
    let dir = dir();
    let store = saved(&dir, &[1, 2]);
    fs::write(dir.path().join(".state.xyz.tmp"), "half").unwrap();
    drop(store.lock(&Holder::default()).unwrap());
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", "state.json", "state.json.prev"]);
    for name in names {
        assert_eq!(fs::metadata(dir.path().join(&name)).unwrap().permissions().mode() & 0o777, 0o600, "{name:?}");
    }
}

#[test]
fn the_holder_can_be_seen_without_taking_the_lock() {
    let dir = dir();
    let store = FileStore::open(dir.path()).unwrap();
    assert_eq!(store.holder(), None);
    let who =
        Holder { command: "deploy".into(), user: "me".into(), pid: std::process::id(), since: "now".into(), at: None };
    let lease = store.lock(&who).unwrap();
    assert_eq!(store.holder(), Some(who));
    assert!(matches!(FileStore::hold(dir.path()), Err(StoreError::Locked(None))));
    drop(lease);
    assert_eq!(store.holder(), None, "the note stays, the lock does not");
}

/// As of a tool that was killed while its child was between fork and exec.
#[test]
fn what_a_dead_holder_began_to_start_is_waited_for() {
    let dir = dir();
    let store = saved(&dir, &[1]);
    let script = ["--nonblock", &dir.path().display().to_string(), "--command", "sleep 0.3 &"].map(str::to_owned);
    let mut dead = Command::new("flock").args(script).spawn().unwrap();
    let who = Holder { command: "deploy".into(), pid: dead.id(), ..Holder::default() };
    fs::write(dir.path().join("lock"), serde_json::to_vec(&who).unwrap()).unwrap();
    dead.wait().unwrap();
    store.lock(&Holder::default()).unwrap();
}

#[test]
fn removing_the_lock_file_does_not_make_two_holders() {
    let dir = dir();
    let store = FileStore::open(dir.path()).unwrap();
    let lease = store.lock(&Holder::default()).unwrap();
    fs::remove_file(dir.path().join("lock")).unwrap();
    let refused = store.lock(&Holder::default()).unwrap_err();
    assert_eq!(refused.to_string(), format!("locked by pid {}", std::process::id()));
    drop(lease);
    store.lock(&Holder::default()).unwrap();
}

/// Who can open the directory can take its lock.
#[test]
fn a_home_of_a_state_is_closed_and_nothing_else() {
    let mode = |dir: &TempDir| fs::metadata(dir.path()).unwrap().permissions().mode() & 0o7777;
    let open = |dir: &TempDir| fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let dir = dir();
    open(&dir);
    let store = saved(&dir, &[1]);
    assert_eq!(mode(&dir), 0o711, "an empty one");
    open(&dir);
    FileStore::open(dir.path()).unwrap();
    assert_eq!((mode(&dir), store.load().unwrap().number), (0o711, 1));
    let other = TempDir::new().unwrap();
    open(&other);
    fs::write(other.path().join("index.html"), "").unwrap();
    FileStore::open(other.path()).unwrap();
    assert_eq!(mode(&other), 0o755);
    // who looks changes nothing
    open(&dir);
    assert_eq!(FileStore::look_at(dir.path()).unwrap().trouble(), None);
    assert_eq!(mode(&dir), 0o755);
}

/// A link in the middle may have been another one a moment ago: what it leads to is not ours to close.
#[test]
fn what_somebody_elses_link_leads_to_is_not_closed() {
    if !rustix::process::geteuid().is_root() {
        return println!("SKIPPED: only root can give a link away");
    }
    let (home, target) = (dir(), dir());
    let below = target.path().join("shop");
    fs::create_dir(&below).unwrap();
    fs::set_permissions(&below, fs::Permissions::from_mode(0o755)).unwrap();
    let link = home.path().join("x");
    symlink(target.path(), &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(64321), Some(64321)).unwrap();
    FileStore::open(link.join("shop")).unwrap();
    assert_eq!(fs::metadata(&below).unwrap().permissions().mode() & 0o7777, 0o755);
}

/// Ends it, however the test ends.
struct Locker(std::process::Child);

impl Drop for Locker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_lock_of_somebody_else_is_told_from_one_of_ours() {
    let dir = dir();
    let store = saved(&dir, &[1]);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let words = ["--no-fork", dir.path().to_str().unwrap(), "sleep", "600"];
    let mut flock = Command::new("flock");
    let mut user = "uid 4711".to_owned();
    if rustix::process::geteuid().is_root() {
        flock = Command::new("setpriv");
        flock.args(["--reuid", "4711", "--regid", "4711", "--clear-groups", "flock"]);
    } else {
        eprintln!("SKIPPED: only root is somebody else too");
        user = String::new();
    }
    let locker = Locker(flock.args(words).spawn().unwrap());
    while FileStore::hold(dir.path()).is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // the note of one that is gone, whose number it has now
    let note = Holder { command: "deploy".into(), pid: locker.0.id(), ..Holder::default() };
    fs::write(dir.path().join("lock"), serde_json::to_vec(&note).unwrap()).unwrap();
    if user.is_empty() {
        fs::remove_file(dir.path().join("lock")).unwrap();
    }
    match store.lock(&Holder::default()) {
        Err(StoreError::Taken { pid, user: found, .. }) => {
            assert_eq!(pid, locker.0.id());
            assert!(user.is_empty() || found == user, "{found}");
        }
        other => panic!("{other:?}"),
    }
    drop(locker);
    store.lock(&Holder::default()).unwrap();
}

#[test]
fn a_note_of_somebody_who_is_gone_names_nobody() {
    let dir = dir();
    let store = FileStore::open(dir.path()).unwrap();
    let gone = Holder { command: "rollback".into(), user: "me".into(), pid: 1, since: "long ago".into(), at: None };
    drop(store.lock(&gone).unwrap());
    // as `setup` does, and as every command for a moment
    let lease = FileStore::hold(dir.path()).unwrap();
    let named = store.lock(&Holder::default()).unwrap_err().to_string();
    assert_eq!(named, format!("locked by pid {}", std::process::id()));
    drop(lease);
}

#[test]
fn a_note_that_comes_in_a_moment_is_waited_for() {
    let dir = dir();
    let store = FileStore::open(dir.path()).unwrap();
    let _lease = FileStore::hold(dir.path()).unwrap();
    let note = dir.path().join("lock");
    let who =
        Holder { command: "deploy".into(), user: "me".into(), pid: std::process::id(), since: "now".into(), at: None };
    let text = serde_json::to_vec(&who).unwrap();
    let later = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&note, text).unwrap();
        fs::set_permissions(&note, fs::Permissions::from_mode(0o600)).unwrap();
    });
    let refused = store.lock(&Holder::default()).unwrap_err();
    later.join().unwrap();
    assert_eq!(refused, StoreError::Locked(Some(who)));
}
