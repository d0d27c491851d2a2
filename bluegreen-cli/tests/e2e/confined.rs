//! What a deploy touches, by its system calls: nothing outside its directories, nobody but this machine.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use bluegreen_rig::{Running, Stage, bluegreen, skip};
use regex::Regex;

/// All that changes a file or a directory, or reaches somebody; `?`: not on every machine.
const CALLS: &str = "trace=listen,?open,openat,?openat2,?creat,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,\
                     ?unlink,unlinkat,?rmdir,?mkdir,mkdirat,?mknod,mknodat,?chmod,fchmod,fchmodat,?chown,fchown,?lchown,\
                     fchownat,truncate,ftruncate,utimensat,setxattr,lsetxattr,fsetxattr,mount,connect,bind,sendto,sendmsg";

static CALL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(\w+)\((.*)\)\s+= (\S.*)$").unwrap());
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?:\w+<(/[^>]*)>)|"((?:[^"\\]|\\.)*)""#).unwrap());

/// What a line of strace says that was done elsewhere than below `home`.
fn elsewhere(line: &str, home: &Path) -> Option<String> {
    let call = CALL.captures(line)?;
    let (name, arguments, result) = (&call[1], &call[2], &call[3]);
    // nothing has happened; but who dials the network would have reached it elsewhere
    if result.starts_with('-') && !(name == "connect" && arguments.contains("sa_family=AF_INET")) {
        return None;
    }
    let found = || Some(line.to_owned());
    // a name of the network that is taken and given back asks whether somebody has it; to listen there would be another thing
    if name == "listen" {
        return found();
    }
    if name == "bind" && arguments.contains("sa_family=AF_INET") {
        return None;
    }
    if ["connect", "bind", "sendto", "sendmsg"].contains(&name) {
        let here = ["sin_addr=inet_addr(\"127.", "\"::1\"", "AF_NETLINK"].iter().any(|here| arguments.contains(here));
        return if here || !arguments.contains("sa_family=") { None } else { found() };
    }
    let mut touched: Vec<PathBuf> = Vec::new();
    if name.starts_with("open") {
        if !["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"].iter().any(|flag| arguments.contains(flag)) {
            return None;
        }
        // what was opened, wherever links led
        touched.extend(PATH.captures(result).and_then(|path| Some(path.get(1)?.as_str().into())));
    } else {
        let mut at = home.to_owned();
        for path in PATH.captures_iter(arguments) {
            match (path.get(1), path.get(2)) {
                (Some(directory), _) => at = directory.as_str().into(),
                (_, Some(path)) => touched.push(at.join(path.as_str())),
                _ => {}
            }
        }
        match name {
            "symlink" | "symlinkat" => drop(touched.drain(..touched.len().saturating_sub(1))),
            _ if touched.is_empty() => touched.push(at),
            _ => {}
        }
    }
    let allowed = |path: &PathBuf| path.starts_with(home) || path == Path::new("/dev/null");
    if touched.iter().all(allowed) { None } else { found() }
}

#[test]
fn what_is_done_elsewhere_is_seen() {
    let home = Path::new("/h");
    for bad in [
        r#"openat(AT_FDCWD</h>, "/etc/x", O_WRONLY|O_CREAT, 0600) = 3</etc/x>"#,
        r#"openat(AT_FDCWD</h>, "link", O_RDWR) = 3</etc/x>"#,
        r#"rename("/h/a", "/etc/b") = 0"#,
        r#"renameat2(4</h/a>, "a", 5</etc>, "b", 0) = 0"#,
        r#"symlinkat("x", 4</etc>, "y") = 0"#,
        r"fchmod(3</etc/x>, 0777) = 0",
        r#"unlinkat(AT_FDCWD</etc>, "x", 0) = 0"#,
        r#"connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS (Operation now in progress)"#,
        r#"connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH (Network is unreachable)"#,
        r"listen(3<TCP:[1]>, 128) = 0",
        r#"bind(3<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0"#,
        r#"connect(3<UNIX:[1]>, {sa_family=AF_UNIX, sun_path="/run/nscd/socket"}, 110) = 0"#,
    ] {
        assert!(elsewhere(bad, home).is_some(), "{bad}");
    }
    for good in [
        r#"openat(AT_FDCWD</h>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>"#,
        r#"openat(AT_FDCWD</h>, "/etc/x", O_WRONLY|O_CREAT, 0600) = -1 EACCES (Permission denied)"#,
        r#"openat(AT_FDCWD</h>, "state", O_WRONLY|O_CREAT, 0600) = 3</h/state>"#,
        r#"symlinkat("/etc", 4</h>, "y") = 0"#,
        r#"rename("a", "b") = 0"#,
        r#"connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0"#,
        r#"bind(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = 0"#,
        r"sendto(3<NETLINK:[1]>, [{nlmsg_len=72}], 72, 0, {sa_family=AF_NETLINK, nl_pid=0}, 12) = 72",
    ] {
        assert_eq!(elsewhere(good, home), None, "{good}");
    }
}

