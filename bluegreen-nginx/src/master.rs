//! The nginx that runs, as the kernel shows it: no root needed, unless `/proc` is mounted with `hidepid`.
//!
//! Who it is, is never what it calls itself: a title says only where to look. A master has one user, root or ours, in our own
//! namespaces, and holds the listener of the front door; what root runs in its name is nginx's own program, which the master
//! runs too by device and inode. Who is not root sees less of that, and runs it as nobody but himself.

mod candidate;
mod words;
mod workers;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_linux::{
    files,
    ports::listening,
    program::{find, is_safe},
};
use rustix::process::geteuid;

use self::candidate::{Candidate, candidates};
use crate::{argv, reload::Version, text::one_line};

pub(crate) use self::{words::configuration, workers::Workers};

/// How long new workers may take to appear after a reload: nginx tries 2.5 s to listen on a port that is taken.
pub(crate) const SETTLE: Duration = Duration::from_secs(8);
/// Why a reload that nginx was asked for, and said nothing about, has no effect.
pub(crate) const LIKELY: &str =
    "likely a listen port that another process holds, or a changed shared zone: see nginx's error log";
/// Where packages let nginx write its pid.
const PID_FILE: &str = "/run/nginx.pid";

/// Which nginx of this machine, by its master process: the one in its pid file, else the one that listens at the front door, else the only one.
#[derive(Debug, Clone, Default)]
pub struct Master {
    pid_file: Option<PathBuf>,
    front_door: Option<u16>,
    program: Option<PathBuf>,
}

/// Why nginx could not be found, called, or asked for its version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// No master process is to be seen.
    #[error("nginx is not running: start it, as with `sudo systemctl start nginx`")]
    NotRunning,
    /// The pid file does not name a master process.
    #[error("{} does not name a running nginx: start it, or correct the path", .0.display())]
    PidFile(PathBuf),
    /// Somebody listens at the front door, and it is no nginx that can be seen.
    #[error("port {0} is held by something that is not seen to be nginx")]
    Stranger(u16),
    /// More than one nginx, and nothing to tell them apart.
    #[error("several nginx run here (pids {0:?}): set proxy.nginx.pid_file to the pid file of the one that is meant")]
    Several(Vec<i32>),
    /// It is in a container, a snap, or other namespaces.
    #[error(
        "nginx (pid {0}) runs in a container: what it is there cannot be told from here, and nothing of it is run or changed"
    )]
    Elsewhere(i32),
    /// It is another user's.
    #[error("nginx (pid {pid}) is run by user {uid}: run this as that user")]
    Foreign {
        /// Its process.
        pid: i32,
        /// Its user.
        uid: u32,
    },
    /// It runs another program than the one that would be called, or one that others can change.
    #[error(
        "nginx (pid {pid}) runs {}, and not {}: name its program as `program` in [proxy.nginx]",
        running.as_ref().map_or_else(|| "another program".into(), |path| path.to_string_lossy()),
        known.as_ref().map_or_else(|| "the one in PATH, where there is none".into(), |path| path.to_string_lossy())
    )]
    Other {
        /// Its process.
        pid: i32,
        /// What it runs, as far as that can be shown.
        running: Option<PathBuf>,
        /// What would be called.
        known: Option<PathBuf>,
    },
    /// It was started with a configuration that others can change, or that is not named with its whole path.
    #[error("nginx was started with {}, which others than root can change, or which cannot be looked at: nothing is run with it", .0.display())]
    Unsafe(PathBuf),
    /// `/proc` cannot be read: who is not seen there may run.
    #[error("cannot look for nginx in /proc: {0}")]
    Unseen(String),
    /// The program could not be run, or said something else.
    #[error("the version of nginx is not known: {0}")]
    Version(String),
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

    /// Its program, where that is not the `nginx` in `PATH`. Root takes one that only root can change.
    #[must_use = "returns the handle"]
    pub fn with_program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The version of its program on the disk; milliseconds.
    ///
    /// # Errors
    /// It cannot be run, or says something that is no version.
    pub async fn version(&self) -> Result<Version, MasterError> {
        let program = self.program().ok_or_else(|| MasterError::Version("there is no nginx in PATH".to_owned()))?;
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

    /// Whether it still runs a program that has been replaced on the disk, as by an upgrade of its package. Who may not see its
    /// program does not know, and hears `false`.
    pub fn is_older(&self) -> bool {
        self.process().is_ok_and(|process| process.is_older())
    }

    /// How this nginx is called: its program and the words that choose its configuration. Where none runs, the program alone.
    ///
    /// # Errors
    /// It cannot be told which nginx that is, or it is none that this user should call.
    pub fn command(&self) -> Result<Vec<String>, MasterError> {
        let program = self.program();
        let known = program.as_ref().map_or_else(|| "nginx".to_owned(), |path| path.to_string_lossy().into_owned());
        let master = match self.process() {
            Ok(master) => master,
            Err(MasterError::NotRunning) => return Ok(vec![known]),
            Err(error) => return Err(error),
        };
        let me = geteuid();
        if ![0, me.as_raw()].contains(&master.uid) {
            return Err(MasterError::Foreign { pid: master.pid, uid: master.uid });
        }
        if !master.is_trusted() {
            let unseen =
                || MasterError::Unseen(format!("the namespaces and the program of pid {} are hidden", master.pid));
            return Err(master.shown().map_or_else(unseen, MasterError::Unsafe));
        }
        let is_it = program.as_ref().and_then(|program| master.runs(program));
        if is_it == Some(false) && !master.is_older() || is_it.is_none() && me.is_root() {
            return Err(MasterError::Other { pid: master.pid, running: master.shown(), known: program });
        }
        let words = words::of_title(&master.title, me.as_raw()).map_err(MasterError::Unsafe)?;
        Ok(std::iter::once(known).chain(words).collect())
    }

    /// What is run when nginx is called.
    fn program(&self) -> Option<PathBuf> {
        let may = |path: &PathBuf| !geteuid().is_root() || is_safe(path, 0).is_ok_and(|safe| safe);
        self.program.clone().or_else(|| find("nginx")).filter(may)
    }

    /// The workers now.
    pub(crate) fn workers(&self) -> Result<Workers, MasterError> {
        Workers::of(self.process()?.pid)
    }

    fn process(&self) -> Result<Candidate, MasterError> {
        let (elsewhere, here): (Vec<_>, Vec<_>) = candidates()?.into_iter().partition(Candidate::is_elsewhere);
        let mut masters = match &self.pid_file {
            Some(path) => {
                let pid = read_pid(path)?;
                let (named, all) = (|it: &Candidate| it.pid == pid, here.into_iter());
                let masters: Vec<_> = all.filter(named).collect();
                if masters.is_empty() {
                    let contained = elsewhere.iter().find(|it| named(it)).map(|it| MasterError::Elsewhere(it.pid));
                    return Err(contained.unwrap_or_else(|| MasterError::PidFile(path.clone())));
                }
                masters
            }
            None => match self.front_door {
                Some(port) => at_the_door(port, here, &elsewhere)?,
                // nobody says which one, so none of another user
                None => here.into_iter().filter(|it| [0, geteuid().as_raw()].contains(&it.uid)).collect(),
            },
        };
        // what is known for sure comes before what may be
        let program = self.program();
        narrow(&mut masters, Candidate::is_trusted);
        narrow(&mut masters, |it| program.as_ref().is_some_and(|program| it.runs(program) == Some(true)));
        let usual = Path::new(PID_FILE);
        let usual = is_safe(usual, 0).is_ok_and(|safe| safe).then(|| read_pid(usual));
        narrow(&mut masters, |it| usual == Some(Ok(it.pid)));
        narrow(&mut masters, Candidate::has_workers);
        let pids: Vec<i32> = masters.iter().map(|master| master.pid).collect();
        let first = masters
            .pop()
            .ok_or_else(|| elsewhere.first().map_or(MasterError::NotRunning, |it| MasterError::Elsewhere(it.pid)))?;
        if pids.len() == 1 { Ok(first) } else { Err(MasterError::Several(pids)) }
    }
}

