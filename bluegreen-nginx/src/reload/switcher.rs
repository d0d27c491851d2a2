//! The actor of reload mode: a new include file and a reload, proven by new workers.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bluegreen_core::{Blind, Profile, Profiles, ProxySwitcher, Route, SwitchError};

use super::{
    IncludeFile, Says,
    address::{parse, render, rewrite},
    include::Content,
    leads::Leads,
    site::Site,
};
use crate::{
    Commands, Master, MasterError,
    argv::Failed,
    drain::{drain, wait_until},
    master::{LIKELY, SETTLE, Workers},
    text::one_line,
};

/// How long new workers may take to appear after the reload that takes a change back.
const UNDO: Duration = Duration::from_secs(4);
/// The most that is read of the error log, in bytes.
const LOG: u64 = 64 * 1024;

/// Writes the include file, reloads nginx, and returns when only workers that have read it take new connections.
///
/// nginx needs about 0.1 s for that: it starts new workers, waits 100 ms, then asks the old ones to quit. A change that
/// nginx does not take is put back, with the file's time, and reloaded again.
#[derive(Debug)]
pub struct ReloadSwitcher {
    include: IncludeFile,
    profiles: Profiles,
    master: Master,
    commands: Commands,
    error_log: PathBuf,
}

impl ReloadSwitcher {
    /// One that replaces `include` and reloads `master` with `commands`; the article's are
    /// `Commands::new(["sudo", "-n", "nginx"])`.
    pub fn new(include: IncludeFile, profiles: &Profiles, master: Master, commands: Commands) -> Self {
        Self { include, profiles: profiles.clone(), master, commands, error_log: "/var/log/nginx/error.log".into() }
    }

    /// Where nginx says why it refuses. Used when it is readable.
    #[must_use = "returns the switcher"]
    pub fn with_error_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.error_log = path.into();
        self
    }

    /// Whether a switch to each profile has something to write: the form of what stands there now may not be known.
    ///
    /// # Errors
    /// Why not, and what to do, of the include file, which is not named again.
    pub async fn can_switch(&self) -> Result<(), String> {
        let text = self.include.content().map_err(|error| error.of_the_file())?.text;
        let site = Site::of(&self.master).await;
        self.profiles.both().into_iter().try_for_each(|profile| self.text_for(profile, &text, &site).map(drop))
    }

    /// The include file for `profile`: with another address in the form of the one in `text`, and every other byte as it is.
    fn text_for(&self, profile: &Profile, text: &str, site: &Site) -> Result<String, String> {
        let value = site.value_for(profile, &parse(text), self.include.path(), &self.profiles);
        let value = value.map_err(|why| one_line(&why))?;
        Ok(rewrite(text, &value).unwrap_or_else(|| render(&value)))
    }

    /// Whether `text` leads to `profile` already.
    fn leads_to(&self, profile: &Profile, text: &str, site: &Site) -> bool {
        let Says::To(address) = parse(text) else { return false };
        site.leads(self.include.path(), &address, &self.profiles).leads == Leads::To(profile.clone())
    }

    /// Reloads, and waits until none of the workers of before takes connections.
    async fn apply(&self, within: Duration) -> Result<(), Refusal> {
        let old = self.master.workers().map_err(|error| Refusal::Said(error.to_string()))?;
        let from = fs::metadata(&self.error_log).map_or(0, |log| log.len());
        let asked = SystemTime::now();
        self.commands.reload().await.map_err(|failed| match failed {
            Failed::Said(text) => Refusal::Said(text),
            late @ Failed::Late(_) => Refusal::Silent(late.to_string()),
        })?;
        let replaced = || self.master.workers().is_ok_and(|now| now.replace(&old, asked));
        // nginx tries several times to listen; what else it says is its last word
        let gave_up = || self.complaints(from, old.master).iter().any(|line| !line.starts_with("bind() to "));
        let mut done = false;
        let _ = wait_until(within, || {
            done = replaced();
            Ok(done || gave_up())
        })
        .await;
        if done {
            return Ok(());
        }
        let said = self.complaints(from, old.master).into_iter().next();
        let why = said.unwrap_or_else(|| format!("{}; {LIKELY}", self.seen(&old)));
        let reason = format!("the reload had no effect: {why}");
        Err(if gave_up() { Refusal::Said(reason) } else { Refusal::Silent(reason) })
    }

    /// Who takes connections, beside the workers of before.
    fn seen(&self, old: &Workers) -> String {
        let now = match self.master.workers() {
            Ok(now) => now,
            Err(error) => return error.to_string(),
        };
        let of_before = now.accepting.iter().filter(|worker| old.accepting.contains(worker)).count();
        format!("of {} workers that take connections {of_before} are of before", now.accepting.len())
    }

    /// What the master has written as `[emerg]` to its error log after `from`; nothing where the log cannot be read.
    fn complaints(&self, from: u64, master: i32) -> Vec<String> {
        let read = || {
            let mut log = bluegreen_linux::files::find(&self.error_log)?.file;
            log.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            log.take(LOG).read_to_end(&mut bytes).map(|_| bytes)
        };
        let bytes = read().unwrap_or_default();
        let mark = format!("[emerg] {master}#{master}: ");
        let text = String::from_utf8_lossy(&bytes);
        text.lines().filter_map(|line| line.split_once(&mark)).map(|(_, said)| one_line(said)).collect()
    }

    /// Puts `old` back. After a silent refusal the reload may still be under way: it is asked for once more.
    async fn undo(&self, old: &Content, refusal: Refusal) -> SwitchError {
        let (reason, silent) = match refusal {
            Refusal::Said(reason) => (reason, false),
            Refusal::Silent(reason) => (reason, true),
        };
        if self.include.content().is_ok_and(|now| now == *old) {
            return SwitchError::Refused(reason);
        }
        let restored = async {
            if silent {
                self.include.write(&old.text, None).await?;
                if self.apply(UNDO).await.is_ok() {
                    return Ok(());
                }
            }
            // no reload has read the file in between: with its time of before, it is in effect as before
            self.include.write(&old.text, Some(old.modified)).await
        };
        match restored.await {
            Ok(()) => SwitchError::Refused(reason),
            Err(error) => {
                SwitchError::Unsettled(format!("{reason}; and the include file could not be put back: {error}"))
            }
        }
    }
}

