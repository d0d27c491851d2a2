//! A full disk.

use std::{fs, io::Write as _, path::PathBuf, process::Command};

use bluegreen_rig::{Clients, Stage, below, kill, skip, wait_for};

/// A small file system of its own for the state; gone with the value.
struct Small(PathBuf);

impl Small {
    fn state(stage: &mut Stage) -> Option<Self> {
        let dir = stage.path("small");
        fs::create_dir(&dir).unwrap();
        // more than the reserve that a deploy insists on
        let words = ["-t", "tmpfs", "-o", "size=24m,mode=755", "none"];
        let mounted = Command::new("mount").args(words).arg(&dir).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            skip("only root can mount a small file system");
            return None;
        }
        // nginx looks at the route already, so that stays where it is
        stage.set("route_dir", stage.state_dir().join("route").to_str().unwrap());
        stage.set("state_dir", dir.to_str().unwrap());
        Some(Self(dir))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // once it is unmounted they could not be found any more
        below(&self.0).into_iter().for_each(kill);
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_refused_and_costs_nothing() {
    let Some(mut stage) = Stage::marker() else { return };
    let Some(small) = Small::state(&mut stage) else { return };
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    small.fill();
    stage.deploy("v2", 3).says(&["traffic  untouched", "bluegreen releases prune"]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["check"], 3).says(&["free, and the next release wants", "releases prune"]);
    stage.run(&["status"], 0);
    small.free();
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_deploy_stops_it_before_the_switch() {
    let Some(mut stage) = Stage::marker() else { return };
    let Some(small) = Small::state(&mut stage) else { return };
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    stage.boots_on_cue();
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    wait_for("v2", || fs::read_to_string(small.0.join("state.json")).unwrap_or_default().contains("\"health\""));
    small.fill();
    stage.boot();
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(1), "{ended}");
    ended.says(&["could not be saved", "bluegreen recover", "state.json"]);
    assert_eq!(stage.front(), "v1 real1");
    small.free();
    stage.run(&["recover"], 0);
    assert_eq!(stage.front(), "v1 real1");
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}
