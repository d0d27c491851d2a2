//! What root gives away, whose words it obeys, and what nobody is made to wait for.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Ended, Running, Stage, bluegreen, skip, wait_for};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// One who deploys, and one who should have no say.
const NOBODY: u32 = 65534;
const STRANGER: u32 = 4711;

/// A stage, when we are root.
fn of_root() -> Option<Stage> {
    if !rustix::process::geteuid().is_root() {
        skip("only root gives files away");
        return None;
    }
    Stage::marker()
}

fn dir(path: &Path, owner: u32) {
    fs::create_dir(path).unwrap();
    chown(path, Some(owner), Some(owner)).unwrap();
}

/// Owner, mode, and when that was changed.
fn seen(path: &Path) -> (u32, u32, i64, i64) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.mode(), meta.ctime(), meta.ctime_nsec())
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// As if `uid` had typed `sudo`.
fn sudo(stage: &Stage, uid: u32, words: &[&str]) -> Ended {
    let mut command = stage.command(words);
    command.env("SUDO_UID", uid.to_string()).env("SUDO_USER", "one-of-no-name");
    Running::spawn(command).wait()
}

#[test]
fn who_called_sudo_is_shown_no_secret_of_others() {
    let Some(stage) = of_root() else { return };
    let file = stage.path("secret");
    fs::write(&file, "root:$6$SALT$HASH:19000\n").unwrap();
    let words = ["setup", "--check", "--config", file.to_str().unwrap()];
    chmod(&file, 0o600);
    let ended = sudo(&stage, 65534, &words);
    assert!(ended.code == Some(2) && !format!("{ended}").contains("HASH"), "{ended}");
    ended.says(&["user nobody cannot read it, so it is not shown"]);
    // without sudo it is root who asks
    stage.run(&words, 2).says(&["HASH"]);
}

#[test]
fn what_is_there_is_given_to_nobody() {
    let Some(mut stage) = of_root() else { return };
    stage.set("user", "nobody");
    let (home, route) = (stage.state_dir(), stage.state_dir().join("route"));
    Command::new("chown").args(["-R", "nobody"]).arg(&home).status().unwrap();
    let (empty, full) = (stage.path("empty"), stage.path("full"));
    dir(&empty, 0);
    dir(&full, 0);
    fs::write(full.join("index.html"), "hello").unwrap();
    for (key, usual) in [("state_dir", &home), ("route_dir", &route)] {
        for there in [&empty, &full] {
            let before = seen(there);
            stage.set(key, there.to_str().unwrap());
            let ended = stage.run(&["setup", "--apply", "--yes"], 3);
            ended.says(&["belongs to user root, not to nobody", &format!("another {key}")]);
            assert_eq!(seen(there), before, "{key}");
        }
        stage.set(key, usual.to_str().unwrap());
    }
    let ended = stage.run(&["setup", "--apply", "--yes"], 0);
    assert_eq!((seen(&home).0, seen(&route).0), (NOBODY, NOBODY), "{ended}");
}

#[test]
fn a_link_of_the_deploy_user_leads_root_nowhere_and_one_of_roots_does() {
    let Some(mut stage) = of_root() else { return };
    stage.set("user", "nobody");
    let (theirs, roots, disk) = (stage.path("theirs"), stage.path("roots"), stage.path("disk"));
    for (path, owner) in [(&theirs, NOBODY), (&roots, 0), (&disk, 0)] {
        dir(path, owner);
    }
    symlink(&roots, theirs.join("x")).unwrap();
    lchown(theirs.join("x"), Some(NOBODY), None).unwrap();
    symlink("disk", stage.path("lib")).unwrap();
    Command::new("chown").args(["-R", "nobody"]).arg(stage.state_dir()).status().unwrap();
    for key in ["route_dir", "state_dir"] {
        let before = seen(&roots);
        stage.set(key, theirs.join("x/shop").to_str().unwrap());
        stage.run(&["setup", "--apply", "--yes"], 3).says(&["ermission denied"]);
        assert_eq!(seen(&roots), before);
        assert!(!roots.join("shop").exists());
        let usual = if key == "route_dir" { stage.state_dir().join("route") } else { stage.state_dir() };
        stage.set(key, usual.to_str().unwrap());
    }
    stage.unset("route_dir");
    for (name, made) in [("lib/shop", "disk/shop"), ("theirs/shop", "theirs/shop")] {
        stage.set("state_dir", stage.path(name).to_str().unwrap());
        stage.run(&["setup", "--apply", "--yes"], 0);
        assert_eq!((seen(&stage.path(made)).0, seen(&stage.path(made)).1 & 0o7777), (NOBODY, 0o711), "{name}");
        assert_eq!(seen(&stage.path(made).join("route/real1")).0, NOBODY);
    }
}

