//! Standard input, output and error that are closed, full, broken, or a terminal that goes away.

use std::{
    fs::OpenOptions,
    io::Read as _,
    os::fd::OwnedFd,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bluegreen_rig::{Ended, PATIENCE, Running, Stage, skip, wait_for};
use rustix::{
    io::ioctl_fionbio,
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// A pipe that takes no more, and whose reader does not read.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    for size in [4096, 1] {
        while rustix::io::write(&writer, &vec![b'x'; size]).is_ok() {}
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

#[track_caller]
fn end(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_full_pipe_that_nobody_reads_stops_nothing() {
    for words in [["--format", "human"].as_slice(), &["--format", "json"], &["-v"]] {
        let Some(stage) = Stage::marker() else { return };
        let (_reader, writer) = full_pipe();
        let artifact = stage.artifact("v1");
        let mut command = stage.command(&["deploy", &artifact]);
        command.args(words).stdout(writer.try_clone().unwrap()).stderr(writer);
        let mut deploy = command.spawn().unwrap();
        assert!(end(&mut deploy).success(), "{words:?}");
        assert_eq!(stage.front(), "v1 real1");
    }
}

#[test]
fn with_a_full_pipe_a_signal_is_heard() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "90s");
    let (_reader, writer) = full_pipe();
    let artifact = stage.artifact("v2");
    let mut command = stage.command(&["deploy", &artifact]);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut deploy = command.spawn().unwrap();
    stage.wait_for_step("bake");
    signal(&deploy, Signal::TERM);
    assert_eq!(end(&mut deploy).code(), Some(143));
    assert_eq!((stage.front(), stage.step()), ("v1 real1".into(), None));
}

#[test]
fn all_three_closed_from_the_start() {
    for format in ["human", "json"] {
        let Some(stage) = Stage::marker() else { return };
        let artifact = stage.artifact("v1");
        let deploy = stage.command(&["deploy", &artifact, "--format", format]);
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-"]).arg(deploy.get_program()).args(deploy.get_args());
        shell.current_dir(stage.home()).env_remove("BLUEGREEN_CONFIG");
        assert!(end(&mut shell.spawn().unwrap()).success(), "{format}");
        assert_eq!(stage.front(), "v1 real1");
        // no file of ours has got the number of one of them, and what is said in it
        stage.run(&["history", "--format", "json"], 0).says(&["switched"]);
        assert_eq!(stage.status()["transaction"], serde_json::Value::Null);
    }
}

/// All that only prints.
const PRINTING: [&[&str]; 20] = [
    &["--help"],
    &["--version"],
    &["help", "deploy"],
    &["man"],
    &["completions", "bash"],
    &["config"],
    &["config", "--format", "json"],
    &["setup", "--print", "http"],
    &["profile"],
    &["status"],
    &["status", "--format", "json"],
    &["status", "--watch"],
    &["history"],
    &["history", "--format", "json"],
    &["history", "show"],
    &["logs"],
    &["releases"],
    &["metrics"],
    &["check"],
    &["plan", "app-v1", "--format", "json"],
];

fn printing(stage: &Stage) -> impl Iterator<Item = (String, Command)> {
    PRINTING.iter().map(|words| (words.join(" "), stage.command(words)))
}

#[test]
fn what_only_prints_does_not_end_well_when_it_cannot() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    for (words, command) in printing(&stage) {
        let ended = redirected(command, "/dev/full");
        assert_eq!(ended.code, Some(1), "{words}: {ended}");
        ended.says(&[
            "not all of the output could be written to /dev/full",
            "No space left on device",
            "df -h /dev/full",
        ]);
    }
    // what is wrong otherwise is said first
    assert_eq!(redirected(stage.command(&["history", "show", "99"]), "/dev/full").code, Some(3));
    assert_eq!(redirected(stage.command(&["profile", "--nonsense"]), "/dev/full").code, Some(2));
}

/// As `1<FILE` gives it: each write fails, and the standard library says nothing of that.
#[test]
fn an_output_that_is_open_for_reading_only() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    for (words, mut command) in printing(&stage) {
        let stdout = OpenOptions::new().read(true).open("/dev/null").unwrap();
        let ended = listened(command.stdout(stdout));
        assert_eq!(ended.code, Some(1), "{words}: {ended}");
        ended.says(&["not all of the output could be written to /dev/null", "Bad file descriptor"]);
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let follow = stage.command(&["logs", "-f"]);
    for (words, mut command) in printing(&stage).chain([("logs -f".to_owned(), follow)]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        drop(command);
        assert!(end(&mut child).success(), "{words}");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(!said.contains("error"), "{words}: {said}");
    }
}

