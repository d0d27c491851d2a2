//! Many commands at once: one writer at a time, by name, and a lock that dies with its holder.

mod rounds;

use std::{
    thread,
    time::{Duration, Instant},
};

use bluegreen_core::FileStore;
use bluegreen_rig::{Clients, PATIENCE, Stage, lives, say, wait_for};
use rustix::process::Signal;

use rounds::Round;

/// 8 commands at once, 1000 times: one at work at a time, the others exit 75 and name it
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often
    #[arg(long, default_value_t = 1000)]
    rounds: u64,
    /// How many commands at once
    #[arg(long, default_value_t = 8)]
    clis: u64,
    /// What decides which commands they are
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first round
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// So many rounds have the same clients; after them what they saw is counted.
const BATCH: u64 = 25;

/// Whether it all held.
pub(crate) fn run(options: &Options) -> bool {
    let Some(mut stage) = Stage::marker() else { return true };
    stage.boots_in(20);
    for (key, value) in [("bake", "50ms"), ("settle", "50ms"), ("drain", "2s")] {
        stage.set(&format!("after_switch.{key}"), value);
    }
    stage.deploy("v0", 0);
    let (mut tally, mut free, began) = (Sum::default(), Vec::new(), Instant::now());
    let last = options.from + options.rounds;
    let mut from = options.from;
    while from < last {
        let until = last.min(from + BATCH);
        let clients = Clients::at(&stage);
        for number in from..until {
            let held = Round::run(&stage, options.seed, number, options.clis).and_then(|round| {
                tally.add(&round);
                free.extend(killed(&stage, number)?);
                Ok(())
            });
            if let Err(why) = held {
                say(&format!("round {number}: {why}\nagain: {}", options.again(number)));
                return false;
            }
        }
        let seen = clients.stop();
        tally.requests += seen.answered();
        if seen.lost() > 0 {
            say(&format!("rounds {from} to {until}: {seen}\nagain: {}", options.again(from)));
            return false;
        }
        from = until;
    }
    free.sort_unstable();
    say(&format!("{tally}, in {:.0?}", began.elapsed()));
    if let (Some(min), Some(max)) = (free.first(), free.last()) {
        let late = free.iter().filter(|time| **time > Duration::from_millis(50)).count();
        let median = free[free.len() / 2];
        say(&format!(
            "{} holders killed: the lock was free after {min:.1?} (median {median:.1?}, max {max:.1?}; {late} times later \
             than 50 ms)",
            free.len()
        ));
    }
    // every one of them over before its signal: then the test has looked at nothing
    !free.is_empty() || options.rounds == 0
}

impl Options {
    fn again(&self, round: u64) -> String {
        format!("testing/trials/run race --rounds {BATCH} --clis {} --seed {} --from {round}", self.clis, self.seed)
    }
}

/// Kills the holder: how long the lock outlives the signal; `None` when it was done before, on a machine that let us wait.
/// The next command gets it at once.
fn killed(stage: &Stage, number: u64) -> Result<Option<Duration>, String> {
    let artifact = stage.artifact(&format!("v{number}k"));
    let holder = stage.spawn(&["deploy", &artifact]);
    let dir = stage.state_dir();
    let store = FileStore::open(&dir).map_err(|error| error.to_string())?;
    wait_for("the lock", || store.holder().is_some_and(|it| it.pid == holder.pid()) || !lives(holder.pid()));
    thread::sleep(Duration::from_millis(number * 7 % 100));
    holder.signal(Signal::KILL);
    let signalled = Instant::now();
    while FileStore::hold(&dir).is_err() {
        if signalled.elapsed() > PATIENCE {
            return Err("the lock outlives its holder".into());
        }
        thread::sleep(Duration::from_micros(50));
    }
    let free = signalled.elapsed();
    let ended = holder.wait();
    if !(ended.signal == Some(9) || ended.code == Some(0)) {
        return Err(format!("it failed before it was killed: {ended}"));
    }
    let recovered = stage.spawn(&["recover"]).wait();
    if recovered.code != Some(0) || stage.step().is_some() {
        return Err(format!("after a kill: {recovered}"));
    }
    Ok((ended.signal == Some(9)).then_some(free))
}

/// What all rounds saw.
#[derive(Debug, Default)]
struct Sum {
    rounds: u64,
    worked: u64,
    refused: u64,
    busy: u64,
    requests: usize,
}

impl Sum {
    fn add(&mut self, round: &Round) {
        self.rounds += 1;
        self.worked += round.worked;
        self.refused += round.refused;
        self.busy += round.busy;
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, worked, refused, busy, requests } = self;
        write!(
            f,
            "{rounds} rounds: {worked} commands did their work, one at a time; {busy} exited 75 and named who was at it; \
             {refused} found nothing to go back to; {requests} requests answered, 0 lost"
        )
    }
}
