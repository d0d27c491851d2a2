//! The way to a broken promise: told in words, and as a code that walks it again.

use stateright::Model as _;

use super::{
    machine::{Action, Machine, Now},
    promise::Promise,
};

/// `init.action.action...`: the indices among what can be done at each state.
pub(crate) fn encode(machine: &Machine, states: &[(Now, Option<Action>)]) -> String {
    let init = states.first().and_then(|(first, _)| machine.init_states().iter().position(|init| init == first));
    let index = |(now, action): &(Now, Option<Action>)| {
        let mut actions = Vec::new();
        machine.actions(now, &mut actions);
        actions.iter().position(|a| Some(a) == action.as_ref())
    };
    let way = states.iter().map_while(index);
    init.into_iter().chain(way).map(|index| index.to_string()).collect::<Vec<_>>().join(".")
}

/// Walks the way of `code`: each action with what came of it, and the promises that are broken at its end.
pub(crate) fn replay(machine: &Machine, code: &str) -> (Vec<String>, Vec<Promise>) {
    let mut way = code.split('.').map(|index| index.parse::<usize>().expect("a number"));
    let mut now = machine.init_states().swap_remove(way.next().expect("a beginning"));
    let mut told = vec![now.to_string()];
    for index in way {
        let mut actions = Vec::new();
        machine.actions(&now, &mut actions);
        let action = actions.swap_remove(index);
        told.push(format!("-> {action:?}"));
        now = machine.next_state(&now, action).expect("a step");
        told.push(now.to_string());
    }
    if now.host.broken.is_empty() && now.tools.is_empty() {
        told.extend(machine.trace(&now));
    }
    (told, Promise::ALL.into_iter().filter(|promise| !machine.keeps(&now, *promise)).collect())
}
