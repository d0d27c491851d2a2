//! The actor of reload mode: a new include file and a reload, proven by new workers.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use async_trait::async_trait;
use bluegreen_core::{Profile, ProxySwitcher, Route, SwitchError};

use super::{
    IncludeFile, Nginx, Says,
    command::{self, Failed},
    include::{Content, parse, render},
    plain,
};
use crate::drain::{connections_to, wait_until};

/// How long new workers may take to appear: nginx tries 2.5 s to listen on a port that is taken.
const SETTLE: Duration = Duration::from_secs(8);
/// The same for the reload that takes a change back.
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
    nginx: Nginx,
    test: Vec<String>,
    reload: Vec<String>,
    error_log: PathBuf,
}

impl ReloadSwitcher {
    /// The article's way: `sudo -n nginx -t` and `sudo -n nginx -s reload`.
    pub fn new(include: IncludeFile, nginx: Nginx) -> Self {
        let argv = |text: &str| text.split(' ').map(str::to_owned).collect();
        let (test, reload) = (argv("sudo -n nginx -t"), argv("sudo -n nginx -s reload"));
        Self { include, nginx, test, reload, error_log: "/var/log/nginx/error.log".into() }
    }

    /// Other commands to test the configuration and to reload it.
    #[must_use = "returns the switcher"]
    pub fn with_commands(mut self, test: Vec<String>, reload: Vec<String>) -> Self {
        (self.test, self.reload) = (test, reload);
        self
    }

    /// Where nginx says why it refuses. Used when it is readable.
    #[must_use = "returns the switcher"]
    pub fn with_error_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.error_log = path.into();
        self
    }

    /// Reloads, and waits until none of the workers of before takes connections.
    async fn apply(&self, within: Duration) -> Result<(), Refusal> {
        let old = self.nginx.workers().map_err(|error| Refusal::Said(error.to_string()))?;
        let from = fs::metadata(&self.error_log).map_or(0, |log| log.len());
        match command::run(&self.reload).await {
            Err(Failed::Said(text)) => return Err(Refusal::Said(text)),
            Err(late) => return Err(Refusal::Silent(late.to_string())),
            Ok(_) => {}
        }
        if wait_until(within, || self.nginx.workers().is_ok_and(|now| now.replace(&old))).await {
            return Ok(());
        }
        let likely =
            "likely a listen port that another process holds, or a shared zone that was changed: see its error log";
        let why = self.emergency(from).unwrap_or_else(|| likely.to_owned());
        Err(Refusal::Silent(format!("the reload had no effect: nginx started no new workers; {why}")))
    }

    /// The first `[emerg]` line of the error log after `from`.
    fn emergency(&self, from: u64) -> Option<String> {
        let mut log = File::open(&self.error_log).ok()?;
        log.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        log.take(LOG).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        text.lines().find_map(|line| line.find("[emerg]").map(|at| plain(&line[at..])))
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

/// How nginx said no.
enum Refusal {
    /// By an exit code: nothing has changed.
    Said(String),
    /// Not at all: the reload has had no effect yet.
    Silent(String),
}

fn refused(error: impl ToString) -> SwitchError {
    SwitchError::Refused(error.to_string())
}

#[async_trait]
impl ProxySwitcher for ReloadSwitcher {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        if let Some(standby) = &route.standby {
            return Err(refused(format!("reload mode has no failover: {standby} cannot be the standby")));
        }
        let port = route.active.port();
        let old = self.include.content().map_err(refused)?;
        let workers = self.nginx.workers().map_err(refused)?;
        let says = parse(&old.text);
        if says == Says::Port(port) && workers.started_after(old.modified) {
            return Ok(());
        }
        // before anything is touched: our one line breaks nothing, what somebody else wrote may. A half-written include
        // would fail here, so it is replaced first; the reload reads everything again
        if says != Says::Nothing {
            command::run(&self.test).await.map_err(refused)?;
        }
        if let Err(error) = self.include.write(&render(port), None).await {
            return Err(self.undo(&old, Refusal::Said(error.to_string())).await);
        }
        match self.apply(SETTLE).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.undo(&old, refusal).await),
        }
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<(), SwitchError> {
        let left = || self.nginx.workers().map_or(0, |workers| workers.leaving) + connections_to(profile.port());
        wait_until(within, || left() == 0).await;
        Ok(())
    }
}
