//! `[hooks]`: programs of the owner, around and between the two halves of a deploy.

mod facts;
mod running;

use std::{
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

use bluegreen_core::{Cause, EventKind, Failure, Step, millis, took};
use bluegreen_process::Release;
use tokio::time::{Instant, sleep_until};

use self::{facts::Facts, running::Running};
use crate::{args::Run, config::HookCommand, exit::Exit, handover, session::Session, trust::distrust};

/// So many lines of a hook are shown as they come; all of them are in its log.
const SHOWN: u32 = 100;

/// The hook before anything is stopped.
pub(crate) const BEFORE_START: &str = "before_start";
/// The hook between the halves.
pub(crate) const BEFORE_SWITCH: &str = "before_switch";

/// A hook that stops a deploy.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) exit: Exit,
    pub(crate) failure: Failure,
}

/// Runs a hook that can stop the deploy; its environment and its arguments say what that is about. `release` is what will be
/// deployed, when that is not in the state yet.
pub(crate) async fn before(
    session: &Session,
    name: &'static str,
    hook: &HookCommand,
    release: Option<&Release>,
    run: &Run,
) -> Result<(), Stopped> {
    let facts = facts::facts(session, release).await;
    let ended = work(session, name, hook, facts, session.left(run), session.signals.cancel.cancelled()).await;
    ended.map_err(|why| {
        let step = if name == BEFORE_START { Step::Stop } else { Step::Health };
        let failure =
            Failure { log: why.said, ..Failure::new(step, Cause::Hook, format!("the hook {name} {}", why.text)) };
        session.events.emit(EventKind::Failed { failure: failure.clone() });
        let exit = if why.interrupted { session.signals.request().into() } else { Exit::Unhealthy };
        Stopped { exit, failure }
    })
}

/// Runs `after_switch`, if there is one. The deploy is over: a failure is a warning.
pub(crate) async fn after_switch(session: &Session) {
    let Some(hook) = &session.config.hooks.after_switch else { return };
    let facts = facts::facts(session, None).await;
    let ended = work(session, "after_switch", hook, facts, None, session.signals.cancel.cancelled()).await;
    warn(session, "after_switch", "the traffic stays where it is", ended);
}

/// Runs `after_failure`, if there is one, when a deploy has failed and was taken back as far as possible. It changes
/// nothing any more: when it fails itself, that is a warning. What ended the deploy does not end it.
pub(crate) async fn after_failure(session: &Session, exit: Exit, failure: &Failure) {
    let Some(hook) = &session.config.hooks.after_failure else { return };
    let mut facts = facts::facts(session, None).await;
    facts.values.extend([
        ("exit_code", exit.code().to_string()),
        ("step", failure.step.to_string()),
        ("failure", crate::report::sanitize(&failure.message)),
    ]);
    let ended = work(session, "after_failure", hook, facts, None, std::future::pending()).await;
    warn(session, "after_failure", "nothing else changes by that", ended);
}

/// Where all is that the hook `name` said last.
pub(crate) fn log(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join("logs").join("hooks").join(format!("{name}.log"))
}

fn warn(session: &Session, name: &str, but: &str, ended: Result<(), Why>) {
    let Err(why) = ended else { return };
    let log = log(&session.config.state_dir, name);
    let said = if why.said.is_empty() { String::new() } else { format!(". What it said: {}", log.display()) };
    session.events.warn(format!("the hook {name} {}; {but}{said}", why.text));
}

/// Why a hook counts as failed.
struct Why {
    text: String,
    said: Vec<String>,
    interrupted: bool,
}

async fn work(
    session: &Session,
    name: &'static str,
    hook: &HookCommand,
    facts: Facts,
    left: Option<Duration>,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Why> {
    let (events, hook_name) = (&session.events, || name.to_owned());
    let Facts { values: facts, about } = facts;
    let value = |wanted: &str| facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.clone());
    let argv: Vec<String> = hook.command.iter().map(|word| word.render(value)).collect();
    let program = argv.first().cloned().unwrap_or_default();
    let environment = facts.iter().map(|(fact, value)| (format!("BLUEGREEN_{}", fact.to_uppercase()), value.clone()));
    let environment = environment.chain([("BLUEGREEN_HOOK".to_owned(), hook_name())]).collect();
    let own = hook.timeout.unwrap_or(session.config.hooks.timeout);
    let within = left.map_or(own, |left| left.min(own));
    let whose = if within < own { ", which --deadline had left" } else { "" };

    let began = Instant::now();
    let (profile, release) = about;
    events.emit(EventKind::HookStarted { hook: hook_name(), profile: Some(profile), release });
    let mut shown = 0;
    let mut said = |line: &str| {
        shown += 1;
        if shown <= SHOWN {
            events.emit(EventKind::HookSaid { hook: hook_name(), line: line.to_owned() });
        }
    };
    let log = log(&session.config.state_dir, name);
    told_what_they_lack(session);
    let spawn = || match distrust(&program) {
        Some(distrust) => Err(std::io::Error::other(format!("{}; {}", distrust.why, distrust.fix))),
        None => Running::spawn(&argv, environment, &log),
    };
    let (result, lines, mut stopped) = match spawn() {
        Err(error) => (Err(format!("is not run: {error}")), Vec::new(), false),
        Ok(mut running) => {
            let (result, stopped) = tokio::select! {
                result = running.end(&mut said) => (result, false),
                () = sleep_until(began + within) => (Err(format!("took longer than {}{whose}, and was ended", took(within))), false),
                () = interrupted => (Err("was interrupted".to_owned()), true),
            };
            running.kill();
            (result, running.last_lines(), stopped)
        }
    };
    stopped &= result.is_err();
    let failure = result.err().map(|why| format!("({program}) {why}"));
    events.emit(EventKind::HookDone { hook: hook_name(), took_ms: millis(began.elapsed()), failure: failure.clone() });
    failure.map_or(Ok(()), |text| Err(Why { text, said: lines, interrupted: stopped }))
}

/// Says once which of root's variables stayed behind when root became the owner of the state.
fn told_what_they_lack(session: &Session) {
    static TOLD: Once = Once::new();
    let names = handover::left_behind();
    if !names.is_empty() {
        TOLD.call_once(|| {
            let names = names.join(", ");
            session.events.warn(format!(
                "hooks do not get these variables of root's: {names}; `pass_env` in [hooks] names those that they need"
            ));
        });
    }
}
