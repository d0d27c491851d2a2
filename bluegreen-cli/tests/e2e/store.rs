//! What is copied into the store, and who may read it there.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use bluegreen_rig::{Stage, kill, skip};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// The directory of the only release.
fn release(stage: &Stage) -> PathBuf {
    let mut releases = fs::read_dir(stage.state_dir().join("releases")).unwrap();
    let found = releases.next().unwrap().unwrap().path();
    assert!(releases.next().is_none());
    found
}

#[test]
fn a_secret_of_the_artifact_is_one_in_the_store() {
    let Some(stage) = Stage::marker() else { return };
    let dir = stage.path("dist");
    fs::create_dir(&dir).unwrap();
    for name in ["key", "page", "app"] {
        fs::write(dir.join(name), name).unwrap();
    }
    for (name, mode) in [("key", 0o600), ("page", 0o644), ("app", 0o4755), ("", 0o700)] {
        chmod(&dir.join(name), mode);
    }
    stage.run(&["stop", dir.to_str().unwrap()], 0);
    let copy = release(&stage).join("dist");
    assert_eq!(["key", "page", "app", ""].map(|name| mode(&copy.join(name))), [0o400, 0o444, 0o555, 0o500]);
    stage.run(&["abort"], 0);

    // whoever serves what is open goes on
    chmod(&dir, 0o755);
    stage.run(&["stop", dir.to_str().unwrap()], 0);
    assert_eq!(["key", "page", "app", ""].map(|name| mode(&copy.join(name))), [0o400, 0o444, 0o555, 0o555]);
    stage.run(&["abort"], 0);
}

#[test]
fn a_group_can_be_the_only_one_that_reads() {
    let Some(mut stage) = Stage::marker() else { return };
    let gid = rustix::process::getegid().as_raw();
    let groups = fs::read_to_string("/etc/group").unwrap();
    let own = groups.lines().find(|line| line.split(':').nth(2) == Some(&gid.to_string()));
    let Some(name) = own.and_then(|line| line.split(':').next()) else { return skip("our group has no name") };
    stage.set("access.group", "no-such-group");
    let missing = ["access.group", "no-such-group", "sudo groupadd no-such-group"];
    stage.run(&["check"], 3).says(&missing);
    let artifact = stage.artifact("v1");
    stage.run(&["deploy", &artifact], 3).says(&missing).says(&["untouched"]);
    // what runs, or has to, is not affected
    stage.run(&["status"], 0);
    stage.run(&["recover"], 0);

    stage.set("access.group", name);
    stage.deploy("v1", 0);
    stage.run(&["check", "-v"], 0).says(&[&format!("the group {name}")]);
    let dir = release(&stage);
    let logs = stage.state_dir().join("logs");
    let found = [&dir, &dir.join("app-v1"), &logs, &logs.join("real1"), &logs.join("real1/000001.log")];
    assert_eq!(found.map(|path| mode(path)), [0o750, 0o440, 0o750, 0o750, 0o640]);
    assert_eq!(found.map(|path| fs::metadata(path).unwrap().gid()), [gid; 5]);
    assert_eq!(mode(&dir.join("release.json")), 0o440, "the environment is nobody else's business");
}

#[test]
fn the_store_is_no_artifact() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let size = || fs::read_dir(stage.state_dir().join("releases")).unwrap().count();
    let home = stage.home().to_str().unwrap().to_owned();
    let kept = stage.state_dir().to_str().unwrap().to_owned();
    symlink(&kept, stage.path("link")).unwrap();
    for dir in [home.as_str(), &kept, &format!("{kept}/releases"), &format!("{home}/link"), "."] {
        for command in ["deploy", "plan"] {
            stage.run(&[command, dir], 11).says(&["the release store", "give the directory that was built"]);
        }
    }
    let dir = release(&stage);
    stage.run(&["deploy", dir.to_str().unwrap()], 11).says(&["is in the release store"]);
    assert_eq!((size(), stage.front()), (1, "v1 real1".into()));
}

