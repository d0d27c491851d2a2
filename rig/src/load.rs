//! Clients at the front door.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use bluegreen_cli::demo::{
    Tally,
    load::{Load, Running},
};
use tokio::runtime::{Builder, Runtime};

use super::{Stage, wait_for};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// A load under way: GET and POST in turn on keep-alive connections, never a retry.
#[derive(Debug)]
pub struct Clients(Running);

impl Clients {
    /// How many clients.
    pub const COUNT: usize = 10;

    /// Starts them, and waits for their first answers.
    pub fn at(stage: &Stage) -> Self {
        Self::some(Self::COUNT, stage)
    }

    /// The same with another number of them.
    pub fn some(count: usize, stage: &Stage) -> Self {
        let _runtime = RUNTIME.enter();
        let clients = Self(Load { clients: count, ..Load::new(stage.address()) }.start());
        wait_for("the first answers", || clients.0.tally().answered() > count);
        clients
    }

    /// Ends the load.
    pub fn stop(self) -> Tally {
        RUNTIME.block_on(self.0.stop())
    }

    /// Ends the load; nothing may be lost.
    #[track_caller]
    pub fn lost_nothing(self) -> Tally {
        let tally = self.stop();
        assert_eq!(tally.lost(), 0, "{tally}");
        tally
    }
}

/// The longest time without any answer, from `since` on.
pub fn silence(tally: &Tally, since: Instant) -> Duration {
    let mut times: Vec<_> = tally.0.iter().filter(|s| s.outcome.is_ok() && s.done > since).map(|s| s.done).collect();
    times.sort_unstable();
    times.iter().scan(since, |last, time| Some(*time - std::mem::replace(last, *time))).max().unwrap_or(Duration::MAX)
}