/// Kernels before 5.6 and the filters of some containers have no `openat2`.
#[test]
fn without_openat2_it_is_all_the_same() {
    let Some(mut stage) = of_root() else { return };
    stage.set("user", "nobody");
    dir(&stage.path("theirs"), STRANGER);
    for error in ["ENOSYS", "EPERM"] {
        for (name, code) in [(format!("lib-{error}/shop"), 0), (format!("theirs/{error}"), 3)] {
            stage.set("state_dir", stage.path(&name).to_str().unwrap());
            let setup = stage.command(&["setup", "--apply", "--yes"]);
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=openat2"]).arg("-e");
            command.arg(format!("inject=openat2:error={error}")).arg(setup.get_program()).args(setup.get_args());
            command.current_dir(stage.home()).env_remove("BLUEGREEN_CONFIG");
            let Ok(probe) = Command::new("strace").args(["-o", "/dev/null", "true"]).status() else {
                return skip("there is no strace");
            };
            if !probe.success() {
                return skip("strace cannot trace here");
            }
            let ended = Running::spawn(command).wait();
            assert_eq!(ended.code, Some(code), "{error} {name}: {ended}");
            assert_eq!(stage.path(&name).exists(), code == 0);
        }
    }
}

#[test]
fn root_obeys_a_configuration_of_roots_or_of_who_deploys() {
    let Some(mut stage) = of_root() else { return };
    stage.set("start.command", vec!["sh", "-c", "touch ran; exec sleep 600"]);
    stage.set("hooks.before_start", vec!["touch", stage.path("ran").to_str().unwrap()]);
    let config = stage.path("bluegreen.toml");
    let artifact = stage.artifact("v1");
    let deploy = ["deploy", artifact.as_str()];
    for (owner, state, user, code) in
        [(STRANGER, 0, None, 2), (STRANGER, NOBODY, Some("nobody"), 2), (NOBODY, 0, Some("nobody"), 2)]
    {
        chown(&config, Some(owner), None).unwrap();
        chown(stage.state_dir(), Some(state), None).unwrap();
        if let Some(user) = user {
            stage.set("user", user);
        }
        // nor to bring back what ran
        for words in [&deploy[..], &["status"], &["plan"], &["recover"], &["rollback"]] {
            let ended = sudo(&stage, owner, words);
            assert_eq!(ended.code, Some(code), "{owner} {state} {words:?}: {ended}");
            ended.says(&["would run the commands that it names", "sudo chown root bluegreen.toml"]);
        }
    }
    assert!(!stage.path("ran").exists());
    // it counts for the set-up alone
    chown(stage.state_dir(), Some(0), None).unwrap();
    stage.unset("user");
    chown(&config, Some(STRANGER), None).unwrap();
    assert_ne!(sudo(&stage, STRANGER, &["setup", "--check"]).code, Some(2));
    assert_eq!(sudo(&stage, 4712, &["setup", "--check"]).code, Some(2));
}

