//! Who reads what a deploy leaves: the members of one group, who are neither root nor who deploys.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use bluegreen_rig::{Ended, Running, Stage, bluegreen, kill, skip, wait_for};

const NOBODY: u32 = 65534;
const MEMBER: u32 = 4711;

/// A stage, when we are root and others reach the program.
fn of_root() -> Option<Stage> {
    let may = || Command::new("test").arg("-x").arg(bluegreen()).uid(MEMBER).gid(MEMBER).status();
    if !rustix::process::geteuid().is_root() || !may().is_ok_and(|status| status.success()) {
        skip("only root is several users, and they must reach the program");
        return None;
    }
    Stage::marker()
}

/// The names and numbers of groups that are neither root's nor `nobody`'s; then the one of `nobody`.
fn groups() -> (Vec<(String, u32)>, (String, u32)) {
    let text = fs::read_to_string("/etc/group").unwrap();
    let parsed = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    let all: Vec<(String, u32)> = text.lines().filter_map(parsed).collect();
    let theirs = all.iter().find(|(_, gid)| *gid == NOBODY).cloned().unwrap();
    (all.into_iter().filter(|(_, gid)| ![0, NOBODY].contains(gid)).collect(), theirs)
}

fn member(stage: &Stage, gid: u32, words: &[&str]) -> Ended {
    let mut command = stage.command(words);
    command.uid(MEMBER).gid(gid);
    Running::spawn(command).wait()
}

fn mode(path: &Path) -> (u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.gid(), meta.mode() & 0o7777)
}

#[track_caller]
fn reads(stage: &Stage, gid: u32, version: &str) {
    for (words, said) in [("status", version), ("history", version), ("releases", version), ("logs", "listens")] {
        let ended = member(stage, gid, &[words]);
        assert_eq!(ended.code, Some(0), "{words}: {ended}");
        if words != "logs" {
            ended.says(&[said]);
        }
    }
    let ended = member(stage, gid, &["status"]);
    ended.says(&["healthy"]);
}

#[test]
fn a_member_of_the_group_reads_and_nobody_else_does() {
    let (others, theirs) = groups();
    for (user, group) in [(0, &others[0]), (NOBODY, &theirs)] {
        let Some(mut stage) = of_root() else { return };
        let home = stage.state_dir();
        if user == NOBODY {
            Command::new("chown").args(["-R", "nobody"]).arg(&home).status().unwrap();
            chown(stage.path("bluegreen.toml"), Some(NOBODY), None).unwrap();
        }
        stage.deploy("v1", 0);
        assert_eq!(member(&stage, group.1, &["status"]).code, Some(2), "nobody was let in");
        stage.set("access.group", group.0.as_str());
        stage.run(&["check"], 0).says(&["cannot read the state yet", "bluegreen recover"]);
        // what was written before is given too
        stage.run(&["recover"], 0);
        reads(&stage, group.1, "v1");
        stage.deploy("v2", 0);
        reads(&stage, group.1, "v2");
        for name in ["state.json", "state.json.prev", "lock", "history.jsonl", "processes/real2.json"] {
            assert_eq!(mode(&home.join(name)), (group.1, 0o640), "{name}");
        }
        assert_eq!(mode(&home.join("processes")), (group.1, 0o750));
        assert_eq!(mode(&home).1, 0o711, "who can open it can lock it");
        for words in [&["status"][..], &["logs"], &["history"], &["releases"]] {
            assert_eq!(member(&stage, MEMBER, words).code, Some(2), "{words:?}");
        }
        for words in [&["recover"][..], &["rollback"], &["check"], &["releases", "prune"]] {
            assert_eq!(member(&stage, group.1, words).code, Some(2), "{words:?}: a reader changes nothing");
        }
        kill(stage.pid("active"));
        wait_for("the end", || stage.is_free(1));
        let ended = member(&stage, group.1, &["status"]);
        assert_eq!(ended.code, Some(20), "{ended}");
        ended.says(&["DOWN"]);
    }
}

