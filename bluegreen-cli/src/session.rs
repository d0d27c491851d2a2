//! One command on one app: its configuration, its parts, and how it ends.

use bluegreen_core::{
    Cause, Command, Deployer, EventKind, Events, Failure, Holder, Kind, Options, Outcome, Report, RunError, Seen, Step,
    StoreError, Traffic,
};
use bluegreen_linux::{program::relay, users::User};
use bluegreen_process::{NewRelease, ReleaseError};
use rustix::process::geteuid;
use std::{
    io::{IsTerminal as _, stderr},
    ops::{ControlFlow, Deref},
    time::{Duration, Instant},
};

use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::{
    access, advice,
    app::App,
    args::{Global, Release, Run},
    autopsy,
    config::{Config, ConfigError, Lookup},
    doctor,
    exit::Exit,
    halt::Halt,
    handover,
    history::{Header, History},
    hooks,
    metrics::Watcher,
    output, owner,
    report::{Format, JsonReporter, Paint, Patient, reporter, stdout_width},
    signals::Signals,
    threads::DEAF,
    trust::{self, Purpose},
    wiring::{self, launch, wire},
};

/// How often copying says how far it is.
const PROGRESS: Duration = Duration::from_millis(100);
/// How long a second Ctrl-C waits to say where the traffic is.
const LAST_LOOK: Duration = Duration::from_millis(500);
/// A command at work on an app.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) app: App,
    pub(crate) signals: Signals,
    pub(crate) format: Format,
    /// How it ended.
    pub(crate) watcher: Watcher,
    began: Instant,
    /// Ends us when nothing else hears that we are to end, until something could be changed.
    untouched: Option<AbortHandle>,
}

fn read(global: &Global, purpose: Purpose) -> Result<Config, Halt> {
    let lookup = Lookup::new(global.config.as_deref().map(handover::typed), global.app.clone());
    let lenient = purpose == Purpose::BringBack;
    let foreign = geteuid().is_root() || purpose == Purpose::Look;
    let lookup = Lookup { foreign, caller: purpose.caller(), asked_by: trust::asked_by(), lenient, ..lookup };
    Config::load(&lookup).map_err(|error| mistake(global, &error))
}

fn mistake(global: &Global, error: &ConfigError) -> Halt {
    Halt::mistake(error, global.color.enabled(stderr().is_terminal()))
}

fn warn(warning: Option<String>) {
    if let Some(warning) = warning.filter(|_| !relay::is_ours()) {
        output::error(format!("warning: {warning}\n"));
    }
}

/// Reads the configuration, and stays who we are.
pub(crate) fn load(global: &Global, purpose: Purpose) -> Result<Config, Halt> {
    let config = read(global, purpose)?;
    if geteuid().is_root() {
        // a user that there is not is another mistake, and owns no file
        let who = owner::who_deploys(config.user.as_deref()).map_or(0, |user| user.uid);
        warn(trust::root_may(&config, who, purpose).map_err(|error| mistake(global, &error))?);
    }
    Ok(config)
}

/// Reads the configuration and goes on as the user that owns the state: root becomes it, anybody else is refused. `makes`:
/// its directory, when that is missing.
pub(crate) fn load_as_owner(global: &Global, makes: bool, purpose: Purpose) -> Result<Config, Halt> {
    let config = read(global, purpose)?;
    if !geteuid().is_root() {
        // root has said it before
        warn(config.source().warning.clone().filter(|_| !handover::was_root()));
        if purpose == Purpose::Look {
            trust::may_look(&config).map_err(|error| mistake(global, &error))?;
            if access::is_reader(&config) {
                return Ok(config);
            }
        }
        return owner::must_own(&config.state_dir, makes).map(|()| config);
    }
    let (user, warning) = owner::of_state(&config.state_dir, purpose)?;
    warn(config.source().warning.clone());
    warn(warning);
    warn(trust::root_may(&config, user.uid, purpose).map_err(|error| mistake(global, &error))?);
    if user.uid == 0 { Ok(config) } else { Err(handover::go_on_as(&user, &config)) }
}