/// One that is not root.
const NOBODY: &str = "65534";

/// `words` under strace, as an ordinary user; what each thread did is in files below `traces`.
fn traced(stage: &Stage, words: &[&str], traces: &Path) -> Command {
    let deploy = stage.command(words);
    let mut command = Command::new("strace");
    if rustix::process::geteuid().is_root() {
        command = as_nobody("strace");
    }
    // what it starts is not what is asked about here
    command.args(["-ff", "-y", "-qq", "-s", "4096", "--detach-on=execve", "-e", CALLS, "-o"]).arg(traces.join("t"));
    command.arg(deploy.get_program()).args(deploy.get_args());
    command
        .current_dir(stage.home())
        .env_remove("BLUEGREEN_CONFIG")
        .env("HOME", stage.home())
        .env("TMPDIR", stage.home());
    command
}

/// A command as a user without rights.
fn as_nobody(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program);
    command
}

/// Whether such a user can reach the program and the schemas of what it prints; says so when not.
fn reaches() -> bool {
    let mut test = as_nobody("test");
    test.arg("-x").arg(bluegreen()).args(["-a", "-r", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    let reaches = test.output().is_ok_and(|output| output.status.success());
    if !reaches {
        skip("another user cannot reach the program");
    }
    reaches
}

/// Does all of `whole` as a user without rights, under strace: nothing outside the home is written, nobody outside this
/// machine is dialled. Whether it can be looked at here.
fn looked_at(stage: &Stage, traces: &Path, whole: &[&[&str]]) -> bool {
    let probe = Running::spawn(traced(stage, &["--version"], traces)).wait();
    if probe.code != Some(0) {
        skip(&format!("strace cannot trace here: {}", probe.err));
        return false;
    }
    for words in whole {
        let ended = Running::spawn(traced(stage, words, traces)).wait();
        assert_eq!(ended.code, Some(0), "{words:?} {ended}");
    }
    let files = fs::read_dir(traces).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let text: String = files.collect();
    let seen = |call: &str| text.lines().filter(|line| line.starts_with(call)).count();
    assert!(seen("openat(") > 100 && seen("connect(") > 10 && seen("rename") > 10, "strace saw it at work");
    let found: Vec<String> = text.lines().filter_map(|line| elsewhere(line, stage.home())).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    true
}

/// What is done by turns in both modes.
fn a_life<'a>(v1: &'a str, v2: &'a str) -> [Vec<&'a str>; 9] {
    [
        vec!["check"],
        vec!["deploy", v1],
        vec!["deploy", v2, "--format", "json"],
        vec!["rollback"],
        vec!["prepare", v2],
        vec!["abort"],
        vec!["recover"],
        vec!["status"],
        vec!["releases", "prune"],
    ]
}

fn lives_in_its_place(stage: &Stage) {
    let [v1, v2] = ["v1", "v2"].map(|version| stage.artifact(version));
    let traces = stage.path("traces");
    fs::create_dir(&traces).unwrap();
    if rustix::process::geteuid().is_root() {
        let given = Command::new("chown").args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(stage.home()).status();
        assert!(given.unwrap().success());
    }
    let life = a_life(&v1, &v2);
    let whole: Vec<&[&str]> = life.iter().map(Vec::as_slice).collect();
    if looked_at(stage, &traces, &whole) {
        assert_eq!(stage.front(), "v1 real1");
    }
}

#[test]
fn a_user_without_rights_deploys_and_touches_nothing_else() {
    let Some(stage) = Stage::marker() else { return };
    if !rustix::process::geteuid().is_root() || reaches() {
        lives_in_its_place(&stage);
    }
}

/// nginx is that user's own: who may not signal it cannot reload it.
#[test]
fn in_reload_mode_too() {
    if !rustix::process::geteuid().is_root() {
        let Some(stage) = Stage::reload() else { return };
        return lives_in_its_place(&stage);
    }
    if !reaches() {
        return;
    }
    // this very test, as nobody
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(home.path(), Some(65534), Some(65534)).unwrap();
    let mut again = as_nobody(std::env::current_exe().unwrap());
    again.args(["--exact", "confined::in_reload_mode_too", "--nocapture"]).current_dir(home.path());
    let again = again.env("HOME", home.path()).env("TMPDIR", home.path()).output().unwrap();
    let said = [again.stdout, again.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(again.status.success() && said[0].contains("1 passed"), "{}", said.concat());
    if let Some(skipped) = said[1].lines().find(|line| line.starts_with("SKIPPED")) {
        skip(skipped);
    }
}
