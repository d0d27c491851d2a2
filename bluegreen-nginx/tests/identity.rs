//! Who nginx is, among those that call themselves so.

mod rig;

use std::{
    fs,
    net::TcpListener,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt as _, process::CommandExt as _},
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_nginx::{Master, MasterError};
use rig::{Nginx, binaries, home, is_root};

/// What an attacker calls his process: whoever obeys it runs his script.
const TITLE: &str = "nginx: master process /usr/sbin/nginx -c /tmp/pwn.sh -p root -p --";
/// A user without rights, and another one.
const NOBODY: &str = "65534";
const MALLORY: &str = "64321";

/// A process that is ended with the test.
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// With a title of its own choice, and `port` as an open listener.
    fn titled(mut command: Command, listener: Option<&TcpListener>) -> Self {
        let stdin = listener.map(|it| Stdio::from(OwnedFd::from(it.try_clone().unwrap())));
        command.stdin(stdin.unwrap_or_else(Stdio::null));
        let process = Self::start(command);
        process.until_titled();
        process
    }

    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// Until it, or its only child, is what it calls itself.
    fn until_titled(&self) -> i32 {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let pid = self.0.id();
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            let all = std::iter::once(pid).chain(children.split_whitespace().map(|child| child.parse().unwrap()));
            let is =
                |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|title| title.starts_with(b"nginx: "));
            if let Some(pid) = all.into_iter().find(is) {
                return pid.cast_signed();
            }
            assert!(Instant::now() < until, "it never had its title");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // a child of `unshare --kill-child` goes with it
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sleep() -> Command {
    let mut command = Command::new("sleep");
    command.arg0(TITLE).arg("600");
    command
}

fn as_user(uid: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", uid, "--regid", uid, "--clear-groups"]);
    command
}

/// The same through a shell, for what cannot be told another title.
fn shell() -> [String; 3] {
    ["bash".to_owned(), "-c".to_owned(), format!("exec -a '{TITLE}' sleep 600")]
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// What is found twice in a row: a child that another test has just forked holds the sockets of all until it is another program.
fn settled<T: PartialEq>(look: impl Fn() -> T) -> T {
    let mut found = look();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        let again = look();
        if again == found {
            break;
        }
        found = again;
    }
    found
}

fn root() -> bool {
    if !is_root() {
        eprintln!("SKIPPED: only root has other users, and is worth the trouble");
    }
    is_root()
}

#[test]
fn a_title_of_another_user_is_not_obeyed_and_named() {
    if !root() {
        return;
    }
    let (held, port) = listener();
    let mut command = as_user(MALLORY);
    command.args(shell());
    let process = Process::titled(command, Some(&held));
    let master = Master::new().with_front_door("127.0.0.1", port);
    let foreign = MasterError::Foreign { pid: process.pid(), uid: MALLORY.parse().unwrap() };
    assert_eq!(settled(|| master.command()), Err(foreign.clone()));
    // nor does a file that he wrote make it one
    let home = home();
    let pid_file = home.path().join("nginx.pid");
    fs::write(&pid_file, process.pid().to_string()).unwrap();
    assert_eq!(Master::new().with_pid_file(&pid_file).command(), Err(foreign));
}

/// `exec -a "nginx: master process ..." su`: it runs as root, for whoever called it.
#[test]
fn a_program_that_lends_roots_rights_is_no_master() {
    if !root() {
        return;
    }
    let home = home();
    let lent = home.path().join("sleep");
    fs::copy("/bin/sleep", &lent).unwrap();
    fs::set_permissions(&lent, fs::Permissions::from_mode(0o4755)).unwrap();
    let (held, port) = listener();
    let mut command = as_user(MALLORY);
    command.args(["bash", "-c", &format!("exec -a '{TITLE}' {} 600", lent.display())]);
    let process = Process::titled(command, Some(&held));
    let uids = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let uids = uids.lines().find(|line| line.starts_with("Uid:")).unwrap();
    if uids != format!("Uid:\t{MALLORY}\t0\t0\t0") {
        return eprintln!("SKIPPED: no program lends its rights here ({uids})");
    }
    assert_eq!(
        settled(|| Master::new().with_front_door("127.0.0.1", port).command()),
        Err(MasterError::Stranger(port))
    );
    let pid_file = home.path().join("nginx.pid");
    fs::write(&pid_file, process.pid().to_string()).unwrap();
    assert_eq!(Master::new().with_pid_file(&pid_file).pid(), Err(MasterError::PidFile(pid_file)));
}

