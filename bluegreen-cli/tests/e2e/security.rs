//! What others may have put in our way: links, modes, owners, and texts that are orders to something.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    path::Path,
};

use bluegreen_rig::{Clients, Ended, Stage, below, skip};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn modes_are_as_they_are_meant() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let home = stage.state_dir();
    for name in ["state.json", "state.json.prev", "history.jsonl", "lock"] {
        assert_eq!(mode(&home.join(name)), 0o600, "{name}");
    }
    // nginx's workers are another user
    let route = home.join("route");
    assert_eq!((mode(&route), mode(&route.join("real2"))), (0o755, 0o755));
    assert_eq!(mode(&route.join("real2/second")), 0o644);
    for release in fs::read_dir(home.join("releases")).unwrap() {
        for file in fs::read_dir(release.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            assert_eq!(mode(&path) & 0o222, 0, "{}", path.display());
        }
    }
    assert_eq!(mode(&home.join("logs/real1/000001.log")), 0o640);
}

#[test]
fn a_link_in_our_way_is_refused_and_its_target_untouched() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let home = stage.state_dir();
    for (name, code) in [("state.json", 3), ("logs/real2", 11), ("releases", 11), ("history.jsonl", 0)] {
        let (path, aside, target) = (home.join(name), stage.path("aside"), stage.path("target"));
        let there = path.exists();
        if there {
            fs::rename(&path, &aside).unwrap();
        }
        let directory = ["logs/real2", "releases"].contains(&name);
        if directory {
            fs::create_dir(&target).unwrap();
        } else {
            fs::write(&target, "as it was").unwrap();
        }
        symlink(&target, &path).unwrap();
        let ended = stage.spawn(&["deploy", &stage.artifact("v2")]).wait();
        assert_eq!(ended.code, Some(code), "{name}: {ended}");
        if directory {
            assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "{name}");
            fs::remove_dir(&target).unwrap();
        } else {
            assert_eq!(fs::read_to_string(&target).unwrap(), "as it was", "{name}");
            fs::remove_file(&target).unwrap();
        }
        if code == 0 {
            stage.run(&["check"], 0).says(&["history.jsonl is not written", "symbolic link"]);
        } else {
            ended.says(&["symbolic link"]);
            assert_eq!(stage.front(), "v1 real1", "{name}");
        }
        fs::remove_file(&path).unwrap();
        if there {
            fs::rename(&aside, &path).unwrap();
        }
    }
    stage.deploy("v3", 0);
}

#[test]
fn a_link_among_the_markers_is_no_marker() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let marker = stage.state_dir().join("route/real2/second");
    fs::remove_file(&marker).unwrap();
    symlink(stage.path("bluegreen.toml"), &marker).unwrap();
    stage.deploy("v2", 3).says(&["marker file"]);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn what_others_may_write_to_is_refused_with_the_fix() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let hooks = stage.path("hooks");
    fs::create_dir(&hooks).unwrap();
    let hook = hooks.join("hook");
    fs::write(&hook, "#!/bin/sh\necho ran > ran\n").unwrap();
    chmod(&hook, 0o755);
    stage.set("hooks.before_start", vec![hook.to_str().unwrap()]);
    let (home, route, config) = (stage.state_dir(), stage.state_dir().join("route"), stage.path("bluegreen.toml"));
    for (path, open, code, fix) in [
        (&home, 0o777, 3, "chmod go-w"),
        (&home, 0o775, 3, "chmod go-w"),
        (&route, 0o777, 3, "chmod go-w"),
        (&route, 0o775, 3, "chmod go-w"),
        (&config, 0o646, 2, "chmod go-w"),
        (&hook, 0o757, 3, "everybody may write"),
        (&hooks, 0o757, 3, "could put another program in its place"),
    ] {
        let before = mode(path);
        chmod(path, open);
        stage.deploy("v2", code).says(&[fix]);
        chmod(path, before);
        assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None), "{}", path.display());
        assert!(!stage.path("ran").exists());
    }
    stage.set("allow_temporary", false);
    stage.deploy("v2", 2).says(&["allow_temporary"]);
    stage.set("allow_temporary", true);
    stage.deploy("v2", 0);
    assert!(stage.path("ran").exists());
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root gives files away");
    }
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let hook = stage.path("hook");
    fs::write(&hook, "#!/bin/sh\n").unwrap();
    chmod(&hook, 0o755);
    stage.set("hooks.before_start", vec![hook.to_str().unwrap()]);
    let (route, config) = (stage.state_dir().join("route"), stage.path("bluegreen.toml"));
    let clients = Clients::at(&stage);
    for (path, code, fix) in
        [(&config, 2, "next  sudo chown root"), (&route, 3, "sudo chown 0"), (&hook, 3, "another user")]
    {
        chown(path, Some(65534), None).unwrap();
        stage.deploy("v2", code).says(&[fix]);
        chown(path, Some(0), None).unwrap();
        assert_eq!(stage.front(), "v1 real1");
    }
    stage.deploy("v2", 0);
    clients.lost_nothing();
}

