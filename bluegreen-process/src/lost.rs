//! What the processes themselves say of a start whose record is damaged.

use std::{collections::BTreeMap, io, path::PathBuf};

use bluegreen_core::{Name, Profile, ReleaseId};
use bluegreen_linux::proc::{self, Environment, Seen, Sight, Uids};

use crate::{Listener, family::TOKEN, host, oom::Kills, record::Record};

/// A start that was found by what its processes carry.
struct Start {
    release: ReleaseId,
    token: String,
    carriers: Vec<Seen>,
}

/// The record of the last start on `profile`, as its processes have it in their environment: those of our own user, in our own
/// network, that name this app, this profile and this port. Of several starts, the one that has the `listeners` of the port,
/// else the youngest. `None`: nothing of ours is left.
pub(crate) fn find(
    app: &Name,
    profile: &Profile,
    log: Option<PathBuf>,
    listeners: &[Listener],
) -> io::Result<Option<Record>> {
    let mut starts: BTreeMap<String, Start> = BTreeMap::new();
    for seen in proc::everybody()? {
        let Some((token, release)) = claims(seen, app, profile)? else { continue };
        let start = Start { release, token: token.clone(), carriers: Vec::new() };
        starts.entry(token).or_insert(start).carriers.push(seen);
    }
    let boot = host::boot_id()?;
    let has_the_port = |start: &Start| {
        let carries = |pid: &u32| start.carriers.iter().any(|seen| seen.pid() == *pid);
        listeners.iter().any(|listener| listener.pids.iter().any(carries))
    };
    let age = |start: &Start| start.carriers.iter().map(|seen| seen.birth.start).min();
    let found = starts.into_values().max_by_key(|start| (has_the_port(start), age(start)));
    Ok(found.map(|start| {
        // each start has a session of its own; who left it is found by the token
        let leads = start.carriers.iter().filter(|seen| seen.session == seen.pid());
        let leader = leads.map(|seen| seen.birth).min_by_key(|birth| birth.start);
        let (release, token) = (start.release, Some(start.token));
        Record { release, boot, token, leader, log, kills: Kills::now(), stopped: false }
    }))
}

/// The token and the release of `seen`, when it is of this profile.
fn claims(seen: Seen, app: &Name, profile: &Profile) -> io::Result<Option<(String, ReleaseId)>> {
    let pid = seen.pid();
    let us = rustix::process::geteuid().as_raw();
    if pid == std::process::id() || proc::uids(pid)? != Sight::Seen(Uids { real: us, effective: us, saved: us }) {
        return Ok(None);
    }
    let Sight::Seen(environment) = proc::environment(pid)? else { return Ok(None) };
    let says = |name: &str, value: &str| environment.get(name) == Some(value);
    let is_ours = says("BLUEGREEN_APP", app.as_str())
        && says("BLUEGREEN_PROFILE", profile.name().as_str())
        && says("BLUEGREEN_PORT", &profile.port().to_string());
    if !is_ours || proc::shares_our_network(pid)? != Sight::Seen(true) {
        return Ok(None);
    }
    Ok(started(&environment))
}

fn started(environment: &Environment) -> Option<(String, ReleaseId)> {
    let release = environment.get("BLUEGREEN_RELEASE")?.parse().ok()?;
    Some((environment.get(TOKEN)?.to_owned(), release))
}
