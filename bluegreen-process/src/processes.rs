//! Releases as plain processes.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bluegreen_core::{
    Autopsy, Blind, Name, Occupant, Process, ProcessError, ProcessManager, Profile, Profiles, ReleaseId,
};

use bluegreen_linux::ports;
use rustix::process::geteuid;

use crate::{
    InTheWay, Launch, Listener, PortOwners, ProcPorts, Releases, lost,
    record::{self, OnFile, Record},
    releases::Readers,
};

mod adopt;
mod end;
mod inspect;
mod spare;
mod start;
mod stop;

pub use adopt::AdoptError;
pub use end::in_words;

/// A record that could not be read, and what was found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mended {
    /// Whose record.
    pub profile: Profile,
    /// The record.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// Where it is now, for a person to look at.
    pub aside: PathBuf,
    /// The release that was found by what its processes carry; `None`: nothing of ours is left there.
    pub release: Option<ReleaseId>,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged: {}; it is {} now, and ", self.path.display(), self.reason, self.aside.display())?;
        match &self.release {
            Some(release) => write!(f, "release {release} was found by what its processes carry"),
            None => write!(f, "nothing that bluegreen started was found on {}", self.profile),
        }
    }
}

/// What [`Processes`] needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where records, logs, releases and the shared directory are.
    pub state_dir: PathBuf,
    /// The app.
    pub app: Name,
    /// Its two places.
    pub profiles: Profiles,
    /// How its releases are started and stopped.
    pub launch: Launch,
    /// The only group that may read records, releases and logs: [`Releases::with_group`].
    pub group: Option<u32>,
}

/// Runs releases as plain processes of this user. Cheap to clone.
///
/// Each process gets a session of its own, `/dev/null` as its input, a new log as its output, a clean environment with a
/// random token, and no other descriptor. What was started is written to `state_dir/processes`; `/proc` decides whether
/// that is still true. A signal goes through a pidfd whose process was looked at after it was opened, never to a number.
///
/// Methods block a thread of tokio's blocking pool, so they go on when their future is dropped.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    /// Whose the records are: ours, unless this user only looks.
    owner: u32,
    ports: Box<dyn PortOwners>,
    memory: Mutex<BTreeMap<Name, Memory>>,
}

/// What this value saw of the process with the identity `id` and that no file says.
#[derive(Debug, Clone, Default)]
struct Memory {
    id: String,
    /// How it ended, in words; only its parent can know.
    exit: Option<String>,
    /// The leader and all members are gone. Nothing of a family comes back, so this need not be looked for again.
    over: bool,
}

impl Processes {
    /// Processes after `config`; port owners are found with [`ProcPorts`].
    pub fn new(config: Config) -> Self {
        Self::with_ports(config, ProcPorts)
    }

    /// The same, with other means to find port owners.
    pub fn with_ports(mut config: Config, ports: impl PortOwners + 'static) -> Self {
        // the children run elsewhere: a relative path would mean something else there
        config.state_dir = std::path::absolute(&config.state_dir).unwrap_or(config.state_dir);
        let me = geteuid().as_raw();
        let owner = config.state_dir.metadata().map_or(me, |meta| meta.uid());
        // a record that root reads and does not own is none that it acts on
        let owner = if me == 0 { me } else { owner };
        Self(Arc::new(Inner { config, owner, ports: Box::new(ports), memory: Mutex::default() }))
    }

    /// The two places of the app.
    pub(crate) fn profiles(&self) -> &Profiles {
        &self.0.config.profiles
    }

    /// The release store of this app: `state_dir/releases`.
    pub fn releases(&self) -> Releases {
        self.0.releases()
    }

    /// Sets damaged records aside and writes down in their place what can be found, and lets [`Config::group`] read what it could
    /// not. Under the lock of the app only. What is wrong with one profile is no reason to leave the other.
    ///
    /// # Errors
    /// Of each record: it cannot be told what runs there, or not be written down.
    pub async fn mend(&self) -> Vec<io::Result<Mended>> {
        let inner = self.0.clone();
        let mend = move || {
            inner.admit();
            let both = inner.config.profiles.both();
            both.into_iter().filter_map(|profile| inner.mend(profile).transpose()).collect()
        };
        blocking(mend).await
    }

