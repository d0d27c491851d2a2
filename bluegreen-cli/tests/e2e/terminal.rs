//! Root deploys from its terminal as another user: what is run then has none of root's terminal, descriptors and environment.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown},
    },
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use bluegreen_rig::{Stage, bluegreen, skip, wait_for};
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
};

/// Who deploys.
const NOBODY: u32 = 65534;

/// A terminal, with what a person sees on it.
struct Terminal {
    master: OwnedFd,
    slave: File,
    screen: JoinHandle<String>,
}

impl Terminal {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        // what somebody types shows only if it is read
        let mut modes = tcgetattr(&master).unwrap();
        modes.local_modes.remove(rustix::termios::LocalModes::ECHO);
        tcsetattr(&master, OptionalActions::Now, &modes).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::NOCTTY.bits().cast_signed();
        let slave = File::options().read(true).write(true).custom_flags(flags).open(name).unwrap();
        let mut shown = File::from(master.try_clone().unwrap());
        let screen = thread::spawn(move || {
            let (mut text, mut bytes) = (String::new(), [0; 4096]);
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                text += &String::from_utf8_lossy(&bytes[..count]);
            }
            text
        });
        Self { master, slave, screen }
    }

    /// Runs the script of root's shell there, as a terminal does it: in a session with this terminal.
    fn run(&self, stage: &Stage, script: &str) -> Child {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "sh", "-c", script]).current_dir(stage.home());
        // root's own few variables, and not all of those that cargo has
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().envs([("PATH", path), ("TERM", "xterm".into()), ("HOME", "/root".into())]);
        let end = || Stdio::from(self.slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
    }

    /// What waits to be read by the next program there, as a shell.
    fn typed(&self) -> usize {
        usize::try_from(rustix::io::ioctl_fionread(&self.slave).unwrap()).unwrap()
    }

    /// What was shown.
    fn close(self) -> String {
        drop((self.slave, self.master));
        self.screen.join().unwrap()
    }
}

/// The stage of a deploy user; his directory is `shared`. `None`: it cannot be had here.
fn stage_of_nobody() -> Option<(Stage, std::path::PathBuf)> {
    if !rustix::process::geteuid().is_root() {
        skip("only root becomes another user");
        return None;
    }
    let stage = Stage::marker()?;
    let mut test = Command::new("setpriv");
    test.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "test", "-x"]).arg(bluegreen());
    if !test.status().is_ok_and(|status| status.success()) {
        skip("another user cannot reach the program");
        return None;
    }
    let shared = stage.state_dir().join("shared");
    fs::create_dir(&shared).unwrap();
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(stage.state_dir()).status();
    assert!(given.unwrap().success());
    Some((stage, shared))
}

/// What an attacker does with what he finds: he types a line, reads on, and looks around.
const HOOK: &str = r#"#!/bin/sh
exec > "$BLUEGREEN_SHARED_DIR/seen" 2>&1
perl -e 'open(T, "+</dev/tty") or die "tty: $!\n"; for (split //, "id > pwned\n") { ioctl(T, 0x5412, $_) or die "type: $!\n" } print "typed\n"'
cat <&9 2>&1
env | sed 's/^/env /'
echo "id $(id -u)"
ls -l /proc/$PPID/fd | sed 's/^/parent /'
"#;

