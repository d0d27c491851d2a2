use crate::{Occupant, Seen, State};

/// The state of an app whose state was lost, from what is so and nothing else: our process that has the traffic is the
/// last good release. What is not seen is not guessed: without such a process no release is, and a
/// person is needed.
pub fn rebuild(seen: &Seen) -> State {
    let mut state = State { lost: true, ..State::default() };
    if let Some(route) = seen.route()
        && let Ok(Occupant::Ours { process, listening: true }) = seen.on(&route.active)
    {
        state.confirm(&process.release);
    }
    state
}
