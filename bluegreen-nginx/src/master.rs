//! The nginx that runs, as the kernel shows it: no root needed, unless `/proc` is mounted with `hidepid`.
//!
//! Who it is, is never what it calls itself: a title says only where to look. A master has one user, root or ours, in our own
//! namespaces, and holds the listener of the front door; what root runs in its name is nginx's own program, which the master
//! runs too by device and inode. Who is not root sees less of that, and runs it as nobody but himself.

mod candidate;
mod words;
mod workers;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use bluegreen_linux::{
    files,
    ports::{Listener, answering, answers, find_holders, listening},
    program::{find, is_safe},
    users,
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
/// How long an nginx that listens already may take to get its title: it forks once more in between.
const STARTING: Duration = Duration::from_millis(500);
/// Where packages let nginx write its pid.
const PID_FILE: &str = "/run/nginx.pid";

/// Which nginx of this machine, by its master process: the one in its pid file, else the one that listens at the front door, else the only one.
#[derive(Debug, Clone, Default)]
pub struct Master {
    pid_file: Option<PathBuf>,
    /// What is dialled at the front door, an address or a name, and its port.
    front_door: Option<(String, u16)>,
    program: Option<PathBuf>,
}

const NONE_KNOWN: &str = "one that only root can change, of which neither PATH nor the configuration names any";

/// Why nginx could not be found, called, or asked for its version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterError {
    /// No master process is to be seen here; perhaps one, which this is, in a container or other namespaces.
    #[error(
        "nginx is not running{}",
        .0.map_or_else(String::new, |pid| format!("; another one (pid {pid}) runs in a container, and is left alone"))
    )]
    NotRunning(Option<i32>),
    /// The pid file does not name a master process.
    #[error("{} does not name a running nginx", .0.display())]
    PidFile(PathBuf),
    /// Somebody listens at the front door, and it is no nginx that can be seen.
    #[error("port {0} is held by something that is not seen to be nginx")]
    Stranger(u16),
    /// Another user answers at the front door.
    #[error("{address} is held by user {user}, and not by nginx")]
    Held {
        /// What is dialled.
        address: SocketAddr,
        /// Who opened it.
        user: String,
    },
    /// What the front door is called leads nowhere now.
    #[error("cannot look up {host}, which may be held by another user: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// Why not.
        why: String,
    },
    /// More than one nginx, and nothing to tell them apart.
    #[error("several nginx run here (pids {0:?}), and which one is meant is not known")]
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
        "nginx (pid {pid}) runs {}, and not {}",
        running.as_ref().map_or_else(|| "another program".into(), |path| path.to_string_lossy()),
        known.as_ref().map_or_else(|| NONE_KNOWN.into(), |path| path.to_string_lossy())
    )]
    Other {
        /// Its process.
        pid: i32,
        /// What it runs, as far as that can be shown.
        running: Option<PathBuf>,
        /// What would be called.
        known: Option<PathBuf>,
    },
    /// Its program is not on the disk any more, and no other one is there in its place.
    #[error(
        "the program that nginx (pid {0}) runs is not on the disk any more, and there is no other: install nginx again"
    )]
    Gone(i32),
    /// It was started with a configuration that others can change, or that is not named with its whole path.
    #[error("nginx was started with {}, which others than root can change, or which cannot be looked at: nothing is run with it", .0.display())]
    Unsafe(PathBuf),
    /// `/proc` cannot be read: who is not seen there may run.
    #[error("cannot look for nginx in /proc: {0}")]
    Unseen(String),
    /// There is none that this user would call.
    #[error("the version of nginx is not known: there is no nginx in PATH")]
    NoProgram,
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

    /// Where several run: the one that listens where this is dialled, an address, or a name that is looked up when it matters. Who listens
    /// beside it, on another address of the port, is nobody there. An address of another machine, as of a load balancer, has no
    /// listener here, and tells nothing. Who is not root, nor its user, knows it by the control group that the listener was opened in.
    #[must_use = "returns the handle"]
    pub fn with_front_door(mut self, host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        let is_here = host.parse().map_or(true, is_of_this_machine);
        self.front_door = is_here.then_some((host, port));
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
        let program = self.program().ok_or(MasterError::NoProgram)?;
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
        workers.accepting.first().map(|worker| worker.pid.unsigned_abs()).ok_or(MasterError::NotRunning(None))
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
            Err(MasterError::NotRunning(_)) => return Ok(vec![known]),
            Err(error) => return Err(error),
        };
        let me = geteuid();
        if ![0, me.as_raw()].contains(&master.uid) {
            return Err(MasterError::Foreign { pid: master.pid, uid: master.uid });
        }
        let running = master.place().map(Path::to_owned);
        if !master.is_trusted() {
            // where the file is not to be found any more, this still leads to it
            let exe = || PathBuf::from(format!("/proc/{}/exe", master.pid));
            return Err(MasterError::Unsafe(running.unwrap_or_else(exe)));
        }
        let is_it = program.as_ref().and_then(|program| master.runs(program));
        if is_it == Some(false) && !master.is_older() || is_it.is_none() && me.is_root() {
            let other = MasterError::Other { pid: master.pid, running, known: program };
            return Err(if master.is_older() { MasterError::Gone(master.pid) } else { other });
        }
        let words = words::of_title(&master.title, me.as_raw()).map_err(MasterError::Unsafe)?;
        Ok(std::iter::once(known).chain(words).collect())
    }

    /// Whether who answers at the front door may be this nginx: root's, ours, or that of the pid file. What anybody else says there proves
    /// nothing.
    pub(crate) fn has_the_door(&self) -> Result<(), MasterError> {
        let Some((host, port)) = &self.front_door else { return Ok(()) };
        let (all, ours) = (all(*port)?, [0, geteuid().as_raw()]);
        let foreign = |listener: &Listener| listener.uid.filter(|uid| !ours.contains(uid));
        // a look-up may take its time
        if !all.iter().any(|listener| foreign(listener).is_some()) {
            return Ok(());
        }
        let unresolved = |error: io::Error| MasterError::Unresolved { host: host.clone(), why: error.to_string() };
        for address in dialled(host, *port).map_err(unresolved)? {
            for uid in answering(all.clone(), address).iter().filter_map(foreign) {
                if !self.is_of(uid)? {
                    return Err(MasterError::Held { address, user: users::name(uid) });
                }
            }
        }
        Ok(())
    }

    /// Whether it is named by its pid file, and is this user's.
    fn is_of(&self, uid: u32) -> Result<bool, MasterError> {
        let Some(path) = &self.pid_file else { return Ok(false) };
        let pid = read_pid(path)?;
        Ok(candidates()?.iter().any(|it| it.pid == pid && it.uid == uid))
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
        let until = Instant::now() + STARTING;
        loop {
            match self.look() {
                Err(MasterError::Stranger(_)) if Instant::now() < until && self.is_starting() => {
                    sleep(Duration::from_millis(10));
                }
                found => return found,
            }
        }
    }

    /// Whether the front door is held by nginx's own program, which has no title yet.
    fn is_starting(&self) -> bool {
        let (Some(program), Some((host, port))) = (self.program(), &self.front_door) else { return false };
        let Ok(mut listeners) = listeners(host, *port) else { return false };
        find_holders(&mut listeners, &[]).is_ok()
            && listeners.iter().flat_map(|listener| &listener.pids).any(|pid| candidate::runs(*pid, &program))
    }

    fn look(&self) -> Result<Candidate, MasterError> {
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
            None => match &self.front_door {
                Some((host, port)) => self.at_the_door(host, *port, here, &elsewhere)?,
                None => ours(here),
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
        let first = masters.pop().ok_or_else(|| {
            elsewhere.first().map_or(MasterError::NotRunning(None), |it| MasterError::Elsewhere(it.pid))
        })?;
        if pids.len() == 1 { Ok(first) } else { Err(MasterError::Several(pids)) }
    }

    /// Those of `here` that may hold the listener of the front door.
    fn at_the_door(
        &self,
        host: &str,
        port: u16,
        here: Vec<Candidate>,
        elsewhere: &[Candidate],
    ) -> Result<Vec<Candidate>, MasterError> {
        let listeners = listeners(host, port)?;
        let other = elsewhere.first().map(|it| it.pid);
        if listeners.is_empty() {
            let at = dialled(host, port).ok().filter(|at| !at.is_empty());
            if !at.unwrap_or_else(|| vec![(Ipv4Addr::LOCALHOST, port).into()]).into_iter().any(answers) {
                // another nginx of this machine is not the one that is meant
                return Err(MasterError::NotRunning(other));
            }
            // the firewall leads it to another port, or into a container
            return if here.is_empty() {
                Err(other.map_or(MasterError::Stranger(port), MasterError::Elsewhere))
            } else {
                Ok(ours(here))
            };
        }
        let mut masters: Vec<_> = here.into_iter().filter(|it| it.may_hold(&listeners)).collect();
        if masters.is_empty() {
            let contained = elsewhere.iter().find(|it| it.may_hold(&listeners));
            let nobody = || self.has_the_door().err().unwrap_or(MasterError::Stranger(port));
            return Err(contained.map_or_else(nobody, |it| MasterError::Elsewhere(it.pid)));
        }
        narrow(&mut masters, |it| it.is_beside(&listeners));
        Ok(masters)
    }
}

