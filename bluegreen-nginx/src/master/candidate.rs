//! A process that calls itself nginx's master, and what the kernel says of it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bluegreen_linux::{
    ports::Listener,
    proc::{self, Sight},
};
use procfs::{
    ProcError,
    process::{FDTarget, Process, Stat, all_processes},
};
use rustix::process::geteuid;

use super::MasterError;

/// Its title is a hint where to look, and nothing else: anybody may have it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) pid: i32,
    /// Real, effective and saved.
    pub(super) uid: u32,
    pub(super) title: String,
    /// Whether it is in our own namespaces of processes and users, below our root; `None`: this user may not see it.
    here: Option<bool>,
    /// The file that it runs, as its descriptor says; `None`: this user may not see it.
    program: Option<File>,
    /// Where that very file is on the disk; `None`: it has been replaced or removed there, or this user may not see it.
    place: Option<PathBuf>,
    /// The inodes of its sockets; `None`: this user may not see them.
    sockets: Option<Vec<u64>>,
    /// Its control group, which all may see; `None`: there are none here.
    cgroup: Option<u64>,
    /// How many of its children call themselves workers.
    workers: usize,
}

/// A file, as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct File {
    device: u64,
    inode: u64,
    /// Whether nobody but root, and who runs it, can write to it.
    is_safe: bool,
}

impl File {
    fn at(path: impl AsRef<Path>, user: u32) -> io::Result<Self> {
        let meta = fs::metadata(path)?;
        let shared = meta.mode() & 0o002 != 0 || meta.mode() & 0o020 != 0 && meta.gid() != 0;
        let is_safe = [0, user].contains(&meta.uid()) && !shared;
        Ok(Self { device: meta.dev(), inode: meta.ino(), is_safe })
    }

    /// Where it is, as the kernel says by the link `exe`. The text is opened and never read: of a file that was replaced it
    /// says so in a form that a name may have too, and an overlay keeps the count of its links.
    fn place(self, exe: &str, user: u32) -> Option<PathBuf> {
        let text = fs::read_link(exe).ok()?;
        match Self::at(&text, user) {
            Ok(there) => there.is_the_same(self).then_some(text),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
            // who may not look does not know that it was replaced
            Err(_) => Some(text),
        }
    }

