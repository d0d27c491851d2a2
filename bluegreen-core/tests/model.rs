//! The model check: every order of effects, kills, deaths, reboots and meddling that a few faults allow, over the production
//! `begin`, `recover`, `rebuild` and `step`.
//!
//! As it comes it takes seconds: one fault and one command, under every policy. `./test` takes two commands.
//! `BLUEGREEN_MODEL_FAULTS` and `BLUEGREEN_MODEL_LAUNCHES` widen it, `BLUEGREEN_MODEL_POLICY=2` takes one policy, and
//! `BLUEGREEN_MODEL_MUTANT=SaveLate` tells the way of one wrong design. A broken promise prints the way to it, and the line that
//! walks it again. The long run, of more than 20 million states, prints its figures:
//!
//! ```text
//! BLUEGREEN_MODEL_FAULTS=2 BLUEGREEN_MODEL_LAUNCHES=2 nice cargo test --release -p bluegreen-core --all-features --test model no_order -- --nocapture
//! ```

mod model {
    pub(crate) mod conformance;
    pub(crate) mod host;
    pub(crate) mod machine;
    pub(crate) mod mutant;
    pub(crate) mod path;
    pub(crate) mod promise;
    pub(crate) mod tool;
}

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use model::{conformance, machine::Machine, mutant::Mutant, path, promise::Promise};

/// What a run of the checker found.
struct Found {
    states: usize,
    /// The longest way that was walked.
    depth: usize,
    /// Broken promises, each with the code of the way to it.
    broken: Vec<(Promise, String)>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(format!("BLUEGREEN_MODEL_{name}")).ok()
}

fn bound(name: &str, default: u8) -> u8 {
    variable(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text:?} is not a number")))
}

fn check(machine: &Machine, until: HasDiscoveries) -> Found {
    let searched = machine.clone().checker().threads(2).finish_when(until).spawn_dfs().join();
    let name = |name| Promise::ALL.into_iter().find(|promise| promise.name() == name).unwrap();
    let way = |(promise, path): (_, stateright::Path<_, _>)| (name(promise), path::encode(machine, &path.into_vec()));
    let (states, depth) = (searched.unique_state_count(), searched.max_depth());
    Found { states, depth, broken: searched.discoveries().into_iter().map(way).collect() }
}

#[test]
fn no_order_of_faults_breaks_a_promise() {
    let (faults, launches) = (bound("FAULTS", 1), bound("LAUNCHES", 1));
    if let Some(code) = variable("REPLAY") {
        let (policy, way) = code.split_once(':').expect("POLICY:WAY");
        let policy = Machine::policies().swap_remove(policy.parse().expect("the number of a policy"));
        let (told, broken) = path::replay(&Machine::new(policy, faults, launches), way);
        println!("{}", told.join("\n"));
        assert!(broken.is_empty(), "{broken:?}");
        return;
    }
    let (began, mut states, mut depth, mut broken) = (Instant::now(), 0, 0, 0);
    let only: Option<usize> = variable("POLICY").map(|number| number.parse().expect("the number of a policy"));
    let asked = |number: usize| only.is_none_or(|only| only == number);
    for (number, policy) in Machine::policies().into_iter().enumerate().filter(|(number, _)| asked(*number)) {
        let machine = Machine::new(policy, faults, launches);
        let found = check(&machine, HasDiscoveries::AnyFailures);
        for (promise, way) in &found.broken {
            println!("{}", path::replay(&machine, way).0.join("\n"));
            println!(
                "broken: {}. To see it again:\nBLUEGREEN_MODEL_FAULTS={faults} BLUEGREEN_MODEL_LAUNCHES={launches} \
                 BLUEGREEN_MODEL_REPLAY={number}:{way} cargo test -p bluegreen-core --all-features --test model no_order \
                 -- --nocapture",
                promise.name()
            );
        }
        broken += found.broken.len();
        states += found.states;
        depth = depth.max(found.depth);
        println!("policy {number}: {} unique states, {:.0?} so far", found.states, began.elapsed());
    }
    println!(
        "{states} unique states up to {depth} steps deep, with {faults} faults and {launches} launches, in {:.0?}",
        began.elapsed()
    );
    assert_eq!(broken, 0, "promises are broken: see above");
    let least = match (faults, launches) {
        _ if only.is_some() => 0,
        (2.., 2..) => 20_000_000,
        (1, 2..) => 2_000_000,
        (1, 1) => 100_000,
        _ => 0,
    };
    assert!(states >= least, "the model has become too small: {states} states");
}

/// The policy and the way by which `promise` is broken.
fn caught(mutant: Mutant, promise: Promise) -> Option<(Machine, String)> {
    Machine::policies().into_iter().find_map(|policy| {
        let machine = Machine::new(policy, 1, 2).with_mutant(mutant);
        let found = check(&machine, HasDiscoveries::AnyOf([promise.name()].into()));
        let (_, way) = found.broken.into_iter().find(|(broken, _)| *broken == promise)?;
        Some((machine, way))
    })
}

#[test]
fn every_wrong_design_breaks_the_promise_that_it_is_known_for() {
    let only = variable("MUTANT");
    let asked = |mutant: &Mutant| only.as_ref().is_none_or(|only| *only == format!("{mutant:?}"));
    for (mutant, promise) in Mutant::ALL.into_iter().filter(|(mutant, _)| asked(mutant)) {
        let Some((machine, way)) = caught(mutant, promise) else {
            panic!("{mutant:?} does not break \"{}\": the model is blind there", promise.name());
        };
        let (told, broken) = path::replay(&machine, &way);
        assert!(broken.contains(&promise), "{mutant:?}: the way {way} does not lead there again");
        println!("{mutant:?} breaks \"{}\", in {} steps", promise.name(), told.len() / 2);
        if only.is_some() {
            println!("{}", told.join("\n"));
        }
    }
}

/// The model's tool is not the engine's loop: this holds the two together.
#[tokio::test(start_paused = true)]
async fn the_engine_saves_and_does_what_the_model_does() {
    let only = variable("WALK").map(|seed| seed.parse().expect("a number"));
    let (mut commands, mut previews) = (0, 0);
    for seed in only.map_or(0..400, |seed: u64| seed..seed + 1) {
        let (walked, foreseen) = conformance::walk(seed, 16).await;
        commands += walked;
        previews += foreseen;
    }
    println!("{commands} commands, {previews} previews");
    assert!(
        only.is_some() || (commands > 2000 && previews > 300),
        "the walks have become too short: {commands}, {previews}"
    );
}
