//! Processes: the binary at work, and what it leaves.

use std::{
    fmt, fs,
    io::Read,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, schema, wait_for};

/// A command that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    began: Instant,
    out: Pipe,
    err: Pipe,
    /// What `--format json` prints here.
    prints: Option<&'static str>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
    /// From the start to the end.
    pub took: Duration,
}

impl Running {
    /// Starts it, and reads all that it writes.
    pub fn spawn(mut command: Command) -> Self {
        let (began, prints) = (Instant::now(), schema::printed_by(command.get_args()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (Pipe::read(child.stdout.take().unwrap()), Pipe::read(child.stderr.take().unwrap()));
        Self { child, began, out, err, prints }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Our own child, not waited for yet: the number cannot belong to anybody else.
    pub fn signal(&self, signal: Signal) {
        kill_process(pid(self.pid()), signal).unwrap();
    }

    /// Waits until it has written `text`: a process that says so has come that far, however slow the machine is.
    #[track_caller]
    pub fn wait_for_word(&self, text: &str) {
        wait_for(text, || [&self.out, &self.err].iter().any(|pipe| pipe.so_far().contains(text)));
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end and for the end of its pipes: nobody that it started may hold them.
    #[track_caller]
    pub fn wait(self) -> Ended {
        self.wait_within(PATIENCE)
    }

    /// The same for something slow.
    #[track_caller]
    pub fn wait_within(mut self, patience: Duration) -> Ended {
        let status = loop {
            if let Some(status) = self.ended() {
                break status;
            }
            if self.began.elapsed() > patience {
                self.child.kill().unwrap();
                panic!("it does not end: {} {}", self.out.so_far(), self.err.so_far());
            }
            thread::sleep(Duration::from_millis(2));
        };
        let took = self.began.elapsed();
        let (out, err) = (self.out.all(), self.err.all());
        if let Some(document) = self.prints {
            schema::check(document, &out);
        }
        Ended { code: status.code(), signal: status.signal(), out, err, took }
    }
}

impl Ended {
    /// What it says must contain all of `texts`.
    #[track_caller]
    pub fn says(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.has(text), "does not say {text:?}:\n{self}");
        }
        self
    }

    /// Whether it says so; where the libraries have other words, which are capital letters (`testing/reworded`), in these.
    pub fn has(&self, text: &str) -> bool {
        let reworded = option_env!("BLUEGREEN_REWORDED").is_some();
        let has = |said: &str| {
            said.contains(text) || reworded && said.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
        };
        has(&self.out) || has(&self.err)
    }

    /// The events of `--format json`.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, out, err, took } = self;
        write!(f, "code {code:?}, signal {signal:?}, after {took:?}\n--- stdout\n{out}\n--- stderr\n{err}")
    }
}

/// What came out of a pipe, and the thread that reads it to its end.
#[derive(Debug)]
struct Pipe {
    text: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Pipe {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = text.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                written.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    #[track_caller]
    fn all(&self) -> String {
        wait_for("the end of its pipes, which somebody holds", || self.reader.is_finished());
        self.so_far()
    }
}

/// The processes whose working directory is `dir` or below it.
pub fn below(dir: &Path) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir))).collect()
}

/// SIGKILL to a process that this test has started; returns when nothing of it runs, its last thread included.
pub fn kill(process: u32) {
    let _ = kill_process(pid(process), Signal::KILL);
    let threads = || fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count);
    let began = Instant::now();
    while (lives(process) || threads() > 1) && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether it is there and not a zombie.
pub fn lives(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn pid(process: u32) -> Pid {
    i32::try_from(process).ok().and_then(Pid::from_raw).unwrap()
}
