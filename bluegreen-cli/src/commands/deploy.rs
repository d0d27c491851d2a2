//! The commands that walk a transaction.

use bluegreen_core::{Command, Outcome, ReleaseId, Step};

use bluegreen_process::ReleaseError;

use super::{Exit, Halt, Release, Run, Session, preflight, releases};
use crate::{args::Deploy, hooks};

/// The digits of an id: of a SHA-256.
const WHOLE_ID: usize = 64;

/// `deploy`
pub(super) async fn deploy(session: &Session, args: &Deploy) -> Result<Exit, Halt> {
    begin(session, args, "deploy").await
}

/// A deploy of which `typed` is the command.
async fn begin(session: &Session, args: &Deploy, typed: &str) -> Result<Exit, Halt> {
    let until = args.until.unwrap_or(Step::Retire);
    if until > Step::Stop && args.release.artifact.is_none() {
        preflight::needs_no_artifact(session, typed)?;
    }
    let seen = preflight::look(session, until).await?;
    preflight::warn(session, until, &seen).await;
    let release = session.add(&args.release)?.id;
    let (breaking, if_changed, replace) = (args.breaking, args.if_changed, args.release.replace);
    let command = Command::Deploy { release, until, breaking, replace, if_changed };
    walk(session, &command, &args.release.run).await
}

/// `prepare`, and the scripts' `stop`, `start`, `health` and `switch`: one more step of the same way. Without an artifact
/// they go on with what is open.
pub(super) async fn until(session: &Session, release: Release, until: Step, typed: &str) -> Result<Exit, Halt> {
    let goes_on = match session.state().await?.transaction {
        // `switch` moves what is there, as `promote`
        None => until == Step::Retire,
        Some(tx) if tx.undo.is_some() => until == Step::Retire,
        Some(tx) => tx.step > Step::Stop || has_artifact(session, &tx.release),
    };
    if release.artifact.is_none() && goes_on {
        if until > Step::Health {
            preflight::can_switch(session).await?;
            preflight::has_door(session).await?;
        }
        return walk(session, &Command::Promote { release: None, until, drain: false }, &release.run).await;
    }
    begin(session, &Deploy { release, if_changed: false, breaking: false, until: Some(until) }, typed).await
}

/// `prepare`
pub(super) async fn prepare(session: &Session, release: Release, if_changed: bool) -> Result<Exit, Halt> {
    if !if_changed {
        return until(session, release, Step::Health, "prepare").await;
    }
    begin(session, &Deploy { release, if_changed, breaking: false, until: Some(Step::Health) }, "prepare").await
}

/// `promote`
pub(super) async fn promote(session: &Session, release: Option<&str>, run: &Run, drain: bool) -> Result<Exit, Halt> {
    let named = release.map(|text| named(session, text)).transpose()?;
    preflight::can_switch(session).await?;
    preflight::has_door(session).await?;
    if session.state().await?.transaction.is_some_and(|tx| tx.undo.is_none() && preflight::lacks_artifact(session, &tx))
    {
        preflight::needs_no_artifact(session, "start")?;
    }
    walk(session, &Command::Promote { release: named, until: Step::Retire, drain }, run).await
}

/// `abort`
pub(super) async fn abort(session: &Session, release: Option<&str>, run: &Run) -> Result<Exit, Halt> {
    let release = release.map(|text| named(session, text)).transpose()?;
    let report = session.run(&Command::Abort { release }, run).await?;
    Ok(session.finish("aborted", &report).await)
}

/// `rollback`
pub(super) async fn rollback(
    session: &Session,
    release: Option<&str>,
    only: Option<&str>,
    run: &Run,
) -> Result<Exit, Halt> {
    let releases = session.wired.processes.releases();
    let only = only.map(|text| named(session, text)).transpose()?;
    let release = release.map(|text| releases.resolve(text)).transpose()?.map(|release| release.id);
    preflight::can_switch(session).await?;
    preflight::can_go_back(session, release.as_ref(), only.as_ref()).await?;
    let report = session.run(&Command::Rollback { release, only }, run).await?;
    Ok(session.finish("rolled_back", &report).await)
}

/// The release that `text` names. One that is not kept here is known by its whole id, and nothing here is about it.
fn named(session: &Session, text: &str) -> Result<ReleaseId, Halt> {
    let unknown = match session.wired.processes.releases().resolve(text) {
        Ok(release) => return Ok(release.id),
        Err(unknown @ ReleaseError::Unknown(_)) => unknown,
        Err(error) => return Err(error.into()),
    };
    let whole = |id: &ReleaseId| id.as_str().len() == WHOLE_ID && id.as_str().bytes().all(|b| b.is_ascii_hexdigit());
    text.parse().ok().filter(whole).ok_or_else(|| Halt { exit: Exit::Refused, ..unknown.into() })
}

fn has_artifact(session: &Session, release: &ReleaseId) -> bool {
    session.wired.processes.releases().get(release).is_ok_and(|release| release.artifact.is_some())
}

/// Runs it, and what belongs to its good end.
async fn walk(session: &Session, command: &Command, run: &Run) -> Result<Exit, Halt> {
    let report = session.run(command, run).await?;
    if let Some(Outcome::Done { .. }) = report.outcome {
        hooks::after_switch(session, &report, &session.signals.cancel).await;
        if let Err(error) = releases::prune(session).await {
            session.events.warn(format!("old releases stay: {}", error.trouble.what));
        }
    }
    Ok(session.finish("switched", &report).await)
}
