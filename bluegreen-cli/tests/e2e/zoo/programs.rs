//! Those that cannot even be started, and those that become somebody else.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::PermissionsExt as _,
};

use bluegreen_rig::skip;

use super::Zoo;

#[test]
fn what_cannot_be_executed_is_named_with_its_reason() {
    let Some(mut zoo) = Zoo::open() else { return };
    let file = |name: &str, text: &str, mode| {
        let path = zoo.stage.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = file("plain", "#!/bin/sh\n", 0o644);
    let lost = file("lost", "#!/no/such/interpreter -x\n", 0o755);
    let windows = file("windows", "#!/bin/sh\r\nexit 0\r\n", 0o755);
    let text = file("text", "just text\n", 0o755);
    let busy = file("busy", "#!/bin/sh\n", 0o755);
    let missing = zoo.stage.path("missing").to_str().unwrap().to_owned();
    let _writer = OpenOptions::new().append(true).open(&busy).unwrap();
    // what can be seen before the deploy is refused then
    for (program, exit, says) in [
        (missing, 3, "there is no "),
        (plain, 3, "is not executable"),
        (lost, 3, "names the interpreter \"/no/such/interpreter\", which is not there"),
        (windows, 3, "names the interpreter \"/bin/sh\\r\", which is not there"),
        (busy, 11, "somebody still writes to it"),
    ] {
        let mut command = zoo.command(&[], "good");
        command[0].clone_from(&program);
        if exit == 3 {
            zoo.deploy_command(command, "seen", 3).says(&[&program, says, "traffic  untouched"]);
        } else {
            zoo.refuses_command(command, exit, &[&program, says, "next  bluegreen check"]);
        }
    }
    // a shell runs it
    let mut command = zoo.command(&[], "good");
    command[0] = text;
    let says = "exited with code 127, which in a shell means: there is no such program";
    zoo.refuses_command(command, 10, &["just: ", "not found", says]);
    zoo.closes();
}

/// Started by root, and somebody else before it listens.
#[test]
fn one_that_drops_its_rights_is_still_ours() {
    if !rustix::process::geteuid().is_root() {
        return skip("needs root");
    }
    let Some(mut zoo) = Zoo::open() else { return };
    // where another user can reach it
    let copy = zoo.stage.path("app");
    fs::copy(super::program(), &copy).unwrap();
    fs::set_permissions(zoo.book(), fs::Permissions::from_mode(0o666)).unwrap();
    let become_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut command = zoo.command(&become_nobody, "drains");
    command[become_nobody.len()] = copy.to_str().unwrap().to_owned();
    zoo.deploy_command(command, "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    let pid = zoo.stage.pid("active");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("Uid:\t65534\t"), "{status}");
    zoo.closes();
}
