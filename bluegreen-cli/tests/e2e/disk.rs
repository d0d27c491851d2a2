//! A full disk.

use std::{fs, io::Write as _, path::Path, process::Command};

use crate::rig::{Clients, Stage, skip};

/// A small file system of its own for the state; gone with the value.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn at(dir: &'a Path) -> Option<Self> {
        let words = ["-t", "tmpfs", "-o", "size=1m,mode=755", "none"];
        let mounted = Command::new("mount").args(words).arg(dir).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        skip("only root can mount a small file system");
        None
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_refused_and_costs_nothing() {
    let Some(mut stage) = Stage::marker() else { return };
    // the route is in use already, so it stays on the large disk
    stage.set("route_dir", stage.state_dir().join("route").to_str().unwrap());
    let dir = stage.path("small");
    fs::create_dir(&dir).unwrap();
    let Some(small) = Small::at(&dir) else { return };
    stage.set("state_dir", dir.to_str().unwrap());
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    small.fill();
    stage.deploy("v2", 3).says(&["traffic  untouched", "bluegreen releases prune"]);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["check"], 3).says(&["free in"]);
    stage.run(&["status"], 0);
    small.free();
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_deploy_stops_it_before_the_switch() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("route_dir", stage.state_dir().join("route").to_str().unwrap());
    let dir = stage.path("small");
    fs::create_dir(&dir).unwrap();
    let Some(small) = Small::at(&dir) else { return };
    stage.set("state_dir", dir.to_str().unwrap());
    stage.deploy("v1", 0);
    let clients = Clients::at(&stage);
    stage.boots_in(600);
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    crate::rig::wait_for("v2 to start", || {
        fs::read_to_string(dir.join("state.json")).unwrap_or_default().contains("\"health\"")
    });
    small.fill();
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
