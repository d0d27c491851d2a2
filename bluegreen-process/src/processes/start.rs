//! Putting a release on a profile.

use std::{error::Error, ffi::OsString, fs, io::ErrorKind, os::unix::fs::DirBuilderExt, path::PathBuf, time::Duration};

use bluegreen_core::{Occupant, ProcessError, Profile, ReleaseId, Template};
use bluegreen_linux::{
    dirs,
    proc::{self, Birth},
    program::{Environment, Program},
};

use rustix::process::geteuid;

use super::{Inner, dialled, inspect::keeps_out};
use crate::{
    Release, ReleaseError, environment, family::TOKEN, host, logs, oom::Kills, record::Record, releases::Readers,
};

/// Why it was not started.
pub(super) enum NotStarted {
    /// There is nothing that could be.
    Unstartable(String),
    /// Nobody is there, and who has the port lets nobody listen.
    Taken(String),
    /// At another time it may work.
    Failed(String),
}

impl From<String> for NotStarted {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl NotStarted {
    pub(super) fn told(self, profile: &Profile, release: &ReleaseId) -> ProcessError {
        let (profile, release) = (profile.to_string(), release.to_string());
        match self {
            Self::Unstartable(reason) => ProcessError::Start { profile, release, reason, unstartable: true },
            Self::Failed(reason) => ProcessError::Start { profile, release, reason, unstartable: false },
            Self::Taken(reason) => ProcessError::Taken { profile, release, reason },
        }
    }
}

impl Inner {
    pub(super) fn start(&self, profile: &Profile, id: &ReleaseId) -> Result<(), NotStarted> {
        if self.runs(profile, id)? {
            return Ok(());
        }
        self.may_start()?;
        let release = self.releases().get(id).map_err(|error| match error {
            ReleaseError::Unknown(_) | ReleaseError::Damaged { .. } => NotStarted::Unstartable(text(error)),
            error => text(error).into(),
        })?;
        let values = |name: &str| self.value(name, profile, &release);
        let render = |template: &String| render(template, &values);
        let argv = release.spec.command.iter().map(render).collect::<Result<Vec<_>, _>>()?;
        let workdir = PathBuf::from(render(&release.spec.workdir)?);
        self.make_shared_dir()?;
        let token = host::random_token().map_err(text)?;
        let environment = self.environment(profile, &release, &token)?;
        let (log_path, log) = logs::open_new(&self.logs(profile), Readers { group: self.config.group })
            .map_err(|e| format!("cannot open a log: {e}"))?;

        let mut record = Record {
            release: id.clone(),
            boot: host::boot_id().map_err(text)?,
            token: Some(token),
            leader: None,
            log: Some(log_path),
            kills: Kills::now(),
            stopped: false,
        };
        // first the token: whoever comes after a kill in the next lines finds the process by it
        self.save(profile, &record).map_err(text)?;
        let program = Program::new(argv).with_environment(environment).in_directory(workdir);
        match program.with_umask(self.config.launch.umask).detach(log) {
            Ok(pid) => {
                // not reaped yet, so it is in /proc even if it died already
                record.leader = proc::stat(pid).map_err(text)?.map(|s| Birth { pid, start: s.starttime });
                self.save(profile, &record).map_err(|error| self.take_back(&record, &error).into())
            }
            Err(error) => {
                record.stopped = true;
                let _ = self.save(profile, &record);
                Err(match error.kind() {
                    ErrorKind::NotFound | ErrorKind::PermissionDenied => NotStarted::Unstartable(error.to_string()),
                    _ => error.to_string().into(),
                })
            }
        }
    }

    /// Root starts nothing from a place in which somebody else could put something else: that would run with root's rights.
    pub(super) fn may_start(&self) -> Result<(), String> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let reached = dirs::reach(&self.config.state_dir).map_err(text)?;
        reached.other_than(&[0]).map_or(Ok(()), |hand| {
            let dir = self.config.state_dir.display();
            Err(format!(
                "root starts nothing from {dir}: {hand}, and so could put another program there; {}",
                hand.fix()
            ))
        })
    }

