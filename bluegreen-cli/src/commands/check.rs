//! `check`: what would make a deploy fail, seen before it.

use std::time::Duration;

use bluegreen_core::{Occupant, ResolveError, StateStore as _};
use bluegreen_nginx::reload::reload_warnings;
use bluegreen_process::cgroup_warning;
use serde_json::json;

use super::{Exit, Format, Global, Halt, Session};
use crate::{config::ProxyMode, halt::for_route, history, output, report, wiring};

/// One thing that was looked at.
struct Finding {
    /// Whether a deploy would fail of it.
    fatal: bool,
    what: String,
    fix: String,
}

/// Free space that a deploy wants besides the release, in bytes.
const DISK: u64 = 64 << 20;
/// How what we start gets out of a cgroup that systemd ends.
const CGROUP_FIX: &str = "a service: `KillMode=process` in its unit; a login: `loginctl enable-linger`, then \
                          `systemd-run --user --scope bluegreen ...`";
/// The longest that CodeDeploy lets a hook run.
const CODEDEPLOY: Duration = Duration::from_secs(3600);

pub(super) async fn run(session: &Session, global: &Global) -> Result<Exit, Halt> {
    let findings = look(session).await;
    if global.format == Format::Json {
        let entry = |f: &Finding| json!({ "fatal": f.fatal, "what": f.what, "fix": f.fix });
        output::json(json!({ "schema": 1, "findings": findings.iter().map(entry).collect::<Vec<_>>() }));
    } else {
        show(&findings, report::stdout_paint(global.color));
    }
    Ok(verdict(&findings))
}

/// For `hook`: lines without control codes, whatever stdout is.
pub(super) async fn run_plain(session: &Session) -> Result<Exit, Halt> {
    let findings = look(session).await;
    show(&findings, report::Paint(false));
    Ok(verdict(&findings))
}

fn verdict(findings: &[Finding]) -> Exit {
    if findings.iter().any(|finding| finding.fatal) { Exit::Refused } else { Exit::Done }
}

fn show(findings: &[Finding], paint: report::Paint) {
    for Finding { fatal, what, fix } in findings {
        let mark = if *fatal { paint.bad("✗") } else { paint.warn("!") };
        output::line(format!("{mark} {}\n    {}", report::sanitize(what), paint.dim(report::sanitize(fix))));
    }
    match findings.iter().filter(|finding| finding.fatal).count() {
        0 => output::line(paint.good("✓ a deploy can begin")),
        1 => output::line(paint.bad("a deploy would fail")),
        n => output::line(paint.bad(format!("a deploy would fail for {n} reasons"))),
    }
}

/// Collects what is found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn say(&mut self, fatal: bool, what: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Finding { fatal, what: what.into(), fix: fix.into() });
    }
}

async fn look(session: &Session) -> Vec<Finding> {
    let mut findings = Findings::default();
    look_at_places(session, &mut findings).await;
    look_at_state(session, &mut findings);
    if session.config.nginx.mode == ProxyMode::Reload {
        for warning in reload_costs(session).await {
            findings.say(false, warning, "see the chapter on nginx in the documentation");
        }
    }
    if let Some(warning) = cgroup_warning() {
        findings.say(false, warning, CGROUP_FIX);
    }
    let deadline = session.config.health.deadline;
    if session.config.hook.artifact.is_some() && deadline > CODEDEPLOY {
        findings.say(
            false,
            format!("health.deadline is {deadline:?}, and CodeDeploy ends a hook after an hour"),
            "set it below that",
        );
    }
    findings.0
}

/// The route, and who is where.
async fn look_at_places(session: &Session, findings: &mut Findings) {
    let seen = session.wired.deployer.look().await;
    match &seen.route {
        Ok(_) => {}
        Err(error @ ResolveError::Unmanaged(_)) => {
            findings.say(false, error.to_string(), "the first deploy takes the traffic over");
        }
        Err(error) => findings.say(true, error.to_string(), for_route(error)),
    }
    let active = seen.route.as_ref().ok().map(|route| &route.active);
    let deployed = session.wired.store.load().is_ok_and(|state| state.last_good().is_some());
    for profile in session.config.profiles.both() {
        match seen.on(profile) {
            Occupant::Stranger(who) => {
                let fix = format!("bluegreen adopt {profile}, if it is this app; else end it, or change the port");
                findings.say(active != Some(profile), format!("{profile}: {who}"), fix);
            }
            Occupant::Nobody if active == Some(profile) && deployed => {
                findings.say(false, format!("{profile} has the traffic, and nothing runs there"), "bluegreen recover");
            }
            _ => {}
        }
    }
}

/// The state, and the disk below it.
fn look_at_state(session: &Session, findings: &mut Findings) {
    if let Err(error) = session.wired.store.load() {
        findings.say(true, error.to_string(), "put a copy of the state back");
    }
    if let Some(error) = session.wired.store.fell_back() {
        findings.say(false, format!("{error}; the one before it is used"), "the next deploy writes it anew");
    }
    if let Some(trouble) = history::trouble(&session.config.state_dir) {
        findings.say(false, trouble, "remove it: the next deploy makes it anew");
    }
    for place in session.config.secrets() {
        let fix = "put it into the file of start.env_file, which is read at each start and never stored";
        findings.say(false, format!("{place} looks like a secret, and is stored with each release"), fix);
    }
    if let Some(free) = free_space(session).filter(|free| *free < DISK) {
        let what = format!("{} free in {}", report::size(free), session.config.state_dir.display());
        findings.say(true, what, "bluegreen releases prune");
    }
}

/// What each reload of this nginx loses.
pub(super) async fn reload_costs(session: &Session) -> Vec<String> {
    match wiring::master(&session.config).version().await {
        // whether the configuration sets keepalive_min_timeout only root can read
        Ok(version) => reload_warnings(version, false),
        Err(error) => vec![error.to_string()],
    }
}

fn free_space(session: &Session) -> Option<u64> {
    let stat = rustix::fs::statvfs(&session.config.state_dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
