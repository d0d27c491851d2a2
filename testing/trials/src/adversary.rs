//! Attacks, each on a machine of its own: red with 0.1.0, green with today's.
//!
//! A machine is a set of private namespaces over a copy-on-write view of this one, with a real root, a real nginx, an
//! unprivileged user who deploys and a hostile one. Nothing outside is touched, and nothing of it is left.

mod acts;
mod inputs;
mod machine;
mod old;
mod place;
mod shop;
mod table;

use std::{path::PathBuf, time::Duration};

use bluegreen_rig::{say, skip};
use serde::{Deserialize, Serialize};

use crate::crew;
use inputs::Input;
use table::Row;

/// The hostile and the unlucky: red with 0.1.0, green with today's
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The bluegreen that the faults were found in [default: built from its commit]
    #[arg(long, value_name = "BINARY")]
    old: Option<PathBuf>,
    /// The bluegreen that must hold [default: the one beside this program]
    #[arg(long, value_name = "BINARY")]
    new: Option<PathBuf>,
    /// Only the inputs whose names begin so
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// A few of each kind, with today's only: a minute at most
    #[arg(long)]
    sample: bool,
    /// So many at a time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Shows what is typed, and what is answered
    #[arg(short, long)]
    verbose: bool,
    /// On the machine: this input
    #[arg(long, hide = true, value_name = "NAME")]
    inside: Option<String>,
    /// On the machine: plays a part
    #[arg(long, hide = true, num_args = 1.., allow_hyphen_values = true, value_name = "WORD")]
    act: Vec<String>,
}

/// What became of one input.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Verdict {
    /// Nothing happened that must not.
    Held(String),
    /// The attack did what it is for.
    Fell(String),
    /// This machine has not what it takes.
    Skipped(String),
    /// The attack itself went wrong.
    Broken(String),
}

impl Verdict {
    /// Fell, if it is so; `seen` is the evidence, for both.
    fn fell_if(fell: bool, seen: impl Into<String>) -> Self {
        if fell { Self::Fell(seen.into()) } else { Self::Held(seen.into()) }
    }
}

/// The longest that one input may take on one machine.
const WITHIN: Duration = Duration::from_secs(150);

/// Whether today's holds everywhere, and every fault is shown by 0.1.0.
pub(crate) fn run(options: &Options) -> bool {
    if !options.act.is_empty() {
        return acts::play(&options.act);
    }
    if let Some(name) = &options.inside {
        inside(name, options.verbose);
        return true;
    }
    if let Some(why) = machine::missing() {
        skip(&format!("the adversary: {why}"));
        return true;
    }
    let new = options.new.clone().unwrap_or_else(bluegreen_rig::bluegreen);
    let old = match (&options.old, options.sample) {
        (_, true) => None,
        (Some(old), _) => Some(old.clone()),
        (None, _) => match old::build() {
            Ok(binary) => Some(binary),
            Err(error) => {
                say(&format!("0.1.0 cannot be built: {error:#}"));
                return false;
            }
        },
    };
    let chosen = inputs::all().filter(|input| options.chooses(input)).collect::<Vec<_>>();
    let rows = crew::each(
        &chosen,
        options.jobs,
        || Some(()),
        |(), input| {
            let raise = |binary: &PathBuf| machine::raise(binary, input.name, options.verbose, WITHIN);
            let row = Row { input: *input, old: old.as_ref().map(|old| first(input, || raise(old))), new: raise(&new) };
            say(&row.short());
            row
        },
        |input, _, why| crew::show(input.name, why, &format!("adversary --only {}", input.name)),
    );
    let all = rows.len() == chosen.len() && rows.iter().all(Row::is_good);
    table::print(&rows);
    all
}

/// What 0.1.0 does: some faults are races, which it may win by luck, and not three times in a row.
fn first(input: &Input, raise: impl Fn() -> Verdict) -> Verdict {
    let mut verdict = raise();
    for _ in 1..3 {
        if input.kind != inputs::Kind::Fault || !matches!(verdict, Verdict::Held(_)) {
            break;
        }
        verdict = raise();
    }
    verdict
}

impl Options {
    fn chooses(&self, input: &Input) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|only| input.name.starts_with(only.as_str()));
        named && (!self.sample || input.quick)
    }
}

/// On the machine: the last line that is printed is the verdict.
fn inside(name: &str, verbose: bool) {
    let input = inputs::all().find(|input| input.name == name).expect("the name is from the same table");
    let verdict = (input.run)(&place::Place { verbose });
    println!("{}", serde_json::to_string(&verdict).expect("a verdict is plain text"));
}
