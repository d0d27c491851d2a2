//! nginx: is it there, does it take its configuration, and is the app set up in it.

use std::{error::Error as _, fmt::Display};

use bluegreen_core::{Blind, Seen, Traffic};
use bluegreen_nginx::{
    Commands, MasterError, PlaceError, RouteDirError,
    reload::{Version, reload_warnings},
    setup::{Difference, Place, Repair, SETUP, SetupError, Survey},
};
use regex::Regex;

use super::{Finding, Severity, passes, rights};
use crate::{
    advice::{for_master, for_repair, for_traffic, said},
    config::{Config, ProxyMode},
    report, wiring,
};

/// The finding about the route.
pub(super) const ROUTE: &str = "route";
/// The first version that takes the snippet: `keepalive_timeout` in an upstream group.
const OLDEST: &str = "1.15.3";
/// Said where root calls it too.
pub(crate) const OLDER: &str = "the nginx that runs is older than its program on the disk, as after an upgrade";
/// How a refusal ends that came after all of the configuration was read.
const SYNTAX_IS_OK: &str = "; syntax is ok";

/// `closed`: whether its workers are known not to reach the directory of the route, which is told with that.
pub(super) async fn look(config: &Config, seen: &Seen, closed: bool) -> Vec<Finding> {
    let traffic = &seen.traffic;
    let proven = seen.route().is_some();
    let master = wiring::master(config);
    let older = master.is_older();
    // that of the program on the disk is another one then
    let version =
        if older { Err(MasterError::Version("it runs an older one".to_owned())) } else { master.version().await };
    let pid = master.pid();
    // in marker mode nothing is asked of its processes once it proves the route
    let unneeded = proven && config.nginx.mode == ProxyMode::Marker;
    let mut findings = vec![running(&pid, &version, unneeded)];
    if !unneeded && matches!(pid, Err(MasterError::NotRunning(_) | MasterError::PidFile(_))) {
        return findings;
    }
    if older {
        findings.push(Finding::warning("nginx-older", OLDER, "sudo systemctl restart nginx, when it suits"));
    }
    let fix = |traffic: &Result<Traffic, Blind>| for_traffic(traffic, config);
    let commands = match wiring::commands(config) {
        Ok(commands) => commands,
        Err(error) => {
            if pid.is_ok() {
                findings.push(unasked(&error));
            }
            findings.extend(route(traffic, closed, false, fix));
            return findings;
        }
    };
    let survey = Survey::of(&commands, &commands.configuration().await).await;
    if let Err(error) = &survey {
        let what =
            format!("whether users' requests follow the route is not known, as nginx's files cannot be read: {error}");
        findings.push(Finding::warning("nginx-unread", what, "sudo bluegreen setup --check"));
    }
    if let Ok(version) = version {
        findings.extend(age(version, config.nginx.mode, proven, costs(version, survey.as_ref())));
    }
    let survey = survey.ok();
    let mut differences = match config.nginx.mode {
        ProxyMode::Marker => differences(config, &commands).await,
        ProxyMode::Reload => {
            survey.as_ref().map(|survey| past_the_include(config, survey, &commands)).unwrap_or_default()
        }
    };
    findings.extend(taken(config, &commands, traffic, &mut differences).await);
    // what cannot be followed is told with the route
    if matches!(traffic, Ok(Traffic::Ours(_) | Traffic::Elsewhere(_))) {
        let missing = writes(config).await;
        differences.retain(|difference| missing.is_none() || !matches!(difference.fix, Some(Repair::Remake)));
        findings.extend(missing);
    }
    // what is not set up is told as such
    let wrong = survey.filter(|_| !matches!(traffic, Ok(Traffic::NotSetUp(_))));
    let wrong = wrong.map(|survey| passes::look(config, &survey, &commands, seen, &differences)).unwrap_or_default();
    let differences = listed(traffic, closed, differences, &wrong);
    findings.extend(route(traffic, closed, !differences.is_empty(), fix));
    findings.extend(differences.into_iter().map(|difference| of(traffic, difference, &commands)));
    findings.extend(wrong);
    findings
}

