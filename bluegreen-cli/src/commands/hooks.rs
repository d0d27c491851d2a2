//! `[hooks]`: programs of the owner, around and between the two halves of a deploy.

use std::{process::Stdio, time::Duration};

use bluegreen_core::{Route, StateStore as _, Template};
use tokio::process::Command;

use super::{Exit, Halt, Run, Session};

/// A hook that takes longer is ended, and has failed.
const WITHIN: Duration = Duration::from_secs(600);
/// So many of its last lines are shown.
const LINES: usize = 20;

/// Runs the hook `name`; its environment and its arguments say what the deploy is about.
pub(super) async fn run(session: &Session, name: &str, hook: &[Template], run: &Run) -> Result<(), Halt> {
    let facts = facts(session).await;
    let value = |wanted: &str| facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.clone());
    let argv: Vec<String> = hook.iter().map(|word| word.render(value)).collect();
    let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
    let environment = facts.iter().map(|(fact, value)| (format!("BLUEGREEN_{}", fact.to_uppercase()), value));
    let mut command = Command::new(program);
    command.args(arguments).envs(environment).env("BLUEGREEN_HOOK", name).stdin(Stdio::null()).kill_on_drop(true);
    let failed = |why: String, log: Vec<String>| {
        let mut halt = Halt::new(Exit::Unhealthy, format!("the hook {name} ({program}) {why}"));
        halt.trouble.log = log;
        halt
    };
    let within = session.left(run).map_or(WITHIN, |left| left.min(WITHIN));
    let output = tokio::select! {
        output = tokio::time::timeout(within, command.output()) => output,
        () = session.signals.cancel.cancelled() => {
            let halt = failed("was interrupted".into(), Vec::new());
            return Err(Halt { exit: session.signals.request().into(), ..halt });
        }
    };
    let output = output.map_err(|_| failed(format!("took longer than {within:.0?}"), Vec::new()))?;
    let output = output.map_err(|error| failed(format!("could not be run: {error}"), Vec::new()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let lines: Vec<String> = text.lines().map(crate::report::sanitize).collect();
    Err(failed(format!("failed: {}", output.status), lines[lines.len().saturating_sub(LINES)..].to_vec()))
}

/// What a hook may know, by the names of the placeholders and a few more.
async fn facts(session: &Session) -> Vec<(&'static str, String)> {
    let seen = session.wired.deployer.look().await;
    let tx = session.wired.store.load().ok().and_then(|state| state.transaction);
    let to = tx.as_ref().map(|tx| tx.to.clone());
    let active = seen.route.ok().map(|Route { active, .. }| active);
    let idle = to.or_else(|| active.as_ref().map(|active| session.config.profiles.other(active).clone()));
    let mut facts = vec![("app", session.config.app.to_string())];
    facts.push(("shared_dir", session.config.state_dir.join("shared").display().to_string()));
    if let Some(active) = active {
        facts.extend([("active", active.to_string()), ("other_port", active.port().to_string())]);
    }
    if let Some(idle) = idle {
        facts.extend([("profile", idle.to_string()), ("port", idle.port().to_string())]);
    }
    if let Some(tx) = tx {
        let releases = session.wired.processes.releases();
        facts.push(("release", tx.release.as_str().to_owned()));
        facts.push(("release_dir", releases.path(&tx.release).display().to_string()));
        if let Ok(release) = releases.get(&tx.release) {
            facts.extend(releases.artifact(&release).map(|path| ("artifact", path.display().to_string())));
            facts.extend(release.version.map(|version| ("version", version)));
        }
    }
    facts
}
