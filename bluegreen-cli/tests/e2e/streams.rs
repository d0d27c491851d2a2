//! Standard input, output and error that are closed, full, broken, or a terminal that goes away.

use std::{
    fs::OpenOptions,
    io::Read as _,
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bluegreen_rig::{PATIENCE, Stage, skip, wait_for};
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

#[test]
fn a_device_that_is_full() {
    for format in ["human", "json"] {
        let Some(stage) = Stage::marker() else { return };
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let artifact = stage.artifact("v1");
        let mut command = stage.command(&["deploy", &artifact, "--format", format]);
        command.stdout(full.try_clone().unwrap()).stderr(full);
        assert!(end(&mut command.spawn().unwrap()).success(), "{format}");
        assert_eq!(stage.front(), "v1 real1");
    }
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
