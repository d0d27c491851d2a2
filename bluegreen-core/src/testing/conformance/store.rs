use crate::{Holder, State, StateStore, StoreError};

/// Checks a state store. `open` opens the same, still empty, store anew each time, and `other` is of another app.
pub fn store<S: StateStore>(open: impl Fn() -> S, other: &S) {
    let (a, b) = (open(), open());
    assert_eq!(a.load(), Ok(State::default()), "an app without a state has the default one");

    let who =
        Holder { command: "deploy".into(), user: "me".into(), pid: std::process::id(), since: "now".into(), at: None };
    let lease = a.lock(&who).expect("a free lock can be taken");
    match b.lock(&Holder::default()) {
        Err(StoreError::Locked(holder)) => assert_eq!(holder, Some(who.clone()), "a taken lock names its holder"),
        other => panic!("at most one lease exists at a time, got {other:?}"),
    }
    let mut state = State { number: 7, ..State::default() };
    state.confirm(&"v1".parse().expect("a release id"));
    for _ in 0..2 {
        a.save(&lease, &state).expect("saving works, twice the same too");
        assert_eq!(b.load().as_ref(), Ok(&state), "what was saved is what is loaded, without a lock");
    }
    other.save(&lease, &state).expect_err("a lease of one store cannot save another");
    assert_eq!(other.load(), Ok(State::default()), "a lease of one store cannot save another");
    drop(lease);
    drop(b.lock(&who).expect("the lock ends with its lease"));
    drop(a.lock(&who).expect("the lock ends with its lease"));
    assert!(b.now().since(&a.now()).is_some_and(|t| t.as_secs() < 60), "moments of one boot can be compared");
}