/// Whether nginx takes its configuration; a refusal that comes of a file of ours is told with that file.
async fn taken(
    config: &Config,
    commands: &Commands,
    traffic: &Result<Traffic, Blind>,
    differences: &mut [Difference],
) -> Option<Finding> {
    let taken = accepts(config).await;
    let may_be_ours = taken.severity != Severity::Good && config.nginx.mode == ProxyMode::Marker;
    // what the set-up does by itself is not listed then
    if !may_be_ours || matches!(traffic, Ok(Traffic::NotSetUp(_))) {
        return Some(taken);
    }
    // without a set-up to look at, nothing is known to be put right by one
    let Ok(setup) = wiring::setup(config, commands.clone(), None).await else { return Some(taken) };
    match differences.iter_mut().find(|difference| is_applied(difference)) {
        Some(ours) if setup.repairs(&taken.what).await => {
            ours.what += ", and nginx would not come up after a restart";
            None
        }
        _ => Some(taken),
    }
}

/// Whether nginx would take its configuration again, as far as this user may know.
pub(crate) async fn accepts(config: &Config) -> Finding {
    if let Some(refused) = rights::look(config).await {
        return refused;
    }
    let commands = match config.nginx.mode {
        ProxyMode::Reload => wiring::configured(config),
        ProxyMode::Marker => match wiring::commands(config) {
            Ok(commands) => commands,
            Err(error) => return unasked(&error),
        },
    };
    judge_configuration(config.nginx.mode, &commands.typed_test(), commands.accepts().await)
}

/// No deploy of marker mode needs an answer of that nginx's program, and who may not run it hears that it was not run.
fn unasked(error: &MasterError) -> Finding {
    Finding::good("nginx-config", format!("nginx is not asked for its configuration: {error}"))
}

/// Whether it is there what a switch moves, or known what it writes.
pub(super) async fn writes(config: &Config) -> Option<Finding> {
    if config.nginx.mode == ProxyMode::Marker {
        let error = match wiring::route_dir(config) {
            Ok(route) => route.can_point().err()?,
            Err(halt) => return Some(Finding::fatal("route-dir", halt.trouble.one_line(), "correct route_dir")),
        };
        let fix = match error {
            RouteDirError::Unsafe { .. } => "do that, then bluegreen check",
            _ => "sudo bluegreen setup --apply",
        };
        let what = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        return Some(Finding::fatal("route-dir", what, fix));
    }
    let why = wiring::reload_switcher(config).can_switch().await.err()?;
    let place = config.nginx.service_url_file.display();
    Some(Finding::fatal("service-url", why, "put that right, then bluegreen check").at(place))
}