    fn is_the_same(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Candidate {
    /// `None`: it is gone, or is a program that lends its owner's rights to whoever calls it, which nginx is not.
    fn look(process: &Process, title: &str, titled: &[(String, Stat)]) -> Result<Option<Self>, MasterError> {
        let Some(status) = seen(process.status())? else { return Ok(None) };
        if status.ruid != status.euid || status.euid != status.suid {
            return Ok(None);
        }
        let (pid, uid) = (process.pid, status.euid);
        // who has several numbers is in a namespace below that of this /proc
        let below = status.nspid.is_some_and(|numbers| numbers.len() > 1);
        let here = namespaces(pid).or(below.then_some(false));
        let (exe, user) = (format!("/proc/{pid}/exe"), geteuid().as_raw());
        let program = File::at(&exe, user).ok();
        let place = program.and_then(|program| program.place(&exe, user));
        let is_worker =
            |(title, stat): &&(String, Stat)| stat.ppid == pid && title.starts_with("nginx: worker process");
        let workers = titled.iter().filter(is_worker).count();
        let cgroup = match proc::cgroup(pid.unsigned_abs()) {
            Ok(Sight::Seen(cgroup)) => cgroup,
            _ => None,
        };
        let (title, sockets) = (title.to_owned(), sockets(process));
        Ok(Some(Self { pid, uid, title, here, program, place, sockets, cgroup, workers }))
    }

    /// Root's or our own, here, with a program that nobody else can change: as far as this user may see it, and root must see
    /// all of it.
    pub(super) fn is_trusted(&self) -> bool {
        let me = geteuid();
        let seen = self.here == Some(true) && self.program.is_some_and(|program| program.is_safe);
        let unseen = self.here != Some(false) && self.program.is_none_or(|program| program.is_safe);
        [0, me.as_raw()].contains(&self.uid) && (seen || unseen && !me.is_root())
    }

    pub(super) fn is_elsewhere(&self) -> bool {
        self.here == Some(false)
    }

    /// Whether one of `listeners` is its; who may not look knows it by the user only, and then it may be.
    pub(super) fn may_hold(&self, listeners: &[Listener]) -> bool {
        match &self.sockets {
            Some(sockets) => listeners.iter().any(|listener| listener.inode.is_some_and(|it| sockets.contains(&it))),
            None => listeners.iter().any(|listener| listener.uid.is_none_or(|uid| uid == self.uid)),
        }
    }

    /// Whether one of `listeners` was opened in its control group. As systemd puts each service into one of its own, that tells
    /// several nginx apart for who sees no sockets; one that took a listener over proves nothing by not being so.
    pub(super) fn is_beside(&self, listeners: &[Listener]) -> bool {
        self.cgroup.is_some() && listeners.iter().any(|listener| listener.cgroup == self.cgroup)
    }

    /// Whether it runs the file `program`; `None`: this user may not see it.
    pub(super) fn runs(&self, program: &Path) -> Option<bool> {
        let (theirs, file) = (self.program?, File::at(program, self.uid).ok()?);
        Some(theirs.is_the_same(file))
    }

    /// Whether its program has been replaced or removed, as by an upgrade, and it runs what it was.
    pub(super) fn is_older(&self) -> bool {
        self.program.is_some() && self.place.is_none()
    }

    pub(super) fn has_workers(&self) -> bool {
        self.workers > 0
    }

    /// Where its program is, when it is still there and this user may see it.
    pub(super) fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }
}

/// Whether this process runs the file `program`, whatever it calls itself; `false` also when this user may not see it.
pub(super) fn runs(pid: u32, program: &Path) -> bool {
    let (theirs, file) = (File::at(format!("/proc/{pid}/exe"), 0), File::at(program, 0));
    theirs.and_then(|theirs| Ok(theirs.is_the_same(file?))).is_ok_and(|same| same)
}

/// Those that call themselves masters; a child of one is a worker that has no title of its own yet.
pub(super) fn candidates() -> Result<Vec<Candidate>, MasterError> {
    let processes = titled("nginx: ")?;
    let titled: Vec<(String, Stat)> = processes.iter().map(|(_, title, stat)| (title.clone(), stat.clone())).collect();
    let calls_itself_so = |title: &str| title.starts_with("nginx: master process");
    let is_master = |pid: i32| titled.iter().any(|(title, stat)| stat.pid == pid && calls_itself_so(title));
    let mut found = Vec::new();
    for (process, title, stat) in &processes {
        if calls_itself_so(title) && !is_master(stat.ppid) {
            found.extend(Candidate::look(process, title, &titled)?);
        }
    }
    Ok(found)
}

/// The processes whose title begins so, with it.
pub(super) fn titled(start: &str) -> Result<Vec<(Process, String, Stat)>, MasterError> {
    let mut found = Vec::new();
    for process in all_processes().map_err(|error| unseen(&error))? {
        let Some(process) = seen(process)? else { continue };
        let Some(words) = seen(process.cmdline())? else { continue };
        let title = words.into_iter().next().unwrap_or_default();
        if title.starts_with(start)
            && let Some(stat) = seen(process.stat())?
        {
            found.push((process, title, stat));
        }
    }
    Ok(found)
}

/// `None`: it is gone by now.
fn seen<T>(looked: Result<T, ProcError>) -> Result<Option<T>, MasterError> {
    match looked {
        Ok(seen) => Ok(Some(seen)),
        Err(ProcError::NotFound(_)) => Ok(None),
        // a process that has just ended
        Err(ProcError::Io(error, _)) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            Ok(None)
        }
        Err(error) => Err(unseen(&error)),
    }
}

fn unseen(error: &ProcError) -> MasterError {
    MasterError::Unseen(error.to_string())
}

/// Whether a process is in our own namespaces of processes and users, and has our root: a snap and a unit with `RootDirectory=`
/// have another one. The namespace of mounts may differ: distributions start nginx with `PrivateTmp=`.
fn namespaces(pid: i32) -> Option<bool> {
    let inode = |path: String| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    let same = |kind: &str| Some(inode(format!("/proc/{pid}/{kind}"))? == inode(format!("/proc/self/{kind}"))?);
    Some(same("ns/pid")? && same("ns/user")? && same("root")?)
}

fn sockets(process: &Process) -> Option<Vec<u64>> {
    let mut sockets = Vec::new();
    for file in process.fd().ok()? {
        match file.map(|file| file.target) {
            Ok(FDTarget::Socket(inode)) => sockets.push(inode),
            Ok(_) | Err(ProcError::NotFound(_)) => {}
            Err(_) => return None,
        }
    }
    Some(sockets)
}
