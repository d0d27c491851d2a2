//! Clients at the front door.

use std::sync::LazyLock;

use bluegreen_lab::{
    Tally,
    load::{Load, Running},
};
use tokio::runtime::{Builder, Runtime};

use super::{PATIENCE, Stage, wait_for};

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
        Self::some(stage, Self::COUNT)
    }

    /// The same with another number of them.
    pub fn some(stage: &Stage, count: usize) -> Self {
        let clients = Self::begin(stage, count);
        wait_for("the first answers", || clients.0.tally().answered() > count);
        clients
    }

    /// Starts `count` of them, and waits for nothing: there may be nobody yet who answers.
    pub fn begin(stage: &Stage, count: usize) -> Self {
        let _runtime = RUNTIME.enter();
        // slow is not lost
        Self(Load { clients: count, patience: PATIENCE, ..Load::new(stage.address()) }.start())
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
