use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{FakeProcess, Faults, Health, MemoryStore, Op, World};
use crate::{
    Answer, Autopsy, Blind, Deployer, FrontDoor, HealthProbe, Occupant, Process, ProcessError, ProcessManager, Profile,
    ProfileResolver, ProxySwitcher, ReleaseId, Route, SwitchError, Traffic, Unhealthy,
};

/// All four traits, and the front door, over one [`World`]. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct FakeHost {
    world: Arc<Mutex<World>>,
    faults: Faults,
    /// The profiles of the requests that are open.
    open: Arc<Mutex<Vec<Profile>>>,
}

/// A request that a [`FakeHost`] has open until this is dropped.
#[derive(Debug)]
pub struct Request(FakeHost, Profile);

impl Drop for Request {
    fn drop(&mut self) {
        let mut open = self.0.open();
        let index = open.iter().position(|profile| *profile == self.1);
        open.swap_remove(index.expect("each is dropped once"));
    }
}

/// Somebody who listens on a port of a [`FakeHost`] until this is dropped.
#[derive(Debug)]
pub struct Held(FakeHost, Profile);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.world().strangers.remove(&self.1);
    }
}

/// The front door of a [`FakeHost`].
#[derive(Debug, Clone)]
struct Door(FakeHost);

impl FakeHost {
    /// A machine after `setup`, on which nothing runs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The world, to look at or to meddle with. Do not hold it across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The faults of this host.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Lets somebody else listen on the port of `profile`.
    pub fn hold(&self, profile: &Profile) -> Held {
        self.world().strangers.insert(profile.clone(), World::bob());
        Held(self.clone(), profile.clone())
    }

    /// Sends a request that stays open, to the active profile.
    pub fn request(&self) -> Request {
        let active = self.world().route().expect("there is a route").active.clone();
        self.open().push(active.clone());
        Request(self.clone(), active)
    }

    fn open(&self) -> MutexGuard<'_, Vec<Profile>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A store whose saves fail with this host's faults.
    pub fn store(&self) -> MemoryStore {
        MemoryStore::with_faults(self.faults.clone())
    }

    /// A deployer with this host in all its places.
    pub fn deployer(&self, store: &MemoryStore) -> Deployer {
        let profiles = self.world().profiles.clone();
        Deployer::new(profiles, self.clone(), self.clone(), self.clone(), self.clone(), store.clone())
            .with_front_door(Door(self.clone()))
    }

    /// One effect: it may be struck before, after, or lie.
    fn effect<E>(
        &self,
        op: Op,
        act: impl FnOnce(&mut World) -> Result<(), E>,
        error: impl Fn(String) -> E,
    ) -> Result<(), E> {
        let injected = || Err(error("injected".to_owned()));
        if self.faults.strikes(Op::BeforeEffect) || self.faults.strikes(op) {
            return injected();
        }
        let result = if self.faults.lies(op) { Ok(()) } else { act(&mut self.world()) };
        if self.faults.strikes(Op::AfterEffect) { injected() } else { result }
    }
}

#[async_trait]
impl ProfileResolver for FakeHost {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        if self.faults.strikes(Op::Resolve) {
            return Err(Blind::Route("injected".into()));
        }
        self.world().traffic.clone()
    }
}

#[async_trait]
impl ProcessManager for FakeHost {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        if self.faults.strikes(Op::Inspect) {
            return Err(Blind::Profile { profile: profile.to_string(), reason: "injected".into() });
        }
        self.world().inspect(profile)
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        let failed = |reason| {
            let (profile, release) = (profile.to_string(), release.to_string());
            ProcessError::Start { profile, release, reason, unstartable: false }
        };
        self.effect(Op::Start, |world| world.start(profile, release), failed)
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        let ignores = |it: &FakeProcess| it.process.start == process.start && it.health == Health::Stubborn;
        let stubborn = self.world().running.get(profile).is_some_and(ignores);
        if stubborn {
            tokio::time::sleep(grace).await;
        }
        let stop = |world: &mut World| {
            world.stop(profile, process);
            Ok(())
        };
        self.effect(Op::Stop, stop, |reason| ProcessError::Stop { profile: profile.to_string(), reason })
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        let over = self.world().occupant(profile).ours().is_none();
        Autopsy {
            exit: over.then(|| "exited with code 1".into()),
            log: vec!["fake: it is over".into()],
            ..Autopsy::default()
        }
    }
}

#[async_trait]
impl HealthProbe for FakeHost {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let world = self.world();
        match world.occupant(profile).listens() {
            false => Err(Unhealthy::Refused(format!("port {}", profile.port()))),
            true if world.healthy(profile) => Ok(()),
            true => Err(Unhealthy::Sick("503 Service Unavailable".into())),
        }
    }
}

#[async_trait]
impl FrontDoor for Door {
    async fn ask(&self, expected: &Profile) -> Answer {
        let world = self.0.world();
        match world.answering() {
            None => Answer::Gateway { status: 502, says: "502 Bad Gateway".into() },
            Some(answering) if answering == expected => Answer::Release,
            Some(other) => Answer::Other { status: 200, says: other.to_string() },
        }
    }
}

#[async_trait]
impl ProxySwitcher for FakeHost {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        let switch = |world: &mut World| {
            world.switch(route);
            Ok(())
        };
        self.effect(Op::Switch, switch, SwitchError::Refused)
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        let open = || self.open().iter().filter(|open| *open == profile).count();
        let drained = async {
            while open() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // running out of time is not an error
        let _ = tokio::time::timeout(within, drained).await;
        Ok(open())
    }
}
