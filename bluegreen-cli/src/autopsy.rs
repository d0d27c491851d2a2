//! What can be found out about a failure, beyond what the engine saw of it. Names and digests, never values: a secret may
//! stand in the environment, and in an argument where nobody should have put it.

use std::{collections::BTreeSet, fs, io, time::SystemTime};

use bluegreen_core::{
    Blind, Cause, Elsewhere, Failure, Finding, Occupant, Profile, ReleaseId, Report, Seen, StateStore as _, Step,
    Transaction,
};
use bluegreen_process::{InTheWay, Release};

use crate::{
    advice::{self, ON_LOOPBACK},
    app::App,
    config::Config,
    exit::Exit,
    history, hooks, report,
};

/// Looks at the place of the accident. Changes nothing.
pub(crate) async fn findings(app: &App, exit: Exit, failure: &Failure, report: &Report) -> Vec<Finding> {
    let seen = app.wired.deployer.look().await;
    let mut findings = Vec::new();
    let mut note = |id: &'static str, what: String, fix| findings.push(Finding { fix, ..Finding::noted(id, what) });
    let mut say = |id, what| note(id, what, None);
    let Some(tx) = &report.transaction else {
        if let Some(says) = next(&seen) {
            say(report::NEXT, says.to_owned());
        }
        return findings;
    };
    let to = &tx.to;
    say("step", step(failure, to));
    if let Some(answer) = &failure.facts.answer {
        say("answer", format!("the last attempt: {answer}"));
    }
    let in_the_way = app.wired.processes.in_the_way(to).await;
    // who has the port is the failure itself then, and whatever release it is, it had no chance
    if failure.cause != Cause::PortTaken && !(failure.cause == Cause::Hook && failure.step == Step::Stop) {
        let heard = failure.facts.listens.as_ref().and_then(|it| heard(it, &app.config, to));
        note("port", port(app, seen.on(to), to, in_the_way.as_deref()), heard);
    }
    if matches!(failure.cause, Cause::Died | Cause::Unhealthy) {
        match in_the_way {
            Ok(others) => others.iter().filter(|other| !other.keeps_out()).for_each(|other| {
                let fix = format!("if it asks for one of these: {ON_LOOPBACK}; or end that process");
                note("port", other.to_string(), Some(fix));
            }),
            Err(error) => note("port", format!("who else has {} cannot be seen: {error}", to.port()), None),
        }
    }
    let mut say = |id, what| note(id, what, None);
    if !matches!(failure.cause, Cause::Interrupted | Cause::PortTaken | Cause::Hook) {
        for says in differs(app, &tx.release) {
            say("differs", says);
        }
    }
    if let Some(says) = traffic(app, &seen, exit, tx) {
        say(report::TRAFFIC, says);
    }
    if failure.cause == Cause::Hook && !failure.log.is_empty() {
        let log = hooks::log(&app.config.state_dir, hooks::gate::name_of(failure.step));
        say(report::NEXT, format!("cat {}", log.display()));
    }
    findings
}

/// What recovery leaves to a person: another process beside one of ours that hangs.
fn next(seen: &Seen) -> Option<&'static str> {
    let active = &seen.route()?.active;
    seen.ours(active)?;
    Some(match seen.on(seen.idle()?) {
        Ok(Occupant::Ours { listening: true, .. }) => "bluegreen rollback",
        Ok(Occupant::Ours { .. } | Occupant::Nobody) => advice::FIRST_DEPLOY,
        // no release of ours can be started where somebody else is, or may be
        _ => report::LISTENERS,
    })
}

/// Where it happened.
fn step(failure: &Failure, to: &Profile) -> String {
    let hook = hooks::gate::name_of(failure.step);
    match (failure.cause, failure.step) {
        (Cause::Hook, Step::Stop) => format!("hook {hook}, before anything is stopped on {to}"),
        (Cause::Hook, step) => format!("hook {hook}, between {step} on {to} and the switch"),
        (_, step) => format!("{step}, on {to}"),
    }
}

/// What makes an app listen where it should, when it does so somewhere else.
fn heard(elsewhere: &Elsewhere, config: &Config, to: &Profile) -> Option<String> {
    if elsewhere.on_port {
        return Some("let it listen on the address in [health] url, or change that".to_owned());
    }
    if elsewhere.at.is_empty() {
        return None;
    }
    let at = elsewhere.at.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let (start, port) = (&config.start, to.port());
    let told = start.command.iter().chain(start.env.values()).any(|text| text.mentions("port"));
    Some(if told {
        format!("[start] passes it {{port}}, here {port}, and it does not take that: is the option's name right?")
    } else {
        format!("it listens on {at}, and should on {port}: pass it {{port}} in [start] command or env")
    })
}

