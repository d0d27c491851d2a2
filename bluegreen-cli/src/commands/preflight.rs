//! What is looked at before anything is touched. The engine looks again, under the lock.

use std::time::Instant;

use bluegreen_core::{
    Blind, Command, ReleaseId, Seen, Severity, State, StateStore as _, Step, Traffic, Transaction,
    machine::{Recovery, Tried, preview, recover},
};
use bluegreen_process::ReleaseError;

use super::{Exit, Halt, Session};
use crate::{
    advice::{for_traffic, said},
    config::ProxyMode,
    doctor::{self, Finding},
    handover,
};

/// Can the app be started without an artifact? At the start it would be too late: the warm release is gone by then. `command` is
/// the one that was typed.
pub(super) fn needs_no_artifact(session: &Session, command: &str) -> Result<(), Halt> {
    let start = &session.config.start;
    let mut texts = start.command.iter().chain(start.env.values()).chain([&start.workdir]);
    if texts.any(|text| text.mentions("artifact")) {
        return Err(Halt::new(Exit::Usage, "no artifact given, and the command needs one: it has {artifact}")
            .next(format!("bluegreen {command} ARTIFACT")));
    }
    Ok(())
}

/// Whether only the port of what cannot be started was freed, as by `stop` without an artifact.
pub(super) fn lacks_artifact(session: &Session, tx: &Transaction) -> bool {
    let release = session.wired.processes.releases().get(&tx.release);
    tx.step == Step::Stop && release.is_ok_and(|release| release.lacks_artifact())
}

/// Would a deploy as far as `until` fail? What is found that stops nothing is for [`warn`].
pub(super) async fn look(session: &Session, until: Step) -> Result<Looked, Halt> {
    undisturbed(session, async || look_once(session, until).await).await
}

/// What `look` says of a moment: it looks again where somebody else changed the world between its questions, as a switch does between
/// the route and the front door. We do not hold the lock yet.
async fn undisturbed<T>(session: &Session, look: impl AsyncFn() -> Result<T, Halt>) -> Result<T, Halt> {
    let store = &session.wired.store;
    loop {
        let moment = || (store.holder().map(|holder| holder.pid), store.load().ok());
        let before = moment();
        let said = look().await;
        if said.is_ok() || before == moment() {
            return said;
        }
    }
}

async fn look_once(session: &Session, until: Step) -> Result<Looked, Halt> {
    let mut seen = session.sight().await;
    let switches = until > Step::Health && settled(session, &seen);
    if switches {
        seen = patient(session, seen).await;
    }
    if let (Ok(missing @ Traffic::NotSetUp(_)), true) = (&seen.traffic, switches) {
        return Err(Halt::new(Exit::Refused, missing.to_string()).next(for_traffic(&seen.traffic, &session.config)));
    }
    let starts = until >= Step::Start && session.config.hooks.before_start.is_none();
    let findings = doctor::before_deploy(session, &seen, switches, starts).await;
    if let Some(fatal) = findings.iter().find(|finding| finding.severity == Severity::Fatal) {
        return Err(refused(fatal));
    }
    // the engine would say so too, with the artifact copied for nothing
    if seen.traffic.is_err() && switches {
        return Err(Halt::new(Exit::Refused, said(&seen.traffic)).next(for_traffic(&seen.traffic, &session.config)));
    }
    if until > Step::Health {
        switchable(session, switches).await?;
    }
    Ok(Looked { traffic: seen.traffic, findings })
}

/// What is so after `seen`, where the route is not in it: as the engine, it waits before it believes that.
async fn patient(session: &Session, mut seen: Seen) -> Seen {
    let end = Instant::now() + session.config.policy().blindness;
    while seen.traffic.is_err() && Instant::now() < end && !session.signals.cancel.is_cancelled() {
        seen = session.sight().await;
    }
    seen
}

/// What was found that stops nothing.
pub(super) struct Looked {
    traffic: Result<Traffic, Blind>,
    findings: Vec<Finding>,
}

fn refused(finding: &Finding) -> Halt {
    let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    Halt::new(Exit::Refused, format!("{place}{}", finding.what)).next(finding.fix())
}

