use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
        net::UnixListener,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;
use crate::dirs::Who;

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: only root gives files away");
    }
    is_root
}

fn file(dir: &TempDir, name: &str, mode: u32) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, "as it was").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[track_caller]
fn reason(result: Result<impl std::fmt::Debug, FileError>) -> Unfit {
    result.unwrap_err().reason().expect("it is there")
}

/// Everything that is no file, each with what is said of it.
fn oddities(dir: &TempDir) -> Vec<(PathBuf, Unfit)> {
    let at = |name: &str| dir.path().join(name);
    symlink(file(dir, "target", 0o600), at("link")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    vec![
        (at("link"), Unfit::Link),
        (at("dangling"), Unfit::Link),
        (at("directory"), Unfit::Kind("a directory")),
        (at("pipe"), Unfit::Kind("a pipe")),
        (at("socket"), Unfit::Kind("a socket")),
        ("/dev/null".into(), Unfit::Kind("a device")),
    ]
}

#[test]
fn what_is_no_file_is_neither_opened_nor_waited_for_nor_replaced() {
    let dir = home();
    for (path, why) in oddities(&dir) {
        let before = fs::symlink_metadata(&path).unwrap();
        assert_eq!(reason(read(&path, Rule::ANY, 99)), why, "{}", path.display());
        assert_eq!(reason(append(&path, Rule::ANY, Some(0o600))), why, "{}", path.display());
        assert_eq!(reason(append(&path, Rule::ANY, None)), why, "{}", path.display());
        assert_eq!(reason(create(&path, Rule::ANY, 0o600)), why, "{}", path.display());
        assert_eq!(reason(replace(&path, b"new", &Replace::public())), why, "{}", path.display());
        let after = fs::symlink_metadata(&path).unwrap();
        assert_eq!((after.ino(), after.mode(), after.rdev()), (before.ino(), before.mode(), before.rdev()));
    }
    assert_eq!(fs::read_to_string(dir.path().join("target")).unwrap(), "as it was");
    assert!(!dir.path().join("nowhere").exists());
}

/// Each takes the place of the one before, or stands beside it.
#[test]
fn whatever_it_is_is_set_aside_as_it_is() {
    let dir = home();
    let (path, mut asides) = (dir.path().join("record"), Vec::new());
    for (oddity, _) in oddities(&dir).into_iter().filter(|(oddity, _)| oddity.starts_with(dir.path())) {
        fs::rename(&oddity, &path).unwrap();
        let before = fs::symlink_metadata(&path).unwrap();
        let aside = set_aside(&path).unwrap();
        let after = fs::symlink_metadata(&aside).unwrap();
        assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
        assert!(fs::symlink_metadata(&path).is_err());
        asides.push(aside.file_name().unwrap().to_str().unwrap().to_owned());
    }
    // a directory over a link, and a pipe over a directory, are not to be had
    assert_eq!(asides, ["", "", ".1", "", ""].map(|number| format!("record.damaged{number}")));
    assert_eq!(fs::read_to_string(dir.path().join("target")).unwrap(), "as it was");
    assert_eq!(set_aside(&path).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_name_that_is_in_the_way_of_a_replacement_is_told() {
    let dir = home();
    fs::create_dir(dir.path().join(".new")).unwrap();
    let path = file(&dir, "a", 0o600);
    let error = replace(&path, b"new", &Replace::private().beside(".new")).unwrap_err();
    assert!(error.to_string().contains("/.new: it is a directory"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "as it was");
}

#[test]
fn a_device_is_not_replaced_by_root() {
    if !is_root() {
        return;
    }
    let dir = home();
    let path = dir.path().join("null");
    mknodat(CWD, &path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), rustix::fs::makedev(1, 3)).unwrap();
    assert_eq!(reason(replace(&path, b"new", &Replace::public())), Unfit::Kind("a device"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn no_more_is_read_than_there_may_be() {
    let dir = home();
    let path = file(&dir, "a", 0o600);
    assert_eq!(read(&path, Rule::OURS, 9).unwrap(), b"as it was");
    assert_eq!(reason(read(&path, Rule::OURS, 8)), Unfit::TooLarge { limit: 8 });
    // without a block on the disk
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(200 << 30).unwrap();
    assert_eq!(reason(read(&path, Rule::OURS, 1 << 20)), Unfit::TooLarge { limit: 1 << 20 });
    // one whose size the system does not tell
    assert_eq!(reason(read(Path::new("/proc/self/status"), Rule::ANY, 8)), Unfit::TooLarge { limit: 8 });
    fs::write(&path, b"\xff").unwrap();
    assert_eq!(reason(text(&path, Rule::OURS, 9)), Unfit::NoText);
    assert!(read(&dir.path().join("none"), Rule::OURS, 9).unwrap_err().is_missing());
}

#[test]
fn modes_decide_who_is_believed() {
    let dir = home();
    let path = file(&dir, "a", 0o600);
    let judged = |mode, rule| {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        open(&path, rule).err().map(|error| error.reason().unwrap())
    };
    for rule in [Rule::ANY, Rule::OURS, Rule::TRUSTED, Rule::SECRET] {
        assert_eq!(judged(0o600, rule), None);
    }
    assert_eq!([judged(0o666, Rule::ANY), judged(0o644, Rule::OURS)], [None; 2]);
    let (me, group) = (rustix::process::geteuid().as_raw(), fs::metadata(&path).unwrap().gid());
    let is_alone = group == 0 || crate::users::is_private_group(group, me);
    assert_eq!(judged(0o664, Rule::TRUSTED), (!is_alone).then_some(Unfit::Group));
    assert_eq!(judged(0o664, Rule::OURS), Some(Unfit::Group));
    assert_eq!(judged(0o646, Rule::OURS), Some(Unfit::Everybody));
    assert_eq!(judged(0o646, Rule::TRUSTED), Some(Unfit::Everybody));
    for mode in [0o640, 0o604, 0o610] {
        assert_eq!(judged(mode, Rule::SECRET), Some(Unfit::Readable), "{mode:o}");
    }
}

#[test]
fn what_belongs_to_others_is_told_from_ours() {
    if !is_root() {
        return;
    }
    let dir = home();
    let path = file(&dir, "a", 0o600);
    chown(&path, Some(4711), None).unwrap();
    for rule in [Rule::OURS, Rule::TRUSTED, Rule::SECRET] {
        assert_eq!(reason(open(&path, rule)), Unfit::Foreign { owner: 4711, me: 0 });
    }
    open(&path, Rule::ANY).unwrap();
}

#[test]
fn a_new_file_has_its_mode_and_leaves_nothing_beside_it() {
    let dir = home();
    let path = dir.path().join("a");
    for (how, mode) in [(Replace::private(), 0o600), (Replace::public(), 0o644), (Replace::public().mode(0o400), 0o400)]
    {
        replace(&path, format!("{mode:o}").as_bytes(), &how).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{mode:o}"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    replace(&path, b"b", &Replace::public().as_before()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    fs::write(dir.path().join(".one"), "of one that was killed").unwrap();
    replace(&path, b"c", &Replace::private().beside(".one")).unwrap();
    // one that is given up
    drop(New::write(&path, b"d", &Replace::private()).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "c");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_replaced_stays_its_owners() {
    if !is_root() {
        return;
    }
    let dir = home();
    let path = file(&dir, "a", 0o640);
    chown(&path, Some(4711), Some(4712)).unwrap();
    replace(&path, b"b", &Replace::public().as_before()).unwrap();
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (4711, 4712, 0o640));
    replace(&path, b"b", &Replace::public()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().uid(), 0);
}

#[test]
fn root_writes_through_no_link_of_others() {
    if !is_root() {
        return;
    }
    let dir = home();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("elsewhere")).unwrap();
    fs::create_dir(at("theirs")).unwrap();
    symlink(at("elsewhere"), at("theirs/x")).unwrap();
    symlink(at("elsewhere"), at("ours")).unwrap();
    chown(at("theirs"), Some(4711), None).unwrap();
    assert_eq!(reason(replace(&at("theirs/x/a"), b"b", &Replace::public())), Unfit::LinkOnTheWay);
    replace(&at("ours/a"), b"b", &Replace::public()).unwrap();
    replace(&at("theirs/a"), b"b", &Replace::public()).unwrap();
    assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 1);
}

#[test]
fn what_is_appended_comes_after_what_is_there() {
    let dir = home();
    let path = dir.path().join("a");
    for _ in 0..2 {
        append(&path, Rule::OURS, Some(0o600)).unwrap().write_all(b"x").unwrap();
    }
    assert_eq!((fs::read_to_string(&path).unwrap(), fs::metadata(&path).unwrap().mode() & 0o777), ("xx".into(), 0o600));
}

#[test]
fn who_could_have_written_a_file_is_said() {
    if !is_root() {
        return;
    }
    let dir = home();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("theirs")).unwrap();
    let real = file(&dir, "real", 0o644);
    symlink(&real, at("theirs/link")).unwrap();
    chown(at("theirs"), Some(4711), None).unwrap();
    let who = |name: &str| {
        let found = find(&at(name)).unwrap();
        (found.rights.owner, found.hands.into_iter().map(|hand| hand.who).collect::<Vec<_>>())
    };
    assert_eq!(who("real"), (0, vec![]));
    assert_eq!(who("theirs/link"), (0, vec![Who::User(4711)]));
    std::os::unix::fs::lchown(at("theirs/link"), Some(4712), None).unwrap();
    assert_eq!(who("theirs/link"), (0, vec![Who::User(4711), Who::User(4712)]));
    assert_eq!(find(&real).unwrap().rights.mode, 0o644);
    assert_eq!(find(&at("theirs")).unwrap_err().reason(), Some(Unfit::Kind("a directory")));
    assert!(find(&at("theirs/none")).unwrap_err().is_missing());
    assert!(append(&at("theirs/none"), Rule::OURS, None).unwrap_err().is_missing());
}

#[test]
fn whom_an_access_list_or_a_group_lets_write_is_not_overlooked() {
    let dir = home();
    let path = file(&dir, "a", 0o600);
    if crate::access_list(&path) {
        let judged =
            || [Rule::TRUSTED, Rule::OURS].map(|rule| open(&path, rule).err().map(|error| error.reason().unwrap()));
        assert_eq!(judged(), [Some(Unfit::Listed); 2]);
        assert_eq!(reason(find(&path).unwrap().obeys(Rule::TRUSTED)), Unfit::Listed);
        assert_eq!(reason(open(&path, Rule::SECRET)), Unfit::Readable);
        // what is said to be typed does take it away
        assert_eq!(Unfit::Listed.fix().unwrap(), "chmod g-w");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(judged(), [None; 2]);
    }
    if is_root() {
        let path = file(&dir, "b", 0o664);
        open(&path, Rule::TRUSTED).unwrap();
        chown(&path, None, Some(4712)).unwrap();
        assert_eq!(reason(open(&path, Rule::TRUSTED)), Unfit::Group);
    }
}

#[test]
fn a_group_that_is_none_of_ours_is_not_kept_and_ours_gets_no_more_than_everybody() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: only root gives files away");
    }
    let home = home();
    let of_theirs = |path: &Path, group| chown(path, Some(4242), Some(group)).unwrap();
    of_theirs(home.path(), 4242);
    for (before, after) in [(0o664, 0o644), (0o640, 0o600), (0o644, 0o644)] {
        let path = home.path().join(format!("{before:o}"));
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(before)).unwrap();
        of_theirs(&path, 0);
        let replaced = || replace(&path, b"b", &Replace::public().as_before());
        crate::users::User::by_number(4242, 4242).act(replaced).unwrap().unwrap();
        let meta = path.metadata().unwrap();
        assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o777), (4242, 4242, after), "{before:o}");
    }
}
