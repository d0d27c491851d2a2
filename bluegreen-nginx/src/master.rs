//! The nginx that runs, as `/proc` shows it: no root needed, unless `/proc` is mounted with `hidepid`.

mod command;

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bluegreen_linux::program::find;
use procfs::{
    ProcError,
    process::{FDTarget, Process, Stat, all_processes},
};
use rustix::time::{ClockId, clock_gettime};

use crate::{argv, drain::listeners_on, reload::Version, text::one_line};

/// How long new workers may take to appear after a reload: nginx tries 2.5 s to listen on a port that is taken.
pub(crate) const SETTLE: Duration = Duration::from_secs(8);
/// Why a reload that nginx was asked for, and said nothing about, has no effect.
pub(crate) const LIKELY: &str =
    "likely a listen port that another process holds, or a changed shared zone: see nginx's error log";

/// Which nginx of this machine, by its master process: the one in its pid file, else the one that listens at the front door, else the only one.
#[derive(Debug, Clone, Default)]
pub struct Master {
    pid_file: Option<PathBuf>,
    front_door: Option<u16>,
}

/// Why nginx could not be found, or asked for its version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// No master process is to be seen.
    #[error("nginx is not running: start it, as with `sudo systemctl start nginx`")]
    NotRunning,
    /// The pid file does not name a master process.
    #[error("{} does not name a running nginx: start it, or correct the path", .0.display())]
    PidFile(PathBuf),
    /// More than one nginx, and nothing to tell them apart.
    #[error("several nginx run here (pids {0:?}): set proxy.nginx.pid_file to the pid file of the one that is meant")]
    Several(Vec<i32>),
    /// `/proc` cannot be read: who is not seen there may run.
    #[error("cannot look for nginx in /proc: {0}")]
    Unseen(String),
    /// The program could not be run, or said something else.
    #[error("the version of nginx is not known: {0}")]
    Version(String),
}

/// A worker; the pair is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    pid: i32,
    /// In clock ticks since boot.
    started: u64,
}

/// The workers of one nginx at one moment.
#[derive(Debug)]
pub(crate) struct Workers {
    /// The pid of the process that starts them.
    pub(crate) master: i32,
    /// Those that take new connections.
    pub(crate) accepting: Vec<Worker>,
    /// Those that have just been forked and still bear their master's title: they are about to.
    starting: Vec<Worker>,
    /// How many finish what they have and then end.
    pub(crate) leaving: usize,
}

