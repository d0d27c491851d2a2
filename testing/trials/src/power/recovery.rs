//! The next boot.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, ensure};
use bluegreen_rig::Stage;

use super::{
    promise::Promise,
    story::{artifact, end_all, version},
};

/// Another boot has another id.
const OTHER_BOOT: &str = "00000000-0000-4000-8000-000000000000";
/// What is deployed at the end.
const AFTER: &str = "v99";
/// All that may be in the directory of the state. Of a directory that others fill only its own name.
const KNOWN: [&str; 12] = [
    "history.jsonl",
    "lock",
    "logs",
    "lost+found",
    "processes",
    "processes/real1.json",
    "processes/real2.json",
    "releases",
    "route",
    "shared",
    "state.json",
    "state.json.prev",
];
const ROUTE: [&str; 5] = ["live", "real1", "real1+standby", "real2", "real2+standby"];

/// `up` must find its way, and a deploy too; nothing of what the cut left may lie around then.
pub(super) fn ends_well(stage: &Stage, promise: &Promise) -> anyhow::Result<()> {
    let result = boot(stage, promise);
    end_all(stage);
    result
}

fn boot(stage: &Stage, promise: &Promise) -> anyhow::Result<()> {
    let dir = stage.state_dir();
    let this = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    for name in ["state.json", "state.json.prev", "processes/real1.json", "processes/real2.json"] {
        let path = dir.join(name);
        if let Ok(text) = fs::read_to_string(&path) {
            fs::write(&path, text.replace(this.trim(), OTHER_BOOT))?;
        }
    }
    let up = stage.spawn(&["up"]).wait();
    // in the bake of the first deploy of all the route points at a release that nobody has confirmed, and there is no other
    let nothing_yet = promise.fronts[0].is_empty() && up.code == Some(20);
    ensure!(up.code == Some(0) || nothing_yet, "`bluegreen up` after the cut: {up}");
    let front = version(&stage.front());
    ensure!(promise.fronts.contains(&front), "{front:?} serves, and it should be one of {:?}: {up}", promise.fronts);
    ensure!(stage.step().is_none() || nothing_yet, "a transaction is open after `up`: {up}");
    let deploy = stage.spawn(&["deploy", &artifact(stage, AFTER), "--version", AFTER]).wait();
    ensure!(deploy.code == Some(0), "a deploy after the cut and `up`: {deploy}");
    let front = version(&stage.front());
    ensure!(front == AFTER, "{front:?} serves after a deploy");
    tidy(&dir)
}

/// Nothing is left of what the cut interrupted.
fn tidy(state: &Path) -> anyhow::Result<()> {
    let names = |dir: &str| -> anyhow::Result<BTreeSet<String>> {
        let entries = fs::read_dir(state.join(dir)).with_context(|| dir.to_owned())?;
        Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    };
    let known = |name: &str| KNOWN.contains(&name);
    let mut stray: Vec<String> = names("")?.into_iter().filter(|name| !known(name)).collect();
    stray.extend(names("processes")?.into_iter().map(|name| format!("processes/{name}")).filter(|name| !known(name)));
    stray.extend(names("route")?.into_iter().filter(|name| !ROUTE.contains(&name.as_str())));
    stray.extend(names("releases")?.into_iter().filter(|name| name.starts_with('.')));
    for release in names("releases")? {
        stray.extend(names(&format!("releases/{release}"))?.into_iter().filter(|name| name.starts_with('.')));
    }
    for profile in names("logs")? {
        stray.extend(names(&format!("logs/{profile}"))?.into_iter().filter(|name| name == "current.new"));
    }
    ensure!(stray.is_empty(), "left behind: {stray:?}");
    Ok(())
}