    /// Whether it is there already. An error: somebody else is.
    fn runs(&self, profile: &Profile, id: &ReleaseId) -> Result<bool, NotStarted> {
        match self.inspect(profile, dialled(profile)).map_err(text)? {
            Occupant::Nobody => match keeps_out(profile).map_err(text)? {
                Some(other) => Err(NotStarted::Taken(other.to_string())),
                None => Ok(false),
            },
            Occupant::Ours { process, .. } if process.release == *id => Ok(true),
            Occupant::Ours { process, .. } => Err(format!("release {} still runs there", process.release).into()),
            Occupant::Stranger { who, .. } => Err(format!("port {} is held by {who}", profile.port()).into()),
        }
    }

    /// It runs and could not be written down: better none than one that the next command has to search for.
    fn take_back(&self, record: &Record, error: &dyn Error) -> String {
        match self.end(record, Duration::ZERO) {
            Ok(()) => format!("cannot write down what was started, so it was ended: {error}"),
            Err(more) => format!("cannot write down what was started ({error}), nor end it: {more}"),
        }
    }

    /// What a placeholder stands for.
    fn value(&self, name: &str, profile: &Profile, release: &Release) -> Option<String> {
        let releases = self.releases();
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        Some(match name {
            "app" => self.config.app.to_string(),
            "profile" => profile.to_string(),
            "port" => profile.port().to_string(),
            "other_port" => self.config.profiles.other(profile)?.port().to_string(),
            "artifact" => path(releases.artifact(release)?),
            "release" => release.id.as_str().to_owned(),
            "release_dir" => path(releases.path(&release.id)),
            "shared_dir" => path(self.shared_dir()),
            // a release without a version is called by its id
            "version" => release.version.clone().unwrap_or_else(|| release.id.to_string()),
            _ => return None,
        })
    }

    fn shared_dir(&self) -> PathBuf {
        self.config.state_dir.join("shared")
    }

    fn make_shared_dir(&self) -> Result<(), String> {
        let dir = self.shared_dir();
        let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(&dir);
        made.map_err(|e| format!("cannot make {}: {e}", dir.display()))
    }

    fn environment(&self, profile: &Profile, release: &Release, token: &str) -> Result<Environment, NotStarted> {
        let launch = &self.config.launch;
        let mut environment = environment::passed(&launch.pass_env);
        let mut set = |name: &str, value: String| environment.insert(name.into(), OsString::from(value));
        let file = launch.env_file.as_deref().map(environment::read_file).transpose();
        let file = file.map_err(|error| format!("{error}; {}", error.fix()))?;
        for (name, value) in file.unwrap_or_default() {
            set(&name, value);
        }
        for (name, template) in &release.spec.env {
            set(name, render(template, &|name| self.value(name, profile, release))?);
        }
        set("BLUEGREEN_APP", self.config.app.to_string());
        set("BLUEGREEN_PROFILE", profile.to_string());
        set("BLUEGREEN_PORT", profile.port().to_string());
        set("BLUEGREEN_RELEASE", release.id.as_str().to_owned());
        if let Some(version) = &release.version {
            set("BLUEGREEN_VERSION", version.clone());
        }
        set(TOKEN, token.to_owned());
        Ok(environment)
    }
}

fn render(template: &str, value: &impl Fn(&str) -> Option<String>) -> Result<String, NotStarted> {
    let template = Template::parse(template).map_err(|error| NotStarted::Unstartable(text(error)))?;
    if template.mentions("artifact") && value("artifact").is_none() {
        let reason = "the command has {artifact} in it, and this release has no artifact: deploy one";
        return Err(NotStarted::Unstartable(reason.to_owned()));
    }
    Ok(template.render(value))
}

/// The whole chain of an error: the trait's error has one text.
fn text(error: impl Error + 'static) -> String {
    let chain = std::iter::successors(Some(&error as &(dyn Error + 'static)), |&e| e.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