/// Those of `here` that may hold the listener of the front door.
fn at_the_door(port: u16, here: Vec<Candidate>, elsewhere: &[Candidate]) -> Result<Vec<Candidate>, MasterError> {
    let listeners = listening(port).map_err(|error| MasterError::Unseen(error.to_string()))?;
    if listeners.is_empty() {
        // another nginx of this machine is not the one that is meant; what leads into a container listens nowhere here
        return Err(elsewhere.first().map_or(MasterError::NotRunning, |it| MasterError::Elsewhere(it.pid)));
    }
    let masters: Vec<_> = here.into_iter().filter(|it| it.may_hold(&listeners)).collect();
    if masters.is_empty() {
        let contained = elsewhere.iter().find(|it| it.may_hold(&listeners));
        return Err(contained.map_or(MasterError::Stranger(port), |it| MasterError::Elsewhere(it.pid)));
    }
    Ok(masters)
}

/// Keeps those that are so, if there are any.
fn narrow(masters: &mut Vec<Candidate>, is_so: impl Fn(&Candidate) -> bool) {
    if masters.iter().any(&is_so) {
        masters.retain(is_so);
    }
}

/// A file with one number in it has no more bytes.
const PID: u64 = 64;

fn read_pid(path: &Path) -> Result<i32, MasterError> {
    match files::find(path).and_then(|found| found.text(PID)) {
        Ok(text) => text.trim().parse().map_err(|_| MasterError::PidFile(path.to_owned())),
        Err(error) if error.is_missing() => Err(MasterError::PidFile(path.to_owned())),
        Err(error) => Err(MasterError::Unseen(error.to_string())),
    }
}
