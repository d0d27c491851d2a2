//! `[hooks]`: programs of the owner, around and between the two halves of a deploy.

use std::{
    future::pending,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use bluegreen_core::{Route, StateStore as _, Template};
use bluegreen_process::Release;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::{Instant, sleep_until, timeout},
};

use super::{Exit, Halt, Run, Session};
use crate::trust::distrust;

/// A hook that takes longer is ended, and has failed.
const WITHIN: Duration = Duration::from_secs(600);
/// So many of its last lines are shown,
const LINES: usize = 20;
/// of so many of its last bytes.
const BYTES: usize = 64 << 10;
/// For what it said last, after its end: a program that it left in the background may hold the pipe for ever.
const REST: Duration = Duration::from_millis(100);

/// Runs the hook `name`; its environment and its arguments say what the deploy is about. `release` is what will be
/// deployed, when that is not in the state yet.
pub(super) async fn run(
    session: &Session,
    name: &str,
    hook: &[Template],
    release: Option<&Release>,
    run: &Run,
) -> Result<(), Halt> {
    let facts = facts(session, release).await;
    let value = |wanted: &str| facts.iter().find(|(fact, _)| *fact == wanted).map(|(_, value)| value.clone());
    let argv: Vec<String> = hook.iter().map(|word| word.render(value)).collect();
    let Some((program, arguments)) = argv.split_first() else { return Ok(()) };
    let environment = facts.iter().map(|(fact, value)| (format!("BLUEGREEN_{}", fact.to_uppercase()), value));
    let mut command = Command::new(program);
    command.args(arguments).envs(environment).env("BLUEGREEN_HOOK", name);
    let failed = |why: String, log: Vec<String>| {
        let mut halt = Halt::new(Exit::Unhealthy, format!("the hook {name} ({program}) {why}"));
        halt.trouble.log = log;
        halt
    };
    if let Some(who) = found(program).and_then(|file| distrust(&file.metadata().ok()?)) {
        return Err(failed(format!("is not run: {}", who.reason()), Vec::new()));
    }
    let within = session.left(run).map_or(WITHIN, |left| left.min(WITHIN));
    let mut running =
        Running::spawn(command).map_err(|error| failed(format!("could not be run: {error}"), Vec::new()))?;
    let status = tokio::select! {
        status = running.end() => status,
        () = sleep_until(Instant::now() + within) => {
            running.kill();
            return Err(failed(format!("took longer than {within:.0?}"), running.said()));
        }
        () = session.signals.cancel.cancelled() => {
            running.kill();
            let halt = failed("was interrupted".into(), Vec::new());
            return Err(Halt { exit: session.signals.request().into(), ..halt });
        }
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("failed: {status}"), running.said())),
        Err(error) => Err(failed(format!("could not be waited for: {error}"), running.said())),
    }
}

/// The file that a program's name means, as the kernel or `PATH` finds it.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(program.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// A hook at work, in a process group of its own, with one pipe for all that it says.
struct Running {
    child: Child,
    pipe: Receiver,
    /// The last of what it said.
    tail: Vec<u8>,
}

impl Running {
    fn spawn(mut command: Command) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        Ok(Self { child, pipe: Receiver::from_owned_fd(reader.into())?, tail: Vec::new() })
    }

    /// Listens until the hook itself has ended.
    async fn end(&mut self) -> io::Result<ExitStatus> {
        let Self { child, pipe, tail } = self;
        let status = tokio::select! {
            status = child.wait() => status,
            () = async { listen(pipe, tail).await; pending().await } => unreachable!("it never ends"),
        };
        let _ = timeout(REST, listen(pipe, tail)).await;
        status
    }

    /// With all that it started, unless that went into a group of its own.
    fn kill(&mut self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // not waited for yet, so the number is still its own
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn said(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<String> = text.lines().map(crate::report::sanitize).collect();
        lines[lines.len().saturating_sub(LINES)..].to_vec()
    }
}

/// Reads to the end of the pipe, and keeps the last bytes.
async fn listen(pipe: &mut Receiver, tail: &mut Vec<u8>) {
    while pipe.read_buf(tail).await.is_ok_and(|count| count > 0) {
        if tail.len() > 2 * BYTES {
            tail.drain(..tail.len() - BYTES);
        }
    }
}

/// What a hook may know, by the names of the placeholders and a few more.
async fn facts(session: &Session, release: Option<&Release>) -> Vec<(&'static str, String)> {
    let seen = session.wired.deployer.look().await;
    let tx = session.wired.store.load().ok().and_then(|state| state.transaction);
    let to = tx.as_ref().map(|tx| tx.to.clone());
    let active = seen.route.ok().map(|Route { active, .. }| active);
    let profiles = &session.config.profiles;
    let idle = to.unwrap_or_else(|| active.as_ref().map_or(profiles.first(), |it| profiles.other(it)).clone());
    let mut facts = vec![("app", session.config.app.to_string())];
    facts.push(("shared_dir", session.config.state_dir.join("shared").display().to_string()));
    facts.extend([("profile", idle.to_string()), ("port", idle.port().to_string())]);
    facts.push(("other_port", profiles.other(&idle).port().to_string()));
    facts.extend(active.map(|active| ("active", active.to_string())));
    let releases = session.wired.processes.releases();
    let known = || tx.and_then(|tx| releases.get(&tx.release).ok());
    if let Some(release) = release.cloned().or_else(known) {
        facts.push(("release", release.id.as_str().to_owned()));
        facts.push(("release_dir", releases.path(&release.id).display().to_string()));
        facts.extend(releases.artifact(&release).map(|path| ("artifact", path.display().to_string())));
        facts.extend(release.version.map(|version| ("version", version)));
    }
    facts
}
