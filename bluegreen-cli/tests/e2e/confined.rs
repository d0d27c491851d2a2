//! What a deploy touches, by its system calls: nothing outside its directories, nobody but this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use bluegreen_rig::{Running, Stage, bluegreen, skip};
use regex::Regex;

/// All that changes a file or a directory, or reaches somebody; `?`: not on every machine.
const CALLS: &str = "trace=?open,openat,?openat2,?creat,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,\
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
        command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "strace"]);
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

#[test]
fn a_user_without_rights_deploys_and_touches_nothing_else() {
    let Some(stage) = Stage::marker() else { return };
    let (home, traces) = (stage.home(), stage.path("traces"));
    fs::create_dir(&traces).unwrap();
    let as_nobody = |program: &str, words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", program]).args(words);
        command.output().is_ok_and(|output| output.status.success())
    };
    if rustix::process::geteuid().is_root() {
        if !as_nobody("test", &["-x", bluegreen().to_str().unwrap()]) {
            return skip("another user cannot reach the program");
        }
        let given = Command::new("chown").args(["-R", &format!("{NOBODY}:{NOBODY}")]).arg(home).status();
        assert!(given.unwrap().success());
    }
    let [v1, v2] = ["v1", "v2"].map(|version| stage.artifact(version));
    let probe = Running::spawn(traced(&stage, &["--version"], &traces)).wait();
    if probe.code != Some(0) {
        return skip(&format!("strace cannot trace here: {}", probe.err));
    }
    let whole: [(&[&str], i32); 9] = [
        (&["check"], 0),
        (&["deploy", &v1], 0),
        (&["deploy", &v2, "--format", "json"], 0),
        (&["rollback"], 0),
        (&["prepare", &v2], 0),
        (&["abort"], 0),
        (&["recover"], 0),
        (&["status"], 0),
        (&["releases", "prune"], 0),
    ];
    for (words, code) in whole {
        let ended = Running::spawn(traced(&stage, words, &traces)).wait();
        assert_eq!(ended.code, Some(code), "{words:?} {ended}");
    }
    assert_eq!(stage.front(), "v1 real1");
    let files = fs::read_dir(&traces).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let text: String = files.collect();
    let seen = |call: &str| text.lines().filter(|line| line.starts_with(call)).count();
    assert!(seen("openat(") > 100 && seen("connect(") > 20 && seen("rename") > 10, "strace saw it at work");
    let found: Vec<String> = text.lines().filter_map(|line| elsewhere(line, home)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
