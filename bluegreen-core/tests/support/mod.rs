//! A fake host, its store and a deployer, with words for tests.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::time::Duration;

use bluegreen_core::{
    Command, Deployer, Options, Policy, Profile, ReleaseId, Report, Route, RunError, State, StateStore, Step,
    testing::{FakeHost, Health, MemoryStore, conformance::Releases},
};

pub fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

/// The releases of the conformance suite, which behave as their names say.
pub fn releases(host: &FakeHost) -> Releases {
    host.world().releases.extend([(id("dies"), Health::Dies), (id("stubborn"), Health::Stubborn)]);
    Releases { listens: id("v1"), other: id("v2"), dies: id("dies"), stubborn: id("stubborn") }
}

#[derive(Debug)]
pub struct Scene {
    pub host: FakeHost,
    pub store: MemoryStore,
    pub deployer: Deployer,
}

impl Scene {
    pub fn new() -> Self {
        Self::with(Policy::default())
    }

    pub fn with(policy: Policy) -> Self {
        let host = FakeHost::new();
        let store = host.store();
        let deployer = host.deployer(&store).with_policy(policy);
        Self { host, store, deployer }
    }

    /// After these releases were deployed, long enough ago to be settled.
    pub async fn deployed(releases: &[&str]) -> Self {
        let scene = Self::new();
        for release in releases {
            scene.deploy(release).await;
            scene.store.advance(Duration::from_secs(60));
        }
        scene
    }

    pub async fn run(&self, command: Command) -> Result<Report, RunError> {
        self.deployer.run(&command, &Options::default()).await
    }

    pub async fn deploy(&self, release: &str) -> Report {
        self.until(release, Step::Retire).await
    }

    pub async fn until(&self, release: &str, until: Step) -> Report {
        self.try_until(release, until).await.unwrap()
    }

    pub async fn try_until(&self, release: &str, until: Step) -> Result<Report, RunError> {
        let release = id(release);
        self.run(Command::Deploy { release, until, breaking: false, replace: false, if_changed: false }).await
    }

    pub fn first(&self) -> Profile {
        self.host.world().profiles.first().clone()
    }

    pub fn second(&self) -> Profile {
        self.host.world().profiles.second().clone()
    }

    pub fn route(&self) -> Route {
        self.host.world().route().unwrap().clone()
    }

    pub fn state(&self) -> State {
        self.store.load().unwrap()
    }

    /// The releases on the two profiles, as `v1 -`.
    pub fn running(&self) -> String {
        let world = self.host.world();
        let on = |p: &Profile| world.running.get(p).map_or_else(|| "-".to_owned(), |r| r.process.release.to_string());
        world.profiles.both().map(on).join(" ")
    }

    /// No invariant was broken so far.
    pub fn assert_sound(&self) {
        assert_eq!(self.host.world().broken, Vec::<String>::new());
    }
}
