//! What can make a deploy fail, seen before it: one file for each area, each a judgement over facts that were gathered.

mod codedeploy;
mod files;
mod host;
mod lock;
mod nginx;
mod passes;
mod places;
mod programs;
mod readers;
mod rights;
mod sight;
mod space;
mod web;
mod writable;

#[cfg(test)]
use std::borrow::Cow;
use std::time::Duration;

use bluegreen_core::{ProcessManager as _, Seen, Severity, Stamp, Traffic};
use bluegreen_nginx::setup::SETUP;

use crate::{
    advice::{for_traffic, said},
    app::App,
    config::{Config, ProxyMode},
    owner::{User, who_deploys},
    wiring,
};

pub(crate) use host::started_here;
pub(crate) use lock::{LOCKED, WAITS};
pub(crate) use nginx::{OLDER, accepts, differs, limits, past_the_include, reload_costs};
pub(crate) use passes::LIMIT;

pub(crate) type Finding = bluegreen_core::Finding;

/// What the engine judges by itself, under the lock and with exit codes of its own; and what breaks something beside the deploy, which
/// itself succeeds.
const LEFT_TO_IT: [&str; 6] =
    [nginx::ROUTE, lock::LOCK, places::UNSEEN, places::PORT_TAKEN, places::NOBODY, passes::FIXED_PORT];
/// What a hook, or a person between two steps, may put there before it is needed.
const MAY_COME: [&str; 2] = [programs::PROGRAM, "env-file"];

/// Everything, worst first.
pub(crate) async fn examine(app: &App) -> Vec<Finding> {
    let seen = app.sight().await;
    let mut findings = of_the_proxy(&app.config, &seen).await;
    findings.extend(of_the_host(app, &seen).await);
    findings.extend(lock::look(app, &seen));
    in_order(&app.config, findings)
}

/// The same for a deploy that is about to begin: what is left of it when the engine judges its own. `switches`: whether it goes as far
/// as to move the route, and what is seen of that now will be so then. `starts`: whether it starts the program, with nothing before
/// that.
pub(crate) async fn before_deploy(app: &App, seen: &Seen, switches: bool, starts: bool) -> Vec<Finding> {
    let mut findings = of_the_host(app, seen).await;
    if switches {
        findings.extend(of_the_proxy(&app.config, seen).await);
    }
    let mut findings = in_order(&app.config, findings);
    findings.retain(|finding| !LEFT_TO_IT.contains(&&*finding.id) && (starts || !MAY_COME.contains(&&*finding.id)));
    findings
}

/// What the front door answers now, for those who have no other question: the worst, when it proves that no release ever would be seen
/// there.
pub(crate) async fn no_door(config: &Config, seen: &Seen) -> Option<Finding> {
    web::door(config, seen).await.filter(|finding| finding.severity == Severity::Fatal)
}

/// Whether the traffic could be moved now; of who is at work, what is left half-way is looked at by nobody.
pub(crate) async fn can_switch(config: &Config, settled: bool) -> Option<Finding> {
    let mut findings = Vec::new();
    if config.nginx.mode == ProxyMode::Marker || settled {
        findings.extend(nginx::writes(config).await);
        findings.extend(writable::switches(config));
    }
    if config.nginx.mode == ProxyMode::Reload && settled {
        findings.push(accepts(config).await);
    }
    findings.into_iter().find(|finding| finding.severity == Severity::Fatal)
}

async fn of_the_proxy(config: &Config, seen: &Seen) -> Vec<Finding> {
    let sight = sight::look(config, seen.route().is_some());
    let mut findings = nginx::look(config, seen, sight.iter().any(|finding| finding.id == sight::CLOSED)).await;
    findings.extend(sight);
    findings.extend(web::look(config, seen).await);
    findings
}

