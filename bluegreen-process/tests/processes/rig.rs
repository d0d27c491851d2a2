//! An app of its own for each test.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bluegreen_core::{Occupant, Process, ProcessManager, Profile, Profiles, ReleaseId, Template};
use bluegreen_process::{Config, Launch, NewRelease, Processes, free_port};

use crate::app;

pub(crate) const GRACE: Duration = Duration::from_secs(60);
/// Nothing that a test waits for may take longer, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) config: Config,
    pub(crate) processes: Processes,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let command = app::command().iter().map(|part| Template::parse(part).unwrap()).collect();
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let (first, second) = free_ports();
        let mut config = Config {
            state_dir: dir.path().join("state"),
            app: "shop".parse().unwrap(),
            profiles: Profiles::new(profile("real1", first), profile("real2", second)).unwrap(),
            launch: Launch::new(command),
            group: None,
        };
        change(&mut config);
        Self { dir, processes: Processes::new(config.clone()), config }
    }

    pub(crate) fn profile(&self) -> &Profile {
        self.config.profiles.first()
    }

    /// Another command that looks at the same files: it started nothing itself and remembers nothing.
    pub(crate) fn stranger(&self) -> Processes {
        Processes::new(self.config.clone())
    }

    pub(crate) fn release(&self, kind: &str) -> ReleaseId {
        let mut spec = self.config.launch.spec();
        spec.env.insert("APP_KIND".into(), kind.into());
        let new = NewRelease { artifact: None, spec: &spec, version: Some(kind), sha256: None };
        self.processes.releases().add(&new, &mut |_, _| ControlFlow::Continue(())).unwrap().id
    }

    pub(crate) fn command(&self, command: &[&str]) -> ReleaseId {
        let command = command.iter().map(ToString::to_string).collect();
        let spec = bluegreen_process::Spec { command, env: BTreeMap::new(), workdir: "{shared_dir}".into() };
        let new = NewRelease { artifact: None, spec: &spec, version: None, sha256: None };
        self.processes.releases().add(&new, &mut |_, _| ControlFlow::Continue(())).unwrap().id
    }

    pub(crate) async fn start(&self, kind: &str) -> Process {
        self.processes.start(self.profile(), &self.release(kind)).await.unwrap();
        match self.inspect().await {
            Occupant::Ours { process, .. } => process,
            // it may be over already
            _ => Process::new(self.release(kind), ""),
        }
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn listening(&self, kind: &str) -> Process {
        self.listening_on(self.profile(), kind).await
    }

    pub(crate) async fn listening_on(&self, profile: &Profile, kind: &str) -> Process {
        self.processes.start(profile, &self.release(kind)).await.unwrap();
        let occupant = self.until_on(profile, "it listens", Occupant::listens).await;
        match occupant {
            Occupant::Ours { process, listening: true } => process,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn inspect(&self) -> Occupant {
        self.processes.inspect(self.profile()).await.unwrap()
    }

    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Occupant) -> bool) -> Occupant {
        self.until_on(self.profile(), what, wanted).await
    }

    pub(crate) async fn until_on(&self, profile: &Profile, what: &str, wanted: impl Fn(&Occupant) -> bool) -> Occupant {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let occupant = self.processes.inspect(profile).await.unwrap();
            if wanted(&occupant) {
                return occupant;
            }
            assert!(Instant::now() < deadline, "not in time: {what}; {occupant:?}; log: {}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        let log = self.processes.log(self.profile()).unwrap();
        log.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
    }

    pub(crate) fn shared(&self) -> PathBuf {
        self.config.state_dir.join("shared")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.config.state_dir.join("processes/real1.json")
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let (processes, profiles) = (self.stranger(), self.config.profiles.clone());
        // a runtime cannot be started inside another one
        let stop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            for profile in profiles.both() {
                if let Ok(Occupant::Ours { process, .. }) = runtime.block_on(processes.inspect(profile)) {
                    let _ = runtime.block_on(processes.stop(profile, &process, Duration::ZERO));
                }
            }
        });
        let _ = stop.join();
    }
}

fn free_ports() -> (u16, u16) {
    (free_port().unwrap(), free_port().unwrap())
}

/// Waits for a file that an app writes.
pub(crate) async fn file(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::read_to_string(path) {
            Ok(text) => return text,
            Err(_) => assert!(Instant::now() < deadline, "{} never came", path.display()),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