impl Master {
    /// The only nginx of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// The nginx whose master is named in this file.
    #[must_use = "returns the handle"]
    pub fn with_pid_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pid_file = Some(path.into());
        self
    }

    /// Where several run: the one that listens on this port. Seen only by root, or for an nginx of the same user.
    #[must_use = "returns the handle"]
    pub fn with_front_door(mut self, port: u16) -> Self {
        self.front_door = Some(port);
        self
    }

    /// The version of the program that runs, else of the one in `PATH`; milliseconds.
    ///
    /// # Errors
    /// It cannot be run, or says something that is no version.
    pub async fn version(&self) -> Result<Version, MasterError> {
        let running =
            self.process().ok().filter(is_trusted).and_then(|master| master.exe().ok()).filter(|exe| exe.is_file());
        let program = running.or_else(|| find("nginx")).ok_or(MasterError::NotRunning)?;
        let command = [program.to_string_lossy().into_owned(), "-v".to_owned()];
        let text = argv::run(&command).await.map_err(|failed| MasterError::Version(failed.to_string()))?;
        let version = text.split_once("nginx/").and_then(|(_, version)| version.split_whitespace().next());
        version.and_then(|v| v.parse().ok()).ok_or_else(|| MasterError::Version(one_line(&text)))
    }

    /// Its process.
    ///
    /// # Errors
    /// nginx does not run, or it cannot be told which one is meant.
    pub fn pid(&self) -> Result<u32, MasterError> {
        self.process().map(|process| process.pid.unsigned_abs())
    }

    /// A worker that takes connections: it is who must see the route.
    ///
    /// # Errors
    /// nginx does not run, or has no worker that takes connections.
    pub fn worker(&self) -> Result<u32, MasterError> {
        let workers = self.workers()?;
        workers.accepting.first().map(|worker| worker.pid.unsigned_abs()).ok_or(MasterError::NotRunning)
    }

    /// How this nginx is called: its program and the words that choose its configuration. The one in `PATH` when none runs
    /// that is to be trusted.
    pub fn command(&self) -> Vec<String> {
        let master = self.process().ok().filter(is_trusted);
        let words = master.as_ref().map(|master| command::of_title(&title(master))).unwrap_or_default();
        let exe = master.and_then(|master| master.exe().ok()).filter(|exe| exe.is_file());
        let program = exe.map_or_else(|| "nginx".to_owned(), |exe| exe.to_string_lossy().into_owned());
        std::iter::once(program).chain(words).collect()
    }

    /// The main file of its configuration; milliseconds.
    pub async fn configuration(&self) -> PathBuf {
        let command = self.command();
        let built = argv::run(&[command[0].clone(), "-V".to_owned()]).await.unwrap_or_default();
        command::configuration(&command, &built)
    }

    /// The workers now.
    pub(crate) fn workers(&self) -> Result<Workers, MasterError> {
        let master = self.process()?.pid;
        let seen: Vec<(String, Stat)> =
            processes("nginx: ")?.iter().filter_map(|it| Some((title(it), it.stat().ok()?))).collect();
        let mut workers = Workers { master, accepting: Vec::new(), starting: Vec::new(), leaving: 0 };
        for (title, stat) in seen.iter().filter(|(_, stat)| stat.ppid == master) {
            let worker = Worker { pid: stat.pid, started: stat.starttime };
            // a master that takes over (USR2) is a child of the one before, and has workers
            let alone = || seen.iter().all(|(_, other)| other.ppid != stat.pid);
            match title.strip_prefix("nginx: ").unwrap_or_default() {
                title if title.starts_with("worker process is shutting down") => workers.leaving += 1,
                title if title.starts_with("worker process") => workers.accepting.push(worker),
                title if title.starts_with("master process") && alone() => workers.starting.push(worker),
                _ => {}
            }
        }
        Ok(workers)
    }

    fn process(&self) -> Result<Process, MasterError> {
        let mut masters = masters()?;
        if let Some(path) = &self.pid_file {
            let pid = read_pid(path);
            let named = masters.into_iter().find(|master| Some(master.pid) == pid);
            return named.ok_or_else(|| MasterError::PidFile(path.clone()));
        }
        // anybody may call a process so
        if masters.iter().any(is_trusted) {
            masters.retain(is_trusted);
        }
        if let Some(port) = self.front_door {
            let listeners = listeners_on(port).unwrap_or_default();
            if listeners.is_empty() {
                // another nginx of this machine is not the one that is meant
                return Err(MasterError::NotRunning);
            }
            if let Some(at) = masters.iter().position(|master| has_socket(master, &listeners)) {
                masters = vec![masters.swap_remove(at)];
            }
        }
        let pids: Vec<i32> = masters.iter().map(|master| master.pid).collect();
        let first = masters.pop().ok_or(MasterError::NotRunning)?;
        if pids.len() == 1 { Ok(first) } else { Err(MasterError::Several(pids)) }
    }
}

impl Workers {
    /// Whether every worker that takes connections was started after `modified`, the time of a file: then it has read it.
    /// Every one, since a worker that crashed is started again with the configuration of before.
    pub(crate) fn started_after(&self, modified: SystemTime) -> bool {
        !self.accepting.is_empty() && self.all().all(|worker| worker.started_at() >= modified)
    }

    /// Whether new ones take the connections, none of `old`, and none of another reload that was under way when ours was
    /// `asked` for: those are new too, and have not read what ours is about.
    pub(crate) fn replace(&self, old: &Self, asked: SystemTime) -> bool {
        self.started_after(asked) && !self.all().any(|worker| old.all().any(|before| before == worker))
    }

    fn all(&self) -> impl Iterator<Item = &Worker> {
        self.accepting.iter().chain(&self.starting)
    }
}

impl Worker {
    /// The end of the clock tick in which it started, by the wall clock of now: times of files are in no other.
    fn started_at(self) -> SystemTime {
        let started = Duration::from_millis((self.started + 1) * 1000 / procfs::ticks_per_second());
        let (boot, wall) = clocks();
        wall - boot.saturating_sub(started)
    }
}

