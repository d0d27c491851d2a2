//! A hook from its start to its end.

use std::{
    path::{Path, PathBuf},
    sync::Once,
};

use bluegreen_core::{EventKind, Events, millis, took};
use tokio::time::{Instant, sleep};

use super::{facts::Facts, running::Running};
use crate::{
    config::{Config, HookCommand},
    handover,
    trust::distrust,
};

/// So many lines of a hook are shown as they come; all of them are in its log.
const SHOWN: u32 = 100;

/// Where all is that the hook `name` said last.
pub(crate) fn log(state_dir: &Path, name: &str) -> PathBuf {
    state_dir.join("logs").join("hooks").join(format!("{name}.log"))
}

/// Why a hook counts as failed.
pub(super) struct Why {
    pub(super) text: String,
    /// Its last lines.
    pub(super) said: Vec<String>,
}

/// One at work. Who drops it ends it, with all that it started.
pub(super) async fn work(
    config: &Config,
    events: &Events,
    name: &'static str,
    hook: &HookCommand,
    facts: Facts,
) -> Result<(), Why> {
    let Facts { values: facts, about: (profile, release) } = facts;
    let value = |wanted: &str| facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.clone());
    let argv: Vec<String> = hook.command.iter().map(|word| word.render(value)).collect();
    let program = argv.first().cloned().unwrap_or_default();
    let environment = facts.iter().map(|(fact, value)| (format!("BLUEGREEN_{}", fact.to_uppercase()), value.clone()));
    let environment = environment.chain([("BLUEGREEN_HOOK".to_owned(), name.to_owned())]).collect();
    let limit = config.hooks.limit(hook);

    events.emit(EventKind::HookStarted { hook: name.to_owned(), profile: Some(profile), release });
    let ended = Some(format!("({program}) was ended"));
    let mut told = Told { events, name, began: Instant::now(), failure: ended };
    let mut shown = 0;
    let mut said = |line: &str| {
        shown += 1;
        if shown <= SHOWN {
            events.emit(EventKind::HookSaid { hook: name.to_owned(), line: line.to_owned() });
        }
    };
    told_what_they_lack(events);
    let spawn = || match distrust(&program) {
        Some(distrust) => Err(std::io::Error::other(format!("{}; {}", distrust.why, distrust.fix))),
        None => Running::spawn(&argv, environment, &log(&config.state_dir, name)),
    };
    let (result, said) = match spawn() {
        Err(error) => (Err(format!("is not run: {error}")), Vec::new()),
        Ok(mut running) => {
            let result = tokio::select! {
                result = running.end(&mut said) => result,
                () = sleep(limit) => Err(format!("took longer than {}, and was ended", took(limit))),
            };
            running.kill();
            (result, running.last_lines())
        }
    };
    told.failure = result.err().map(|why| format!("({program}) {why}"));
    told.failure.clone().map_or(Ok(()), |text| Err(Why { text, said }))
}

/// Says that a hook is over, also when it was dropped at work.
struct Told<'a> {
    events: &'a Events,
    name: &'static str,
    began: Instant,
    failure: Option<String>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let (hook, took_ms, failure) = (self.name.to_owned(), millis(self.began.elapsed()), self.failure.take());
        self.events.emit(EventKind::HookDone { hook, took_ms, failure });
    }
}

/// Says once which of root's variables stayed behind when root became the owner of the state.
fn told_what_they_lack(events: &Events) {
    static TOLD: Once = Once::new();
    let names = handover::left_behind();
    if !names.is_empty() {
        TOLD.call_once(|| {
            let names = names.join(", ");
            events.warn(format!(
                "hooks do not get these variables of root's: {names}; `pass_env` in [hooks] names those that they need"
            ));
        });
    }
}