/// What somebody else broke at the route would be found only at the switch, with the release started for nothing.
async fn switchable(session: &Session, settled: bool) -> Result<(), Halt> {
    match doctor::can_switch(&session.config, settled).await {
        Some(finding) => Err(refused(&finding)),
        None => Ok(()),
    }
}

/// Could the route be moved now?
pub(super) async fn can_switch(session: &Session) -> Result<(), Halt> {
    let look = async || switchable(session, settled(session, &session.sight().await)).await;
    undisturbed(session, look).await
}

/// Is the release of a rollback there to be started? With the warm one stopped it would be too late to find out. `only`: nothing is
/// done unless that one serves.
pub(super) async fn can_go_back(
    session: &Session,
    named: Option<&ReleaseId>,
    only: Option<&ReleaseId>,
) -> Result<(), Halt> {
    let command = Command::Rollback { release: named.cloned(), only: only.cloned() };
    let look = async || {
        let seen = session.sight().await;
        // what cannot be read, or is another's to end, the engine judges under the lock
        let (Ok(state), None) = (session.wired.store.load(), session.wired.store.holder()) else { return Ok(()) };
        let preview = preview(&state, &seen, &command, &session.config.policy());
        match preview.transaction().filter(|tx| tx.step < Step::Health) {
            Some(tx) => {
                let refused = |why| Halt::new(Exit::Refused, why).next("bluegreen check");
                session.wired.processes.may_start().map_err(refused)?;
                there(session, &tx.release).map_err(|error| Halt { exit: Exit::Refused, ..error.into() })?;
                session.verify(&tx.release);
                Ok(())
            }
            None => Ok(()),
        }
    };
    undisturbed(session, look).await
}

fn there(session: &Session, id: &ReleaseId) -> Result<(), ReleaseError> {
    session.wired.processes.releases().get(id).map(drop)
}

/// Would what waits be seen at the front door once it has the traffic?
pub(super) async fn has_door(session: &Session) -> Result<(), Halt> {
    let look = async || {
        let seen = session.sight().await;
        match doctor::no_door(&session.config, &seen).await {
            Some(finding) if settled(session, &seen) => Err(refused(&finding)),
            _ => Ok(()),
        }
    };
    undisturbed(session, look).await
}

/// What a person should know, and that stops nothing: where the traffic is, what limits the probes, what a reload costs, and what ends
/// the app with its unit.
pub(super) async fn warn(session: &Session, until: Step, looked: &Looked) {
    match &looked.traffic {
        Ok(Traffic::Elsewhere(why)) => {
            session.events.warn(format!("{why}; that process is left alone, and loses its traffic to this release"));
        }
        Ok(Traffic::NotSetUp(_)) if until <= Step::Health => {
            let first = "nginx is not set up yet: `sudo bluegreen setup --apply` comes before `bluegreen promote`";
            session.events.warn(first);
        }
        _ => {}
    }
    for Finding { what, place, .. } in looked.findings.iter().filter(|finding| finding.id == doctor::LIMIT) {
        session.events.warn(format!("{}: {what}", place.as_deref().unwrap_or("nginx")));
    }
    if session.config.nginx.mode == ProxyMode::Reload {
        doctor::reload_costs(&session.config).await.iter().for_each(|warning| session.events.warn(warning));
    }
    if let Some(finding) = doctor::started_here() {
        session.events.warn(finding.what);
    }
    let (config, left) = (&session.config, handover::left_behind());
    let lacks: Vec<&str> =
        config.start.pass_env.iter().filter(|name| left.contains(name)).map(String::as_str).collect();
    if !lacks.is_empty() {
        let (names, file) = (lacks.join(", "), config.file().display());
        session.events.warn(format!(
            "the app does not get {names} of root's: root takes that from a file of root's only: sudo chown root {file}"
        ));
    }
}

/// Whether what is seen will be so when the engine begins: nobody is at work, and no killed command left something that
/// is recovered first. Else only the engine, which has the lock then, can refuse.
fn settled(session: &Session, seen: &Seen) -> bool {
    let store = &session.wired.store;
    let recovery = |state: &State| recover(state, seen, &session.config.policy(), Tried::default());
    let rests = |state: &State| state.transaction.is_none() || matches!(recovery(state), Recovery::Rests(_));
    store.holder().is_none() && store.load().is_ok_and(|state| rests(&state))
}
