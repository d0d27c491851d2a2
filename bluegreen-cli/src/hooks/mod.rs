//! `[hooks]`: programs of the owner, around and between the two halves of a deploy.

mod facts;
mod running;

use std::{path::PathBuf, time::Duration};

use bluegreen_core::{EventKind, Failure, millis, took};
use bluegreen_process::Release;
use tokio::time::{Instant, sleep_until};

use self::running::Running;
use crate::{args::Run, config::HookCommand, exit::Exit, halt::Halt, session::Session, trust::distrust};

/// So many lines of a hook are shown as they come; all of them are in its log.
const SHOWN: u32 = 100;

/// Runs the hook `name`; its environment and its arguments say what the deploy is about. `release` is what will be
/// deployed, when that is not in the state yet.
pub(crate) async fn run(
    session: &Session,
    name: &'static str,
    hook: &HookCommand,
    release: Option<&Release>,
    run: &Run,
) -> Result<(), Halt> {
    let facts = facts::facts(session, release).await;
    let interrupted = || session.signals.cancel.cancelled();
    let ended = work(session, name, hook, facts, session.left(run), interrupted()).await;
    ended.map_err(|why| {
        let mut halt =
            Halt::new(Exit::Unhealthy, format!("the hook {name} {}", why.text)).next("bluegreen history show");
        halt.trouble.log = why.said;
        if why.interrupted {
            halt.exit = session.signals.request().into();
        }
        halt
    })
}

/// Runs `after_failure`, if there is one, when a deploy has failed and was taken back as far as possible. It changes
/// nothing any more: when it fails itself, that is a warning. What ended the deploy does not end it.
pub(crate) async fn after_failure(session: &Session, exit: Exit, failure: &Failure) {
    let Some(hook) = &session.config.hooks.after_failure else { return };
    let mut facts = facts::facts(session, None).await;
    facts.extend([
        ("exit_code", exit.code().to_string()),
        ("step", failure.step.to_string()),
        ("failure", crate::report::sanitize(&failure.message)),
    ]);
    if let Err(why) = work(session, "after_failure", hook, facts, None, std::future::pending()).await {
        session.events.warn(format!("the hook after_failure {}", why.text));
    }
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
    facts: Vec<(&'static str, String)>,
    left: Option<Duration>,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Why> {
    let (events, hook_name) = (&session.events, || name.to_owned());
    let value = |wanted: &str| facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.clone());
    let argv: Vec<String> = hook.command.iter().map(|word| word.render(value)).collect();
    let program = argv.first().cloned().unwrap_or_default();
    let environment = facts.iter().map(|(fact, value)| (format!("BLUEGREEN_{}", fact.to_uppercase()), value.clone()));
    let environment = environment.chain([("BLUEGREEN_HOOK".to_owned(), hook_name())]).collect();
    let within = hook.timeout.unwrap_or(session.config.hooks.timeout);
    let within = left.map_or(within, |left| left.min(within));

    let began = Instant::now();
    events.emit(EventKind::HookStarted { hook: hook_name() });
    let mut shown = 0;
    let mut said = |line: &str| {
        shown += 1;
        if shown <= SHOWN {
            events.emit(EventKind::HookSaid { hook: hook_name(), line: line.to_owned() });
        }
    };
    let log = session.config.state_dir.join("logs").join("hooks").join(format!("{name}.log"));
    let distrusted = found(&program).and_then(|file| distrust(&file.metadata().ok()?));
    let spawn = || match distrusted {
        Some(who) => Err(std::io::Error::other(who.reason())),
        None => Running::spawn(&argv, environment, &log),
    };
    let (result, lines, mut stopped) = match spawn() {
        Err(error) => (Err(format!("is not run: {error}")), Vec::new(), false),
        Ok(mut running) => {
            let (result, stopped) = tokio::select! {
                result = running.end(&mut said) => (result, false),
                () = sleep_until(began + within) => (Err(format!("took longer than {}", took(within))), false),
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

/// The file that a program's name means, as the kernel or `PATH` finds it.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(program.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
