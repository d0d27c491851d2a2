//! SIGKILL at the system calls of the real program.

use bluegreen_rig::{Stage, say};

use crate::trace::{Act, trace};

/// SIGKILL at the stops of a deploy, one after the other, and then `recover`
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only at this stop
    #[arg(long)]
    stop: Option<usize>,
    /// At each so-manieth stop
    #[arg(long, default_value_t = 100)]
    every: usize,
}

/// Whether `recover` came to a good end each time.
pub(crate) fn run(options: &Options) -> bool {
    let Some(stage) = Stage::marker() else { return true };
    stage.deploy("v0", 0);
    let deploy = stage.command(&["deploy", &stage.artifact("v1")]);
    let whole = trace(&deploy, &mut |_| Act::Go);
    assert_eq!((whole.code, whole.hung), (Some(0), false), "{}{}", whole.out, whole.err);
    say(&format!("{} stops", whole.stops));
    let stops = options.stop.map_or((1..=whole.stops).step_by(options.every).collect(), |stop| vec![stop]);
    let mut good = true;
    for at in stops {
        let mut place = String::new();
        let killed = trace(&deploy, &mut |stop| {
            if stop.number != at {
                return Act::Go;
            }
            place = stop.to_string();
            Act::Kill
        });
        let recovered = stage.spawn(&["recover"]).wait();
        if killed.hung || recovered.code != Some(0) {
            say(&format!("killed at {place}: {recovered}\n  trials/run sweep --stop {at}"));
            good = false;
        }
    }
    good
}
