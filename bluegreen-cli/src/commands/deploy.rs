//! The commands that walk a transaction.

use std::{process::Stdio, time::Duration};

use bluegreen_core::{
    Command as Engine, Outcome, Policy, Previous, ReleaseId, Report, ResolveError, StateStore as _, Step,
};

use super::{Exit, Halt, Release, Run, Session, hooks, releases};
use tokio::{process::Command, time::timeout};

use crate::{
    args::{Deploy, Until},
    config::ProxyMode,
    halt::for_route,
};

/// How long nginx may take to test its configuration.
const TEST: Duration = Duration::from_secs(30);

/// `deploy`
pub(super) async fn deploy(session: &Session, args: &Deploy) -> Result<Exit, Halt> {
    let until = args.until.map_or(Step::Retire, Step::from);
    preflight(session, until).await?;
    let release = session.add(&args.release)?.id;
    if let Some(hook) = session.config.hooks.before_start.as_ref().filter(|_| !is_started(session, &release)) {
        hooks::run(session, "before_start", hook).await?;
    }
    let (breaking, if_changed, replace) = (args.breaking, args.if_changed, args.release.replace);
    let command = |until| Engine::Deploy { release: release.clone(), until, breaking, replace, if_changed };
    walk(session, &args.release.run, until, command).await
}

/// `prepare`, and the scripts' `stop`, `start`, `health` and `switch`: one more step of the same way. Without an artifact
/// they go on with what is open.
pub(super) async fn until(session: &Session, release: Release, until: Step) -> Result<Exit, Halt> {
    let open = session.wired.store.load()?.transaction;
    if release.artifact.is_none() && open.is_some_and(|tx| tx.undo.is_none() && tx.step > Step::Stop) {
        if until > Step::Health {
            can_switch(session).await?;
        }
        return walk(session, &release.run.clone(), until, |until| Engine::Promote { until }).await;
    }
    deploy(session, &Deploy { release, if_changed: false, breaking: false, until: Some(Until::from(until)) }).await
}

/// `promote`
pub(super) async fn promote(session: &Session, run: &Run, drain: bool) -> Result<Exit, Halt> {
    can_switch(session).await?;
    if !drain {
        return walk(session, run, Step::Retire, |until| Engine::Promote { until }).await;
    }
    let policy = Policy { previous: Previous::Stop, ..session.config.policy() };
    let deployer = session.wired.deployer.clone().with_policy(policy);
    let session = session.with_deployer(deployer);
    walk(&session, run, Step::Retire, |until| Engine::Promote { until }).await
}

/// `rollback`
pub(super) async fn rollback(session: &Session, release: Option<&str>, run: &Run) -> Result<Exit, Halt> {
    let releases = session.wired.processes.releases();
    let release = release.map(|text| releases.resolve(text)).transpose()?.map(|release| release.id);
    can_switch(session).await?;
    let report = session.run(&Engine::Rollback { release }, run).await?;
    Ok(session.finish("rolled_back", &report))
}

/// Whether an open transaction has started `release` already, so that this command only goes on.
fn is_started(session: &Session, release: &ReleaseId) -> bool {
    let open = session.wired.store.load().ok().and_then(|state| state.transaction);
    open.is_some_and(|tx| tx.release == *release && tx.step > Step::Stop)
}

/// Before anything is copied: is there a route to begin from? The engine asks again, under the lock.
async fn preflight(session: &Session, until: Step) -> Result<(), Halt> {
    let seen = session.wired.deployer.look().await;
    match seen.route {
        Ok(_) | Err(ResolveError::Unmanaged(_)) => {}
        Err(ResolveError::NotSetUp(_)) if until <= Step::Health => {}
        Err(error) => return Err(Halt::error(Exit::Refused, &error).next(for_route(&error))),
    }
    if until > Step::Health { can_switch(session).await } else { Ok(()) }
}

/// In reload mode: would nginx take its configuration again? What somebody else broke there would be found only at the
/// switch, with the release started for nothing.
async fn can_switch(session: &Session) -> Result<(), Halt> {
    let nginx = &session.config.nginx;
    let (ProxyMode::Reload, Some((program, words))) = (nginx.mode, nginx.test.split_first()) else { return Ok(()) };
    let refused = |why: &str| {
        Halt::new(Exit::Refused, format!("nginx would refuse its configuration: {}", why.trim())).next("sudo nginx -t")
    };
    let mut test = Command::new(program);
    let tested = timeout(TEST, test.args(words).stdin(Stdio::null()).kill_on_drop(true).output()).await;
    match tested.map_err(|_| refused("the test takes too long"))?.map_err(|e| refused(&e.to_string()))? {
        output if output.status.success() => Ok(()),
        output => Err(refused(&String::from_utf8_lossy(&output.stderr))),
    }
}

/// Both halves, with the hooks between and after them.
async fn walk(session: &Session, run: &Run, until: Step, command: impl Fn(Step) -> Engine) -> Result<Exit, Halt> {
    let hooks = &session.config.hooks;
    if let Some(hook) = hooks.before_switch.as_ref().filter(|_| until > Step::Health) {
        let report = session.run(&command(Step::Health), run).await?;
        match report.outcome {
            Some(Outcome::Paused(Step::Health)) => {
                if let Err(halt) = hooks::run(session, "before_switch", hook).await {
                    session.run(&Engine::Abort, &Run::default()).await?;
                    return Err(halt);
                }
            }
            // it is past the switch already, or there is nothing to do
            None => {}
            Some(_) => return finish(session, &report).await,
        }
    }
    let report = session.run(&command(until), run).await?;
    if let (Some(hook), Some(Outcome::Done { .. })) = (&hooks.after_switch, &report.outcome)
        && let Err(halt) = hooks::run(session, "after_switch", hook).await
    {
        session.events.warn(halt.trouble.what);
    }
    finish(session, &report).await
}

async fn finish(session: &Session, report: &Report) -> Result<Exit, Halt> {
    if let Some(Outcome::Done { .. }) = report.outcome
        && let Err(error) = releases::prune(session).await
    {
        session.events.warn(format!("old releases stay: {}", error.trouble.what));
    }
    Ok(session.finish("switched", report))
}