/// The directory of one of several, by its version.
fn of(stage: &Stage, version: &str) -> PathBuf {
    let releases = fs::read_dir(stage.state_dir().join("releases")).unwrap().map(|entry| entry.unwrap().path());
    let is = |dir: &PathBuf| {
        let text = fs::read_to_string(dir.join("release.json")).unwrap_or_default();
        text.contains(&format!("\"version\": \"{version}\""))
    };
    releases.into_iter().find(is).unwrap_or_else(|| panic!("no {version}"))
}

fn deployed(stage: &Stage, versions: &[&str]) {
    for version in versions {
        stage.deploy(version, 0);
    }
}

fn take_away(stage: &Stage, version: &str) {
    let dir = of(stage, version);
    chmod(&dir, 0o755);
    fs::rename(dir, stage.path(&format!("aside-{version}"))).unwrap();
}

#[test]
fn a_release_that_is_gone_is_found_out_before_what_runs_is_stopped_for_it() {
    let Some(stage) = Stage::marker() else { return };
    deployed(&stage, &["v1", "v2", "v3"]);
    stage.run(&["rollback"], 0);
    let idle = stage.pid("idle");
    take_away(&stage, "v1");
    stage.run(&["check"], 0).says(&["was confirmed, and nothing could be started from it"]);
    stage.run(&["rollback"], 3).says(&["no release", "traffic  untouched"]);
    assert_eq!((stage.pid("idle"), stage.front().as_str()), (idle, "v2 real2"));
}

#[test]
fn an_older_release_that_comes_back_is_said_with_why() {
    let Some(stage) = Stage::marker() else { return };
    deployed(&stage, &["v1", "v2"]);
    take_away(&stage, "v2");
    [stage.pid("active"), stage.pid("idle")].into_iter().for_each(kill);
    stage.run(&["up"], 0).says(&["an older release serves: ", "cannot be started: no release"]);
    assert_eq!(stage.front(), "v1 real2");
    // and goes on being said
    stage.run(&["status"], 0).says(&["older", "cannot be started: no release"]);
    stage.run(&["up"], 0).says(&["an older release serves: "]);
}

#[test]
fn what_is_started_and_is_not_what_was_stored_is_named() {
    let Some(stage) = Stage::marker() else { return };
    deployed(&stage, &["v1", "v2", "v3"]);
    let file = of(&stage, "v1").join("app-v1");
    chmod(&file, 0o644);
    fs::write(&file, "v1").unwrap();
    let ended = stage.run(&["rollback", "v1"], 0);
    assert!(!ended.err.contains("damaged") && !ended.out.contains("damaged"), "it is the same: {ended}");
    deployed(&stage, &["v3", "v2"]);
    fs::write(&file, "v1-patched").unwrap();
    let said = ["its artifact is another one", &format!("{} was changed", file.display())];
    stage.run(&["rollback", "v1"], 0).says(&said);
    [stage.pid("active"), stage.pid("idle")].into_iter().for_each(kill);
    stage.run(&["up"], 0).says(&said);
    assert!(stage.front().starts_with("v1-patched"), "{}", stage.front());
}

/// Each is found before the warm release is stopped, with the command that takes it out of the way.
#[test]
fn what_is_in_the_place_of_a_directory_is_found_out_before_anything_is_touched() {
    let Some(stage) = Stage::marker() else { return };
    deployed(&stage, &["v1", "v2"]);
    let idle = stage.pid("idle");
    for (name, link) in [("shared", false), ("releases", true), ("logs", false), ("shared", true)] {
        let (place, aside) = (stage.state_dir().join(name), stage.path(&format!("kept-{name}")));
        fs::rename(&place, &aside).unwrap();
        if link {
            symlink("nowhere", &place).unwrap();
        } else {
            fs::write(&place, "").unwrap();
        }
        let fix = format!("mv {0} {0}.damaged", place.display());
        stage.run(&["check"], 3).says(&[&format!("{} is in the way", place.display()), &fix]);
        stage.deploy("v3", 3).says(&["traffic  untouched", &fix]);
        if name == "releases" {
            let ended = stage.run(&["releases"], 11);
            assert!(!ended.out.contains("no releases yet"), "{ended}");
        }
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    assert_eq!((stage.pid("idle"), stage.front().as_str()), (idle, "v2 real2"));
    stage.deploy("v3", 0);
}
