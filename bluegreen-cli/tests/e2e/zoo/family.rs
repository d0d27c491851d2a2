//! Those that are more than one process.

use bluegreen_process::{PortOwners as _, ProcPorts};
use bluegreen_rig::{kill, wait_for};

use super::Zoo;

/// Children in the session of the app and in another one go with it, and serve with it until then.
#[test]
fn children_go_with_their_parent() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("parent", "v2", 0);
    // itself, its two children, and v1
    wait_for("the family", || zoo.living().len() == 4);
    zoo.deploy("twin", "v3", 0);
    wait_for("both families", || zoo.living().len() == 5);
    assert_eq!(zoo.stage.front(), "v3 real1");
    // each is followed by a good one: nothing of them is left
    zoo.closes();
}

#[test]
fn children_of_one_that_was_refused_go_too() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.refuses_in_time("bad-parent", &["the process that was started exited with code 5", "cannot reach the broker"]);
    zoo.closes();
}

#[test]
fn the_real_app_behind_a_shell_is_asked_to_end() {
    let Some(mut zoo) = Zoo::open() else { return };
    let shells: [&[&str]; 4] = [
        &["sh", "-c", "\"$@\"; echo over", "sh"],
        &["sh", "-c", "exec \"$@\"", "sh"],
        &["bash", "-c", "trap '' TERM; \"$@\" & wait", "bash"],
        &["setsid"],
    ];
    for (at, shell) in shells.into_iter().enumerate() {
        let (version, profile) = (format!("s{at}"), ["real2", "real1"][at % 2]);
        let command = zoo.command(shell, "drains");
        zoo.deploy_command(command, &version, 0);
        assert_eq!(zoo.stage.front(), format!("{version} {profile}"));
    }
    zoo.stage.set("start.command", zoo.command(&[], "good"));
    let logs =
        |at: usize| std::fs::read_to_string(zoo.stage.state_dir().join(format!("logs/real2/00000{at}.log"))).unwrap();
    // the first shell was stopped for the third: its child was asked, and could end as it wanted
    assert!(logs(1).contains("drained"), "{}", logs(1));
    zoo.closes();
}

/// `pm2 start` twice is one daemon: to end the idle release would end the active one.
#[test]
fn a_daemon_of_both_profiles_is_never_ended_with_the_idle_one() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("pooled", "v2", 0);
    zoo.deploy("pooled", "v3", 0);
    let (active, idle) = (zoo.stage.pid("active"), zoo.stage.pid("idle"));
    let living = zoo.living();
    let says = ["real2 and real1 share processes", "which answers on real1", "traffic  real1 has it, as before"];
    zoo.deploy("good", "v4", 11).says(&says).says(&[&format!("without pid {active} ")]);
    assert_eq!((zoo.stage.front(), zoo.living()), ("v3 real1".into(), living.clone()), "nothing was signalled");
    // its own tool ends the server; what is left serves the active one, and is let go
    let at = ([127, 0, 0, 1], zoo.stage.ports[1]).into();
    let listener = ProcPorts.answering(at, &[]).unwrap().pop().unwrap();
    assert!(listener.pids != [idle], "{listener:?}");
    kill(listener.pids[0]);
    wait_for("the end of the idle server", || zoo.stage.is_free(1));
    zoo.deploy("good", "v4", 0);
    assert_eq!(zoo.stage.front(), "v4 real2");
    assert!(bluegreen_rig::lives(active));
    // the daemon is nobody's now
    zoo.deploy("good", "v5", 0);
    kill(idle);
    zoo.closes();
}
