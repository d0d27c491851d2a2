//! A program at work that somebody waits for.

use std::{
    io,
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    process::{Command, ExitStatus},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{io::AsyncReadExt as _, net::unix::pipe::Receiver, process::Child};

/// The most that a pipe holds, unless root widened it: so much can be left of what a program said before it ended.
const PIPE: usize = 1 << 20;
/// So much is heard at once.
const HEARD: usize = 4 << 10;

/// Where a program said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// On its standard output; or on either, when the two are one.
    Out,
    /// On its standard error.
    Err,
}

/// In a process group of its own, which is killed with this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Until they end.
    out: Option<Receiver>,
    err: Option<Receiver>,
}

impl Running {
    pub(super) fn spawn(
        mut command: Command,
        apart: bool,
        clean: impl FnOnce(&mut dyn FnMut() -> io::Result<Child>) -> io::Result<Child>,
    ) -> io::Result<Self> {
        let (out, to_out) = io::pipe()?;
        let (err, to_err) =
            if apart { io::pipe().map(|(err, to)| (Some(err), to))? } else { (None, to_out.try_clone()?) };
        command.stdout(to_out).stderr(to_err).process_group(0);
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        let child = clean(&mut || command.spawn())?;
        let open = |pipe: io::PipeReader| Receiver::from_owned_fd(pipe.into());
        // our ends for writing go with the command, so that the pipes end with the program
        Ok(Self { child, out: Some(open(out)?), err: err.map(open).transpose()? })
    }

    /// Listens until the program itself has ended. `hear` gets all that it says, and may say that it is enough: then this
    /// returns `None`. What it left in the background may hold its pipes, and is not waited for.
    ///
    /// # Errors
    /// It cannot be waited for, or listened to.
    pub async fn end(&mut self, hear: &mut impl FnMut(Stream, &[u8]) -> bool) -> io::Result<Option<ExitStatus>> {
        let Self { child, out, err } = self;
        let status = loop {
            let (from, heard) = tokio::select! {
                status = child.wait() => break status?,
                heard = next(out) => (Stream::Out, heard?),
                heard = next(err) => (Stream::Err, heard?),
            };
            if !hear(from, &heard) {
                return Ok(None);
            }
        };
        for (from, pipe) in [(Stream::Out, out), (Stream::Err, err)] {
            let heard = pipe.as_ref().map(rest).unwrap_or_default();
            if !hear(from, &heard) {
                return Ok(None);
            }
        }
        Ok(Some(status))
    }

    /// Ends it with all that it started, unless that went into a group of its own. One that has been waited for is left
    /// alone: what it left in the background is its own business.
    pub fn kill(&self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // not waited for yet, so the number is still its own
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What comes next; nothing when the pipe has just ended, and then never again.
async fn next(pipe: &mut Option<Receiver>) -> io::Result<Vec<u8>> {
    let Some(open) = pipe else { return std::future::pending().await };
    let mut heard = Vec::with_capacity(HEARD);
    if open.read_buf(&mut heard).await? == 0 {
        *pipe = None;
    }
    Ok(heard)
}

/// What is there already, and nothing that would have to be waited for.
fn rest(pipe: &Receiver) -> Vec<u8> {
    let (mut heard, mut bytes) = (Vec::new(), [0; HEARD]);
    while heard.len() < PIPE
        && let Ok(count @ 1..) = rustix::io::read(pipe.as_fd(), &mut bytes)
    {
        heard.extend_from_slice(&bytes[..count]);
    }
    heard
}
