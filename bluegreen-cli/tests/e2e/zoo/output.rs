//! Those that print what they should not, or too much of it.

use std::{fs, process::Command};

use bluegreen_rig::{Running, wait_for};

use super::Zoo;

/// The longest line that may reach a terminal from a log.
const LINE: usize = 1000;

#[test]
fn a_flood_is_no_reason_to_fail() {
    let Some(mut zoo) = Zoo::open() else { return };
    for (version, profile) in [("v2", "real2"), ("v3", "real1")] {
        zoo.deploy("floods", version, 0);
        assert_eq!(zoo.stage.front(), format!("{version} {profile}"));
        // one at a time: two could leave a small machine no time for anything else
        let log = zoo.stage.state_dir().join(format!("logs/{profile}/current"));
        wait_for("a flood", || fs::metadata(&log).unwrap().len() > 8 << 20);
    }
    let ended = zoo.stage.run(&["logs", "real1", "-n", "5"], 0);
    assert!(ended.out.lines().count() <= 5 && ended.out.len() < 10_000, "{ended}");
    zoo.closes();
}

#[test]
fn escape_sequences_do_not_reach_the_terminal() {
    let Some(mut zoo) = Zoo::open() else { return };
    let ended = zoo.refuses("escapes", 10, &["│ no database"]);
    let json = zoo.stage.run(&["deploy", "--format", "json"], 10);
    let logs = zoo.stage.run(&["logs", "real2"], 0);
    for text in [&ended.out, &ended.err, &json.out, &json.err, &logs.out] {
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(acts), "{text:?}");
    }
    assert!(logs.out.contains("no database"));
    zoo.closes();
}

#[test]
fn a_line_without_an_end_is_cut() {
    let Some(mut zoo) = Zoo::open() else { return };
    let ended = zoo.refuses("one-line", 10, &["the end of it"]);
    assert!(ended.err.lines().all(|line| line.len() < LINE), "{ended}");
    zoo.closes();
}

#[test]
fn one_that_closes_its_output_is_served() {
    let Some(mut zoo) = Zoo::open() else { return };
    let command = zoo.command(&["sh", "-c", "exec >&- 2>&- <&-; exec \"$@\"", "sh"], "good");
    zoo.deploy_command(command, "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    zoo.closes();
}

/// Whoever waits for the end of a pipe or for a lock that the deploy had open does not wait for the app.
#[test]
fn nothing_that_the_caller_had_open_is_held() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("start.command", zoo.command(&[], "stubborn"));
    let deploy = zoo.stage.command(&["deploy", "--version", "v2"]);
    let lock = zoo.stage.path("lock");
    let mut shell = Command::new("bash");
    shell.args(["-c", "exec 7>&1 8>&2 9>\"$0\"; flock -n 9 || exit 99; \"$@\""]).arg(&lock);
    shell.arg(deploy.get_program()).args(deploy.get_args()).current_dir(zoo.stage.home());
    // returns only when nobody holds its pipes
    let ended = Running::spawn(shell).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(zoo.stage.front(), "v2 real2");
    fs::File::open(&lock).unwrap().try_lock().expect("nobody holds the lock of the script");
    zoo.stage.set("stop.grace", "300ms");
    zoo.closes();
}
