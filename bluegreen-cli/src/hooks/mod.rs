//! `[hooks]`: programs of the owner. Two of them are the gates of a deploy, two run when it is over.

mod facts;
pub(crate) mod gate;
mod running;
mod work;

use bluegreen_core::{Failure, Kind, Report, Step, Transaction};

pub(crate) use self::work::log;
use self::{
    facts::{Facts, facts},
    work::{Why, work},
};
use crate::{exit::Exit, session::Session};

/// Runs `after_switch`, if there is one. The deploy is over: a failure is a warning.
pub(crate) async fn after_switch(session: &Session, report: &Report) {
    let Some(hook) = &session.config.hooks.after_switch else { return };
    let told = after(session, report).await;
    let ended = tokio::select! {
        ended = work(&session.config, &session.events, "after_switch", hook, told) => ended,
        () = session.signals.cancel.cancelled() => Err(Why { text: "was interrupted".to_owned(), said: Vec::new() }),
    };
    warn(session, "after_switch", "the traffic stays where it is", ended);
}

/// Runs `after_failure`, if there is one, when a deploy has failed and was taken back as far as possible. It changes
/// nothing any more: when it fails itself, that is a warning. What ended the deploy does not end it.
pub(crate) async fn after_failure(session: &Session, exit: Exit, failure: &Failure, report: &Report) {
    let Some(hook) = &session.config.hooks.after_failure else { return };
    let stopped = |tx: &Transaction| failure.step == Step::Stop && !tx.admitted && tx.kind == Kind::Deploy;
    // what did not begin has nothing to clear away
    if session.config.hooks.before_start.is_some() && report.transaction.as_ref().is_some_and(stopped) {
        return;
    }
    let mut told = after(session, report).await;
    told.values.extend([
        ("exit_code", exit.code().to_string()),
        ("step", failure.step.to_string()),
        ("failure", crate::report::sanitize(&failure.message)),
    ]);
    let ended = work(&session.config, &session.events, "after_failure", hook, told).await;
    warn(session, "after_failure", "nothing else changes by that", ended);
}

/// What a hook may know when the command is over.
async fn after(session: &Session, report: &Report) -> Facts {
    let seen = session.wired.deployer.look().await;
    let about = report.transaction.as_ref().map(|tx| (&tx.to, &tx.release));
    facts(&session.config, &session.wired.processes.releases(), &seen, about)
}

fn warn(session: &Session, name: &str, but: &str, ended: Result<(), Why>) {
    let Err(why) = ended else { return };
    let log = log(&session.config.state_dir, name);
    let said = if why.said.is_empty() { String::new() } else { format!(". What it said: {}", log.display()) };
    session.events.warn(format!("the hook {name} {}; {but}{said}", why.text));
}