/// The time since boot, and the wall clock just before it. Who is put aside between the two would take a worker for older
/// than it is, and then they are looked at again; the other way round a worker of before could pass for one that was started
/// after a file was written.
fn clocks() -> (Duration, SystemTime) {
    let since_boot = || {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let look = || (since_boot(), SystemTime::now(), since_boot());
    let at_once =
        |(before, _, after): &(Duration, _, Duration)| after.saturating_sub(*before) < Duration::from_millis(1);
    let (_, wall, boot) = (0..10).map(|_| look()).find(at_once).unwrap_or_else(look);
    (boot, wall)
}

/// Master processes. A child of one is a worker that has no title of its own yet.
fn masters() -> Result<Vec<Process>, MasterError> {
    let titled = processes("nginx: master process")?;
    let mut found: Vec<(Process, i32)> =
        titled.into_iter().filter_map(|p| p.stat().ok().map(|stat| (p, stat.ppid))).collect();
    let pids: Vec<i32> = found.iter().map(|(process, _)| process.pid).collect();
    found.retain(|(_, parent)| !pids.contains(parent));
    Ok(found.into_iter().map(|(process, _)| process).collect())
}

/// Root's or our own.
fn is_trusted(process: &Process) -> bool {
    process.uid().is_ok_and(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw())
}

fn processes(titled: &str) -> Result<Vec<Process>, MasterError> {
    let mut found = Vec::new();
    for process in all_processes().map_err(|error| MasterError::Unseen(error.to_string()))? {
        match process {
            Ok(process) if title(&process).starts_with(titled) => found.push(process),
            Ok(_) | Err(ProcError::NotFound(_)) => {}
            Err(error) => return Err(MasterError::Unseen(error.to_string())),
        }
    }
    Ok(found)
}

fn title(process: &Process) -> String {
    process.cmdline().ok().and_then(|words| words.into_iter().next()).unwrap_or_default()
}

/// A file with one number in it has no more bytes.
const PID: u64 = 64;

fn read_pid(path: &Path) -> Option<i32> {
    bluegreen_linux::files::find(path).and_then(|found| found.text(PID)).ok()?.trim().parse().ok()
}

/// `false` also when this user may not look.
fn has_socket(process: &Process, inodes: &[u64]) -> bool {
    let is_one = |target| matches!(target, FDTarget::Socket(inode) if inodes.contains(&inode));
    process.fd().is_ok_and(|files| files.flatten().any(|file| is_one(file.target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was forked `ago`.
    fn worker(pid: i32, ago: Duration) -> Worker {
        let now = clock_gettime(ClockId::Boottime);
        let now = Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap());
        let ticks = now.saturating_sub(ago).as_millis() * u128::from(procfs::ticks_per_second()) / 1000;
        Worker { pid, started: u64::try_from(ticks).unwrap() }
    }

    fn workers(accepting: &[Worker], starting: &[Worker]) -> Workers {
        Workers { master: 1, accepting: accepting.to_vec(), starting: starting.to_vec(), leaving: 0 }
    }

    #[test]
    fn only_those_that_our_own_reload_started_take_the_place_of_those_before() {
        let [long_ago, before, lately] = [60, 30, 1].map(Duration::from_secs);
        let asked = SystemTime::now() - Duration::from_secs(10);
        let (first, others, ours) = (worker(10, long_ago), worker(20, before), worker(30, lately));
        let old = workers(&[first], &[]);
        assert!(workers(&[ours], &[]).replace(&old, asked));
        assert!(!workers(&[ours, first], &[]).replace(&old, asked));
        assert!(!workers(&[others], &[]).replace(&old, asked), "of a reload that was under way");
        assert!(!workers(&[others], &[ours]).replace(&old, asked), "and ours come only now");
        assert!(!workers(&[ours], &[others]).replace(&old, asked));
        assert!(!workers(&[], &[ours]).replace(&old, asked), "nobody has said yet that it takes connections");
        // one without its title, that was forked in the tick in which the reload was asked for
        assert!(!workers(&[ours], &[]).replace(&workers(&[first], &[ours]), asked));
    }
}
