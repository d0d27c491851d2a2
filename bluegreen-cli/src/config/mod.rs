//! `bluegreen.toml`: found, read, checked, explained.
//!
//! ```
//! # use bluegreen_cli::config::Config;
//! let config = Config::parse(bluegreen_cli::config::SMALLEST, "bluegreen.toml".as_ref())?;
//! assert_eq!(config.profiles.first().port(), 8081);
//! # Ok::<(), bluegreen_cli::config::ConfigError>(())
//! ```

mod build;
mod effective;
mod find;
mod keys;
mod problem;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod reader;
mod reference;
mod schema;
mod secrets;
mod sections;
mod url;
mod value;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use bluegreen_core::{Failover, Name, Policy, Profile, Profiles};

use self::find::Source;

pub use self::{
    effective::{Origin, Setting},
    find::Lookup,
    keys::SMALLEST,
    problem::{ConfigError, Invalid},
    reference::reference,
    schema::schema,
    sections::*,
    value::parse_duration,
};

/// Everything that can be configured, checked. Field by field as in the file; what a key means is in [`reference()`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the keys are documented once, in the table that `reference` prints")]
pub struct Config {
    pub app: Name,
    pub user: Option<String>,
    pub state_dir: PathBuf,
    pub route_dir: PathBuf,
    pub allow_temporary: bool,
    pub profiles: Profiles,
    pub start: Start,
    pub stop: Stop,
    pub health: Health,
    pub nginx: Nginx,
    pub resolve: Resolve,
    pub after_switch: AfterSwitch,
    pub hook: Hook,
    pub hooks: Hooks,
    pub metrics: Metrics,
    pub access: Access,
    pub releases: Releases,
    file: PathBuf,
    source: Source,
    settings: Vec<Setting>,
    objections: Option<Invalid>,
}

impl Config {
    /// Finds, reads and checks the configuration.
    pub fn load(lookup: &Lookup) -> Result<Self, ConfigError> {
        let path = lookup.find()?;
        let (text, source) = find::read(&path, lookup)?;
        let config = match Self::parse(&text, &path) {
            Ok(config) => Self { source, ..config },
            Err(error) => return Err(source.may_show(&path, lookup).err().unwrap_or(error)),
        };
        match &lookup.app {
            Some(app) if *app != config.app => {
                Err(ConfigError::OtherApp { path, found: config.app.to_string(), wanted: app.to_string() })
            }
            _ => Ok(config),
        }
    }

    /// Checks `text`, which came from `path`. All mistakes are in the one error.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let invalid = |problems| Invalid { path: path.to_owned(), text: secrets::hidden(text), problems };
        let mut config = build::build(text, path).map_err(|problems| ConfigError::Invalid(invalid(problems)))?;
        let objections = build::objections(text, &config);
        config.objections = Some(invalid(objections)).filter(|invalid| !invalid.problems.is_empty());
        Ok(config)
    }

    /// What is wrong with it for whatever begins a deploy. What runs goes on with it all the same: an installed program has taken
    /// it so far, and `recover`, `up` and `rollback` must not fail of a text.
    pub fn objections(&self) -> Option<ConfigError> {
        self.objections.clone().map(ConfigError::Invalid)
    }

    /// The same, each with its place and what to do.
    pub(crate) fn each_objection(&self) -> impl Iterator<Item = [String; 3]> {
        self.objections.iter().flat_map(Invalid::each)
    }

    /// What the health check of `profile` asks.
    pub fn health_url(&self, profile: &Profile) -> String {
        url::of_profile(&self.health.url, &self.app, &self.profiles, profile)
    }

    /// The address of this machine that the health check of `profile` dials; `None` for a name, and for another machine.
    pub(crate) fn health_address(&self, profile: &Profile) -> Option<SocketAddr> {
        url::loopback(&self.health_url(profile))
    }

    /// How a deploy goes.
    pub fn policy(&self) -> Policy {
        Policy {
            healthy_threshold: self.health.healthy_threshold,
            health_deadline: self.health.deadline,
            health_interval: self.health.interval,
            bake: self.after_switch.bake,
            // an include file names one port
            failover: if self.nginx.mode == ProxyMode::Reload { Failover::Never } else { self.after_switch.failover },
            previous: self.after_switch.previous,
            settle: self.after_switch.settle,
            drain: self.after_switch.drain,
            grace: self.stop.grace,
            gates: self.hooks.gates(),
            ..Policy::default()
        }
    }

    /// Where something is that looks like a secret and is no place for one, as `start.env.DB_PASSWORD`.
    pub fn secrets(&self) -> Vec<String> {
        let names = self.start.env.keys().filter(|name| secrets::is_secret(name));
        names.map(|name| format!("start.env.{name}")).collect()
    }

    /// Whether nobody but root could have written what is in it.
    pub(crate) fn is_roots(&self) -> bool {
        self.source.owner == 0 && self.source.hands.is_empty()
    }

    /// The caller's variables that go to hooks and to the app when root goes on as another user. A file of that user's own
    /// may name nothing of root's.
    pub(crate) fn passed(&self) -> Vec<String> {
        let names = self.start.pass_env.iter().chain(&self.hooks.pass_env);
        names.filter(|_| self.is_roots()).cloned().collect()
    }

    /// nginx's program. A file of another user's names none that root runs.
    pub(crate) fn nginx_program(&self) -> Option<&Path> {
        let may = self.is_roots() || !rustix::process::geteuid().is_root();
        self.nginx.program.as_deref().filter(|_| may)
    }

    /// The file that it came from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Who could have written it.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Every value in effect.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The configuration in effect as TOML, with the origin of each value as a comment.
    pub fn to_toml(&self) -> String {
        effective::to_toml(&self.file, &self.settings)
    }

    /// The configuration in effect for programs, with the origin of each value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (String, toml::Value, String)> {
        effective::entries(&self.file, &self.settings)
    }
}

#[cfg(test)]
mod tests;