/// The state of somebody else is neither believed nor replaced by an older one.
#[test]
fn a_state_of_somebody_else_is_refused_and_left_as_it_is() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root gives files away");
    }
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let (home, clients) = (stage.state_dir(), Clients::at(&stage));
    let contents = || ["state.json", "state.json.prev"].map(|name| fs::read_to_string(home.join(name)).unwrap());
    let (before, running) = (contents(), below(stage.home()));
    let path = home.join("state.json");
    chown(&path, Some(65534), None).unwrap();
    let fix = format!("sudo chown 0 {}", path.display());
    for words in [["deploy", &stage.artifact("v3")].as_slice(), &["rollback"], &["recover"]] {
        stage.run(words, 3).says(&["it belongs to uid 65534", &fix]);
    }
    chown(&path, Some(0), None).unwrap();
    assert_eq!((contents(), stage.front(), below(stage.home())), (before.clone(), "v2 real2".into(), running.clone()));
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
    clients.lost_nothing();
}

/// Root goes on as the owner of the state directory, who may not use what is root's in it.
#[test]
fn a_state_directory_of_somebody_else_is_refused_and_left_as_it_is() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root gives files away");
    }
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let (home, clients) = (stage.state_dir(), Clients::at(&stage));
    let before = fs::read_to_string(home.join("state.json")).unwrap();
    chown(&home, Some(65534), None).unwrap();
    for words in [["deploy", &stage.artifact("v2")].as_slice(), &["recover"]] {
        let ended = stage.spawn(words).wait();
        assert!(matches!(ended.code, Some(2 | 3)), "{ended}");
        ended.says(&["belongs to", "sudo chown "]);
    }
    chown(&home, Some(0), None).unwrap();
    assert_eq!((fs::read_to_string(home.join("state.json")).unwrap(), stage.front()), (before, "v1 real1".into()));
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}

/// No character that a terminal obeys.
#[track_caller]
fn plain(ended: &Ended) {
    let marks = ['\u{202e}', '\u{2066}', '\u{200f}'];
    let bad = |c: char| (c.is_control() && c != '\n') || marks.contains(&c);
    assert!(!ended.out.contains(bad) && !ended.err.contains(bad), "{:?}\n{:?}", ended.out, ended.err);
}

#[test]
fn orders_to_a_terminal_do_not_reach_it() {
    const EVIL: &str = "1\u{1b}[31m\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{2066}\r\u{8}";
    let Some(mut stage) = Stage::marker() else { return };
    let evil = stage.path(&format!("app{EVIL}"));
    fs::write(&evil, "v1").unwrap();
    let (evil, artifact) = (evil.to_str().unwrap(), &stage.artifact("v1"));
    for format in ["human", "json"] {
        plain(&stage.run(&["deploy", artifact, "--version", EVIL, "--format", format], 0));
        plain(&stage.run(&["deploy", evil, "--format", format], 11));
        plain(&stage.run(&["deploy", "/nowhere/\u{1b}[2J\u{202e}", "--format", format], 11));
        plain(&stage.run(&["rollback", evil, "--format", format], 11));
        plain(&stage.run(&["logs", EVIL, "--format", format], 2));
    }
    // the note of the lock, and the history, written by another hand
    let home = stage.state_dir();
    let line = fs::read_to_string(home.join("history.jsonl")).unwrap().lines().next().unwrap().to_owned();
    let mut entry: serde_json::Value = serde_json::from_str(&line).unwrap();
    entry["outcome"] = EVIL.into();
    entry["to"] = EVIL.into();
    fs::write(home.join("history.jsonl"), format!("{entry}\n")).unwrap();
    let lease = bluegreen_core::FileStore::hold(&home).unwrap();
    let note = serde_json::json!({ "command": EVIL, "user": EVIL, "pid": std::process::id(), "since": EVIL });
    fs::write(home.join("lock"), note.to_string()).unwrap();
    for format in ["human", "json"] {
        for words in [["status"], ["history"], ["releases"], ["check"], ["config"]] {
            // which asks whether a deploy would begin now
            let code = if words == ["check"] { 75 } else { 0 };
            plain(&stage.run(&[words[0], "--format", format], code));
        }
        plain(&stage.run(&["recover", "--format", format], 75));
    }
    drop(lease);
    // nginx's own words, and an app's last ones
    stage.set("start.command", vec!["printf", "\u{1b}[31m\u{202e}dead\u{9b}2J\n"]);
    plain(&stage.run(&["deploy", artifact], 10));
    let Some(mut stage) = Stage::reload() else { return };
    stage
        .set("proxy.nginx.test", vec!["sh", "-c", "printf 'nginx: [emerg] \\033[31mx\\342\\200\\256y\\n' >&2; exit 1"]);
    plain(&stage.run(&["deploy", artifact], 3));
}