#[test]
fn who_is_not_root_obeys_nobody_elses_configuration() {
    let Some(stage) = of_root() else { return };
    let reach = Command::new("test").arg("-x").arg(bluegreen()).uid(NOBODY).gid(NOBODY).status();
    if !reach.is_ok_and(|status| status.success()) {
        return skip("another user must reach the program");
    }
    Command::new("chown").args(["-R", "nobody"]).arg(stage.state_dir()).status().unwrap();
    chown(stage.path("bluegreen.toml"), Some(STRANGER), None).unwrap();
    for words in [&["setup", "--check"][..], &["status"], &["rollback"], &["recover"], &["up"]] {
        let mut command = stage.command(words);
        // as `sudo -u nobody` says it
        command.uid(NOBODY).gid(NOBODY).env("SUDO_UID", STRANGER.to_string());
        let ended = Running::spawn(command).wait();
        assert_eq!(ended.code, Some(2), "{words:?}: {ended}");
        ended.says(&["it belongs to another user", "sudo chown root"]);
    }
}

#[test]
fn what_a_group_may_write_to_is_obeyed_only_to_bring_back_what_ran() {
    let Some(stage) = of_root() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let config = stage.path("bluegreen.toml");
    chown(&config, None, Some(4712)).unwrap();
    chmod(&config, 0o664);
    let said = ["a group may write to it", "chmod g-w"];
    for words in [&["check"][..], &["status"], &["deploy", &stage.artifact("v3")]] {
        stage.run(words, 2).says(&said);
    }
    for words in ["rollback", "recover", "up"] {
        stage.run(&[words], 0).says(&said[..1]);
    }
    assert!(stage.front().starts_with("v1"));
}

#[test]
fn whoever_can_put_another_configuration_there_is_named() {
    let Some(stage) = of_root() else { return };
    stage.deploy("v1", 0);
    let theirs = stage.path("theirs");
    dir(&theirs, STRANGER);
    let file = theirs.join("bluegreen.toml");
    fs::copy(stage.path("bluegreen.toml"), &file).unwrap();
    let config = file.to_str().unwrap();
    let artifact = stage.artifact("v2");
    let said = [format!("uid {STRANGER} can write to {}", theirs.display()), "/etc/bluegreen/shop.toml".to_owned()];
    let said = said.each_ref().map(String::as_str);
    stage.run(&["deploy", &artifact, "--config", config], 2).says(&said);
    assert_eq!(stage.front(), "v1 real1");
    // to bring back what ran, as 0.1.0 did, it is a warning
    stage.run(&["recover", "--config", config], 0).says(&said);
    // a link to what is no configuration tells nothing of it
    let secret = stage.path("secret");
    fs::write(&secret, "root:s3cr3t:19000\n").unwrap();
    chmod(&secret, 0o600);
    fs::remove_file(&file).unwrap();
    symlink(&secret, &file).unwrap();
    for words in
        [&["check", "--config", config][..], &["config", "--config", config], &["setup", "--check", "--config", config]]
    {
        let ended = stage.run(words, 2);
        assert!(!ended.out.contains("s3cr3t") && !ended.err.contains("s3cr3t"), "{ended}");
    }
}

#[test]
fn nobody_is_waited_for() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    let home = stage.state_dir();
    let log = home.join("logs/real2/000001.log");
    let moved = |path: &Path| fs::rename(path, stage.path("aside")).unwrap();
    let back = |path: &Path| fs::rename(stage.path("aside"), path).unwrap();
    let history = home.join("history.jsonl");
    for (path, words) in [(&log, "logs"), (&history, "history")] {
        moved(path);
        pipe(path);
        stage.run(&[words], 3).says(&["it is a pipe, and no file"]);
        fs::remove_file(path).unwrap();
        fs::File::create(path).unwrap().set_len(200 << 30).unwrap();
        if words == "history" {
            stage.run(&[words], 3).says(&["more than", "bytes"]);
            stage.run(&["check"], 0).says(&["the history cannot be read"]);
        } else {
            stage.run(&[words], 0);
        }
        fs::remove_file(path).unwrap();
        symlink("/etc/passwd", path).unwrap();
        let ended = stage.run(&[words], 3);
        ended.says(&["it is a symbolic link"]);
        assert!(!ended.out.contains("root:"), "{ended}");
        back(path);
    }
    let textfile = stage.path("shop.prom");
    stage.set("metrics.textfile", textfile.to_str().unwrap());
    pipe(&textfile);
    stage.deploy("v3", 0).says(&["cannot write the metrics", "it is a pipe"]);
    stage.run(&["metrics", "--write"], 3).says(&["it is a pipe"]);
    assert!(fs::symlink_metadata(&textfile).unwrap().mode() & 0o170_000 == 0o010_000, "it stays one");
    stage.set("metrics.textfile", "/dev/null");
    stage.run(&["metrics", "--write"], 3).says(&["it is a device"]);
    stage.unset("metrics.textfile");
    let env = stage.path("env");
    stage.set("start.env_file", env.to_str().unwrap());
    pipe(&env);
    stage.run(&["check"], 3).says(&["start.env_file cannot be used", "it is a pipe"]);
    stage.deploy("v4", 3).says(&["it is a pipe"]);
    assert_eq!(stage.front(), "v3 real1");
    stage.unset("start.env_file");
    pipe(&stage.path("bluegreen.toml"));
    stage.run(&["status"], 2).says(&["it is a pipe"]);
}

