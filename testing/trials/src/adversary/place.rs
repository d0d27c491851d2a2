//! What can be done on the machine.

use std::{
    fs::{self, File, Permissions},
    io::{Read as _, Seek as _},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Who types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Root,
    Deploy,
    Mallory,
}

pub(super) const USERS: [Who; 2] = [Who::Deploy, Who::Mallory];

impl Who {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Deploy => "deploy",
            Self::Mallory => "mallory",
        }
    }

    pub(super) const fn uid(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::Deploy => 4001,
            Self::Mallory => 4002,
        }
    }

    pub(super) fn home(self) -> String {
        if self == Self::Root { "/root".to_owned() } else { format!("/home/{}", self.name()) }
    }
}

/// How something ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// 128 and more after a signal, as a shell says it.
    pub(super) code: i32,
    /// All that it wrote, to both.
    pub(super) text: String,
    pub(super) out: String,
    /// It had to be killed.
    pub(super) hung: bool,
}

impl Ended {
    /// Its code and its most telling line, for the table.
    pub(super) fn brief(&self) -> String {
        let line = self.text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let told = self.text.lines().map(str::trim).find(|line| line.starts_with(['✗', '!', 'e'])).unwrap_or(line);
        let told: String = told.chars().take(110).collect();
        if self.hung { format!("hung ({told})") } else { format!("exit {}: {told}", self.code) }
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ").contains(text)
    }
}

/// The machine, from inside.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) verbose: bool,
}

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_secs(40);

#[expect(clippy::unused_self, reason = "what is done there is done by it")]
impl Place {
    /// A line of bash, as somebody who has just logged in.
    pub(super) fn run(&self, who: Who, line: &str) -> Ended {
        self.run_within(who, line, PATIENCE)
    }

    pub(super) fn run_within(&self, who: Who, line: &str, patience: Duration) -> Ended {
        let (out, text) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let mut command = shell(who, line);
        // each to its own end of the file, whoever writes
        let append = |file: &tempfile::NamedTempFile| File::options().append(true).open(file.path()).unwrap();
        command.stdout(append(&out)).stderr(append(&text));
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        let (code, hung) = loop {
            match child.try_wait().unwrap() {
                Some(status) => break (status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)), false),
                None if began.elapsed() > patience => {
                    end(&mut child);
                    break (137, true);
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let read = |file: tempfile::NamedTempFile| {
            let mut bytes = Vec::new();
            let mut file = file.into_file();
            file.rewind().unwrap();
            file.take(1 << 20).read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (out, err) = (read(out), read(text));
        let ended = Ended { code, text: format!("{out}{err}"), out, hung };
        if self.verbose {
            eprintln!("{}$ {line}\n{}-> {code}{}", who.name(), ended.text, if hung { ", killed" } else { "" });
        }
        ended
    }

    /// The same, which must succeed: without it there is no attack.
    #[track_caller]
    pub(super) fn must(&self, who: Who, line: &str) -> Ended {
        let ended = self.run(who, line);
        assert_eq!(ended.code, 0, "{}$ {line}: {}", who.name(), ended.text);
        ended
    }

    /// One that goes on until the machine is taken down.
    pub(super) fn leave(&self, who: Who, line: &str) -> Child {
        if self.verbose {
            eprintln!("{}$ {line} &", who.name());
        }
        let mut command = shell(who, line);
        if !self.verbose {
            command.stderr(Stdio::null());
        }
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    /// Writes a file with its directories, as its owner would have it.
    pub(super) fn write(&self, who: Who, mode: u32, path: &str, text: &str) {
        let path = Path::new(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        chown(path, Some(who.uid()), Some(who.uid())).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits a bounded time until it is so.
    #[track_caller]
    pub(super) fn wait(&self, what: &str, mut so: impl FnMut() -> bool) {
        assert!(self.comes(PATIENCE, &mut so), "waited in vain for {what}");
    }

    /// Whether it comes to be so.
    pub(super) fn comes(&self, within: Duration, mut so: impl FnMut() -> bool) -> bool {
        let began = Instant::now();
        while !so() {
            if began.elapsed() > within {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// Two users with homes, beside those of the machine below.
    pub(super) fn users(&self) {
        for who in USERS {
            let (name, uid, home) = (who.name(), who.uid(), who.home());
            let line = |file: &str, text: String| {
                let text = fs::read_to_string(file).unwrap_or_default() + &text + "\n";
                fs::write(file, text).unwrap();
            };
            line("/etc/passwd", format!("{name}:x:{uid}:{uid}::{home}:/bin/bash"));
            line("/etc/group", format!("{name}:x:{uid}:"));
            fs::create_dir_all(&home).unwrap();
            chown(&home, Some(uid), Some(uid)).unwrap();
            fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
        }
    }
}

fn shell(who: Who, line: &str) -> Command {
    let mut command = match who {
        Who::Root => Command::new("bash"),
        user => {
            let mut command = Command::new("setpriv");
            let uid = user.uid().to_string();
            command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--inh-caps=-all", "bash"]);
            command
        }
    };
    command.args(["-c", line]).env_clear().process_group(0).stdin(Stdio::null());
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    command.env("PATH", path).env("HOME", who.home()).env("USER", who.name()).env("LOGNAME", who.name());
    command.env("LANG", "C.UTF-8").env("SHELL", "/bin/bash").current_dir(who.home());
    command
}

/// Its own child, not waited for yet, and who is in its group.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    child.wait().unwrap();
}