#[test]
fn no_text_becomes_a_line_of_nginx() {
    let Some(mut stage) = Stage::marker() else { return };
    let long = "a".repeat(33);
    for app in
        ["x;", "x}", "x\n", "x$y", "../x", "-x", "x y", "x\0", &long, "", "x\u{202e}", "X", "x/y", "x{profile}", "'x'"]
    {
        stage.set("app", app);
        let ended = stage.run(&["setup", "--print", "server"], 2);
        plain(&ended);
        assert_eq!(ended.out, "", "{app:?}");
    }
    stage.set("app", "shop");
    for dir in ["/x;y", "/x}y", "/x\ny", "/x$y", "/x y", "/x\"y", "relative", "/x\u{202e}y", "/x\0y", "/x#y", "/x\\y"] {
        stage.set("route_dir", dir);
        let ended = stage.run(&["setup", "--print", "server"], 2);
        plain(&ended);
        assert_eq!(ended.out, "", "{dir:?}");
    }
}

#[test]
fn no_text_gets_out_of_its_place() {
    let Some(mut stage) = Stage::marker() else { return };
    let artifact = stage.artifact("v1");
    for (key, values) in [
        (
            "health.url",
            ["http://127.0.0.1:{port}@192.0.2.1/", "http://127.0.0.1:{port}.evil.example/", "file:///etc/passwd"],
        ),
        ("proxy.nginx.url", ["http://192.0.2.1/", "gopher://127.0.0.1/", "http://127.0.0.1.evil.example/"]),
        ("stop.signal", ["KILL", "9", "TERM;x"]),
        ("user", ["-x", "a b", "a;b"]),
    ] {
        for value in values {
            stage.set(key, value);
            stage.run(&["deploy", &artifact], 2);
        }
    }
    stage.set("user", "deploy");
    stage.set("health.url", "http://127.0.0.1:{port}/profile");
    stage.set("proxy.nginx.url", stage.nginx.url("/profile"));
    stage.set("stop.signal", "TERM");
    for release in ["../../x", "-x", "..", "x/y"] {
        stage.run(&["rollback", "--", release], 11);
    }
    // words stay words: no shell looks at them
    let touched = stage.path("touched");
    let version = format!("$(touch {0});`touch {0}`;{{port}}", touched.display());
    stage.run(&["deploy", &artifact, "--version", &version], 0);
    assert!(!touched.exists());
}

/// Marked secrets in all places where somebody could put them.
#[test]
fn what_looks_like_a_secret_is_not_shown() {
    const SECRET: &str = "xyzzy-s3cr3t-4712";
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("start.env.DB_PASSWORD", SECRET);
    stage.set("hooks.before_start", vec!["sh", "-c", "env > hook-env"]);
    let mut said = Vec::new();
    let artifact = stage.artifact("v1");
    let mut deploy = stage.command(&["deploy", &artifact, "-v"]);
    deploy.env("GITHUB_TOKEN", SECRET);
    said.push(bluegreen_rig::Running::spawn(deploy).wait());
    assert_eq!(said[0].code, Some(0), "{}", said[0]);
    let environment = fs::read(format!("/proc/{}/environ", stage.pid("active"))).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("GITHUB_TOKEN"), "what CI has, the app has not");
    let formats = ["human", "json"];
    for words in [["config"], ["status"], ["history"], ["releases"], ["check"]] {
        said.extend(formats.map(|format| stage.run(&[words[0], "--format", format], 0)));
    }
    said.last().unwrap().says(&["start.env.DB_PASSWORD looks like a secret"]);
    for pid in below(stage.home()) {
        let argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&argv).contains(SECRET));
    }
    // mistakes right beside it
    for value in [format!("{SECRET}{{nonsense}}"), format!("{{artifact}}{{prot}}{SECRET}")] {
        stage.set("start.env.DB_PASSWORD", value);
        said.push(stage.run(&["deploy", &artifact], 2));
    }
    stage.set("start.env.DB_PASSWORD", SECRET);
    stage.set("proxy.nginx.url", format!("http://me:{SECRET}@127.0.0.1/"));
    said.push(stage.run(&["deploy", &artifact], 2));
    for ended in &said {
        assert!(!format!("{ended}").contains(SECRET), "{ended}");
    }
    for name in ["state.json", "history.jsonl", "lock"] {
        assert!(!fs::read_to_string(stage.state_dir().join(name)).unwrap().contains(SECRET), "{name}");
    }
}