/// How nginx did not take a change.
enum Refusal {
    /// It said no: nothing has changed, and nothing will.
    Said(String),
    /// The reload has had no effect yet.
    Silent(String),
}

fn refused(error: &impl ToString) -> SwitchError {
    SwitchError::Refused(error.to_string())
}

#[async_trait]
impl ProxySwitcher for ReloadSwitcher {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        if let Some(standby) = &route.standby {
            return Err(refused(&format!("reload mode has no failover: {standby} cannot be the standby")));
        }
        let old = self.include.content().map_err(|error| refused(&error))?;
        let workers = self.master.workers().map_err(|error| refused(&error))?;
        let site = Site::of(&self.master).await;
        if workers.started_after(old.modified) && self.leads_to(&route.active, &old.text, &site) {
            return Ok(());
        }
        let named = |why: String| refused(&format!("{}: {why}", self.include.path().display()));
        let new = self.text_for(&route.active, &old.text, &site).map_err(named)?;
        // before anything is touched: our one line breaks nothing, what somebody else wrote may. A half-written include
        // would fail here, so it is replaced first; the reload reads everything again
        if parse(&old.text) != Says::Nothing {
            self.commands.test().await.map_err(|error| refused(&error))?;
        }
        if let Err(error) = self.include.write(&new, None).await {
            return Err(self.undo(&old, Refusal::Said(error.to_string())).await);
        }
        match self.apply(SETTLE).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.undo(&old, refusal).await),
        }
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        let leaving = || match self.master.workers() {
            Ok(workers) => Ok(workers.leaving),
            Err(MasterError::NotRunning(_) | MasterError::PidFile(_)) => Ok(0),
            Err(error) => Err(io::Error::other(error)),
        };
        drain(profile, within, leaving).await
    }
}