#[test]
fn a_deploy_that_cannot_say_what_it_does_does_it_and_does_not_end_with_0() {
    for format in ["human", "json"] {
        let Some(stage) = Stage::marker() else { return };
        let artifact = stage.artifact("v1");
        let ended = redirected(stage.command(&["deploy", &artifact, "--format", format]), "/dev/full");
        assert_eq!(ended.code, Some(1), "{format}: {ended}");
        ended.says(&["not all of the output could be written to /dev/full"]);
        // stderr as well, so that nobody is told at all
        let artifact = stage.artifact("v2");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = stage.command(&["deploy", &artifact, "--format", format]);
        command.stdout(full.try_clone().unwrap()).stderr(full);
        assert_eq!(end(&mut command.spawn().unwrap()).code(), Some(1), "{format}");
        assert_eq!((stage.front(), stage.step()), ("v2 real2".into(), None));
        stage.run(&["history", "--format", "json"], 0).says(&["switched"]);
        // why it failed is more than that nobody could read it
        let ended =
            redirected(stage.command(&["deploy", &stage.artifact("v3 exits"), "--format", format]), "/dev/full");
        assert_eq!(ended.code, Some(10), "{format}: {ended}");
    }
}

/// The limit of a file's size is an error as that of the disk is, and no signal that ends us half-way.
#[test]
fn a_file_that_may_not_grow() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let limited = |bytes: u32, words: &[&str]| {
        let own = stage.command(words);
        let mut command = Command::new("prlimit");
        command.arg(format!("--fsize={bytes}")).arg(own.get_program()).args(own.get_args()).current_dir(stage.home());
        let path = own.get_envs().find_map(|(name, value)| value.filter(|_| name == "PATH")).unwrap();
        command.env("PATH", path).env_remove("BLUEGREEN_CONFIG");
        command
    };
    let file = stage.path("said");
    let ended = redirected(limited(100, &["man"]), file.to_str().unwrap());
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.says(&["not all of the output could be written to", "File too large", "ulimit -f unlimited"]);
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 100);
    // the artifact: nothing was touched
    let artifact = stage.artifact("v2");
    let ended = Running::spawn(limited(1, &["deploy", &artifact])).wait();
    assert_eq!(ended.code, Some(3), "{ended}");
    ended.says(&["File too large", "ulimit -f unlimited"]);
    // the state, half-way: the transaction stays open or was never there, and the next command goes on
    let ended = Running::spawn(limited(600, &["deploy", &artifact])).wait();
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.says(&["state.json: File too large", "ulimit -f unlimited && bluegreen recover"]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["recover"], 0);
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
}

/// How a command ends whose output goes to this file.
fn redirected(mut command: Command, file: &str) -> Ended {
    let stdout = OpenOptions::new().write(true).create(true).truncate(true).open(file).unwrap();
    listened(command.stdout(stdout))
}

/// How a command ends, and what it says on stderr.
fn listened(command: &mut Command) -> Ended {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let status = end(&mut child);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Ended { code: status.code(), signal: status.signal(), out: String::new(), err, took: began.elapsed() }
}

/// A window that is closed, a connection that breaks: SIGHUP, and every write an error from then on.
#[test]
fn a_terminal_that_goes_away() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("after_switch.bake", "5s");
    let mut master = std::fs::File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    let artifact = stage.artifact("v2");
    let deploy = stage.command(&["deploy", &artifact]);
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(deploy.get_program()).args(deploy.get_args()).current_dir(stage.home());
    command.env("TERM", "xterm").env_remove("CI").env_remove("BLUEGREEN_CONFIG");
    command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let Ok(mut deploy) = command.spawn() else { return skip("there is no setsid") };
    drop(command);
    ioctl_fionbio(&master, true).unwrap();
    let gone = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let window = thread::spawn({
        let (gone, seen) = (gone.clone(), seen.clone());
        move || {
            while !gone.load(Ordering::Relaxed) {
                let _ = master.read_to_end(&mut seen.lock().unwrap());
                thread::sleep(Duration::from_millis(2));
            }
        }
    });
    stage.wait_for_step("bake");
    wait_for("its words", || String::from_utf8_lossy(&seen.lock().unwrap()).contains("health"));
    gone.store(true, Ordering::Relaxed);
    window.join().unwrap();
    assert!(end(&mut deploy).success());
    wait_for("v2", || stage.front() == "v2 real2");
}
