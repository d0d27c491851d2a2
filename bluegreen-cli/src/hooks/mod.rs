//! `[hooks]`: programs of the owner. Two of them are the gates of a deploy, two run when it is over.

mod facts;
pub(crate) mod gate;
mod running;
mod work;

use bluegreen_core::{Cancel, Failure, Kind, Report, Step, Transaction};

pub(crate) use self::work::log;
use self::{
    facts::{Facts, facts},
    work::{Why, work},
};
use crate::{app::App, exit::Exit};

/// Runs `after_switch`, if there is one. The deploy is over: a failure is a warning.
pub(crate) async fn after_switch(app: &App, report: &Report, cancel: &Cancel) {
    let Some(hook) = &app.config.hooks.after_switch else { return };
    let told = after(app, report).await;
    let ended = tokio::select! {
        ended = work(&app.config, &app.events, "after_switch", hook, told) => ended,
        () = cancel.cancelled() => Err(Why { text: "was interrupted".to_owned(), said: Vec::new() }),
    };
    warn(app, "after_switch", "the traffic stays where it is", ended);
}

/// Runs `after_failure`, if there is one, when a deploy has failed and was taken back as far as possible. It changes
/// nothing any more: when it fails itself, that is a warning. What ended the deploy does not end it.
pub(crate) async fn after_failure(app: &App, exit: Exit, failure: &Failure, report: &Report) {
    let Some(hook) = &app.config.hooks.after_failure else { return };
    let stopped = |tx: &Transaction| failure.step == Step::Stop && !tx.admitted && tx.kind == Kind::Deploy;
    // what did not begin has nothing to clear away
    if app.config.hooks.before_start.is_some() && report.transaction.as_ref().is_some_and(stopped) {
        return;
    }
    let mut told = after(app, report).await;
    told.values.extend([
        ("exit_code", exit.code().to_string()),
        ("step", failure.step.to_string()),
        ("failure", crate::report::sanitize(&failure.message)),
    ]);
    let ended = work(&app.config, &app.events, "after_failure", hook, told).await;
    warn(app, "after_failure", "nothing else changes by that", ended);
}

/// What a hook may know when the command is over.
async fn after(app: &App, report: &Report) -> Facts {
    let seen = app.wired.deployer.look().await;
    let about = report.transaction.as_ref().map(|tx| (&tx.to, &tx.release));
    facts(&app.config, &app.wired.processes.releases(), &seen, about)
}

fn warn(app: &App, name: &str, but: &str, ended: Result<(), Why>) {
    let Err(why) = ended else { return };
    let log = log(&app.config.state_dir, name);
    let said = if why.said.is_empty() { String::new() } else { format!(". What it said: {}", log.display()) };
    app.events.warn(format!("the hook {name} {}; {but}{said}", why.text));
}