#[test]
fn nobody_else_can_take_the_lock_and_who_has_it_is_named() {
    let Some(stage) = of_root() else { return };
    stage.deploy("v1", 0);
    let home = stage.state_dir();
    chmod(&home, 0o755);
    let (uid, gid) = (STRANGER.to_string(), STRANGER.to_string());
    let as_stranger = ["--reuid", &uid, "--regid", &gid, "--clear-groups", "flock", "--nonblock", "--no-fork"];
    let mut flock = Command::new("setpriv");
    flock.args(as_stranger).arg(&home).args(["sleep", "600"]).current_dir(stage.home());
    let locker = Running::spawn(flock);
    wait_for("the lock", || bluegreen_core::FileStore::hold(&home).is_err());
    let said = format!("locked by pid {} of uid {STRANGER}, which is no command of bluegreen", locker.pid());
    for words in [["deploy", &stage.artifact("v2")].as_slice(), &["rollback", "--wait"], &["recover"]] {
        stage.run(words, 3).says(&[&said, &format!("-p {}", locker.pid())]);
    }
    locker.signal(rustix::process::Signal::KILL);
    locker.wait();
    // who only looks changes nothing; any other command closes it
    chmod(&home, 0o755);
    stage.run(&["status"], 0);
    assert_eq!(seen(&home).1 & 0o7777, 0o755);
    stage.run(&["recover"], 0);
    assert_eq!(seen(&home).1 & 0o7777, 0o711);
    let mut again = Command::new("setpriv");
    again.args(as_stranger).arg(&home).args(["sleep", "600"]).current_dir(stage.home());
    assert_ne!(Running::spawn(again).wait().code, Some(0));
    stage.deploy("v2", 0);
    // and so does the set-up
    chmod(&home, 0o755);
    stage.run(&["setup", "--apply", "--yes"], 0);
    assert_eq!(seen(&home).1 & 0o7777, 0o711);
}

/// The name of an app is nobody's property: who takes it for a set-up of their own does not get another user's traffic.
#[test]
fn an_app_of_another_user_with_the_same_name_is_not_overwritten() {
    let Some(mut stage) = of_root() else { return };
    let location = format!("proxy_pass http://127.0.0.1:{};", stage.ports[0]);
    stage.nginx.write(&Site { location, ..Site::default() }).unwrap();
    stage.nginx.reload().unwrap();
    stage.run(&["setup", "--apply", "--yes"], 0);
    let file = stage.nginx.prefix().join("bluegreen/shop.server.inc");
    let before = fs::read_to_string(&file).unwrap();
    let theirs = stage.path("theirs");
    dir(&theirs, NOBODY);
    stage.set("user", "nobody");
    stage.set("state_dir", theirs.to_str().unwrap());
    stage.set("route_dir", theirs.join("route").to_str().unwrap());
    let ended = stage.run(&["setup", "--apply", "--yes"], 3);
    ended.says(&["nginx has shop of user root already", "another name", "setup --remove"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}
