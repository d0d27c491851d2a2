//! What must be on a disk after a power cut.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use bluegreen_core::ReleaseId;
use bluegreen_nginx::RouteDir;
use bluegreen_process::Releases;
use serde_json::Value;

use super::recording::{Entry, Told};

/// What everybody had been told at one instant, and what was on its way.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// On the disk for sure.
    synced: BTreeMap<String, String>,
    /// What comes after that, and may be there already.
    next: BTreeMap<String, String>,
    history: String,
    /// The versions that may serve after the next boot; an empty one is none.
    pub(super) fronts: [String; 2],
    /// For a person: the command under way, or the last one.
    pub(super) during: String,
}

impl Promise {
    /// Before the entry `at`.
    pub(super) fn at(entries: &[Entry], at: usize) -> Self {
        let (mut promise, mut open) = (Self::default(), false);
        for told in told(&entries[..at]) {
            match told {
                Told::Began(command) => (promise.during, open) = (command.clone(), true),
                Told::Synced(files) => promise.synced.extend(files.clone()),
                Told::Ended { history, front } => {
                    promise.history.clone_from(history);
                    promise.fronts = [front.clone(), front.clone()];
                    promise.during = format!("after {}", promise.during);
                    open = false;
                }
            }
        }
        for told in told(&entries[at..]) {
            match told {
                Told::Synced(files) => {
                    for (name, text) in files.iter().filter(|(name, text)| promise.synced.get(*name) != Some(text)) {
                        promise.next.entry(name.clone()).or_insert_with(|| text.clone());
                    }
                }
                Told::Ended { front, .. } if std::mem::take(&mut open) => promise.fronts[1].clone_from(front),
                Told::Began(_) | Told::Ended { .. } => {}
            }
        }
        promise
    }

    /// Whether `state`, as it is after the cut, keeps it.
    pub(super) fn is_kept(&self, state: &Path, route: &RouteDir) -> anyhow::Result<()> {
        let live = fs::read_link(route.path().join("live")).map(|target| target.to_string_lossy().into_owned());
        self.old_or_new("live", live.ok().as_ref())?;
        route.check()?;
        let text = |name: &str| fs::read(state.join(name)).ok().map(|text| String::from_utf8_lossy(&text).into_owned());
        let saved = text("state.json");
        self.old_or_new("state.json", saved.as_ref())?;
        for name in ["real1.json", "real2.json"] {
            self.old_or_new(name, text(&format!("processes/{name}")).as_ref())?;
        }
        let saved: Value = saved.map_or(Ok(Value::Null), |text| serde_json::from_str(&text))?;
        whole(&Releases::new(state.join("releases")), &state.join("releases"), &saved)?;
        let history = text("history.jsonl").unwrap_or_default();
        ensure!(history.starts_with(&self.history), "history.jsonl has lost what a command had said: {history:?}");
        Ok(())
    }

    fn old_or_new(&self, name: &str, found: Option<&String>) -> anyhow::Result<()> {
        let (old, new) = (self.synced.get(name), self.next.get(name));
        if found == old || (new.is_some() && found == new) {
            return Ok(());
        }
        let show = |text: Option<&String>| match text {
            None => "nothing".to_owned(),
            Some(text) => text.split_whitespace().collect::<Vec<_>>().concat(),
        };
        bail!("{name} is {}\n    and was {}\n    or will be {}", show(found), show(old), show(new))
    }
}

fn told(entries: &[Entry]) -> impl Iterator<Item = &Told> {
    entries.iter().filter_map(|entry| if let Entry::Told(told) = entry { Some(told) } else { None })
}

/// Every release that can be seen is whole, and those that the state relies on are there.
fn whole(releases: &Releases, dir: &Path, state: &Value) -> anyhow::Result<()> {
    let tx = &state["transaction"];
    let confirmed = state["confirmed"].as_array().into_iter().flatten().take(2);
    let needed = confirmed.chain([&tx["release"], &tx["old_release"]]).filter_map(Value::as_str).map(ToOwned::to_owned);
    let seen = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    for name in needed.chain(seen.filter(|name| !name.starts_with('.') && !name.contains(".pin"))) {
        let id: ReleaseId = name.parse().with_context(|| format!("{name} is no release"))?;
        let release = releases.get(&id).with_context(|| format!("release {name}"))?;
        releases.verify(&release)?;
    }
    Ok(())
}
