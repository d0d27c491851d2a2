//! What the article's scripts left on a port is taken over.

use std::process::{Command, Stdio};

use bluegreen_core::Route;

use bluegreen_rig::{Clients, Stage, lives, wait_for};

/// As start.sh does it: `nohup ... > nohup.out 2>&1 &`. Gives its pid.
pub(super) fn start_by_hand(stage: &Stage, profile: usize) -> u32 {
    let name = ["real1", "real2"][profile];
    let app = format!(
        "nohup {} __app --port {} --profile {name} --release old > nohup.out 2>&1 & echo $!",
        env!("CARGO_BIN_EXE_bluegreen"),
        stage.ports[profile]
    );
    let shell = Command::new("bash").args(["-c", &app]).current_dir(stage.home()).stderr(Stdio::null()).output();
    let pid = String::from_utf8(shell.unwrap().stdout).unwrap().trim().parse().unwrap();
    wait_for("the app", || stage.behind(profile) == format!("old {name}"));
    pid
}

#[test]
fn on_the_active_port_it_serves_on_and_is_the_old_release_of_the_next_deploy() {
    let Some(mut stage) = Stage::marker() else { return };
    let route = stage.route_dir();
    route.point(&Route::solo(route.profiles().first().clone())).unwrap();
    let old = start_by_hand(&stage, 0);
    let clients = Clients::at(&stage);
    stage.run(&["adopt"], 0).says(&["real1 is ours now", &old.to_string()]);
    assert_eq!(stage.status()["active"]["pid"], old);
    assert!(lives(old));
    stage.deploy("v1", 0);
    assert_eq!(stage.front(), "v1 real2");
    assert!(lives(old), "it is kept warm");
    stage.set("after_switch.previous", "stop");
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real1");
    assert!(!lives(old));
    clients.lost_nothing();
}

#[test]
fn on_the_idle_port_it_makes_room_for_a_deploy() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let old = start_by_hand(&stage, 1);
    let clients = Clients::at(&stage);
    // the plan is no yes either
    stage.run(&["plan", &stage.artifact("v2")], 3).says(&["FAILS: port", "bluegreen adopt real2"]);
    stage.deploy("v2", 11).says(&["bluegreen adopt real2"]);
    assert!(lives(old));
    stage.run(&["adopt", "real2"], 0);
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    assert!(!lives(old));
    clients.lost_nothing();
}

#[test]
fn without_adopting_the_active_port_a_first_deploy_leaves_the_old_one_alone() {
    let Some(stage) = Stage::reload() else { return };
    let old = start_by_hand(&stage, 1);
    assert_eq!(stage.front(), "old real2");
    stage.deploy("v1", 0);
    assert_eq!(stage.front(), "v1 real1");
    assert!(lives(old));
    stage.run(&["adopt", "real1"], 11).says(&["already"]);
    stage.run(&["adopt", "nobody"], 2);
}
