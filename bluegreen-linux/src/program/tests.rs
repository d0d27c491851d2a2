use std::{os::fd::AsRawFd as _, time::Instant};

use rustix::io::{FdFlags, fcntl_setfd};

use super::*;

fn shell(script: &str) -> Program {
    Program::new(["sh", "-c", script])
}

async fn said(program: Program) -> Said {
    program.run(Duration::from_secs(60)).await.unwrap()
}

#[tokio::test]
async fn says_what_was_said_where_and_how_it_ended() {
    let said = said(shell("echo out; echo err >&2; exit 7")).await;
    assert_eq!((said.out.as_str(), said.err.as_str(), said.status.code()), ("out\n", "err\n", Some(7)));
    assert_eq!(self::said(Program::new(["echo", "$HOME"])).await.out, "$HOME\n", "there is no shell");
    assert_eq!(self::said(Program::new(["cat"])).await.out, "", "there is nothing to read");
}

#[tokio::test]
async fn what_cannot_be_run_says_why() {
    for (words, why) in [
        (vec!["/no/such"], "cannot run \"/no/such\": there is no such program"),
        (vec!["no-such-program"], "cannot run \"no-such-program\": there is no such program"),
        (vec!["/etc/passwd"], "cannot run \"/etc/passwd\": it is not executable for this user"),
        (vec![], "the command is empty"),
    ] {
        assert_eq!(Program::new(words).run(Duration::MAX).await.unwrap_err().to_string(), why);
    }
    let nowhere = Program::new(["true"]).in_directory("/no/such").run(Duration::MAX).await.unwrap_err();
    assert_eq!(nowhere.to_string(), "the working directory /no/such does not exist");
}

#[tokio::test]
async fn no_descriptor_of_ours_is_seen() {
    let file = tempfile::tempfile().unwrap();
    fcntl_setfd(&file, FdFlags::empty()).unwrap();
    let look = format!("test -e /proc/self/fd/{} && echo seen; test -e /proc/self/fd/2 && echo err", file.as_raw_fd());
    assert_eq!(said(shell(&look)).await.out, "err\n");
}

#[tokio::test]
async fn what_is_left_in_the_background_is_not_waited_for_and_all_that_was_said_is_heard() {
    let said = said(shell("sleep 600 & echo $!; head -c 60000 /dev/zero | tr '\\0' x; echo; echo last")).await;
    assert!(said.out.ends_with("x\nlast\n") && said.out.len() > 60_000, "{}", said.out.len());
    let sleeper: i32 = said.out.lines().next().unwrap().parse().unwrap();
    // it is our own, and would stay
    rustix::process::kill_process(rustix::process::Pid::from_raw(sleeper).unwrap(), rustix::process::Signal::KILL)
        .unwrap();
}

#[tokio::test]
async fn who_takes_too_long_or_says_too_much_is_killed_with_its_children() {
    let home = tempfile::tempdir().unwrap();
    let program = shell("sleep 600 & echo $! > pid; wait").in_directory(home.path());
    let pid = || std::fs::read_to_string(home.path().join("pid")).ok()?.trim().parse::<u32>().ok();
    let (mut running, mut hear) = (program.start(true).unwrap(), |_, _: &[u8]| true);
    tokio::select! {
        ended = running.end(&mut hear) => panic!("{ended:?}"),
        () = async { while pid().is_none() { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
    }
    let stat = format!("/proc/{}/stat", pid().unwrap());
    let lives = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(lives());
    drop(running);
    let until = Instant::now() + Duration::from_secs(60);
    while lives() {
        assert!(Instant::now() < until, "its child lives on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(matches!(shell("sleep 600").run(Duration::from_millis(50)).await, Err(RunError::Late)));
    let endless = shell("exec yes").run(Duration::from_secs(600)).await;
    assert!(matches!(endless, Err(RunError::TooMuch(OUTPUT))), "what is cut off would be taken for the whole");
}

#[tokio::test]
async fn has_the_environment_that_it_is_given() {
    let home = std::env::var_os("HOME");
    let seen = said(Program::new(["env"]).with([("MARK", "x")])).await.out;
    assert!(seen.lines().any(|line| line == "MARK=x") && (home.is_none() || seen.contains("\nHOME=")), "{seen}");
    let only = Environment::from([("PATH".into(), std::env::var_os("PATH").unwrap()), ("ONE".into(), "1".into())]);
    let mut lines: Vec<String> =
        said(Program::new(["env"]).with_environment(only)).await.out.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("PATH="));
    assert_eq!(lines, ["ONE=1"]);
}

#[tokio::test]
async fn can_be_waited_for_inside_of_a_runtime() {
    assert_eq!(shell("echo x").run_blocking(Duration::from_secs(60)).unwrap().out, "x\n");
}

#[test]
fn one_that_is_detached_has_a_session_of_its_own_and_its_umask() {
    let home = tempfile::tempdir().unwrap();
    let log = File::create(home.path().join("log")).unwrap();
    let script = "umask; cut -d' ' -f6 /proc/$$/stat; echo $$ > pid";
    let pid = shell(script).in_directory(home.path()).with_umask(0o027).detach(log).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(home.path().join("pid")).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(std::fs::read_to_string(home.path().join("log")).unwrap(), format!("0027\n{pid}\n"));
}

/// Runs this test again below a shell that ignores what a program expects to be told.
#[test]
fn what_we_ignore_it_does_not() {
    const MARK: &str = "BLUEGREEN_TEST_IGNORES";
    let mask = |status: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        // 32 and 33 are the C library's
        u64::from_str_radix(line.trim(), 16).unwrap() & !(0b11 << 31)
    };
    if std::env::var_os(MARK).is_some() {
        assert_ne!(mask(&std::fs::read_to_string("/proc/self/status").unwrap()) & (1 << 24), 0, "XFSZ is ignored here");
        let said = Program::new(["cat", "/proc/self/status"]).run_blocking(Duration::from_secs(60)).unwrap();
        assert_eq!(mask(&said.out), 0, "{}", said.out);
        return;
    }
    let again = Command::new("sh")
        .args([
            "-c",
            "trap '' HUP INT QUIT TERM PIPE TSTP XFSZ URG WINCH IO SYS 37; exec \"$0\" --exact program::tests::what_we_ignore_it_does_not",
        ])
        .arg(std::env::current_exe().unwrap())
        .env(MARK, "")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && told.contains("1 passed"), "{told}");
}
