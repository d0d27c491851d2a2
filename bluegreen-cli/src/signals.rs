//! What the terminal and the machine ask of us.

use std::{
    io::{IsTerminal as _, stderr},
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bluegreen_core::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    exit::{Exit, StopRequest},
    output,
};

/// Turns SIGINT and SIGTERM into a [`Cancel`]. SIGHUP is ignored: a deploy outlives its terminal.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    pub(crate) cancel: Cancel,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on; needs a runtime.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let signals = Self { cancel: Cancel::new(), terminated: Arc::default() };
        let (int, term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // to listen is to ignore
        let hangup = signal(SignalKind::hangup())?;
        tokio::spawn(signals.clone().obey(int, term, hangup));
        Ok(signals)
    }

    /// Who asked, for the exit code.
    pub(crate) fn request(&self) -> StopRequest {
        if self.terminated.load(Ordering::Relaxed) { StopRequest::Terminate } else { StopRequest::Interrupt }
    }

    async fn obey(self, mut int: Signal, mut term: Signal, mut hangup: Signal) {
        loop {
            tokio::select! {
                _ = int.recv() => {
                    if self.cancel.is_cancelled() {
                        leave();
                    }
                }
                _ = term.recv() => self.terminated.store(true, Ordering::Relaxed),
                _ = hangup.recv() => continue,
            }
            self.cancel.cancel();
        }
    }
}

/// A second Ctrl-C: at once, which is as safe as any kill.
fn leave() -> ! {
    // a terminal may show a spinner in this line
    let clear = if stderr().is_terminal() { "\r\u{1b}[K\n" } else { "" };
    output::error(format!(
        "{clear}stopped at once; the transaction stays open, and the next command finishes it\n\n  traffic  where \
         `bluegreen status` says\n     next  bluegreen recover\n",
    ));
    exit(Exit::Interrupted.code().into())
}