/// Where the traffic is, and who answers there.
fn traffic(app: &App, seen: &Seen, exit: Exit, tx: &Transaction) -> Option<String> {
    let route = seen.route()?;
    let active = &route.active;
    let before = if exit == Exit::Degraded { "" } else { ", as before" };
    Some(match seen.on(active) {
        Err(blind) => format!("{active} has it{before}; {blind}"),
        Ok(Occupant::Nobody) => {
            let replaces = tx.from.as_ref().is_some_and(|from| *from != tx.to);
            let before = if replaces { "" } else { before };
            let nobody = || format!("nobody has it{before}: nginx leads to {active}, where nothing runs");
            route.standby.as_ref().map_or_else(nobody, |standby| stands_in(app, seen, active, standby))
        }
        Ok(Occupant::Stranger { who, .. }) => {
            format!("{active} has it{before}; port {} is held by {who}", active.port())
        }
        Ok(Occupant::Ours { process, listening }) => {
            let on = if *listening { " on" } else { ", which does not listen on" };
            format!("{active} has it{before}: {}{on} port {}", app.name(&process.release), active.port())
        }
    })
}

/// Who gets the users of an active profile where nothing runs: nginx leads them to its standby, whoever that is.
fn stands_in(app: &App, seen: &Seen, active: &Profile, standby: &Profile) -> String {
    let leads = format!("nginx leads to {active}, where nothing runs, and then to {standby}");
    match seen.on(standby) {
        Err(blind) => format!("{leads}; {blind}"),
        Ok(Occupant::Stranger { who, .. }) => format!("{who} has it: {leads}, which is not ours"),
        Ok(Occupant::Ours { process, listening: true }) => {
            format!("{standby} has it: {}; {leads}", app.name(&process.release))
        }
        Ok(Occupant::Ours { listening: false, .. } | Occupant::Nobody) => format!("nobody has it: {leads}"),
    }
}

/// Who has the port now. That it is free is what a bind of our own says.
fn port(app: &App, on: Result<&Occupant, &Blind>, to: &Profile, in_the_way: Result<&[InTheWay], &io::Error>) -> String {
    let port = to.port();
    match on {
        Err(blind) => blind.to_string(),
        Ok(Occupant::Nobody) => {
            let other = in_the_way.ok().and_then(|others| others.iter().find(|other| other.keeps_out()));
            match (other, app.wired.processes.is_free(to)) {
                (Some(other), _) => other.to_string(),
                (None, Ok(true)) => format!("{port} is free again"),
                (None, Ok(false)) => format!("nobody listens on {port}, and nobody else can"),
                (None, Err(error)) => format!("nobody listens on {port}; whether it is free cannot be tried: {error}"),
            }
        }
        Ok(Occupant::Stranger { who, .. }) => format!("{port} is held by {who}"),
        Ok(Occupant::Ours { process, listening }) => {
            let pid = app.wired.processes.main_pid(to).map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            let does = if *listening { "listens on" } else { "does not listen on" };
            format!("{}{pid} {does} {port}", process.release)
        }
    }
}

/// In what the release is not as the last one that was confirmed.
fn differs(app: &App, failed: &ReleaseId) -> Vec<String> {
    let releases = app.wired.processes.releases();
    let state = match app.wired.store.load() {
        Ok(state) => state,
        Err(error) => return vec![format!("not known, as the last good release is not: {error}")],
    };
    let Some(good) = state.last_good() else {
        if state.lost {
            return vec!["not known, as the state was lost, and with it which release was good".to_owned()];
        }
        return vec!["no release was confirmed yet, so there is nothing to compare with".to_owned()];
    };
    let (old, new) = match (releases.get(good), releases.get(failed)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => return vec![format!("not known from {good}, which works: {error}")],
    };
    let mut all = if good == failed { Vec::new() } else { between(&old, &new) };
    all.extend(around(app, good));
    let works = app.name(good);
    let head = match (all.is_empty(), good == failed) {
        (true, true) => format!("nothing: it is {works}, which worked before; look at what it depends on"),
        (true, false) => format!("nothing but its name from {works}, which works"),
        (false, _) => format!("from {works}, which works:"),
    };
    all.insert(0, head);
    all
}

/// What two releases do not have in common.
fn between(old: &Release, new: &Release) -> Vec<String> {
    let mut all = Vec::new();
    if old.sha256 != new.sha256 {
        let short =
            |digest: &Option<String>| digest.as_ref().map_or("none".to_owned(), |d| d.chars().take(12).collect());
        let (a, b) = (report::size(old.size), report::size(new.size));
        let size = if a == b { a } else { format!("{b}, was {a}") };
        all.push(format!("artifact {} ({size}), was {}", short(&new.sha256), short(&old.sha256)));
    }
    if old.artifact != new.artifact {
        let name = |release: &Release| release.artifact.clone().unwrap_or_else(|| "none".to_owned());
        all.push(format!("the artifact's name is {}, was {}", name(new), name(old)));
    }
    if old.spec.command != new.spec.command {
        all.push(format!("command: {}", changed(words(&old.spec.command), words(&new.spec.command))));
    }
    let (was, is) = (&old.spec.env, &new.spec.env);
    let pairs = |env: &std::collections::BTreeMap<String, String>| env.clone().into_iter().collect();
    if was != is {
        all.push(format!("[start] env: {}", changed(pairs(was), pairs(is))));
    }
    if old.spec.workdir != new.spec.workdir {
        all.push(format!("workdir {}, was {}", new.spec.workdir, old.spec.workdir));
    }
    all
}