#[test]
fn a_hook_of_another_user_has_nothing_of_root() {
    let Some((mut stage, shared)) = stage_of_nobody() else { return };
    if Command::new("perl").arg("-e1").status().is_err() {
        return skip("there is no perl that could type");
    }
    let (hook, secret) = (stage.path("hook"), stage.path("secret"));
    fs::write(&hook, HOOK).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&secret, "only root reads this\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    // the first program that a deploy runs
    stage.set("hooks.before_start", vec![hook.to_str().unwrap()]);
    stage.set("hooks.pass_env", vec!["WANTED"]);
    let artifact = stage.artifact("v1");
    let terminal = Terminal::open();
    let script = format!(
        "exec 9<{}; export ROOTS_TOKEN=s3cret WANTED=yes; {} deploy {artifact}",
        secret.display(),
        bluegreen().display()
    );
    let mut deploy = terminal.run(&stage, &script);
    wait_for("the deploy", || deploy.try_wait().unwrap().is_some());
    let (status, typed, shown) = (deploy.wait().unwrap(), terminal.typed(), terminal.close());
    assert!(status.success(), "{shown}");
    let seen = fs::read_to_string(shared.join("seen")).unwrap();
    let has = |line: &str| seen.lines().any(|seen| seen == line);
    assert!(typed == 0 && !has("typed") && seen.contains("tty: No such device"), "root's shell would run it: {seen}");
    assert!(!seen.contains("only root reads this") && has(&format!("id {NOBODY}")), "{seen}");
    assert!(!seen.contains("s3cret") && has("env WANTED=yes"), "{seen}");
    // told once, and what a terminal is told is shown there as before
    assert_eq!(shown.matches("these variables of root's: ROOTS_TOKEN; ").count(), 1, "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("\u{1b}[") && shown.contains("real1 serves"), "{shown:?}");
    assert_eq!(stage.front().split(' ').next(), Some("v1"));
}

/// The file of a user may not say which of root's variables he gets.
#[test]
fn a_configuration_of_the_deploy_user_names_nothing_of_root() {
    let Some((mut stage, shared)) = stage_of_nobody() else { return };
    stage.set("user", "nobody");
    stage.set("hooks.before_switch", vec!["sh", "-c", "env > \"$BLUEGREEN_SHARED_DIR/seen\""]);
    stage.set("hooks.pass_env", vec!["ROOTS_TOKEN"]);
    stage.set("start.pass_env", vec!["ROOTS_TOKEN"]);
    chown(stage.path("bluegreen.toml"), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut deploy = stage.command(&["deploy", &stage.artifact("v1")]);
    deploy.env("ROOTS_TOKEN", "s3cret");
    let ended = bluegreen_rig::Running::spawn(deploy).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(!fs::read_to_string(shared.join("seen")).unwrap().contains("s3cret"));
    let pid = stage.pid("active");
    assert!(!String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/environ")).unwrap()).contains("s3cret"));
    ended.says(&["ROOTS_TOKEN", "chown root"]);
}

/// The keys of the terminal reach it all the same.
#[test]
fn ctrl_c_takes_the_deploy_back() {
    let Some((mut stage, _)) = stage_of_nobody() else { return };
    stage.boots_on_cue();
    let artifact = stage.artifact("v1");
    let terminal = Terminal::open();
    let mut deploy = terminal.run(&stage, &format!("exec {} deploy {artifact}", bluegreen().display()));
    stage.wait_for_step("health");
    let mut keyboard = File::from(terminal.master.try_clone().unwrap());
    keyboard.write_all(b"\x03").unwrap();
    wait_for("its end", || deploy.try_wait().unwrap().is_some());
    drop(keyboard);
    let (status, shown) = (deploy.wait().unwrap(), terminal.close());
    assert_eq!((status.code(), stage.step()), (Some(130), None), "{shown}");
    assert!(shown.contains("interrupted"), "{shown}");
}

/// Whoever has its rights may stop it, and does not keep root's terminal by that.
#[test]
fn one_that_was_stopped_hears_ctrl_c() {
    let Some((mut stage, _)) = stage_of_nobody() else { return };
    stage.boots_on_cue();
    let artifact = stage.artifact("v1");
    let terminal = Terminal::open();
    let mut deploy = terminal.run(&stage, &format!("exec {} deploy {artifact}", bluegreen().display()));
    stage.wait_for_step("health");
    let holder = stage.status()["lock"]["pid"].as_u64().and_then(|pid| i32::try_from(pid).ok());
    let holder = holder.and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(holder, rustix::process::Signal::STOP).unwrap();
    let mut keyboard = File::from(terminal.master.try_clone().unwrap());
    keyboard.write_all(b"\x03").unwrap();
    wait_for("its end", || deploy.try_wait().unwrap().is_some());
    drop(keyboard);
    let (status, shown) = (deploy.wait().unwrap(), terminal.close());
    assert_eq!((status.code(), stage.step()), (Some(130), None), "{shown}");
}

/// Also without a session on that terminal, as from `setsid`, and from a directory that only root gets into.
#[test]
fn neither_roots_descriptors_nor_its_directory_go_along() {
    let Some((mut stage, shared)) = stage_of_nobody() else { return };
    let look = "readlink /proc/$PPID/fd/0 /proc/$PPID/fd/1 /proc/$PPID/fd/2 /proc/$PPID/cwd > \"$BLUEGREEN_SHARED_DIR/seen\"; \
                cat key >> \"$BLUEGREEN_SHARED_DIR/seen\"; umask >> \"$BLUEGREEN_SHARED_DIR/seen\"";
    stage.set("hooks.before_start", vec!["sh", "-c", look]);
    let (closed, artifact) = (stage.path("closed"), stage.artifact("v1"));
    fs::create_dir_all(closed.join("in")).unwrap();
    fs::write(closed.join("in/key"), "only root reads this\n").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let terminal = Terminal::open();
    let script = format!(
        "cd {}; umask 0; exec setsid -w {} --config {} deploy {artifact}",
        closed.join("in").display(),
        bluegreen().display(),
        stage.path("bluegreen.toml").display()
    );
    let roots = ptsname(&terminal.master, Vec::new()).unwrap().into_string().unwrap();
    let mut deploy = terminal.run(&stage, &script);
    wait_for("the deploy", || deploy.try_wait().unwrap().is_some());
    let (status, shown) = (deploy.wait().unwrap(), terminal.close());
    assert!(status.success() && shown.contains("real1 serves"), "{shown}");
    let seen = fs::read_to_string(shared.join("seen")).unwrap();
    let [input, out, err, place, mask] = seen.lines().collect::<Vec<_>>()[..] else { panic!("{seen}") };
    assert_eq!((input, place, mask), ("/dev/null", "/", "0022"), "{seen}");
    assert!([out, err].iter().all(|end| end.starts_with("/dev/pts/") && *end != roots), "{roots}: {seen}");
}

/// Who is killed on the terminal takes the one who works for it along: nobody deploys on behind a prompt.
#[test]
fn what_relays_for_it_does_not_leave_it_behind() {
    let Some((mut stage, _)) = stage_of_nobody() else { return };
    stage.boots_on_cue();
    let artifact = stage.artifact("v1");
    let terminal = Terminal::open();
    let mut deploy = terminal.run(&stage, &format!("exec {} deploy {artifact}", bluegreen().display()));
    stage.wait_for_step("health");
    let holder = stage.status()["lock"]["pid"].as_u64().unwrap();
    assert_ne!(holder, u64::from(deploy.id()), "root's own process deploys nothing");
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    wait_for("the end of the other one", || stage.step().is_none());
    drop(terminal.close());
}

#[test]
fn without_a_terminal_root_becomes_the_owner_itself() {
    let Some((mut stage, _)) = stage_of_nobody() else { return };
    stage.boots_on_cue();
    let artifact = stage.artifact("v1");
    let mut alone = Command::new("setsid");
    alone.arg(bluegreen()).args(["deploy", &artifact]).current_dir(stage.home());
    alone.env_remove("BLUEGREEN_CONFIG").stdin(Stdio::null());
    let deploy = bluegreen_rig::Running::spawn(alone);
    stage.wait_for_step("health");
    assert_eq!(stage.status()["lock"]["pid"], deploy.pid());
    stage.boot();
    assert_eq!(deploy.wait().code, Some(0));
}