/// Whatever root runs under that title.
#[test]
fn another_program_of_roots_is_not_run_in_its_name() {
    if !root() {
        return;
    }
    let (held, port) = listener();
    let process = Process::titled(sleep(), Some(&held));
    let found = settled(|| Master::new().with_front_door("127.0.0.1", port).command());
    assert!(matches!(&found, Err(MasterError::Other { pid, .. }) if *pid == process.pid()), "{found:?}");
}

#[test]
fn nginx_in_other_namespaces_is_named_and_left_alone() {
    if !root() {
        return;
    }
    for namespaces in [&["--pid", "--mount-proc"][..], &["--user", "--map-root-user"]] {
        let (held, port) = listener();
        let mut command = Command::new("unshare");
        command.args(namespaces).args(["--fork", "--kill-child"]).args(shell());
        command.stdin(Stdio::from(OwnedFd::from(held.try_clone().unwrap())));
        if !Command::new("unshare").args(namespaces).args(["--fork", "true"]).status().is_ok_and(|it| it.success()) {
            eprintln!("SKIPPED: no namespaces of {namespaces:?} here");
            continue;
        }
        let process = Process::start(command);
        let pid = process.until_titled();
        drop(held);
        let master = Master::new().with_front_door("127.0.0.1", port);
        assert_eq!(settled(|| master.command()), Err(MasterError::Elsewhere(pid)), "{namespaces:?}");
        assert_eq!(settled(|| master.pid()), Err(MasterError::Elsewhere(pid)), "{namespaces:?}");
        // where nobody is at the front door, ours is stopped, whoever else runs
        let (nobody, port) = listener();
        drop(nobody);
        let stopped = Master::new().with_front_door("127.0.0.1", port);
        assert!(matches!(stopped.pid(), Err(MasterError::NotRunning(Some(_)))), "{:?}", stopped.pid());
        assert_eq!(stopped.command().map(|command| command.len()), Ok(1));
        let said = stopped.pid().unwrap_err().to_string();
        let (start, other) = (said.find("not running").unwrap(), said.find("in a container").unwrap());
        assert!(start < other, "{said}");
    }
}

/// A snap has another root, and a unit with `PrivateTmp=` only another namespace of mounts.
#[test]
fn another_root_is_elsewhere_and_other_mounts_are_not() {
    if !root() {
        return;
    }
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--fork", "--kill-child", "sh", "-ec", script]);
        command
    };
    if !unshare("mount -t tmpfs none /mnt").status().is_ok_and(|it| it.success()) {
        return eprintln!("SKIPPED: nothing can be mounted here");
    }
    let title = shell()[2].clone();
    let new_root = format!(
        "mount -t tmpfs none /mnt; cd /mnt; for d in usr bin lib lib64; do if [ -L /$d ]; then cp -P /$d .; \
         elif [ -d /$d ]; then mkdir $d; mount --bind /$d $d; fi; done; exec chroot . bash -c \"{title}\""
    );
    let other_mounts = format!("mount -t tmpfs none /mnt; exec bash -c \"{title}\"");
    for (script, elsewhere) in [(new_root, true), (other_mounts, false)] {
        let (held, port) = listener();
        let mut command = unshare(&script);
        command.stdin(Stdio::from(OwnedFd::from(held.try_clone().unwrap())));
        let process = Process::start(command);
        let pid = process.until_titled();
        drop(held);
        match settled(|| Master::new().with_front_door("127.0.0.1", port).command()) {
            Err(MasterError::Elsewhere(found)) => assert!(elsewhere && found == pid),
            Err(MasterError::Other { pid: found, .. }) => assert!(!elsewhere && found == pid),
            other => panic!("{other:?}"),
        }
    }
}

