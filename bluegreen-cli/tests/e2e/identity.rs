//! Processes that call themselves nginx: root runs nothing of theirs, and nobody is stopped by them.

use std::{
    fs, io,
    net::{Shutdown, TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt as _, process::CommandExt as _},
    },
    process::{Child, Command, Stdio},
    thread,
};

use bluegreen_linux::users::User;
use bluegreen_rig::{Stage, skip, wait_for};
use rustix::process::{Pid, Signal, kill_process_group};

/// A process that is ended with the test.
struct False(Child);

impl False {
    /// `words` run by a shell as this user, with the listener of `port` and what it calls itself; `{title}` becomes a program of
    /// that title.
    fn start(stage: &Stage, port: &TcpListener, wrapper: &[&str], program: &str) -> Self {
        let pwn = stage.path("pwn.sh");
        fs::write(&pwn, format!("#!/bin/sh\ntouch {}\n", stage.path("pwned").display())).unwrap();
        fs::set_permissions(&pwn, fs::Permissions::from_mode(0o755)).unwrap();
        let title = format!("nginx: master process /usr/sbin/nginx -c {} -p root -p --", pwn.display());
        // it waits for a word that nobody says
        let script = format!("exec 3<&0; exec 0< <(exec sleep 600); exec -a '{title}' {program}");
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).args(["bash", "-c", &script]);
        command.stdin(OwnedFd::from(port.try_clone().unwrap())).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.process_group(0).spawn().unwrap();
        wait_for("a false title", || {
            let all = fs::read_dir("/proc").unwrap().flatten();
            let mut titles = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
            titles.any(|it| it.starts_with(&title))
        });
        Self(child)
    }
}

impl Drop for False {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.0.wait();
    }
}

const AS_MALLORY: [&str; 6] = ["setpriv", "--reuid", "64321", "--regid", "64321", "--clear-groups"];

/// A stage whose front door is held by somebody else, at this port.
fn held() -> Option<(Stage, TcpListener)> {
    if !rustix::process::geteuid().is_root() {
        skip("only root's rights are worth the trouble");
        return None;
    }
    let mut stage = Stage::marker()?;
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    stage.set("proxy.nginx.url", format!("http://{}/", port.local_addr().unwrap()));
    Some((stage, port))
}

/// All that root does around nginx; with `words` in what the set-up says.
fn roots_life(stage: &Stage, says: &[&str]) {
    let ran = |words: &[&str]| {
        let ended = stage.spawn(words).wait();
        assert!(!stage.path("pwned").exists(), "root ran it: {words:?} {ended}");
        ended
    };
    for words in [&["setup", "--check"][..], &["setup", "--apply", "--yes"], &["setup", "--remove", "--yes"]] {
        let ended = ran(words);
        assert_eq!(ended.code, Some(3), "{ended}");
        ended.says(says);
    }
    assert_eq!(ran(&["check"]).code, Some(3));
    ran(&["init", "--print", "--", "x", "{port}"]);
}

/// `exec -a "nginx: master process ..." su`, as anybody may type it.
#[test]
fn root_runs_nothing_of_a_false_title_at_the_front_door() {
    let Some((stage, port)) = held() else { return };
    if !Command::new("su").arg("--version").output().is_ok_and(|su| su.status.success()) {
        return skip("there is no su");
    }
    let _false = False::start(&stage, &port, &AS_MALLORY, "su");
    roots_life(&stage, &["is held by something that is not seen to be nginx", "next  sudo ss -ltnp"]);
}

#[test]
fn root_runs_nothing_of_a_false_title_of_its_own_and_names_what_runs() {
    let Some((stage, port)) = held() else { return };
    let _false = False::start(&stage, &port, &["env"], "sleep 600");
    roots_life(&stage, &["and not /", "program = \"/"]);
}

#[test]
fn root_runs_and_changes_nothing_of_an_nginx_in_a_container() {
    let Some((stage, port)) = held() else { return };
    let container = ["unshare", "--pid", "--mount-proc", "--mount", "--fork", "--kill-child"];
    if !Command::new(container[0]).args(&container[1..]).arg("true").status().is_ok_and(|it| it.success()) {
        return skip("there are no namespaces");
    }
    let _false = False::start(&stage, &port, &container, "sleep 600");
    roots_life(&stage, &["runs in a container", "bluegreen setup --print http|server|location"]);
}