    /// What is wrong with the record of `profile`, when it is damaged. What runs there is found all the same.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn damage(&self, profile: &Profile) -> io::Result<Option<String>> {
        Ok(match self.0.on_file(profile)? {
            OnFile::Damaged(reason) => Some(format!("{} is damaged: {reason}", self.0.record_path(profile).display())),
            OnFile::Nothing | OnFile::Record(_) => None,
        })
    }

    /// The log of the last start on `profile`; `None` when bluegreen started nothing there, or took over what runs.
    /// `state_dir/logs/PROFILE/current` is a link to it.
    ///
    /// # Errors
    /// It cannot be told what was started there.
    pub fn log(&self, profile: &Profile) -> io::Result<Option<PathBuf>> {
        match self.0.on_file(profile)? {
            OnFile::Nothing => Ok(None),
            OnFile::Record(record) => Ok(record.log),
            OnFile::Damaged(_) => self.0.newest_log(profile),
        }
    }

    /// The pid to show for what runs on `profile`: of the process that was started, or else of the oldest of its family.
    pub fn main_pid(&self, profile: &Profile) -> Option<u32> {
        let record = self.0.live(profile).ok().flatten()?;
        let leader = record.live_leader().ok()?;
        leader.or_else(|| record.family().ok()?.first().copied()).map(|seen| seen.pid())
    }

    /// Who is on `profile`, when `address` is what is dialled: another port or address of its release, as one for management.
    ///
    /// # Errors
    /// It cannot be seen who answers there.
    pub async fn inspect_at(&self, profile: &Profile, address: SocketAddr) -> Result<Occupant, Blind> {
        let (inner, profile) = (self.0.clone(), profile.clone());
        blocking(move || {
            let blind = |e: io::Error| Blind::Profile { profile: profile.to_string(), reason: e.to_string() };
            inner.inspect(&profile, address).map_err(blind)
        })
        .await
    }

    /// Who has the port of `profile` without answering for it, and can keep a release from listening. Whether somebody has it
    /// who does not listen is asked only where nothing of ours lives.
    ///
    /// # Errors
    /// It cannot be seen who has it.
    pub async fn in_the_way(&self, profile: &Profile) -> io::Result<Vec<InTheWay>> {
        let (inner, profile) = (self.0.clone(), profile.clone());
        blocking(move || inner.in_the_way(&profile, dialled(&profile))).await
    }

    /// Whether a release could listen where `profile` is dialled: asked by a bind.
    ///
    /// # Errors
    /// It could not be tried, as on a port below 1024.
    pub fn is_free(&self, profile: &Profile) -> io::Result<bool> {
        ports::is_free(dialled(profile))
    }

    /// Whether anything may be started from the store: root does so only where nobody else could put something else.
    ///
    /// # Errors
    /// Why not, with the command that cures it.
    pub fn may_start(&self) -> Result<(), String> {
        self.0.may_start()
    }

    /// Takes over a process that somebody else started and that listens on the port of `profile`. With `pid`, that one.
    ///
    /// It must run as this user and hold all listeners of the port, by itself or through its children. It has no token, so
    /// `stop` reaches it, its descendants and, when it leads one, its process group, as long as it lives itself. Its release
    /// is `adopted-PID-START`, which is in no store: it can be stopped, and not be started again.
    ///
    /// # Errors
    /// [`AdoptError`] says what is in the way; nothing was changed then.
    pub async fn adopt(&self, profile: &Profile, pid: Option<u32>) -> Result<Process, AdoptError> {
        let (inner, profile) = (self.0.clone(), profile.clone());
        blocking(move || inner.adopt(&profile, pid)).await
    }
}

#[async_trait]
impl ProcessManager for Processes {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        self.inspect_at(profile, dialled(profile)).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        let (inner, profile, release) = (self.0.clone(), profile.clone(), release.clone());
        blocking(move || inner.start(&profile, &release).map_err(|why| why.told(&profile, &release))).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        let (inner, profile, process) = (self.0.clone(), profile.clone(), process.clone());
        blocking(move || inner.stop(&profile, &process, grace)).await
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        let (inner, profile) = (self.0.clone(), profile.clone());
        blocking(move || inner.autopsy(&profile)).await
    }
}

/// Where the proxy dials `profile`.
pub(crate) fn dialled(profile: &Profile) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, profile.port()))
}

/// Runs `work`, which looks at files and may wait for processes, on a thread where that does no harm.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // only a runtime that shuts down cancels it, and then nobody is left to hear
        Err(_) => std::future::pending().await,
    }
}

impl Inner {
    fn releases(&self) -> Releases {
        Releases::new(self.config.state_dir.join("releases")).with_group(self.config.group)
    }

