//! The sections of the file, as domain values.
#![expect(missing_docs, reason = "the keys are documented once, in the table that `reference` prints")]

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use bluegreen_core::{Failover, Gates, Previous, Template};
use bluegreen_http::{Body, StatusRanges};
use bluegreen_process::{SignalTo, StopSignal};
use url::Url;

/// So much longer than a hook may take the engine waits for its answer: who ends it in time has its last words.
const GRACE: Duration = Duration::from_secs(1);

/// `[start]`
#[derive(Debug, Clone)]
pub struct Start {
    pub command: Vec<Template>,
    pub env: BTreeMap<String, Template>,
    pub env_file: Option<PathBuf>,
    pub pass_env: Vec<String>,
    pub workdir: Template,
}

/// `[stop]`
#[derive(Debug, Clone)]
pub struct Stop {
    pub signal: StopSignal,
    pub to: SignalTo,
    pub grace: Duration,
}

/// `[health]`
#[derive(Debug, Clone)]
pub struct Health {
    pub url: Template,
    pub status: StatusRanges,
    pub body: Body,
    pub healthy_threshold: u32,
    pub timeout: Duration,
    pub deadline: Duration,
    pub interval: Duration,
}

/// `[proxy.nginx]`
#[derive(Debug, Clone)]
pub struct Nginx {
    pub mode: ProxyMode,
    pub url: Url,
    pub connect: Option<SocketAddr>,
    pub pid_file: Option<PathBuf>,
    pub program: Option<PathBuf>,
    pub service_url_file: PathBuf,
    pub install: Option<Vec<String>>,
    pub reload: Vec<String>,
    pub test: Vec<String>,
}

/// How the switch works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyMode {
    Marker,
    Reload,
}

/// `[resolve]`
#[derive(Debug, Clone)]
pub struct Resolve {
    pub kind: ResolveKind,
    pub url: Url,
}

/// Who says which profile is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveKind {
    Proxy,
    Http,
}

/// `[after_switch]`
#[derive(Debug, Clone)]
pub struct AfterSwitch {
    pub bake: Duration,
    pub failover: Failover,
    pub previous: Previous,
    pub settle: Duration,
    pub drain: Duration,
}

/// `[hook]`
#[derive(Debug, Clone)]
pub struct Hook {
    pub artifact: Option<String>,
}

/// `[hooks]`
#[derive(Debug, Clone)]
pub struct Hooks {
    pub before_start: Option<HookCommand>,
    pub before_switch: Option<HookCommand>,
    pub after_switch: Option<HookCommand>,
    pub after_failure: Option<HookCommand>,
    pub timeout: Duration,
    pub pass_env: Vec<String>,
}

impl Hooks {
    /// How long `hook` may take.
    pub(crate) fn limit(&self, hook: &HookCommand) -> Duration {
        hook.timeout.unwrap_or(self.timeout)
    }

    /// Which of them the engine asks, and how long it waits for each.
    pub(super) fn gates(&self) -> Gates {
        let limit = |hook: &Option<HookCommand>| hook.as_ref().map(|hook| self.limit(hook) + GRACE);
        Gates { before_stop: limit(&self.before_start), before_switch: limit(&self.before_switch) }
    }
}

/// What a hook runs. `timeout`: instead of the common one.
#[derive(Debug, Clone, PartialEq)]
pub struct HookCommand {
    pub command: Vec<Template>,
    pub timeout: Option<Duration>,
}

/// `[metrics]`
#[derive(Debug, Clone)]
pub struct Metrics {
    pub textfile: Option<PathBuf>,
}

/// `[access]`
#[derive(Debug, Clone)]
pub struct Access {
    pub group: Option<String>,
}

/// `[releases]`
#[derive(Debug, Clone)]
pub struct Releases {
    pub keep: u32,
}
