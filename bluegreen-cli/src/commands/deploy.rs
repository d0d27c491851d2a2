//! The commands that walk a transaction.

use bluegreen_core::{Command, Outcome, Policy, Previous, Report, ResolveError, StateStore as _, Step};

use bluegreen_process::cgroup_warning;

use super::{Exit, Halt, Release, Run, Session, check, hooks, releases};
use crate::{args::Deploy, config::ProxyMode, halt::for_route};

/// `deploy`
pub(super) async fn deploy(session: &Session, args: &Deploy) -> Result<Exit, Halt> {
    let until = args.until.unwrap_or(Step::Retire);
    preflight(session, until).await?;
    warn(session).await;
    let release = session.add(&args.release)?.id;
    if let Some(hook) = &session.config.hooks.before_start {
        hooks::run(session, "before_start", hook).await?;
    }
    let (breaking, if_changed, replace) = (args.breaking, args.if_changed, args.release.replace);
    let command = |until| Command::Deploy { release: release.clone(), until, breaking, replace, if_changed };
    walk(session, &args.release.run, until, command).await
}

/// `prepare`, and the scripts' `stop`, `start`, `health` and `switch`: one more step of the same way. Without an artifact
/// they go on with what is open.
pub(super) async fn until(session: &Session, release: Release, until: Step) -> Result<Exit, Halt> {
    let open = session.wired.store.load()?.transaction;
    if release.artifact.is_none() && open.is_some_and(|tx| tx.undo.is_none() && tx.step > Step::Stop) {
        return walk(session, &release.run.clone(), until, |until| Command::Promote { until }).await;
    }
    deploy(session, &Deploy { release, if_changed: false, breaking: false, until: Some(until) }).await
}

/// `promote`
pub(super) async fn promote(session: &Session, run: &Run, drain: bool) -> Result<Exit, Halt> {
    if !drain {
        return walk(session, run, Step::Retire, |until| Command::Promote { until }).await;
    }
    let policy = Policy { previous: Previous::Stop, ..session.config.policy() };
    let deployer = session.wired.deployer.clone().with_policy(policy);
    let session = session.with_deployer(deployer);
    walk(&session, run, Step::Retire, |until| Command::Promote { until }).await
}

/// `rollback`
pub(super) async fn rollback(session: &Session, release: Option<&str>, run: &Run) -> Result<Exit, Halt> {
    let releases = session.wired.processes.releases();
    let release = release.map(|text| releases.resolve(text)).transpose()?.map(|release| release.id);
    let report = session.run(&Command::Rollback { release }, run).await?;
    Ok(session.finish("rolled_back", &report))
}

/// Before anything is copied: is there a route to begin from? The engine asks again, under the lock.
async fn preflight(session: &Session, until: Step) -> Result<(), Halt> {
    match session.wired.deployer.look().await.route {
        Ok(_) => Ok(()),
        Err(ResolveError::Unmanaged(why)) => {
            session.events.warn(format!("{why}; that process is left alone, and loses its traffic to this release"));
            Ok(())
        }
        Err(ResolveError::NotSetUp(_)) if until <= Step::Health => Ok(()),
        Err(error) => Err(Halt::error(Exit::Refused, &error).next(for_route(&error))),
    }
}

/// What a person should know, and that stops nothing: what a reload costs, and what ends the app with its unit.
async fn warn(session: &Session) {
    if session.config.nginx.mode == ProxyMode::Reload {
        check::reload_costs(session).await.iter().for_each(|warning| session.events.warn(warning));
    }
    if let Some(warning) = cgroup_warning() {
        session.events.warn(warning);
    }
}

/// Both halves, with the hooks around and between them.
async fn walk(session: &Session, run: &Run, until: Step, command: impl Fn(Step) -> Command) -> Result<Exit, Halt> {
    let hooks = &session.config.hooks;
    if let Some(hook) = hooks.before_switch.as_ref().filter(|_| until > Step::Health) {
        let report = session.run(&command(Step::Health), run).await?;
        if report.outcome != Some(Outcome::Paused(Step::Health)) {
            return finish(session, &report).await;
        }
        if let Err(halt) = hooks::run(session, "before_switch", hook).await {
            session.run(&Command::Abort, &Run::default()).await?;
            return Err(halt);
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
