//! A hook at work.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    process::Stdio,
    time::Duration,
};

use bluegreen_process::in_words;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

use crate::report::sanitize;

/// So many of its last lines are shown when it fails.
const LINES: usize = 20;
/// A longer line is cut into several.
const LINE: usize = 4 << 10;
/// So many bytes of what it says go to its log.
const LOG: usize = 1 << 20;
/// For what it said last, after its end: a program that it left in the background may hold the pipe for ever.
const REST: Duration = Duration::from_millis(100);

/// In a process group of its own, with one pipe for all that it says.
pub(super) struct Running {
    child: Child,
    pipe: Receiver,
    said: Said,
}

/// What it said so far.
struct Said {
    log: Option<File>,
    room: usize,
    /// Of a line without its end.
    begun: Vec<u8>,
    last: VecDeque<String>,
}

impl Running {
    /// Starts `argv`. Its log is the one of the last run; a disk without room for it stops no hook.
    pub(super) fn spawn(argv: &[String], environment: Vec<(String, String)>, log: &Path) -> io::Result<Self> {
        let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(program);
        command.args(arguments).envs(environment);
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let said = Said { log: open(log).ok(), room: LOG, begun: Vec::new(), last: VecDeque::new() };
        Ok(Self { child, pipe: Receiver::from_owned_fd(reader.into())?, said })
    }

    /// Listens until the hook itself has ended; `line` hears each line. An end with success is `Ok`.
    pub(super) async fn end(&mut self, line: &mut impl FnMut(&str)) -> Result<(), String> {
        let Self { child, pipe, said } = self;
        let status = tokio::select! {
            status = child.wait() => status,
            () = async { said.listen(pipe, line).await; std::future::pending().await } => unreachable!("it never ends"),
        };
        let _ = timeout(REST, said.listen(pipe, line)).await;
        said.end_line(line);
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("failed: {}", in_words(status).unwrap_or_else(|| status.to_string()))),
            Err(error) => Err(format!("could not be waited for: {error}")),
        }
    }

    /// Ends it with all that it started, unless that went into a group of its own. One that has ended is left alone: what
    /// it left in the background is its own business.
    pub(super) fn kill(&mut self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // not waited for yet, so the number is still its own
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    pub(super) fn last_lines(self) -> Vec<String> {
        let mut said = self.said;
        said.end_line(&mut |_| {});
        said.last.into()
    }
}

impl Said {
    /// Reads to the end of the pipe.
    async fn listen(&mut self, pipe: &mut Receiver, line: &mut impl FnMut(&str)) {
        let mut bytes = Vec::with_capacity(LINE);
        while pipe.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
            let room = self.room.min(bytes.len());
            self.room -= room;
            if let Some(log) = &mut self.log {
                let _ = log.write_all(&bytes[..room]);
            }
            for byte in bytes.drain(..) {
                if byte == b'\n' {
                    self.end_line(line);
                } else {
                    self.begun.push(byte);
                }
                if self.begun.len() >= LINE {
                    self.end_line(line);
                }
            }
        }
    }

    fn end_line(&mut self, line: &mut impl FnMut(&str)) {
        let text = sanitize(&String::from_utf8_lossy(&std::mem::take(&mut self.begun)));
        if text.trim().is_empty() {
            return;
        }
        line(&text);
        self.last.push_back(text);
        if self.last.len() > LINES {
            self.last.pop_front();
        }
    }
}

fn open(log: &Path) -> io::Result<File> {
    if let Some(dir) = log.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o750).create(dir)?;
    }
    // a new file: one that a hook of before still writes to stays what it was
    let _ = fs::remove_file(log);
    OpenOptions::new().append(true).create_new(true).mode(0o640).open(log)
}