/// Whoever else runs: ours is stopped, and is to be started.
#[test]
fn a_stopped_nginx_is_to_be_started_whatever_runs_in_a_container() {
    let Some((mut stage, port)) = held() else { return };
    let container = ["unshare", "--pid", "--mount-proc", "--mount", "--fork", "--kill-child"];
    if !Command::new(container[0]).args(&container[1..]).arg("true").status().is_ok_and(|it| it.success()) {
        return skip("there are no namespaces");
    }
    stage.set("proxy.nginx.url", stage.nginx.url("/profile"));
    stage.deploy("v1", 0);
    let _false = False::start(&stage, &port, &container, "sleep 600");
    stage.nginx.stop().unwrap();
    let says = ["systemctl start nginx", "runs in a container"];
    stage.deploy("v2", 3).says(&says);
    stage.run(&["check"], 3).says(&says);
    stage.run(&["status"], 20).says(&says[..1]);
}

#[test]
fn root_sends_who_asks_for_another_users_nginx_to_that_user() {
    let Some((stage, port)) = held() else { return };
    let _false = False::start(&stage, &port, &AS_MALLORY, "sleep 600");
    roots_life(&stage, &["is run by user 64321", "as that user: sudo -u '#64321'"]);
}

/// With root's `PATH` somebody else chooses what root runs.
#[test]
fn what_root_runs_is_not_in_a_directory_of_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root's rights are worth the trouble");
    }
    let Some(stage) = Stage::marker() else { return };
    let theirs = stage.path("theirs");
    fs::create_dir(&theirs).unwrap();
    for name in ["nginx", "systemctl", "sudo", "lsof"] {
        let file = theirs.join(name);
        fs::write(&file, format!("#!/bin/sh\ntouch {}\n", stage.path("pwned").display())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::chown(&theirs, Some(64321), None).unwrap();
    let path = std::env::var("PATH").unwrap();
    for first in [theirs.display().to_string(), "theirs".to_owned(), ".".to_owned()] {
        for words in [&["setup", "--check"][..], &["check"], &["init", "--print", "--", "x", "{port}"]] {
            let mut command = stage.command(words);
            command.env("PATH", format!("{first}:{path}"));
            bluegreen_rig::Running::spawn(command).wait();
            assert!(!stage.path("pwned").exists(), "{first} {words:?}");
        }
    }
}

/// In marker mode the door and its proof are enough: false titles and no master that can be seen stop nobody.
#[test]
fn a_deploy_needs_no_master() {
    let Some(mut stage) = Stage::marker() else { return };
    let gone = stage.path("gone.pid");
    stage.set("proxy.nginx.pid_file", gone.to_str().unwrap());
    stage.run(&["check"], 0);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

/// In reload mode the workers of nginx are the evidence, and a title of somebody's is none of them.
#[test]
fn a_false_title_stops_no_deploy_of_reload_mode() {
    let Some(stage) = Stage::reload() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrapper: &[&str] = if rustix::process::geteuid().is_root() { &AS_MALLORY } else { &["env"] };
    let _false = False::start(&stage, &port, wrapper, "sleep 600");
    stage.deploy("v1", 0);
    stage.run(&["check"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

/// Who answers there is another user, who hands on to nginx what he likes: no word of his is nginx's.
#[test]
fn a_proof_of_another_user_at_the_front_door_proves_nothing() {
    let Some((mut stage, _)) = held() else { return };
    let nginx = stage.nginx.url("");
    stage.set("proxy.nginx.url", stage.nginx.url("/profile"));
    stage.deploy("v1", 0);
    let behind = nginx.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let theirs = User::by_number(64321, 64321).act(|| TcpListener::bind("127.0.0.1:0")).unwrap().unwrap();
    let port = theirs.local_addr().unwrap().port();
    thread::spawn(move || {
        for (from, to) in theirs.incoming().map(|user| (user.unwrap(), TcpStream::connect(&behind).unwrap())) {
            for (mut from, mut to) in [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)] {
                thread::spawn(move || io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write)));
            }
        }
    });
    let artifact = stage.artifact("v2");
    for host in ["127.0.0.1", "localhost"] {
        stage.set("proxy.nginx.allow_remote", host == "localhost");
        stage.set("proxy.nginx.url", format!("http://{host}:{port}/profile"));
        for (words, code) in
            [(&["status"][..], 20), (&["check"], 3), (&["deploy", &artifact], 3), (&["setup", "--check"], 3)]
        {
            stage.run(words, code).says(&["is held by user 64321, and not by nginx"]);
        }
    }
    assert_eq!(stage.front(), "v1 real1");
}
