//! Root, who becomes the deploy user: what it does before that, by its system calls. `docs/rights.md` says the same of each call.

use std::{fs, path::Path, process::Command};

use bluegreen_rig::{Running, Stage, bluegreen, skip};

/// Who deploys here.
const NOBODY: u32 = 65534;

/// All that gives away, replaces or ends something, and what becomes another user; `?`: not on every machine.
const CALLS: &str = "trace=?chown,fchown,?lchown,fchownat,?chmod,fchmod,fchmodat,?rename,?renameat,renameat2,kill,tkill,\
                     tgkill,pidfd_send_signal,setuid,execve";

/// `words` under strace until this process is another program: that is the part of root.
fn traced(stage: &Stage, words: &[&str], trace: &Path) -> Command {
    let own = stage.command(words);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "64", "--detach-on=execve", "-e", CALLS, "-o"]).arg(trace);
    command.arg(own.get_program()).args(own.get_args()).current_dir(stage.home()).env_remove("BLUEGREEN_CONFIG");
    command.env("LIFECYCLE_EVENT", "AfterInstall");
    command
}

#[test]
fn root_does_nothing_before_it_is_the_deploy_user() {
    let Some(mut stage) = Stage::marker() else { return };
    let reach = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x"])
        .arg(bluegreen())
        .status();
    if !rustix::process::geteuid().is_root() || !reach.is_ok_and(|status| status.success()) {
        return skip("only root becomes another user, who must reach the program");
    }
    let trace = stage.path("trace");
    if Running::spawn(traced(&stage, &["--version"], &trace)).wait().code != Some(0) {
        return skip("strace cannot trace here");
    }
    stage.set("user", "nobody");
    stage.set("hook.artifact", "app-*");
    let given = Command::new("chown").arg("-R").arg(format!("{NOBODY}:{NOBODY}")).arg(stage.state_dir()).status();
    assert!(given.unwrap().success());
    let v1 = stage.artifact("v1");
    for words in [
        &["check"][..],
        &["plan", &v1],
        &["hook"],
        &["deploy", &v1],
        &["prepare", &v1],
        &["promote"],
        &["rollback", "--yes"],
        &["recover"],
        &["up"],
        &["status"],
        &["history"],
        &["logs"],
        &["releases", "prune"],
        &["profile"],
        &["metrics"],
    ] {
        let ended = Running::spawn(traced(&stage, words, &trace)).wait();
        assert!(ended.code == Some(0) || words[0] == "rollback", "{words:?} {ended}");
        let told = fs::read_to_string(&trace).unwrap();
        let done: Vec<&str> = told.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start())).collect();
        let theirs = done
            .iter()
            .position(|call| call.starts_with(&format!("setuid({NOBODY})")))
            .unwrap_or_else(|| panic!("{words:?} stays root:\n{told}"));
        // its own beginning, then who it becomes, then itself again as that user
        let before: Vec<&&str> = done[..theirs].iter().filter(|call| !call.starts_with("execve(")).collect();
        assert!(before.is_empty(), "{words:?} as root: {before:?}");
        assert!(
            done[theirs + 1..].iter().all(|call| call.starts_with("execve(\"/proc/self/exe\"")),
            "{words:?}:\n{told}"
        );
    }
    assert_eq!(stage.front(), "v1 real2");
}