    fn record_path(&self, profile: &Profile) -> PathBuf {
        self.config.state_dir.join("processes").join(format!("{profile}.json"))
    }

    /// What is written down of `profile`. A log is where logs are kept, and under this name, or it is none.
    fn on_file(&self, profile: &Profile) -> io::Result<OnFile> {
        let mut on_file = Record::load(&self.record_path(profile), self.owner)?;
        if let OnFile::Record(Record { log: log @ Some(_), .. }) = &mut on_file {
            *log = log.take().and_then(|log| Some(self.logs(profile).join(log.file_name()?)));
        }
        Ok(on_file)
    }

    fn save(&self, profile: &Profile, record: &Record) -> io::Result<()> {
        record.save(&self.record_path(profile), self.config.group)
    }

    /// Lets the group read what was written when it was not the one.
    fn admit(&self) {
        let readers = Readers { group: self.config.group };
        readers.let_into_all(&self.config.state_dir.join("processes"));
        let logs = self.config.state_dir.join("logs");
        readers.let_into_all(&logs);
        for profile in self.config.profiles.both() {
            readers.let_into_all(&self.logs(profile));
        }
        readers.let_into_all(&logs.join("hooks"));
        self.releases().admit();
    }

    /// Whether `listener` is the owner's, and which of his processes holds it is closed to who only looks.
    fn is_hidden(&self, listener: &Listener) -> bool {
        self.owner != geteuid().as_raw() && listener.pids.is_empty() && listener.uid == Some(self.owner)
    }

    /// The last start on `profile`. What is damaged is looked for by what the processes carry, and so is what was taken away while its
    /// processes listen.
    fn last(&self, profile: &Profile) -> io::Result<Option<Record>> {
        match self.on_file(profile)? {
            OnFile::Nothing => self.find_listening(profile),
            OnFile::Record(record) => Ok(Some(record)),
            OnFile::Damaged(_) => self.find_lost(profile),
        }
    }

    /// The same, when something of it can still live: it is of this boot, and nobody saw its end.
    fn live(&self, profile: &Profile) -> io::Result<Option<Record>> {
        match self.last(profile)? {
            Some(record) if record.is_over()? => Ok(None),
            record => Ok(record),
        }
    }

    /// The start on `profile` of which the record is damaged.
    fn find_lost(&self, profile: &Profile) -> io::Result<Option<Record>> {
        let listeners = self.ports.answering(dialled(profile), &[])?;
        // who runs is found without a log, which is for people
        let log = self.newest_log(profile).unwrap_or_default();
        lost::find(&self.config.app, profile, log, &listeners)
    }

    /// The start whose own processes, and nobody else, listen on `profile`, whatever the record says.
    fn find_listening(&self, profile: &Profile) -> io::Result<Option<Record>> {
        let listeners = self.ports.answering(dialled(profile), &[])?;
        if listeners.is_empty() {
            return Ok(None);
        }
        let log = self.newest_log(profile).unwrap_or_default();
        let Some(record) = lost::find(&self.config.app, profile, log, &listeners)? else { return Ok(None) };
        let family = record.family()?;
        let is_its = |listener: &Listener| family.iter().any(|seen| listener.pids.contains(&seen.pid()));
        Ok(Some(record).filter(|_| listeners.iter().all(is_its)))
    }

    fn newest_log(&self, profile: &Profile) -> io::Result<Option<PathBuf>> {
        match self.logs(profile).join("current").canonicalize() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            log => log.map(Some),
        }
    }

    fn logs(&self, profile: &Profile) -> PathBuf {
        self.config.state_dir.join("logs").join(profile.name().as_str())
    }

    fn mend(&self, profile: &Profile) -> io::Result<Option<Mended>> {
        let path = self.record_path(profile);
        let OnFile::Damaged(reason) = self.on_file(profile)? else { return Ok(None) };
        let found = self.find_lost(profile)?;
        let aside = record::set_aside(&path)?;
        found.iter().try_for_each(|record| self.save(profile, record))?;
        let release = found.map(|record| record.release);
        Ok(aside.map(|aside| Mended { profile: profile.clone(), path, reason, aside, release }))
    }

    /// The memory of the process of `record`; that of another one is forgotten.
    fn remember<T>(&self, profile: &Profile, record: &Record, with: impl FnOnce(&mut Memory) -> T) -> T {
        let mut all: MutexGuard<'_, _> = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = all.entry(profile.name().clone()).or_default();
        let id = record.process().start;
        if memory.id != id {
            *memory = Memory { id, ..Memory::default() };
        }
        with(memory)
    }
}