/// What `binary` would be called by, with the words of the rig.
fn called(binary: &Path, nginx: &Nginx) -> Vec<String> {
    let at = |name: &str| nginx.prefix.join(name).display().to_string();
    [binary.display().to_string(), "-p".into(), at(""), "-c".into(), at("nginx.conf"), "-e".into(), at("error.log")]
        .into()
}

#[tokio::test]
async fn a_real_one_is_called_as_it_was_started() {
    for binary in binaries() {
        let home = home();
        let nginx = Nginx::start(&binary, home.path(), "server { listen 127.0.0.1:{port}; }").await;
        let master = Master::new().with_front_door("127.0.0.1", nginx.address.port()).with_program(&binary);
        // a title of ours is none of its own
        let _false = Process::titled(sleep(), None);
        assert_eq!(master.command(), Ok(called(&binary, &nginx)));
        assert_eq!(nginx.master().with_program(&binary).command(), Ok(called(&binary, &nginx)));
        assert!(!master.is_older());
        let other = master.clone().with_program("/bin/sleep").command();
        assert!(matches!(other, Err(MasterError::Other { .. })), "{other:?}");
        // somebody else could exchange what is read as root
        fs::set_permissions(nginx.prefix.join("nginx.conf"), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(master.command(), Err(MasterError::Unsafe(nginx.prefix.join("nginx.conf"))));
    }
}

/// What becomes of the file of a program that runs.
const FATES: [&str; 4] = ["touched", "moved", "replaced", "removed"];

/// A directory for each fate, with the program and another one; a second name makes a copy-up of it another inode.
fn programs(home: &Path, binary: &Path) {
    for fate in FATES {
        let own = home.join(fate);
        fs::create_dir_all(&own).unwrap();
        fs::copy(binary, own.join("nginx")).unwrap();
        fs::hard_link(own.join("nginx"), own.join("second")).unwrap();
        fs::copy(binary, own.join("new")).unwrap();
    }
}

async fn fates(programs: &Path) {
    for fate in FATES {
        let own = programs.join(fate);
        let (program, new, aside) = (own.join("nginx"), own.join("new"), own.join("nginx (deleted)"));
        let home = home();
        let nginx = Nginx::start(&program, home.path(), "server { listen 127.0.0.1:{port}; }").await;
        let master = Master::new().with_front_door("127.0.0.1", nginx.address.port()).with_program(&program);
        assert_eq!((master.is_older(), master.command()), (false, Ok(called(&program, &nginx))), "{fate}");
        match fate {
            // on an overlay it is copied up
            "touched" => fs::set_permissions(&program, fs::Permissions::from_mode(0o555)).unwrap(),
            // as `make install` does it; the name is what the kernel would say of one that is gone
            "moved" => {
                fs::rename(&program, &aside).unwrap();
                fs::rename(&new, &program).unwrap();
            }
            "replaced" => fs::rename(&new, &program).unwrap(),
            _ => fs::remove_file(&program).unwrap(),
        }
        let (older, found, pid) = (master.is_older(), master.command(), master.pid().unwrap().cast_signed());
        match fate {
            "touched" => assert_eq!((older, found), (false, Ok(called(&program, &nginx)))),
            "moved" => {
                let other = MasterError::Other { pid, running: Some(aside), known: Some(program.clone()) };
                assert_eq!((older, found), (false, Err(other)));
            }
            "replaced" => assert_eq!((older, found), (true, Ok(called(&program, &nginx)))),
            _ if is_root() => assert_eq!((older, found), (true, Err(MasterError::Gone(pid)))),
            _ => assert!(older),
        }
    }
}

#[tokio::test]
async fn one_whose_program_was_replaced_is_older_and_called_by_the_new_one() {
    let Some(binary) = binaries().into_iter().next() else { return };
    let home = home();
    programs(home.path(), &binary);
    fates(home.path()).await;
}

/// Where the count of links stays and numbers change.
#[test]
fn the_same_on_an_overlay() {
    let Some(binary) = binaries().into_iter().next() else { return };
    let home = home();
    let lower = home.path().join("lower");
    fs::create_dir(&lower).unwrap();
    programs(&lower, &binary);
    let script =
        "mount -t tmpfs t /mnt && cd /mnt && mkdir u w m && mount -t overlay o -o lowerdir=$0,upperdir=u,workdir=w m";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c"]);
    let mut tried = Command::new("unshare");
    tried.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(&lower);
    if !tried.output().is_ok_and(|it| it.status.success()) {
        return eprintln!("SKIPPED: no overlay can be mounted here");
    }
    let test = std::env::current_exe().unwrap();
    command.arg(format!("{script} && PROGRAMS=/mnt/m exec \"$1\" --exact on_an_overlay --nocapture")).arg(&lower);
    let ended = command.arg(test).output().unwrap();
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(said.contains("fates are as they should be"), "{said}");
}

/// Not a test of its own: what the test above runs there.
#[tokio::test]
async fn on_an_overlay() {
    let Ok(programs) = std::env::var("PROGRAMS") else { return };
    fates(Path::new(&programs)).await;
    println!("fates are as they should be");
}

#[tokio::test]
async fn an_nginx_of_a_third_user_is_for_that_user() {
    if !root() {
        return;
    }
    let Some(binary) = binaries().into_iter().next() else { return };
    let home = home();
    let (held, port) = listener();
    drop(held);
    let prefix = home.path();
    fs::write(
        prefix.join("nginx.conf"),
        format!(
            "daemon off; pid {0}/nginx.pid; error_log {0}/error.log; events {{}} http {{ access_log off; \
             client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; \
             scgi_temp_path {0}/e; server {{ listen 127.0.0.1:{port}; }} }}",
            prefix.display()
        ),
    )
    .unwrap();
    std::os::unix::fs::chown(prefix, Some(NOBODY.parse().unwrap()), None).unwrap();
    let mut command = as_user(NOBODY);
    command.arg(&binary).arg("-p").arg(prefix).arg("-c").arg(prefix.join("nginx.conf"));
    command.arg("-e").arg(prefix.join("error.log"));
    let process = Process::titled(command, None);
    let master = Master::new().with_front_door("127.0.0.1", port);
    let until = Instant::now() + Duration::from_secs(60);
    while master.worker().is_err() {
        assert!(Instant::now() < until, "{:?}", master.worker());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let uid = NOBODY.parse().unwrap();
    assert_eq!(master.command(), Err(MasterError::Foreign { pid: process.pid(), uid }));
    // nginx ends its workers itself
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(process.pid()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    while master.worker().is_ok() {
        assert!(Instant::now() < until, "its workers stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Who sees neither programs nor sockets of root's is not stopped by anybody's title.
#[tokio::test]
async fn a_user_without_rights_finds_roots_nginx_among_false_ones() {
    if !root() {
        return;
    }
    let Some(binary) = binaries().into_iter().next() else { return };
    let home = home();
    let nginx = Nginx::start(&binary, home.path(), "server { listen 127.0.0.1:{port}; }").await;
    let mut mallory = as_user(MALLORY);
    mallory.args(shell());
    let (his, roots) = (Process::titled(mallory, None), Process::titled(sleep(), None));
    let test = std::env::current_exe().unwrap();
    let mut again = as_user(NOBODY);
    again.arg(&test).args(["--exact", "looks", "--nocapture"]).env("DOOR", nginx.address.port().to_string());
    let again = again.current_dir("/").output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    if !said.contains("1 passed") {
        return eprintln!("SKIPPED: another user cannot reach {}", test.display());
    }
    // where other nginx of root's run, as those of other tests, a pid file is needed to tell them apart; false ones never count
    let found = said.lines().find(|line| line.starts_with("found ")).unwrap();
    let has = |pid: i32| found.split(|c: char| !c.is_ascii_digit()).any(|number| number == pid.to_string());
    let pid = fs::read_to_string(nginx.prefix.join("nginx.pid")).unwrap().trim().parse().unwrap();
    assert!(has(pid) && !has(his.pid()) && !has(roots.pid()), "{found}");
}

/// Not a test of its own: the look of the test above.
#[test]
fn looks() {
    let Ok(door) = std::env::var("DOOR") else { return };
    println!("found {:?}", Master::new().with_front_door("127.0.0.1", door.parse().unwrap()).pid());
}
