//! Hundreds of commands in a row under load: nothing is lost, and nothing grows.

mod deeds;
mod excuses;
mod figures;
mod witness;

use std::time::Instant;

use bluegreen_lab::Tally;
use bluegreen_rig::{Clients, Stage, say};

use deeds::Soak;
use excuses::Excuses;
use figures::Figures;
use witness::Witness;

/// Deploys, failing deploys, rollbacks, halves, kills and reloads at random, under load; counts what is lost and what grows
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many deeds
    #[arg(long, default_value_t = 500)]
    rounds: usize,
    /// Decides which ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// So many rounds have one load: what it saw is kept in memory.
const LOAD: usize = 25;

/// What clients saw in all.
#[derive(Debug, Default)]
struct Traffic {
    answered: usize,
    killed: usize,
    reloaded: usize,
    lost: usize,
}

impl Traffic {
    fn add(&mut self, tally: &Tally, excuses: &Excuses, witness: &Witness) {
        let sorted = excuses.sort(tally);
        self.answered += tally.answered();
        self.killed += sorted.killed;
        self.reloaded += sorted.reloaded;
        self.lost += sorted.lost.len();
        for (lost, why) in sorted.lost {
            let took = (lost.done - lost.sent).as_millis();
            say(&format!("lost: {why} after {took} ms, sent {}", excuses.during(lost.sent)));
            for line in witness.says(lost).unwrap_or_else(|error| vec![error.to_string()]) {
                say(&format!("  | {line}"));
            }
        }
    }
}

/// Whether nothing was lost and nothing grew.
pub(crate) fn run(options: &Options) -> bool {
    let Some(stage) = Stage::marker() else { return true };
    let witness = match Witness::at(&stage) {
        Ok(witness) => witness,
        Err(error) => {
            say(&format!("{error:#}"));
            return false;
        }
    };
    let began = Instant::now();
    let (mut soak, mut traffic, mut figures) = (Soak::new(stage, options.seed), Traffic::default(), Vec::new());
    let mut trouble = soak.begin().err();
    let mut clients = Clients::at(&soak.stage);
    say(&Figures::head());
    for round in 0..options.rounds {
        if trouble.is_some() {
            break;
        }
        if round % LOAD == 0 && round > 0 {
            traffic.add(&clients.stop(), &soak.excuses, &witness);
            soak.excuses = Excuses::default();
            clients = Clients::at(&soak.stage);
        }
        trouble = soak.round(round).err().map(|error| error.context(format!("round {round}")));
        figures.push(Figures::of(&soak));
        let quarter = (options.rounds / 4).max(1);
        if round == 0 || (round + 1) % quarter == 0 {
            say(&figures[round].line(round + 1));
        }
    }
    traffic.add(&clients.stop(), &soak.excuses, &witness);
    let Traffic { answered, killed, reloaded, lost } = traffic;
    let (rounds, minutes) = (figures.len(), began.elapsed().as_secs() / 60);
    say(&format!("{rounds} rounds in {minutes} min: {}", soak.done()));
    say(&format!(
        "{answered} requests answered, {lost} lost; besides {killed} in hand of a killed app, and {reloaded} while somebody \
         else reloaded nginx"
    ));
    let mut wrong: Vec<String> = figures::grown(&figures);
    wrong.extend(trouble.map(|error| format!("{error:#}")));
    if lost > 0 {
        wrong.push(format!("{lost} requests were lost"));
    }
    for wrong in &wrong {
        say(&format!("{wrong}\n  testing/trials/run soak --seed {} --rounds {}", options.seed, options.rounds));
    }
    wrong.is_empty()
}