#[test]
fn another_group_takes_the_place_of_the_one_before() {
    let Some(mut stage) = of_root() else { return };
    let (groups, _) = groups();
    let [first, second, ..] = &groups[..] else { return skip("there are no two groups") };
    for (name, mode) in [("open", 0o644), ("key", 0o600)] {
        fs::create_dir_all(stage.path("dist")).unwrap();
        fs::write(stage.path("dist").join(name), name).unwrap();
        fs::set_permissions(stage.path("dist").join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    stage.set("access.group", first.0.as_str());
    stage.deploy("v1", 0);
    let dist = stage.path("dist");
    stage.run(&["stop", dist.to_str().unwrap()], 0);
    stage.run(&["abort"], 0);
    reads(&stage, first.1, "v1");
    stage.set("access.group", second.0.as_str());
    assert_eq!(member(&stage, first.1, &["status"]).code, Some(2));
    stage.run(&["recover"], 0);
    reads(&stage, second.1, "v1");
    let releases = fs::read_dir(stage.state_dir().join("releases")).unwrap().map(|entry| entry.unwrap().path());
    let copy = releases.map(|dir| dir.join("dist")).find(|dir| dir.exists()).unwrap();
    assert_eq!(["open", "key"].map(|name| mode(&copy.join(name))), [(second.1, 0o440), (second.1, 0o400)]);
    assert_eq!(mode(copy.parent().unwrap()), (second.1, 0o750));
}

/// Without the line what is written anew is its owner's; what was given is named, with what takes it back and leaves the rest alone.
#[test]
fn a_group_that_is_not_named_any_more_is_said_to_read_on_until_that_is_taken_back() {
    let Some(mut stage) = of_root() else { return };
    let (group, _) = groups();
    let (name, gid) = &group[0];
    stage.deploy("v0", 0);
    stage.set("access.group", name.as_str());
    stage.deploy("v1", 0);
    fs::write(stage.state_dir().join("shared/theirs"), "").unwrap();
    chown(stage.state_dir().join("shared/theirs"), None, Some(*gid)).unwrap();
    fs::set_permissions(stage.state_dir().join("shared/theirs"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(!stage.run(&["check"], 0).has("may still read"));
    stage.unset("access.group");
    stage.deploy("v2", 0);
    assert_eq!(mode(&stage.state_dir().join("state.json")).1, 0o600);
    let (home, releases) = (stage.state_dir(), stage.state_dir().join("releases"));
    let rights = || {
        let all = fs::read_dir(&releases).unwrap().map(|entry| entry.unwrap().path());
        all.map(|path| (path.clone(), mode(&path))).collect::<Vec<_>>()
    };
    let before = rights();
    let ended = stage.run(&["check", "--format", "json"], 0);
    let said: serde_json::Value = serde_json::from_str(ended.out.trim()).unwrap();
    let all = said["findings"].as_array().unwrap();
    let finding = all.iter().find(|it| it["what"].as_str().unwrap().contains("may still read")).unwrap();
    assert!(finding["what"].as_str().unwrap().contains(&format!("the group {name} ")), "{finding}");
    let typed = finding["fix"].as_str().unwrap();
    assert!(Command::new("sh").args(["-c", typed]).status().unwrap().success(), "{typed}");
    assert!(!stage.run(&["check"], 0).has("may still read"));
    assert_eq!(mode(&releases).1, 0o755, "who may read a new one reaches it");
    for (path, (of, was)) in before {
        let now = mode(&path).1;
        assert_eq!(now, if of == *gid { was & 0o700 } else { was }, "{}", path.display());
    }
    for name in ["history.jsonl", "processes", "logs"] {
        assert_eq!(mode(&home.join(name)).1 & 0o077, 0, "{name}");
    }
    assert_eq!(mode(&home.join("shared/theirs")).1, 0o640, "the app's own");
    stage.deploy("v3", 0);
    assert_eq!(stage.front(), "v3 real2");
}

/// A monitor is told what can be told.
#[test]
fn a_state_that_is_not_safe_hides_nothing_of_what_is_served() {
    let Some(stage) = of_root() else { return };
    stage.deploy("v1", 0);
    let (home, file) = (stage.state_dir(), stage.state_dir().join("state.json"));
    let be = |[dir, mode]: [u32; 2], owner| {
        fs::set_permissions(&home, fs::Permissions::from_mode(dir)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        chown(&file, Some(owner), None).unwrap();
    };
    for (modes, owner, cure) in
        [([0o775, 0o600], 0, "chmod go-w"), ([0o711, 0o666], 0, "chmod go-w"), ([0o711, 0o600], MEMBER, "sudo chown 0")]
    {
        be(modes, owner);
        stage.run(&["status"], 0).says(&["v1", "healthy", "is not safe", cure]);
        let status = stage.status();
        assert_eq!((&status["condition"], &status["active"]["version"]), (&"up".into(), &"v1".into()));
        // what changes something refuses as before
        stage.run(&["recover"], 3).says(&[cure]);
    }
    be([0o775, 0o600], 0);
    kill(stage.pid("active"));
    wait_for("the end", || stage.is_free(0));
    stage.run(&["status"], 20).says(&["DOWN", "is not safe"]);
}

#[test]
fn a_log_is_where_logs_are_kept_or_it_is_none() {
    let Some(stage) = of_root() else { return };
    stage.deploy("v1", 0);
    let record = stage.state_dir().join("processes/real1.json");
    let text = fs::read_to_string(&record).unwrap();
    let log = stage.state_dir().join("logs/real1/000001.log");
    assert!(text.contains(log.to_str().unwrap()), "{text}");
    for elsewhere in ["/etc/passwd", "../../../etc/passwd", "/etc/../etc/passwd"] {
        fs::write(&record, text.replace(log.to_str().unwrap(), elsewhere)).unwrap();
        let ended = stage.run(&["logs", "real1"], 3);
        assert!(!ended.out.contains("root:"), "{ended}");
    }
}

#[test]
fn what_another_user_could_exchange_is_not_started_by_root() {
    let Some(mut stage) = of_root() else { return };
    stage.deploy("v1", 0);
    let theirs = stage.path("theirs");
    fs::create_dir(&theirs).unwrap();
    fs::copy(bluegreen(), theirs.join("app")).unwrap();
    fs::write(stage.path("env"), "A=b\n").unwrap();
    fs::set_permissions(stage.path("env"), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(stage.path("env"), theirs.join("env")).unwrap();
    chown(&theirs, Some(MEMBER), None).unwrap();
    let said = [format!("uid {MEMBER} can write to {}", theirs.display()), "could put another".to_owned()];
    let said = said.each_ref().map(String::as_str);
    let artifact = stage.artifact("v2");
    let port = ["__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}"];
    let app = theirs.join("app");
    stage.set("start.command", [app.to_str().unwrap()].into_iter().chain(port).collect::<Vec<_>>());
    for words in [&["check"][..], &["deploy", &artifact]] {
        stage.run(words, 3).says(&said).says(&["start.command runs"]);
    }
    stage.boots_in(100);
    stage.set("start.env_file", theirs.join("env").to_str().unwrap());
    for words in [&["check"][..], &["deploy", &artifact]] {
        stage.run(words, 3).says(&said).says(&["start.env_file names"]);
    }
    stage.unset("start.env_file");
    stage.deploy("v2", 0);
}
