//! Where a story happens, again and again: a private nginx, an app in two versions, and clients.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use bluegreen_core::Route;
use bluegreen_rig::{Stage, below, kill, wait_for};

/// A stage with fast settings, so that a story takes a fraction of a second.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) stage: Stage,
    pub(crate) reloads: bool,
    /// What was done to the tool.
    pub(crate) happened: String,
    /// Of the versions given out.
    number: usize,
    artifacts: Vec<PathBuf>,
    /// What is in its directory from the start.
    names: BTreeSet<PathBuf>,
}

impl Ground {
    /// With nginx in reload mode or in marker mode; `None` without nginx.
    pub(crate) fn new(reloads: bool) -> Option<Self> {
        let mut stage = if reloads { Stage::reload() } else { Stage::marker() }?;
        stage.boots_in(20);
        // a fault that makes the release sick shall not cost more
        stage.set("health.deadline", "10s");
        stage.set("stop.grace", "5s");
        stage.set("after_switch.bake", "50ms");
        stage.set("after_switch.settle", "50ms");
        stage.set("releases.keep", 2);
        let happened = String::new();
        let mut ground = Self { stage, reloads, happened, number: 0, artifacts: Vec::new(), names: BTreeSet::new() };
        ground.names = ground.listing();
        Some(ground)
    }

    /// The version of a new artifact and its path; `fault` is what is wrong with it.
    pub(crate) fn artifact(&mut self, fault: &str) -> (String, String) {
        self.number += 1;
        let version = format!("v{}", self.number);
        let artifact = self.stage.artifact(&format!("{version} {fault}"));
        self.artifacts.push(artifact.clone().into());
        (version, artifact)
    }

    /// Deploys a new version, which must work, and gives it back.
    pub(crate) fn deploy(&mut self, options: &[&str]) -> String {
        let (version, artifact) = self.artifact("");
        let words = [&["deploy", &artifact, "--version", &version], options].concat();
        self.stage.run(&words, 0);
        let front = self.stage.front();
        assert!(front.starts_with(&format!("{version} ")), "after a deploy of {version} the front door says {front}");
        version
    }

    pub(crate) fn command(&self, words: &[String]) -> Command {
        self.stage.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Ends all apps, as a power cut does.
    pub(crate) fn end_apps(&self) {
        below(self.stage.home()).into_iter().for_each(kill);
        wait_for("the end of all apps", || below(self.stage.home()).is_empty());
    }

    /// Nothing was ever deployed.
    pub(crate) fn raze(&self) {
        self.end_apps();
        let state = self.stage.state_dir();
        let _ = Command::new("chmod").arg("-R").arg("u+w").arg(&state).status();
        for entry in fs::read_dir(&state).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "route") {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        let route = self.stage.route_dir();
        route.point(&Route::solo(route.profiles().second().clone())).unwrap();
    }

    /// Another boot: nothing runs, and what is written down is of the boot before.
    pub(crate) fn reboot(&self) {
        self.end_apps();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let state = self.stage.state_dir();
        for file in ["state.json", "state.json.prev", "processes/real1.json", "processes/real2.json"] {
            let file = state.join(file);
            if let Ok(text) = fs::read_to_string(&file) {
                fs::write(&file, text.replace(boot.trim(), "00000000-0000-0000-0000-000000000000")).unwrap();
            }
        }
    }

    /// Files that belong to nothing: half-written ones, and those in places where none should be.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for path in self.listing().difference(&self.names) {
            if !self.artifacts.iter().any(|artifact| path == artifact.file_name().unwrap()) && !belongs(path) {
                found.push(path.clone());
            }
        }
        found
    }

    /// The artifacts of before are not needed any more.
    pub(crate) fn forget_artifacts(&mut self) {
        self.artifacts.drain(..).for_each(|artifact| fs::remove_file(artifact).unwrap());
    }

    /// All paths below the directory, relative to it.
    fn listing(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut open = vec![PathBuf::new()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(self.stage.home().join(&dir)).into_iter().flatten().flatten() {
                let path = dir.join(entry.file_name());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    open.push(path.clone());
                }
                found.insert(path);
            }
        }
        found
    }
}

/// Whether a path has its place in a state directory.
fn belongs(path: &std::path::Path) -> bool {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    let is_id = |name: &str| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let is_log = |name: &str| name == "current" || name.strip_suffix(".log").is_some_and(|n| n.parse::<u64>().is_ok());
    match parts[..] {
        [
            "state",
            "lock" | "state.json" | "state.json.prev" | "history.jsonl" | "releases" | "processes" | "logs" | "shared",
        ]
        | ["state", "route", "live"] => true,
        ["state", "releases", id] => is_id(id),
        ["state", "releases", id, file] => is_id(id) && (file == "release.json" || file.starts_with("app-")),
        ["state", "processes", file] => ["real1.json", "real2.json"].contains(&file),
        ["state", "logs", profile] => ["real1", "real2"].contains(&profile),
        ["state", "logs", _, file] => is_log(file),
        _ => false,
    }
}
