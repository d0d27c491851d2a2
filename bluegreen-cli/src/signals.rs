//! What the terminal and the machine ask of us.

use std::{
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bluegreen_core::Cancel;
use nix::sys::signal::SigSet;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

use crate::{
    exit::{Exit, StopRequest},
    halt::Halt,
};

/// So long may whoever is asked to end take for that: who waits for an answer at a terminal hears of nothing else.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Turns SIGINT and SIGTERM into a [`Cancel`]. SIGHUP is ignored: a deploy outlives its terminal.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    pub(crate) cancel: Cancel,
    terminated: Arc<AtomicBool>,
}

/// Unblocks all signals, before there is another thread: a caller that waits for its own in a thread has blocked them, and so would
/// we and all that we start.
pub(crate) fn unblock() -> nix::Result<()> {
    SigSet::all().thread_unblock()
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

    /// Does `work` of a command that nothing has to be taken back of. When it is asked to end it is dropped, and what it has started
    /// is killed with it.
    pub(crate) async fn until_asked(work: impl Future<Output = Result<Exit, Halt>>) -> Result<Exit, Halt> {
        let signals = Self::listen(async {}).map_err(|error| Halt::error(Exit::Internal, &error))?;
        let asked = signals.clone();
        tokio::spawn(async move {
            asked.cancel.cancelled().await;
            sleep(AT_ONCE).await;
            exit(Exit::from(asked.request()).code().into())
        });
        signals.or_asked(work).await
    }

    /// What `work` comes to, or that it was asked to end before.
    pub(crate) async fn or_asked(&self, work: impl Future<Output = Result<Exit, Halt>>) -> Result<Exit, Halt> {
        tokio::select! {
            ended = work => ended,
            () = self.cancel.cancelled() => Ok(self.request().into()),
        }
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
