//! One line for each step, with what is there now.

use bluegreen_core::{
    Occupant, Outcome, Policy, Process, Profile, Seen, Step,
    machine::{Effect, Way},
};
use bluegreen_process::Release;

use super::Session;
use crate::{
    config::{HookCommand, ProxyMode},
    report::{shows, size, took},
};

/// What a step would do.
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) does: String,
    /// Whether it would fail, as far as that is seen now.
    pub(super) fails: bool,
}

pub(super) fn lines(session: &Session, seen: &Seen, way: &Way, release: &Release, stored: bool) -> Vec<Line> {
    let (config, policy, tx) = (&session.config, session.config.policy(), &way.transaction);
    let still = |step: Step| tx.step <= step && step <= tx.until;
    let mut lines = Vec::new();
    let mut say = |label, does: String| lines.push(Line { label, does, fails: false });
    let hook = |hook: &Option<HookCommand>| {
        let hook = hook.as_ref()?;
        let within = took(hook.timeout.unwrap_or(config.hooks.timeout));
        Some(format!("{}, for at most {within}", hook.command.first()?))
    };
    if release.artifact.is_some() {
        let how = if stored { "is in the store already, and is verified" } else { "goes into the store" };
        say("copy", format!("{} {how}", size(release.size)));
    }
    if still(Step::Stop) {
        if let Some(asked) = hook(&config.hooks.before_start).filter(|_| !tx.admitted) {
            say("hook", format!("before_start: {asked}"));
        }
        say("stop", stop(session, seen, way, &policy));
    }
    if still(Step::Start) {
        let program = release.spec.command.first().cloned().unwrap_or_default();
        say("start", format!("{program} on {}, port {}", tx.to, tx.to.port()));
    }
    if still(Step::Health) {
        let (url, limit) = (config.health.url.render(|name| value(name, &tx.to)), took(policy.health_deadline));
        let threshold = policy.healthy_threshold;
        say("health", format!("asks {url} until {threshold} answers in a row are good, for at most {limit}"));
    }
    if still(Step::Switch) {
        if let Some(asked) = hook(&config.hooks.before_switch) {
            say("hook", format!("before_switch: {asked}"));
        }
        let from = tx.from.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let how = match config.nginx.mode {
            ProxyMode::Marker => "one rename, without a reload".to_owned(),
            ProxyMode::Reload => format!("the include file, then `{}`", config.nginx.reload.join(" ")),
        };
        say("switch", format!("the traffic goes from {from} to {}: {how}", tx.to));
    }
    if still(Step::Bake) {
        let standby = match &tx.from {
            Some(from) if way.effects.iter().any(|(_, effect)| matches!(effect, Effect::Standby { .. })) => {
                format!("; {from} stands by")
            }
            _ => String::new(),
        };
        say("bake", format!("{} is watched for {}{standby}", tx.to, took(policy.bake)));
    }
    if still(Step::Retire) {
        say("retire", retire(session, seen, way, &policy));
        if let Some(runs) = hook(&config.hooks.after_switch) {
            say("hook", format!("after_switch: {runs}"));
        }
    }
    let fails = matches!(&way.end, Outcome::Undone(failure) if failure.step == Step::Stop);
    lines.iter_mut().filter(|line| line.label == "stop").for_each(|stop| stop.fails = fails);
    lines
}

fn value(name: &str, to: &Profile) -> Option<String> {
    match name {
        "profile" => Some(to.to_string()),
        "port" => Some(to.port().to_string()),
        _ => None,
    }
}

/// `1.0 (pid 41234)`
fn process(session: &Session, profile: &Profile, release: &bluegreen_core::ReleaseId) -> String {
    let version = session.wired.processes.releases().get(release).ok().and_then(|release| release.version);
    let pid = session.wired.processes.main_pid(profile).map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    version.unwrap_or_else(|| release.to_string()) + &pid
}

/// The process that is ended towards `step`.
fn ended(way: &Way, step: Step) -> Option<&Process> {
    way.effects.iter().find_map(|(at, effect)| match effect {
        Effect::Stop { process, .. } if *at == step => Some(process),
        _ => None,
    })
}

fn stop(session: &Session, seen: &Seen, way: &Way, policy: &Policy) -> String {
    let (to, port) = (&way.transaction.to, way.transaction.to.port());
    if let Some(there) = ended(way, Step::Stop) {
        let who = process(session, to, &there.release);
        let (signal, grace) = (session.config.stop.signal, took(policy.grace));
        return format!(
            "ends {who} on {to}: SIG{signal}, after {grace} SIGKILL; from here on no instant rollback to it"
        );
    }
    match seen.on(to) {
        Err(blind) => format!("FAILS: {blind}"),
        Ok(Occupant::Stranger { who, .. }) if who.pid.is_none() => {
            format!("FAILS: port {port} is held by {who}; `{}` says who it is", shows(who))
        }
        Ok(Occupant::Stranger { who, .. }) => {
            format!(
                "FAILS: port {port} is held by {who}; it is not touched: `bluegreen adopt {to}`, or end it yourself"
            )
        }
        Ok(Occupant::Nobody | Occupant::Ours { .. }) => format!("nothing runs on {to}, port {port} is free"),
    }
}

fn retire(session: &Session, seen: &Seen, way: &Way, policy: &Policy) -> String {
    let Some(from) = &way.transaction.from else { return "there is no previous release".to_owned() };
    if let Some(there) = ended(way, Step::Retire) {
        let who = process(session, from, &there.release);
        return format!("{who} on {from} is drained for at most {}, then ended", took(policy.drain));
    }
    match seen.on(from) {
        Ok(Occupant::Ours { process: there, .. }) => {
            let who = process(session, from, &there.release);
            format!("{who} on {from} keeps running, for an instant rollback")
        }
        Ok(Occupant::Nobody) => format!("nothing runs on {from}"),
        Ok(Occupant::Stranger { .. }) => format!("what runs on {from} is not ours, and stays"),
        Err(blind) => blind.to_string(),
    }
}