/// Who answers at the front door.
fn listeners(host: &str, port: u16) -> Result<Vec<Listener>, MasterError> {
    let all = all(port)?;
    let is_name = host.parse::<IpAddr>().is_err();
    // where all are one user's, the port tells as much
    if is_name && all.iter().all(|listener| listener.uid == all[0].uid) {
        return Ok(all);
    }
    match dialled(host, port) {
        Ok(at) if !at.is_empty() => Ok(at.into_iter().flat_map(|at| answering(all.clone(), at)).collect()),
        // a name that leads nowhere now, or to a load balancer, leaves the port
        _ => Ok(all),
    }
}

/// Who listens on this port, at whatever address.
fn all(port: u16) -> Result<Vec<Listener>, MasterError> {
    listening(port).map_err(|error| MasterError::Unseen(error.to_string()))
}

/// Where that leads, as far as it is of this machine.
fn dialled(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.filter(|address| is_of_this_machine(address.ip())).collect())
}

fn is_of_this_machine(address: IpAddr) -> bool {
    let bound = UdpSocket::bind((address, 0));
    bound.map_or_else(|error| error.kind() != io::ErrorKind::AddrNotAvailable, |_| true)
}

/// Where nobody says which one: none of another user.
fn ours(here: Vec<Candidate>) -> Vec<Candidate> {
    here.into_iter().filter(|it| [0, geteuid().as_raw()].contains(&it.uid)).collect()
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_listens_and_runs_the_program_is_about_to_have_its_title() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let of = |program: &Path| Master::new().with_program(program).with_front_door("127.0.0.1", port);
        let us = std::env::current_exe().unwrap();
        if of(&us).program().is_none() {
            return eprintln!("SKIPPED: others can change {}", us.display());
        }
        assert!(of(&us).is_starting() && !of(Path::new("/bin/sh")).is_starting());
        drop(listener);
        assert!(!of(&us).is_starting());
    }
    #[test]
    fn another_user_who_answers_at_the_door_is_named_and_one_beside_it_is_not() {
        if !geteuid().is_root() {
            return eprintln!("SKIPPED: only root listens as another user");
        }
        let theirs =
            |at: SocketAddr| users::User::by_number(4242, 4242).act(|| TcpListener::bind(at)).unwrap().unwrap();
        let beside = theirs(([127, 0, 0, 9], 0).into());
        let dialled = SocketAddr::from(([127, 0, 0, 1], beside.local_addr().unwrap().port()));
        let of = |host: &str| Master::new().with_front_door(host, dialled.port());
        let (master, named) = (of("127.0.0.1"), of("localhost"));
        let ours = TcpListener::bind(dialled).unwrap();
        assert_eq!((master.has_the_door(), named.has_the_door()), (Ok(()), Ok(())));
        drop(ours);
        assert_eq!(master.has_the_door(), Ok(()), "nobody is there");
        let _there = theirs(dialled);
        let held = Err(MasterError::Held { address: dialled, user: "4242".to_owned() });
        assert_eq!((master.has_the_door(), named.has_the_door()), (held.clone(), held), "by a name too");
        assert_eq!(of("192.0.2.1").has_the_door(), Ok(()), "it is not of this machine");
        assert!(matches!(of("nobody.invalid").has_the_door(), Err(MasterError::Unresolved { .. })));
    }
}