async fn of_the_host(app: &App, seen: &Seen) -> Vec<Finding> {
    let config = &app.config;
    let mut findings = places::look(app, seen).await;
    findings.extend(space::look(app, seen));
    findings.extend(files::look(app));
    findings.extend(writable::look(config));
    findings.extend(readers::look(config, &User::current()));
    findings.extend(codedeploy::look(config));
    findings.extend(programs::look(config));
    findings.extend(host::look(config));
    findings
}

/// What is seen of the world without a state: who listens where.
pub(crate) async fn without_state(config: &Config) -> Seen {
    let missing = Traffic::NotSetUp(format!("{} is not there yet", config.state_dir.display()));
    let (processes, [first, second]) = (wiring::processes(config), config.profiles.both());
    let occupants = [processes.inspect(first).await, processes.inspect(second).await];
    Seen {
        profiles: config.profiles.clone(),
        traffic: Ok(missing),
        occupants,
        // no moment of before is known that it could be compared with
        now: Stamp { boot: String::new(), since_boot: Duration::ZERO },
        interrupt: None,
        last: None,
    }
}

/// What can be seen before `setup` has made a place for the state.
pub(crate) async fn before_setup(config: &Config) -> Vec<Finding> {
    let seen = without_state(config).await;
    let mut findings = of_the_proxy(config, &seen).await;
    if findings.iter().all(|finding| finding.id != nginx::ROUTE) {
        findings.push(Finding::fatal(nginx::ROUTE, said(&seen.traffic), for_traffic(&seen.traffic, config)));
    }
    findings.extend(places::judge(&wiring::processes(config), &seen, false).await);
    findings.extend(space::before_setup(config, &seen));
    findings.extend(files::before_setup(config));
    findings.extend(who_deploys(config.user.as_deref()).ok().and_then(|user| readers::look(config, &user)));
    findings.extend(codedeploy::look(config));
    findings.extend(programs::look(config));
    findings.extend(host::look(config));
    in_order(config, findings)
}

/// What a deploy refuses of the configuration.
fn objections(config: &Config) -> impl Iterator<Item = Finding> {
    config.each_objection().map(|[what, place, fix]| Finding::fatal("config", what, fix).at(place))
}

/// One for each cause, the worst first; before all what no deploy begins with.
fn in_order(config: &Config, findings: Vec<Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = objections(config).chain(findings).collect();
    // a server block that is not as it was set up answers otherwise too
    let is_of_files = |finding: &Finding| match finding.severity {
        Severity::Warning => finding.id == SETUP,
        _ => finding.id == passes::FRONT_DOOR_ROUTE,
    };
    if findings.iter().any(is_of_files) {
        for door in findings.iter_mut().filter(|f| f.id == web::FRONT_DOOR && f.severity == Severity::Fatal) {
            door.fix = Some(format!("first what is said of nginx's files; if it stays: {}", door.fix()));
        }
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
fn kind(finding: &Finding) -> (Severity, &'static str) {
    let Cow::Borrowed(id) = finding.id else { panic!("{finding:?} is read") };
    (finding.severity, id)
}

#[cfg(test)]
fn ids(findings: &[Finding]) -> Vec<(Severity, &'static str)> {
    findings.iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SMALLEST;

    #[test]
    fn files_that_are_not_as_they_were_set_up_come_before_the_front_door() {
        let config = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        let fix = |other: Finding| {
            let found = in_order(&config, vec![other, Finding::fatal(web::FRONT_DOOR, "x", "set proxy.nginx.url")]);
            found.into_iter().find(|finding| finding.id == web::FRONT_DOOR).unwrap().fix.unwrap()
        };
        assert_eq!(fix(Finding::good("nginx", "runs")), "set proxy.nginx.url");
        let first = "first what is said of nginx's files; if it stays: set proxy.nginx.url";
        assert_eq!(fix(Finding::warning(SETUP, "has another text", "")), first);
        assert_eq!(fix(Finding::fatal(passes::FRONT_DOOR_ROUTE, "a path", "")), first);
    }
}
