use crate::{Blind, Occupant, Seen, State};

/// The state of an app whose state was lost, from what is so and nothing else: our process that has the traffic is the
/// last good release. What is not seen is not guessed: where nobody of ours has the traffic no release is, and a person is needed.
///
/// # Errors
/// Who has the traffic cannot be seen: a state that says "nobody" would forget for ever who serves.
pub fn rebuild(seen: &Seen) -> Result<State, Blind> {
    let mut state = State::forgotten();
    if let Some(route) = seen.traffic.as_ref().map_err(Clone::clone)?.route()
        && let Occupant::Ours { process, listening: true } = seen.on(&route.active).map_err(Clone::clone)?
    {
        state.confirm(&process.release);
    }
    Ok(state)
}