/// Each word as its name, without what it is set to, and the whole.
fn words(command: &[String]) -> Vec<(String, String)> {
    let name = |(n, word): (usize, &String)| match word.split_once('=') {
        Some((name, _)) => name.to_owned(),
        None if n == 0 || word.starts_with('-') => word.clone(),
        None => format!("word {}", n + 1),
    };
    command.iter().enumerate().map(|pair| (name(pair), pair.1.clone())).collect()
}

/// `with A, without B, other C`, by the names alone.
fn changed(was: Vec<(String, String)>, is: Vec<(String, String)>) -> String {
    let (was, is): (BTreeSet<_>, BTreeSet<_>) = (was.into_iter().collect(), is.into_iter().collect());
    let names = |of: &BTreeSet<(String, String)>| of.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
    let (gone, came) = (names(&was.difference(&is).cloned().collect()), names(&is.difference(&was).cloned().collect()));
    let list = |word: &str, names: Vec<&String>| {
        let names: Vec<_> = names.into_iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
    };
    let parts = [
        list("other", came.intersection(&gone).collect()),
        list("with", came.difference(&gone).collect()),
        list("without", gone.difference(&came).collect()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "other order".to_owned() } else { parts.join(", ") }
}

/// What is not in a release, and may have changed since the good one was deployed.
fn around(app: &App, good: &ReleaseId) -> Vec<String> {
    let config = &app.config;
    let entries = match history::all(&config.state_dir) {
        Ok(kept) => kept.entries,
        Err(error) => return vec![format!("what changed since is not known: {error}")],
    };
    let Some(then) = entries.iter().rev().find(|entry| entry.release == *good && entry.exit_code == 0) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let (Some(was), Some(is)) = (&then.config, &config.source().digest)
        && was != is
    {
        all.push(format!("bluegreen.toml {is}, was {was}"));
    }
    if env_file_since(config, then.began.into()) {
        all.push("the environment file was changed since".to_owned());
    }
    all
}

fn env_file_since(config: &Config, then: SystemTime) -> bool {
    let changed = config.start.env_file.as_ref().and_then(|file| fs::metadata(file).ok()?.modified().ok());
    changed.is_some_and(|changed| changed > then)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bluegreen_core::{Process, Profiles, Route, Stamp, Stranger};
    use bluegreen_process::Spec;

    use super::*;

    fn release(sha256: &str, size: u64, command: &[&str], env: &[(&str, &str)]) -> Release {
        let spec = Spec {
            command: command.iter().map(ToString::to_string).collect(),
            env: env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            workdir: "{shared_dir}".into(),
        };
        let (id, artifact) = ("v1".parse().unwrap(), Some("app.jar".into()));
        Release {
            id,
            version: None,
            artifact,
            sha256: Some(sha256.into()),
            size,
            on_disk: None,
            number: 1,
            created: String::new(),
            spec,
        }
    }

    #[test]
    fn beside_one_that_hangs_only_a_release_of_ours_is_gone_back_to() {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
        let ours = |listening| Occupant::Ours { process: Process::new("v1".parse().unwrap(), "1"), listening };
        let next = |beside| {
            next(&Seen {
                traffic: Ok(Route::solo(profiles.first().clone()).into()),
                profiles: profiles.clone(),
                occupants: [Ok(ours(true)), beside],
                now: Stamp { boot: String::new(), since_boot: Duration::ZERO },
                interrupt: None,
                last: None,
            })
        };
        assert_eq!(next(Ok(ours(true))), Some("bluegreen rollback"));
        assert_eq!(next(Ok(ours(false))), Some(advice::FIRST_DEPLOY));
        assert_eq!(next(Ok(Occupant::Nobody)), Some(advice::FIRST_DEPLOY));
        assert_eq!(next(Ok(Occupant::stranger(Stranger::new()))), Some(report::LISTENERS));
        assert_eq!(
            next(Err(Blind::Profile { profile: "real2".to_owned(), reason: "no /proc".to_owned() })),
            Some(report::LISTENERS)
        );
    }

    #[test]
    fn names_what_differs_and_no_value() {
        let old = release(
            "aaaa",
            1000,
            &["java", "--key=hunter2", "hunter3", "-v"],
            &[("A", "hunter4"), ("B", "x"), ("C", "y")],
        );
        let new = release(
            "bbbb",
            9000,
            &["java", "--key=hunter5", "hunter6", "-q"],
            &[("A", "hunter7"), ("C", "y"), ("D", "z")],
        );
        let expected = [
            "artifact bbbb (9.0 kB, was 1.0 kB), was aaaa",
            "command: other --key, word 3, with -q, without -v",
            "[start] env: other A, with D, without B",
        ];
        assert_eq!(between(&old, &new), expected);
        assert!(between(&old, &old).is_empty());
        let turned = release("aaaa", 1000, &["java", "-v", "--key=hunter2"], &[]);
        let other = release("aaaa", 1000, &["java", "--key=hunter2", "-v"], &[]);
        assert_eq!(between(&turned, &other), ["command: other order"]);
    }
}
