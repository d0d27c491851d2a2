//! What the terminal and the machine ask of us.

use std::{
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bluegreen_core::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, StopRequest};

/// Turns SIGINT and SIGTERM into a [`Cancel`]. SIGHUP is ignored: a deploy outlives its terminal.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    pub(crate) cancel: Cancel,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on; needs a runtime. `leave` says the last word before a second SIGINT ends us.
    pub(crate) fn listen(leave: impl Future<Output = ()> + Send + 'static) -> std::io::Result<Self> {
        let signals = Self { cancel: Cancel::new(), terminated: Arc::default() };
        let (int, term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // to listen is to ignore
        let hangup = signal(SignalKind::hangup())?;
        tokio::spawn(signals.clone().obey(int, term, hangup, leave));
        Ok(signals)
    }

    /// Who asked, for the exit code.
    pub(crate) fn request(&self) -> StopRequest {
        if self.terminated.load(Ordering::Relaxed) { StopRequest::Terminate } else { StopRequest::Interrupt }
    }

    async fn obey(self, mut int: Signal, mut term: Signal, mut hangup: Signal, leave: impl Future<Output = ()>) {
        tokio::pin!(leave);
        loop {
            tokio::select! {
                _ = int.recv() => {
                    if self.cancel.is_cancelled() {
                        // as safe as any kill
                        leave.await;
                        exit(Exit::Interrupted.code().into());
                    }
                }
                _ = term.recv() => self.terminated.store(true, Ordering::Relaxed),
                _ = hangup.recv() => continue,
            }
            self.cancel.cancel();
        }
    }
}
