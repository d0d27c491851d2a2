//! Apps that misbehave: `examples/zoo`. Whatever they do, the traffic stays right, nothing of ours is left behind, nothing
//! foreign is touched, the sentence says what is wrong, and the next plain deploy works.

mod family;
mod health;
mod output;
mod pids;
mod ports;
mod programs;
mod start;
mod stop;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use bluegreen_rig::{Clients, Ended, Stage, kill, lives, wait_for};

/// A stage under load on which a good release serves from real1, and something foreign runs beside it.
struct Zoo {
    stage: Stage,
    clients: Option<Clients>,
    foreign: Vec<Child>,
}

/// Cargo builds it before the tests of this package.
fn program() -> PathBuf {
    let program = bluegreen_rig::bluegreen().with_file_name("examples").join("zoo");
    let build = "build it with `cargo build -p bluegreen-cli --example zoo`";
    assert!(program.is_file(), "there is no {}: {build}", program.display());
    program
}

impl Zoo {
    fn open() -> Option<Self> {
        let mut zoo = Self { stage: Stage::marker()?, clients: None, foreign: Vec::new() };
        zoo.patient();
        zoo.stage.set("after_switch.bake", "100ms");
        zoo.stage.set("after_switch.settle", "100ms");
        zoo.stranger("bystander", 0);
        zoo.deploy("good", "v1", 0);
        // few: many such tests run at the same time
        zoo.clients = Some(Clients::some(&zoo.stage, 3));
        Some(zoo)
    }

    /// A release that is good, and slow with the machine, has all the time that it needs.
    fn patient(&mut self) {
        self.stage.set("health.deadline", "90s");
        self.stage.set("health.timeout", "5s");
    }

    /// The command of an animal; words in front of it are a wrapper.
    fn command(&self, before: &[&str], kind: &str) -> Vec<String> {
        let (program, book) = (program(), self.book());
        let words = [program.to_str().unwrap(), kind, book.to_str().unwrap(), "{port}", "{profile}", "{version}"];
        before.iter().chain(&words).map(ToString::to_string).collect()
    }

    #[track_caller]
    fn deploy(&mut self, kind: &str, version: &str, code: i32) -> Ended {
        let command = self.command(&[], kind);
        self.deploy_command(command, version, code)
    }

    #[track_caller]
    fn deploy_command(&mut self, command: Vec<String>, version: &str, code: i32) -> Ended {
        self.stage.set("start.command", command);
        self.stage.run(&["deploy", "--version", version], code)
    }

    /// Deploys one that must not get the traffic: nothing of it stays.
    #[track_caller]
    fn refuses(&mut self, kind: &str, code: i32, says: &[&str]) -> Ended {
        let command = self.command(&[], kind);
        self.refuses_command(command, code, says)
    }

    #[track_caller]
    fn refuses_command(&mut self, command: Vec<String>, code: i32, says: &[&str]) -> Ended {
        let ended = self.deploy_command(command, "bad", code);
        ended.says(says).says(&["traffic  real1 has it, as before", "next  bluegreen "]);
        self.only_v1();
        ended
    }

    /// As `refuses`, for one that is found out only when the deadline is over: it must have come so far by then. Where a
    /// process does not start in that time it is given more; it must be refused each time.
    #[track_caller]
    fn refuses_in_time(&mut self, kind: &str, says: &[&str]) -> Ended {
        for (deadline, timeout) in [("700ms", "400ms"), ("4s", "1s"), ("15s", "3s")] {
            self.stage.set("health.deadline", deadline);
            self.stage.set("health.timeout", timeout);
            let ended = self.refuses(kind, 10, &[]);
            if says.iter().all(|text| ended.has(text)) {
                self.patient();
                return ended;
            }
        }
        self.stage.set("health.deadline", "60s");
        let ended = self.refuses(kind, 10, says);
        self.patient();
        ended
    }

    /// v1 serves on real1, and there is nobody on real2.
    #[track_caller]
    fn only_v1(&self) {
        assert_eq!(self.stage.front(), "v1 real1");
        assert_eq!(self.living(), [self.stage.pid("active")]);
        assert!(self.stage.is_free(1));
    }

    /// Something that bluegreen did not start.
    fn stranger(&mut self, kind: &str, profile: usize) -> u32 {
        let book = self.stage.path("foreign");
        let port = self.stage.ports[profile].to_string();
        let mut command = Command::new(program());
        command.arg(kind).arg(book).args([&port, "real2", "foreign"]).current_dir(self.stage.home());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        self.foreign.push(child);
        pid
    }

    /// Lets that stranger go.
    fn dismiss(&mut self, pid: u32) {
        kill(pid);
        let at = self.foreign.iter().position(|child| child.id() == pid).unwrap();
        self.foreign.remove(at).wait().unwrap();
    }

    /// What some animals wait for.
    fn cue(&self) {
        fs::write(self.book().with_extension("cue"), "").unwrap();
    }

    fn book(&self) -> PathBuf {
        self.stage.path("book")
    }

    /// The processes of the zoo that bluegreen started, and theirs, that live.
    fn living(&self) -> Vec<u32> {
        let book = fs::read_to_string(self.book()).unwrap_or_default();
        let mut pids: Vec<u32> = book.lines().filter_map(is_there).collect();
        pids.sort_unstable();
        pids
    }

    /// In the end: a plain deploy of a good release works, two of its kind live (one serves, one is warm), no request was
    /// lost, and no stranger was signalled.
    #[track_caller]
    fn closes(mut self) {
        self.recovers();
        self.clients.take().unwrap().lost_nothing();
    }

    /// The same for one that lost what it had in hand.
    #[track_caller]
    fn recovers(&mut self) {
        let _ = fs::remove_file(self.book().with_extension("cue"));
        self.deploy("good", "next", 0);
        assert!(self.stage.front().starts_with("next "), "{}", self.stage.front());
        let mut status = self.stage.status();
        if status["idle"]["version"] != "v1" {
            // the animal is warm, and must make room for the next one
            self.deploy("good", "last", 0);
            assert!(self.stage.front().starts_with("last "), "{}", self.stage.front());
            status = self.stage.status();
        }
        let mut pids = ["active", "idle"].map(|side| self.stage.pid(side));
        pids.sort_unstable();
        assert_eq!(self.living(), pids, "{status}");
        for child in &mut self.foreign {
            assert!(child.try_wait().unwrap().is_none(), "a stranger was signalled");
        }
    }
}

impl Drop for Zoo {
    fn drop(&mut self) {
        // those that went to another directory
        self.living().into_iter().for_each(kill);
        for child in &mut self.foreign {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The pid in a line of the book, if that very process lives.
fn is_there(line: &str) -> Option<u32> {
    let (pid, birth) = line.split_once(' ')?;
    let pid = pid.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let same = stat.rsplit_once(')')?.1.split_whitespace().nth(19) == Some(birth);
    (same && lives(pid)).then_some(pid)
}

/// The front door answers with this.
#[track_caller]
fn wait_for_front(stage: &Stage, text: &str) {
    wait_for(text, || stage.front() == text);
}
