//! A hook at work.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use bluegreen_linux::program::{self, Program};
use bluegreen_process::in_words;

use crate::report::sanitize;

/// So many of its last lines are shown when it fails.
const LINES: usize = 20;
/// A longer line is cut into several.
const LINE: usize = 4 << 10;
/// So many bytes of what it says go to its log.
const LOG: usize = 1 << 20;

/// With one pipe for all that it says.
pub(super) struct Running {
    program: program::Running,
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
        let program = Program::new(argv).with(environment).start(false)?;
        let said = Said { log: open(log).ok(), room: LOG, begun: Vec::new(), last: VecDeque::new() };
        Ok(Self { program, said })
    }

    /// Listens until the hook itself has ended; `line` hears each line. An end with success is `Ok`.
    pub(super) async fn end(&mut self, line: &mut impl FnMut(&str)) -> Result<(), String> {
        let Self { program, said } = self;
        let mut hear = |_, bytes: &[u8]| {
            said.hear(bytes, line);
            true
        };
        let status = program.end(&mut hear).await;
        said.end_line(line);
        match status {
            Ok(None) => unreachable!("all of it is heard"),
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(format!("failed: {}", in_words(status).unwrap_or_else(|| status.to_string()))),
            Err(error) => Err(format!("could not be waited for: {error}")),
        }
    }

    /// Ends it with all that it started, unless it has ended.
    pub(super) fn kill(&self) {
        self.program.kill();
    }

    pub(super) fn last_lines(self) -> Vec<String> {
        let mut said = self.said;
        said.end_line(&mut |_| {});
        said.last.into()
    }
}

impl Said {
    fn hear(&mut self, bytes: &[u8], line: &mut impl FnMut(&str)) {
        let room = self.room.min(bytes.len());
        self.room -= room;
        if let Some(log) = &mut self.log {
            let _ = log.write_all(&bytes[..room]);
        }
        for &byte in bytes {
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
