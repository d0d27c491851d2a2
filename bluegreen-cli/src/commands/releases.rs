//! `releases`: what is kept, and why.

use bluegreen_core::{Occupant, Profile, ReleaseId, Seen, State, StateStore as _};
use bluegreen_process::{Release, ReleaseError, Stored, Unreadable};

use super::{Exit, Format, Global, Halt, Session};
use crate::{
    args::ReleasesAction,
    documents::{self, SCHEMA},
    output,
    report::{self, Tone, Trouble},
    session::holder,
};

pub(super) async fn run(session: &Session, global: &Global, action: Option<ReleasesAction>) -> Result<Exit, Halt> {
    let releases = session.wired.processes.releases();
    match action {
        None => return list(session, global).await,
        Some(ReleasesAction::Prune) => {
            let removed = prune(session).await?;
            if global.format == Format::Json {
                let removed = removed.iter().map(|release| &release.id).collect();
                output::json(&documents::Pruned { schema: SCHEMA, removed });
            } else {
                let line = |gone: &Release| format!("removed {} ({})", gone.id, report::size(gone.size));
                removed.iter().map(line).for_each(output::line);
            }
        }
        Some(ReleasesAction::Pin { release }) => releases.pin(&releases.resolve(&release)?.id)?,
        Some(ReleasesAction::Unpin { release }) => releases.unpin(&releases.resolve(&release)?.id)?,
    }
    Ok(Exit::Done)
}

/// Keeps as many as configured, and always those that a rollback, a restart or a person may need. Under the lock: what
/// another command has just added is about to be needed.
pub(super) async fn prune(session: &Session) -> Result<Vec<Release>, Halt> {
    let store = &session.wired.store;
    let lease = store.lock(&holder("releases prune"))?;
    let mut state = store.load()?;
    let needed = needed(session, &state).await?;
    let keep = usize::try_from(session.config.releases.keep).unwrap_or(usize::MAX);
    let gone = tokio::task::block_in_place(|| session.wired.processes.releases().prune(keep, &needed))?;
    // what cannot be started is nothing to go back to
    let before = state.confirmed.len();
    state.confirmed.retain(|id| gone.iter().all(|release| release.id != *id));
    if state.confirmed.len() < before {
        store.save(&lease, &state)?;
    }
    Ok(gone)
}

/// What a deploy of `next` would remove in the end; `stored`: it is one of those that are kept already.
pub(super) async fn surplus(session: &Session, next: &Release, stored: bool) -> Result<Vec<Release>, Halt> {
    let mut needed = needed(session, &session.wired.store.load()?).await?;
    needed.push(next.id.clone());
    let keep = usize::try_from(session.config.releases.keep).unwrap_or(usize::MAX);
    Ok(session.wired.processes.releases().surplus(keep - usize::from(!stored), &needed)?)
}

/// What a rollback, a restart or an open transaction may need.
async fn needed(session: &Session, state: &State) -> Result<Vec<ReleaseId>, Halt> {
    let open = state.transaction.iter().flat_map(|tx| [Some(tx.release.clone()), tx.old_release.clone()]).flatten();
    let newer = state.replaced().cloned();
    Ok(state.confirmed.iter().take(2).cloned().chain(open).chain(newer).chain(running(session).await?).collect())
}

/// The releases that processes of ours run from. What cannot be seen may run from any.
async fn running(session: &Session) -> Result<Vec<ReleaseId>, Halt> {
    let seen = session.sight().await;
    let mut releases = Vec::new();
    for profile in seen.profiles.both() {
        let on = seen.on(profile).map_err(|blind| Halt::error(Exit::Refused, blind).next("bluegreen check"))?;
        let beside = match on {
            Occupant::Stranger { beside, .. } => beside.as_ref(),
            other => other.ours(),
        };
        releases.extend(beside.map(|process| process.release.clone()));
    }
    Ok(releases)
}

async fn list(session: &Session, global: &Global) -> Result<Exit, Halt> {
    let (state, seen) = (session.wired.store.load()?, session.wired.deployer.look().await);
    let releases = session.wired.processes.releases();
    let Stored { releases: list, unreadable, .. } = releases.list()?;
    let pins = list.iter().map(|release| releases.is_pinned(&release.id)).collect::<Result<Vec<_>, _>>()?;
    let pinned = |id: &ReleaseId| list.iter().zip(&pins).any(|(release, pinned)| *pinned && release.id == *id);
    let words = |release: &Release| words(&state, &seen, pinned(&release.id), &release.id);
    if global.format == Format::Json {
        let releases = list.iter().map(|release| documents::KeptRelease {
            id: &release.id,
            version: release.version.as_deref(),
            artifact: release.artifact.as_deref(),
            sha256: release.sha256.as_deref(),
            size: release.size,
            created: &release.created,
            is: words(release),
        });
        let says = |it: &Unreadable| documents::UnreadableRelease { id: it.id.clone(), says: told(it) };
        let unreadable = unreadable.iter().map(says).collect();
        output::json(&documents::Releases { schema: SCHEMA, releases: releases.collect(), unreadable });
        return Ok(Exit::Done);
    }
    if list.is_empty() && unreadable.is_empty() {
        output::line("no releases yet");
        return Ok(Exit::Done);
    }
    let tone = |release: &Release| if state.has_failed(&release.id) { Tone::Bad } else { Tone::Good };
    let paint = report::stdout_paint(global.color);
    output::raw(report::release_table(
        &list.iter().map(|release| (release.clone(), words(release).join(", "), tone(release))).collect::<Vec<_>>(),
        paint,
        report::table_width(),
    ));
    unreadable.iter().map(told).for_each(output::line);
    Ok(Exit::Done)
}

/// What is wrong with it, and the way out.
fn told(unreadable: &Unreadable) -> String {
    let why = Trouble::from_error(&unreadable.why).one_line();
    // of one that is damaged the error says it all
    if matches!(unreadable.why, ReleaseError::Damaged { .. }) {
        why
    } else {
        format!("release {}: {why}", unreadable.id)
    }
}

fn words(state: &State, seen: &Seen, pinned: bool, id: &ReleaseId) -> Vec<&'static str> {
    let on = |active: bool| {
        let place = |p: &&Profile| seen.route().is_some_and(|route| route.active == **p) == active;
        let mut places = seen.profiles.both().into_iter().filter(place);
        places.any(|p| seen.ours(p).is_some_and(|process| process.release == *id))
    };
    let prepared = state.transaction.as_ref().is_some_and(|tx| tx.release == *id);
    let facts = [
        (on(true), "active"),
        (on(false) && seen.route().is_none(), "running"),
        (on(false) && seen.route().is_some() && !prepared, "warm"),
        (state.last_good() == Some(id), "last confirmed"),
        (state.confirmed.get(1) == Some(id), "confirmed before"),
        (state.has_failed(id), "failed"),
        (prepared, "under way"),
        (pinned, "pinned"),
    ];
    facts.into_iter().filter(|(so, _)| *so).map(|(_, word)| word).collect()
}
