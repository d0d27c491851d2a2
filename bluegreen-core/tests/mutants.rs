//! Backends that break one sentence of a contract each: the conformance suite says which.

mod support;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bluegreen_core::{
    Autopsy, Blind, Holder, Lease, Occupant, Process, ProcessError, ProcessManager, Profile, ProfileResolver,
    ProxySwitcher, ReleaseId, Route, Stamp, State, StateStore, StoreError, SwitchError, Traffic,
    testing::{FakeHost, Health, MemoryStore, conformance},
};
use support::releases;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// Only its own list of processes is looked at.
    NeverLooksAtThePort,
    NoAutopsy,
    NoGrace,
    /// Waits whether the release stays, as a tool of a supervisor does.
    EarlyDeathIsAnErrorOfStart,
    DrainsNot,
    /// The witness reads what it wrote itself.
    RepeatsWhatWasOrdered,
}

/// A fake host with one habit that its contract forbids.
#[derive(Debug)]
struct Mutant {
    host: FakeHost,
    wrong: Wrong,
    ordered: Mutex<Option<Route>>,
}

#[async_trait::async_trait]
impl ProcessManager for Mutant {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        Ok(match self.host.inspect(profile).await? {
            Occupant::Stranger { beside, .. } if self.wrong == Wrong::NeverLooksAtThePort => {
                beside.map_or(Occupant::Nobody, |process| Occupant::Ours { process, listening: true })
            }
            occupant => occupant,
        })
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        self.host.start(profile, release).await?;
        let dies = self.host.world().releases.get(release) == Some(&Health::Dies);
        if dies && self.wrong == Wrong::EarlyDeathIsAnErrorOfStart {
            let (profile, release) = (profile.to_string(), release.to_string());
            let reason = "it ended at once".to_owned();
            return Err(ProcessError::Start { profile, release, reason, unstartable: false });
        }
        Ok(())
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        let grace = if self.wrong == Wrong::NoGrace { Duration::ZERO } else { grace };
        self.host.stop(profile, process, grace).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        if self.wrong == Wrong::NoAutopsy { Autopsy::default() } else { self.host.autopsy(profile).await }
    }
}

#[async_trait::async_trait]
impl ProxySwitcher for Mutant {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        *self.ordered.lock().unwrap_or_else(PoisonError::into_inner) = Some(route.clone());
        self.host.switch_to(route).await
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        if self.wrong == Wrong::DrainsNot { Ok(0) } else { self.host.drain(profile, within).await }
    }
}

#[async_trait::async_trait]
impl ProfileResolver for Mutant {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        let ordered = self.ordered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match ordered.filter(|_| self.wrong == Wrong::RepeatsWhatWasOrdered) {
            Some(route) => Ok(route.into()),
            None => self.host.resolve().await,
        }
    }
}

/// A store that takes any lease for its own.
#[derive(Debug, Clone, Default)]
struct Trusting(MemoryStore);

impl StateStore for Trusting {
    fn lock(&self, who: &Holder) -> Result<Lease, StoreError> {
        self.0.lock(who)
    }

    fn load(&self) -> Result<State, StoreError> {
        self.0.load()
    }

    fn save(&self, _: &Lease, state: &State) -> Result<(), StoreError> {
        self.0.set(state.clone());
        Ok(())
    }

    fn now(&self) -> Stamp {
        self.0.now()
    }
}

/// The suite of a backend, as its tests call it.
async fn suite(wrong: Wrong) {
    let host = FakeHost::new();
    let (releases, profiles) = (releases(&host), host.world().profiles.clone());
    let routes = profiles.both().map(|profile| Route::solo(profile.clone()));
    let mutant = Mutant { host: host.clone(), wrong, ordered: Mutex::default() };
    conformance::processes(&mutant, profiles.first(), &releases, |profile| host.hold(profile)).await;
    conformance::resolver(&mutant, &mutant, &routes, async |route| host.world().switch(route)).await;
    conformance::switcher(&mutant, &mutant, &routes, async || host.request()).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "who listens there and is not ours is a stranger")]
async fn a_manager_that_never_looks_at_the_port() {
    suite(Wrong::NeverLooksAtThePort).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "an autopsy tells how a release has ended and what it said last")]
async fn an_empty_autopsy() {
    suite(Wrong::NoAutopsy).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "who does not end when asked has the whole of its grace")]
async fn a_kill_without_grace() {
    suite(Wrong::NoGrace).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "that it ends at once is no error of start")]
async fn an_early_death_told_as_an_error_of_start() {
    suite(Wrong::EarlyDeathIsAnErrorOfStart).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "drain waits while a request is open")]
async fn a_drain_that_returns_at_once() {
    suite(Wrong::DrainsNot).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a route that somebody else moved is the route in effect too")]
async fn a_witness_that_repeats_what_was_ordered() {
    suite(Wrong::RepeatsWhatWasOrdered).await;
}

#[test]
#[should_panic(expected = "a lease of one store cannot save another")]
fn a_store_that_takes_any_lease() {
    let store = Trusting::default();
    conformance::store(|| store.clone(), &Trusting::default());
}