/// Us, for others who want the lock.
pub(crate) fn holder(command: &str) -> Holder {
    let since = jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string();
    Holder { command: command.into(), user: User::current().name, pid: std::process::id(), since, at: None }
}

/// What is said and asked of the app is said of the command too.
impl Deref for Session {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Session {
    /// Begins; needs a runtime.
    pub(crate) fn begin(
        global: &Global,
        config: Config,
        purpose: Purpose,
        deadline: Option<Duration>,
    ) -> Result<Self, Halt> {
        let began = Instant::now();
        let releases = bluegreen_process::Releases::new(config.state_dir.join("releases"));
        let (by, group) = (Some(User::current().name), access::usable(&config));
        let header = Header { by, config: config.source().digest.clone(), group };
        let history = History::new(&config.state_dir, header, releases.clone());
        // what was said to be done is in the history, whatever happens then: first that
        let mut sinks =
            vec![Box::new(history.clone()) as _, reporter(global.format, global.color, global.quiet, Some(releases))];
        let watcher = Watcher::default();
        sinks.push(Box::new(watcher.clone()));
        if global.verbose {
            sinks.push(Box::new(JsonReporter::new(Box::new(Patient::new(stderr())))));
        }
        let events = Events::new(sinks);
        let wired = wire(&config, events.clone(), purpose)?;
        let last_word = leave(wired.deployer.clone(), events.clone(), global.format);
        let signals = Signals::listen(last_word).map_err(|e| Halt::error(Exit::Internal, &e))?;
        let format = global.format;
        let app = App { config, events, wired, history };
        let session = Self { app, signals, format, watcher, began, untouched: None };
        let untouched = tokio::spawn(session.clone().give_up(deadline)).abort_handle();
        Ok(Self { untouched: Some(untouched), ..session })
    }

    /// Ends this process when it is asked to end, or after `left`, and does not: a disk that does not answer holds its thread.
    async fn give_up(self, left: Option<Duration>) {
        let deadline = async {
            match left {
                Some(left) => sleep(left).await,
                None => std::future::pending().await,
            }
        };
        let exit = tokio::select! {
            () = self.signals.cancel.cancelled() => None,
            () = deadline => Some(Exit::Unhealthy),
        };
        sleep(DEAF).await;
        let exit = exit.unwrap_or_else(|| self.signals.request().into());
        self.events.warn("the deadline came, or it was interrupted, while it waited for a disk that does not answer");
        let exit = self.finish_plain(exit.outcome("failed"), exit, None);
        std::process::exit(output::ended(exit).code().into())
    }

    /// The same, which asks the front door no more often than nginx lets it.
    pub(crate) async fn sparing(mut self) -> Self {
        let limits = doctor::limits(&self.config).await;
        if let (Ok(door), false) = (wiring::front_door(&self.config), limits.is_empty()) {
            let deployer = self.wired.deployer.clone();
            self.app.wired.deployer = deployer.with_front_door(door.with_limits(limits));
        }
        self
    }

    /// What is left of the deadline, which counts for all that a command runs together.
    pub(crate) fn left(&self, run: &Run) -> Option<Duration> {
        run.deadline.map(|deadline| deadline.saturating_sub(self.began.elapsed()))
    }

    /// Runs one command of the engine, with the records mended before.
    pub(crate) async fn run(&self, command: &Command, run: &Run) -> Result<Report, Halt> {
        let options = Options {
            holder: holder(command.word()),
            cancel: self.signals.cancel.clone(),
            deadline: self.left(run),
            wait: run.wait,
        };
        let lease = match self.wired.deployer.lock(&options).await {
            Err(RunError::Store(StoreError::Locked(_))) if self.signals.cancel.is_cancelled() => {
                return Err(Halt::new(self.signals.request().into(), "interrupted while it waited for the lock"));
            }
            lease => lease?,
        };
        self.untouched.iter().for_each(AbortHandle::abort);
        self.mend().await;
        if let Some(damaged) = self.wired.store.fell_back() {
            self.events.warn(format!("{damaged}; the state before it is used"));
        }
        let options = Options { deadline: self.left(run), ..options };
        self.wired.deployer.run_locked(&lease, command, &options).await.map_err(|error| {
            let fix = advice::for_run(&error, &self.config);
            Halt::run(error, fix)
        })
    }

