//! The model check: every order of effects, kills, deaths, reboots and meddling that a few faults allow, over the production
//! `begin`, `recover` and `step`.
//!
//! `BLUEGREEN_MODEL_FAULTS` and `BLUEGREEN_MODEL_LAUNCHES` widen it; the defaults take seconds.

mod model {
    pub(crate) mod mutant;
    pub(crate) mod tool;
    pub(crate) mod world;
}

use stateright::{Checker, HasDiscoveries, Model};

use model::{mutant::Mutant, world::Machine};

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

#[test]
fn every_wrong_design_breaks_a_promise() {
    for mutant in Mutant::ALL {
        let caught = Machine::policies().into_iter().any(|policy| {
            let machine = Machine::new(policy, 2, 2).with_mutant(mutant);
            let checker = machine.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
            !checker.discoveries().is_empty()
        });
        assert!(caught, "{mutant:?} breaks nothing: the model is blind there");
    }
}
