//! The model check: every order of effects, kills, deaths, reboots and meddling that a few faults allow, over the production
//! `begin`, `recover` and `step`.
//!
//! `BLUEGREEN_MODEL_FAULTS` and `BLUEGREEN_MODEL_LAUNCHES` widen it; the defaults take seconds.

mod model {
    pub(crate) mod tool;
    pub(crate) mod world;
}

use stateright::{Checker, Model};

use model::world::Machine;

fn bound(name: &str, default: u8) -> u8 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn check(machine: Machine) -> usize {
    let checker = machine.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    checker.unique_state_count()
}

#[test]
fn no_order_of_faults_breaks_a_promise() {
    let (faults, launches) = (bound("BLUEGREEN_MODEL_FAULTS", 1), bound("BLUEGREEN_MODEL_LAUNCHES", 2));
    let mut states = 0;
    for policy in Machine::policies() {
        states += check(Machine::new(policy, faults, launches));
    }
    println!("{states} unique states with {faults} faults and {launches} launches");
    assert!(states > 10_000, "the model has become too small: {states} states");
}
