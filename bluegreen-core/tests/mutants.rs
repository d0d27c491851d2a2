//! Backends that break one sentence of a contract each: the conformance suite says which.

mod support;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bluegreen_core::{
    Autopsy, Blind, Holder, Lease, Occupant, Process, ProcessError, ProcessManager, Profile, ProfileResolver,
    ProxySwitcher, ReleaseId, Route, Stamp, State, StateStore, StoreError, Stranger, SwitchError, Traffic,
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
    /// Of a process it knows only the run.
    KnowsNoStart,
    /// Of a process it knows only the start.
    KnowsNoRun,
    /// What its supervisor runs again is another one to it.
    StopsOneRun,
    /// What it started is written down at the end.
    WritesLate,
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
    /// What it started was not written down.
    unwritten: AtomicBool,
}

#[async_trait::async_trait]
impl ProcessManager for Mutant {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        Ok(match self.host.inspect(profile).await? {
            Occupant::Ours { .. } if self.unwritten.load(Relaxed) => Occupant::stranger(Stranger::new()),
            Occupant::Ours { process, listening } if self.wrong == Wrong::KnowsNoStart => {
                Occupant::Ours { process: Process::new(process.release, process.run), listening }
            }
            Occupant::Ours { process, listening } if self.wrong == Wrong::KnowsNoRun => {
                Occupant::Ours { process: Process::new(process.release, process.start), listening }
            }
            Occupant::Stranger { beside, .. } if self.wrong == Wrong::NeverLooksAtThePort => {
                beside.map_or(Occupant::Nobody, |process| Occupant::Ours { process, listening: true })
            }
            occupant => occupant,
        })
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        self.host.start(profile, release).await?;
        self.unwritten.store(self.wrong == Wrong::WritesLate, Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.unwritten.store(false, Relaxed);
        let dies = self.host.world().releases.get(release) == Some(&Health::Dies);
        if dies && self.wrong == Wrong::EarlyDeathIsAnErrorOfStart {
            let (profile, release) = (profile.to_string(), release.to_string());
            let reason = "it ended at once".to_owned();
            return Err(ProcessError::Start { profile, release, reason, unstartable: false });
        }
        Ok(())
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        let now = self.host.world().running.get(profile).map(|it| it.process.run.clone());
        if self.wrong == Wrong::StopsOneRun && now.as_ref() != Some(&process.run) {
            return Ok(());
        }
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

/// Each habit with the check that finds it, and what that says.
const FOUND: [(Wrong, &str, &str); 10] = [
    (Wrong::NeverLooksAtThePort, "processes", "who listens there and is not ours is a stranger"),
    (Wrong::NoAutopsy, "processes", "an autopsy tells how a release has ended and what it said last"),
    (Wrong::NoGrace, "processes", "who does not end when asked has the whole of its grace"),
    (Wrong::EarlyDeathIsAnErrorOfStart, "processes", "that it ends at once is no error of start"),
    (Wrong::KnowsNoStart, "supervisor", "what a supervisor runs again is of the same start"),
    (Wrong::KnowsNoRun, "supervisor", "what runs again has another run"),
    (Wrong::StopsOneRun, "supervisor", "stop ends the start, in whichever run it is"),
    (Wrong::WritesLate, "cut_off", "what a start that was cut off has left is ours"),
    (Wrong::RepeatsWhatWasOrdered, "resolver", "a route that somebody else moved is the route in effect too"),
    (Wrong::DrainsNot, "switcher", "drain waits while a request is open"),
];

/// One check of the suite, as a backend's tests call it.
async fn check(name: &str, wrong: Wrong) {
    let host = FakeHost::new();
    let (releases, profiles) = (releases(&host), host.world().profiles.clone());
    let routes = profiles.both().map(|profile| Route::solo(profile.clone()));
    let mutant = &Mutant { host: host.clone(), wrong, ordered: Mutex::default(), unwritten: AtomicBool::default() };
    let (profile, release) = (profiles.first(), &releases.listens);
    let cut_off = async |profile: &_, release: &_, within| {
        let _ = tokio::time::timeout(within, mutant.start(profile, release)).await;
    };
    let crash = async |profile: &_| host.world().restart(profile);
    match name {
        "processes" => conformance::processes(mutant, profile, &releases, |profile| host.hold(profile)).await,
        "supervisor" => conformance::supervisor(mutant, profile, release, crash).await,
        "cut_off" => conformance::cut_off(mutant, profile, release, cut_off).await,
        "resolver" => conformance::resolver(mutant, mutant, &routes, async |to| host.world().switch(to)).await,
        "switcher" => conformance::switcher(mutant, mutant, &routes, async || host.request()).await,
        _ => unreachable!("{name} is no check"),
    }
}

/// What a check says of a mutant.
async fn said(name: &'static str, wrong: Wrong) -> Option<String> {
    let local = tokio::task::LocalSet::new();
    let checked = local.spawn_local(check(name, wrong));
    let error = local.run_until(checked).await.err()?;
    let says = error.into_panic();
    Some(says.downcast::<String>().map_or_else(|it| it.downcast_ref::<&str>().unwrap().to_string(), |it| *it))
}

#[tokio::test(start_paused = true)]
async fn every_wrong_backend_is_found_by_the_check_that_is_known_for_it_and_by_no_other() {
    for (wrong, known, says) in FOUND {
        for name in ["processes", "supervisor", "cut_off", "resolver", "switcher"] {
            match said(name, wrong).await {
                Some(said) => assert!(name == known && said.contains(says), "{wrong:?}, {name}: {said}"),
                None => assert_ne!(name, known, "{wrong:?} passes"),
            }
        }
    }
}

#[test]
#[should_panic(expected = "a lease of one store cannot save another")]
fn a_store_that_takes_any_lease() {
    let store = Trusting::default();
    conformance::store(|| store.clone(), &Trusting::default());
}