    /// Puts what shall be deployed into the store.
    pub(crate) fn add(&self, release: &Release) -> Result<bluegreen_process::Release, Halt> {
        access::group(&self.config, &User::current())
            .map_err(|why| Halt::new(Exit::Refused, why.to_string()).next(why.fix()))?;
        let spec = launch(&self.config).spec();
        let (version, sha256) = (release.version.as_deref(), release.sha256.as_deref());
        let artifact = release.artifact.as_deref().map(handover::typed);
        let new = NewRelease { artifact: artifact.as_deref(), spec: &spec, version, sha256 };
        let store = self.wired.processes.releases();
        let mut told = None::<(Instant, bool)>;
        let tell = |done, total| {
            let (whole, said) = (done == total, told.is_some_and(|(_, whole)| whole));
            if total > 0 && !said && (whole || told.is_none_or(|(at, _)| at.elapsed() >= PROGRESS)) {
                told = Some((Instant::now(), whole));
                self.events.emit(EventKind::Progress { what: "copying".into(), done, total });
            }
        };
        self.read(&release.run, tell, |progress| store.add(&new, progress))
    }

    /// Reads an artifact, which may take long, and ends that when this command is to end.
    pub(crate) fn read<T>(
        &self,
        run: &Run,
        mut tell: impl FnMut(u64, u64),
        read: impl FnOnce(&mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<T, ReleaseError>,
    ) -> Result<T, Halt> {
        let mut progress = |done, total| {
            if self.signals.cancel.is_cancelled() || self.left(run).is_some_and(|left| left.is_zero()) {
                return ControlFlow::Break(());
            }
            tell(done, total);
            ControlFlow::Continue(())
        };
        let late = tokio::spawn(self.clone().give_up(self.left(run)));
        let read = tokio::task::block_in_place(|| read(&mut progress));
        late.abort();
        read.map_err(|error| match error {
            ReleaseError::Stopped if self.signals.cancel.is_cancelled() => {
                Halt::new(self.signals.request().into(), "interrupted while the artifact was read")
            }
            ReleaseError::Stopped => Halt::new(Exit::Unhealthy, "the deadline came while the artifact was read"),
            error => error.into(),
        })
    }

    /// Says how a run ended; `done` is the command's own word for success.
    pub(crate) async fn finish(&self, done: &'static str, report: &Report) -> Exit {
        let (exit, outcome) = self.verdict(done, report);
        if let Some(what) = report.already.clone().filter(|_| outcome == "unchanged") {
            self.events.emit(EventKind::Already { what });
        }
        let ended = report.outcome.as_ref().or(report.recovered.as_ref());
        if let Some(failure) = ended.and_then(Outcome::failure).filter(|_| exit != Exit::Done) {
            let findings = autopsy::findings(self, exit, failure, report).await;
            self.events.emit(EventKind::Autopsy { findings });
            hooks::after_failure(self, exit, failure, report).await;
        }
        self.events.emit(EventKind::Finished {
            outcome: outcome.to_owned(),
            exit_code: exit.code(),
            active: report.traffic.as_ref().ok().and_then(Traffic::route).map(|route| route.active.to_string()),
            release: report.release.clone(),
            receipt: report.receipt.clone(),
        });
        exit
    }

    fn verdict(&self, done: &'static str, report: &Report) -> (Exit, &'static str) {
        let word = |exit: Exit| (exit, exit.outcome(done));
        match (&report.outcome, &report.recovered) {
            (Some(Outcome::Done { unfinished }), _) => {
                if let Some(failure) = unfinished {
                    let why = failure.causes.first().map(|why| format!(": {why}")).unwrap_or_default();
                    self.events.warn(format!("{failure}{why}; the next command tries again"));
                }
                word(Exit::Done)
            }
            (Some(Outcome::Paused(Step::Health)), _) => (Exit::Done, "prepared"),
            (Some(Outcome::Paused(_)), _) => (Exit::Done, "paused"),
            (Some(Outcome::Undone(failure)), _) if failure.cause == Cause::Aborted => (Exit::Done, "aborted"),
            // what should serve does, which is what was asked for
            (Some(Outcome::Undone(failure)), _) if of_the_warm_one(report, failure) => {
                let why = failure.causes.first().map(|why| format!(": {why}")).unwrap_or_default();
                self.events.warn(format!(
                    "{failure}{why}; what should serve does, but a `rollback` has to start its release first"
                ));
                word(Exit::Done)
            }
            (Some(Outcome::Undone(failure)), _) => word(Exit::undone(failure, self.signals.request())),
            (Some(Outcome::Degraded { reason, .. }), _) | (None, Some(Outcome::Degraded { reason, .. })) => {
                self.events.warn(reason);
                word(Exit::Degraded)
            }
            (None, Some(_)) => (Exit::Done, "recovered"),
            (None, None) => (Exit::Done, "unchanged"),
        }
    }

    /// Says that a command ended without a run.
    pub(crate) fn finish_plain(&self, outcome: &str, exit: Exit, active: Option<String>) -> Exit {
        let (outcome, exit_code) = (outcome.to_owned(), exit.code());
        self.events.emit(EventKind::Finished { outcome, exit_code, active, release: None, receipt: None });
        exit
    }
}

/// Whether only the release for a rollback is missing.
fn of_the_warm_one(report: &Report, failure: &Failure) -> bool {
    failure.cause != Cause::Interrupted && report.transaction.as_ref().is_some_and(|tx| tx.kind == Kind::Warm)
}

/// The last word before a second Ctrl-C ends us at once.
async fn leave(deployer: Deployer, events: Events, format: Format) {
    let seen = timeout(LAST_LOOK, deployer.look()).await.ok();
    let active = seen.as_ref().and_then(Seen::route).map(|route| route.active.to_string());
    if format == Format::Json {
        let (outcome, exit_code) = ("interrupted".to_owned(), Exit::Interrupted.code());
        events.emit(EventKind::Finished { outcome, exit_code, active, release: None, receipt: None });
        return;
    }
    // a terminal may show a spinner in this line
    let clear = if stderr().is_terminal() { "\r\u{1b}[K\n" } else { "" };
    let traffic =
        active.map_or("no profile is known to have it; ask `bluegreen status`".to_owned(), |it| format!("{it} has it"));
    output::error(format!(
        "{clear}stopped at once; the transaction stays open, and the next command finishes it\n\n  traffic  \
         {traffic}\n     next  bluegreen recover\n",
    ));
}

/// Says why a command ended early, in the format that was asked for.
pub(crate) fn tell(global: &Global, events: Option<&Events>, halt: &Halt) -> Exit {
    if global.format == Format::Json {
        let own = Events::new(vec![reporter(Format::Json, global.color, false, None)]);
        let events = events.unwrap_or(&own);
        let trouble = &halt.trouble;
        let told: Vec<&str> = [&trouble.what].into_iter().chain(&trouble.causes).map(String::as_str).collect();
        events.warn(told.join(": "));
        let (outcome, exit_code) = (halt.exit.outcome("failed").to_owned(), halt.exit.code());
        events.emit(EventKind::Finished { outcome, exit_code, active: None, release: None, receipt: None });
        return halt.exit;
    }
    if let Some(events) = events {
        let (outcome, exit_code) = (halt.exit.outcome("failed").to_owned(), halt.exit.code());
        events.emit(EventKind::Finished { outcome, exit_code, active: None, release: None, receipt: None });
    }
    let paint = Paint(global.color.enabled(stderr().is_terminal()));
    let width = if stderr().is_terminal() { stdout_width() } else { 0 };
    match &halt.mistake {
        Some(mistake) => output::error(format!("{mistake}\n{}", halt.trouble.ending(paint, width))),
        None => output::error(halt.trouble.render(paint, width)),
    }
    halt.exit
}