/// What nginx answers beyond the limits of the front door; nothing where its configuration cannot be read.
pub(crate) async fn limits(config: &Config) -> Vec<u16> {
    let Ok(commands) = wiring::commands(config) else { return Vec::new() };
    let survey = Survey::of(&commands, &commands.configuration().await).await;
    let mut statuses: Vec<u16> =
        survey.map_or(Vec::new(), |survey| passes::limits(config, &survey).iter().map(|limit| limit.status).collect());
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// What each reload of this nginx loses.
pub(crate) async fn reload_costs(config: &Config) -> Vec<String> {
    let survey = match wiring::commands(config) {
        Ok(commands) => Survey::walk(&commands.configuration().await).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match wiring::master(config).version().await {
        Ok(version) => costs(version, survey.as_ref()),
        Err(error) => vec![error.to_string()],
    }
}

/// What each reload of this version loses, with what its configuration has against that, as far as it can be read.
fn costs<E: Display>(version: Version, survey: Result<&Survey, E>) -> Vec<String> {
    match survey.map(|survey| survey.turns_on("keepalive_min_timeout").is_some()) {
        Ok(keeps) => reload_warnings(version, keeps),
        Err(why) => {
            let (kept, all) = (reload_warnings(version, true), reload_warnings(version, false));
            let unknown = format!(
                "whether keepalive_min_timeout is on, without which reloads lose requests, is not known: {why}"
            );
            let may = (kept != all).then_some(unknown);
            kept.into_iter().chain(may).collect()
        }
    }
}

async fn differences(config: &Config, commands: &Commands) -> Vec<Difference> {
    match wiring::setup(config, commands.clone(), None).await {
        Ok(setup) => setup.differences().await,
        Err(halt) => vec![differs(halt.trouble.one_line(), "correct it, then bluegreen check")],
    }
}

/// In reload mode: what goes to a profile without the include.
pub(crate) fn past_the_include(config: &Config, survey: &Survey, commands: &Commands) -> Vec<Difference> {
    let past = |at: &Place, port: u16, argument: &str| {
        let what = format!("`proxy_pass {argument}` goes to port {port} whatever the include says");
        let fix = format!("write `proxy_pass $service_url;`, then {}", commands.typed_reload());
        differs(what, fix).at(at)
    };
    let passes = survey.passes().into_iter().filter(|pass| !pass.argument.contains('$'));
    let ours = passes
        .filter_map(|pass| pass.port.filter(|port| config.profiles.on_port(*port).is_some()).map(|port| (pass, port)));
    ours.map(|(pass, port)| past(&pass.at, port, &pass.argument)).collect()
}

fn running(pid: &Result<u32, MasterError>, version: &Result<Version, MasterError>, proven: bool) -> Finding {
    let start = "sudo nginx -t && sudo systemctl start nginx";
    match (pid, version) {
        (Ok(pid), Ok(version)) => Finding::good("nginx", format!("nginx {version} runs, pid {pid}")),
        (Ok(pid), Err(_)) => Finding::good("nginx", format!("nginx runs, pid {pid}")),
        (Err(error), _) if proven => Finding::good(
            "nginx-unseen",
            format!("nginx proves what it does, and its processes are not seen from here: {error}"),
        ),
        (Err(error @ MasterError::NotRunning(_)), Err(unknown @ MasterError::Version(_))) => {
            Finding::fatal("nginx-stopped", format!("{error}; {unknown}"), start)
        }
        (Err(MasterError::NotRunning(other)), Err(_)) => Finding::fatal(
            "nginx-missing",
            format!("there is no nginx here, or this user cannot see it{}", contained(*other)),
            format!("{}, then {start}", report::install("nginx")),
        ),
        (Err(MasterError::NotRunning(other)), Ok(version)) => Finding::fatal(
            "nginx-stopped",
            format!("nginx {version} is installed, and nobody listens at the front door{}", contained(*other)),
            format!("{start}; where it runs, let it listen at proxy.nginx.url, or correct that"),
        ),
        (Err(error), _) => {
            let id = match error {
                MasterError::Several(_) => "nginx-several",
                MasterError::PidFile(_) => "nginx-stopped",
                _ => "nginx-unseen",
            };
            Finding::fatal(id, error.to_string(), for_master(error))
        }
    }
}

/// An nginx that is none of ours, and does not serve our front door.
fn contained(other: Option<i32>) -> String {
    other.map_or_else(String::new, |pid| format!("; another one (pid {pid}) runs in a container, and is left alone"))
}

/// What this version cannot do, and what it does wrong.
fn age(version: Version, mode: ProxyMode, proven: bool, costs: Vec<String>) -> Vec<Finding> {
    let newer = "nginx.org has packages of newer versions: https://nginx.org/en/linux_packages.html";
    match mode {
        ProxyMode::Reload => costs
            .into_iter()
            .map(|cost| {
                Finding::warning(
                    "nginx-bugs",
                    cost,
                    "mode = \"marker\" in [proxy.nginx], then sudo bluegreen setup --apply",
                )
            })
            .collect(),
        ProxyMode::Marker if OLDEST.parse().is_ok_and(|oldest| version < oldest) && !proven => {
            let what = format!("nginx {version} is too old for marker mode, which wants {OLDEST}");
            vec![Finding::fatal("nginx-old", what, newer)]
        }
        ProxyMode::Marker if costs.is_empty() => Vec::new(),
        // certbot and people reload it
        ProxyMode::Marker => {
            let what = format!("nginx {version} loses requests at each reload, and no switch needs one");
            vec![Finding::good("nginx-bugs", what)]
        }
    }
}

/// A configuration that somebody else broke: in reload mode no switch works, in marker mode the next start of nginx fails.
/// `test` asks the nginx that is meant.
fn judge_configuration(mode: ProxyMode, test: &str, said: Result<(), String>) -> Finding {
    let Err(said) = said else { return Finding::good("nginx-config", "nginx takes its configuration") };
    // the pid file, a log or a key that only root may open; in reload mode the command is the one that each deploy needs
    if mode == ProxyMode::Marker && said.contains("ermission denied") {
        let what = if said.ends_with(SYNTAX_IS_OK) {
            "nginx can read its configuration; the rest of `nginx -t` is for root".to_owned()
        } else {
            format!("whether nginx takes its configuration only root can tell: `{test}`")
        };
        return Finding::good("nginx-config", what);
    }
    let place = Regex::new(r" in (/[^\s:]+:\d+)")
        .ok()
        .and_then(|place| Some(place.captures(&said)?.get(1)?.as_str().to_owned()));
    let mend = if place.is_some() { "mend that file" } else { "put that right" };
    let fix = format!("{mend}, then {test}");
    let finding = match mode {
        ProxyMode::Reload => {
            Finding::fatal("nginx-config", format!("nginx would refuse its configuration: {said}"), fix)
        }
        ProxyMode::Marker => {
            let what = format!("nginx would refuse its configuration, and not come up after a restart: {said}");
            Finding::warning("nginx-config", what, fix)
        }
    };
    Finding { place, ..finding }
}

/// One of the configuration, which is no file of nginx's.
pub(crate) fn differs(what: impl Into<String>, fix: impl Into<String>) -> Difference {
    Difference::fatal(SETUP, what, Repair::Do(fix.into()))
}

/// As long as the proof holds, nothing fails of it.
fn of(traffic: &Result<Traffic, Blind>, difference: Difference, commands: &Commands) -> Finding {
    let severity = if matches!(traffic, Ok(Traffic::Ours(_))) { Severity::Warning } else { difference.severity };
    Finding { severity, ..difference.fixed(|repair| for_repair(&repair, commands)) }
}

fn is_applied(difference: &Difference) -> bool {
    difference.fix.as_ref().is_some_and(Repair::is_applied)
}

/// Whether it is the directory that nginx's workers may not search.
fn is_closed(difference: &Difference) -> bool {
    matches!(difference.fix, Some(Repair::Against(SetupError::Place(PlaceError::NotSearchable(_)))))
}

/// What is told beside the route and what is `wrong` at the front door.
fn listed(
    traffic: &Result<Traffic, Blind>,
    closed: bool,
    mut differences: Vec<Difference>,
    wrong: &[Finding],
) -> Vec<Difference> {
    // what the set-up will do by itself need not be listed when it has to run anyway
    let must_run = matches!(traffic, Ok(Traffic::NotSetUp(_)) | Err(Blind::Differs(_)));
    let told = |it: &Difference| it.place.is_some() && wrong.iter().any(|finding| finding.place == it.place);
    differences.retain(|it| !(told(it) || must_run && is_applied(it) || closed && is_closed(it)));
    differences
}

/// The route as nginx proves it; nothing where its workers say another one because they cannot reach it.
fn route(
    traffic: &Result<Traffic, Blind>,
    closed: bool,
    differs: bool,
    fix: impl Fn(&Result<Traffic, Blind>) -> String,
) -> Option<Finding> {
    Some(match traffic {
        Err(Blind::Route(_)) if closed => return None,
        Ok(Traffic::Ours(route)) => Finding::good(ROUTE, format!("nginx proves it: {} has the traffic", route.active)),
        Ok(Traffic::Elsewhere(_)) => Finding::warning(ROUTE, said(traffic), "the first deploy takes the traffic over"),
        // as a rule it follows from them
        _ if differs => {
            let fix = format!("first what differs from the set-up, below; then {}", fix(traffic));
            Finding::fatal(ROUTE, said(traffic), fix)
        }
        _ => Finding::fatal(ROUTE, said(traffic), fix(traffic)),
    })
}

#[cfg(test)]
mod tests {
    use bluegreen_core::{Profile, Route};

    use super::*;
    use crate::doctor::{ids, kind};

    const TEST: &str = "sudo /opt/nginx -c /opt/nginx.conf -t";

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn none() -> MasterError {
        MasterError::NotRunning(None)
    }

    #[test]
    fn missing_stopped_and_several_have_their_own_fix() {
        let id = kind;
        assert_eq!(id(&running(&Ok(1), &Ok(version("1.22.1")), true)), (Severity::Good, "nginx"));
        let missing = running(&Err(none()), &Err(none()), false);
        assert!(id(&missing) == (Severity::Fatal, "nginx-missing") && missing.fix().contains("nginx"), "{missing:?}");
        let stopped = running(&Err(none()), &Ok(version("1.22.1")), false);
        assert!(id(&stopped) == (Severity::Fatal, "nginx-stopped") && stopped.fix().contains("systemctl start nginx"));
        let unknown = running(&Err(none()), &Err(MasterError::Version("it says nothing".to_owned())), false);
        assert!(unknown.id == "nginx-stopped" && unknown.what.contains("it says nothing"), "it is there: {unknown:?}");
        let several = || Err(MasterError::Several(vec![1, 2]));
        let other = running(&Err(MasterError::PidFile("/run/x.pid".into())), &Ok(version("1.22.1")), false);
        assert!(
            other.fix().contains("pid_file") && !other.fix().contains("systemctl"),
            "another one runs: {}",
            other.fix()
        );
        assert_eq!(id(&running(&several(), &Ok(version("1.22.1")), true)).0, Severity::Good);
        assert_eq!(id(&running(&several(), &Ok(version("1.22.1")), false)).0, Severity::Fatal);
    }

    #[test]
    fn old_versions_and_their_bugs() {
        let at =
            |text: &str, mode, proven| ids(&age(version(text), mode, proven, reload_warnings(version(text), false)));
        assert_eq!(at("1.14.1", ProxyMode::Marker, false), [(Severity::Fatal, "nginx-old")]);
        assert_eq!(at("1.14.1", ProxyMode::Marker, true), [(Severity::Good, "nginx-bugs")]);
        assert_eq!(at("1.22.1", ProxyMode::Marker, false), [(Severity::Good, "nginx-bugs")]);
        assert_eq!(at("1.22.1", ProxyMode::Reload, false), [(Severity::Warning, "nginx-bugs"); 2]);
        assert_eq!(age(version("1.29.0"), ProxyMode::Reload, true, reload_warnings(version("1.29.0"), true)), []);
    }

    #[test]
    fn what_a_reload_costs_is_not_told_of_files_that_nobody_could_read() {
        let of = |text: &str| costs(version(text), Err("Permission denied"));
        assert!(matches!(&of("1.29.0")[..], [only] if only.ends_with("is not known: Permission denied")));
        assert_eq!(of("1.22.1"), reload_warnings(version("1.22.1"), true), "it has no such setting");
    }

    #[test]
    fn a_broken_configuration_is_named_with_file_and_line() {
        let said =
            "`nginx -t` failed: nginx: [emerg] unknown directive \"x\" in /etc/nginx/conf.d/other.conf:3".to_owned();
        let found = judge_configuration(ProxyMode::Marker, TEST, Err(said.clone()));
        assert_eq!(
            (found.severity, found.place.as_deref()),
            (Severity::Warning, Some("/etc/nginx/conf.d/other.conf:3"))
        );
        assert_eq!(judge_configuration(ProxyMode::Reload, TEST, Err(said)).severity, Severity::Fatal);
        assert_eq!(found.fix(), format!("mend that file, then {TEST}"), "the nginx that is meant");
        let port =
            "`nginx -t` failed: nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)".to_owned();
        let found = judge_configuration(ProxyMode::Reload, TEST, Err(port));
        assert_eq!((found.place, found.fix), (None, Some(format!("put that right, then {TEST}"))), "no file is named");
        assert_eq!(judge_configuration(ProxyMode::Reload, TEST, Ok(())).severity, Severity::Good);
    }

    #[test]
    fn what_only_root_may_open_is_no_fault_of_the_configuration() {
        let judged = |mode, said: &str| {
            let found = judge_configuration(mode, TEST, Err(format!("`nginx -t` failed: {said}")));
            (found.severity, found.what)
        };
        let pid = "[emerg] open() \"/run/nginx.pid\" failed (13: Permission denied)";
        let (severity, what) = judged(ProxyMode::Marker, &format!("{pid}{SYNTAX_IS_OK}"));
        assert!(severity == Severity::Good && what.contains("can read its configuration"), "{what}");
        let (severity, what) = judged(ProxyMode::Marker, "[emerg] cannot load key: Permission denied");
        assert!(severity == Severity::Good && what.contains("only root can tell"), "{what}");
        assert_eq!(judged(ProxyMode::Reload, pid).0, Severity::Fatal, "each deploy asks so");
    }

    #[test]
    fn what_differs_fails_a_deploy_only_without_a_proof() {
        let differs = || vec![Difference::fatal(SETUP, "a is missing", Repair::Apply), differs("b", "by hand")];
        let told = |traffic: &Result<Traffic, Blind>| {
            let (commands, listed) = (Commands::new(["nginx"]), listed(traffic, false, differs(), &[]));
            let route = route(traffic, false, !listed.is_empty(), |_| "x".to_owned());
            let listed = listed.into_iter().map(|it| of(traffic, it, &commands));
            route.into_iter().chain(listed).collect::<Vec<_>>()
        };
        let real1 = Route::solo(Profile::new("real1".parse().unwrap(), 8081).unwrap()).into();
        assert_eq!(ids(&told(&Ok(real1)))[1..], [(Severity::Warning, "setup"); 2]);
        for must_run in [Ok(Traffic::NotSetUp("x".into())), Err(Blind::Differs("x".into()))] {
            let found = told(&must_run);
            assert_eq!(ids(&found), [(Severity::Fatal, "route"), (Severity::Fatal, "setup")]);
            assert_eq!((&*found[1].what, found[1].fix()), ("b", "by hand"), "the set-up does the rest");
            assert_eq!(found[0].fix(), "first what differs from the set-up, below; then x");
        }
    }

    #[test]
    fn one_closed_directory_is_one_finding() {
        let place = |error: PlaceError| Difference::fatal(SETUP, "x", Repair::Against(error.into()));
        let closed = place(PlaceError::NotSearchable("/srv/a".into()));
        let other = place(PlaceError::Temporary { path: "/tmp/a".into(), why: "x" });
        let blind = Err(Blind::Route("x".into()));
        let listed = |closed, it| listed(&blind, closed, it, &[]).len();
        assert_eq!((listed(true, vec![closed, other]), route(&blind, true, false, |_| String::new())), (1, None));
        let closed = vec![place(PlaceError::NotSearchable("/srv/a".into()))];
        assert_eq!((listed(false, closed), route(&blind, false, false, |_| String::new()).is_some()), (1, true));
    }
}
