//! What can go wrong in the system below the tool.

use clap::ValueEnum as _;
use nix::errno::Errno as E;
use syscalls::Sysno as S;

use super::trace::Stop;

/// Calls that fail together, and how
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Fault {
    /// What /proc says of a process cannot be opened or read
    Proc,
    /// A file cannot be made, or opened to be written
    Create,
    /// A file cannot be opened to be read
    Open,
    /// A file cannot be read
    Read,
    /// A file cannot be written
    Write,
    /// It cannot be told what a path is
    Look,
    /// What was written does not reach the disk
    Sync,
    /// No new name
    Rename,
    /// No second name
    Link,
    /// A name stays
    Remove,
    /// No new directory
    Directory,
    /// No other mode
    Mode,
    /// No other length
    Truncate,
    /// A directory cannot be read
    List,
    /// No lock
    Lock,
    /// No new process
    Fork,
    /// No new thread
    Thread,
    /// Not that program
    Exec,
    /// No hold of a process
    Hold,
    /// No signal to a process
    Signal,
    /// No end of a process
    Wait,
    /// No connection
    Socket,
    /// From then on: nothing can be written
    Full,
    /// From then on: the disk gives errors
    Broken,
    /// From then on: nothing can be changed
    ReadOnly,
    /// From then on: no more descriptors
    Descriptors,
}

impl Fault {
    /// As it is typed.
    pub(crate) fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// It stays once it has begun.
    pub(crate) fn lasts(self) -> bool {
        matches!(self, Self::Full | Self::Broken | Self::ReadOnly | Self::Descriptors)
    }

    /// The errors that such a call can give.
    pub(crate) fn errors(self) -> &'static [E] {
        match self {
            Self::Proc => &[E::EACCES, E::EIO, E::EMFILE, E::ENOMEM],
            Self::Create => &[E::ENOSPC, E::EROFS, E::EACCES, E::EMFILE, E::EIO, E::EINTR],
            Self::Open => &[E::EACCES, E::EMFILE, E::EIO, E::ENOMEM, E::EINTR],
            Self::Read => &[E::EIO, E::EINTR],
            Self::Write | Self::Truncate => &[E::ENOSPC, E::EIO, E::EINTR],
            Self::Look | Self::List => &[E::EACCES, E::EIO],
            Self::Sync => &[E::EIO, E::ENOSPC],
            Self::Rename | Self::Link | Self::Directory => &[E::ENOSPC, E::EROFS, E::EACCES, E::EIO],
            Self::Remove => &[E::EROFS, E::EACCES, E::EIO],
            Self::Mode => &[E::EROFS, E::EPERM, E::EIO],
            Self::Lock => &[E::ENOLCK, E::EINTR],
            Self::Fork => &[E::EAGAIN, E::ENOMEM],
            Self::Thread => &[E::EAGAIN],
            Self::Exec => &[E::ENOENT, E::EACCES, E::ENOMEM, E::EIO],
            Self::Hold => &[E::EMFILE, E::ENOMEM],
            Self::Signal => &[E::EPERM],
            Self::Wait => &[E::EINTR],
            Self::Socket => &[E::EMFILE, E::ENOBUFS],
            Self::Full => &[E::ENOSPC],
            Self::Broken => &[E::EIO],
            Self::ReadOnly => &[E::EROFS],
            Self::Descriptors => &[E::EMFILE],
        }
    }

    /// At most so many of its calls are tried: there are as many as processes on this machine.
    pub(crate) fn enough(self) -> usize {
        if self == Self::Proc { 60 } else { usize::MAX }
    }

    /// Whether this is one of its calls.
    pub(crate) fn meets(self, stop: &Stop) -> bool {
        let any = |faults: &[Self]| faults.iter().any(|fault| fault.meets(stop));
        let is = |calls: &[S]| stop.call.is_some_and(|call| calls.contains(&call));
        match self {
            Self::Proc => is(&[S::openat, S::read, S::readlink, S::readlinkat, S::getdents64]) && of_a_process(stop),
            Self::Create => is(&[S::openat, S::open]) && stop.writes() && at_home(stop),
            Self::Open => is(&[S::openat, S::open]) && !stop.writes() && at_home(stop),
            Self::Read => is(&[S::read, S::pread64]) && at_home(stop),
            Self::Write => is(&[S::write, S::writev]) && at_home(stop),
            Self::Look => {
                is(&[S::statx, S::newfstatat, S::stat, S::lstat, S::readlink, S::readlinkat]) && at_home(stop)
            }
            Self::Sync => is(&[S::fsync, S::fdatasync, S::syncfs]),
            Self::Rename => is(&[S::rename, S::renameat, S::renameat2]),
            Self::Link => is(&[S::link, S::linkat, S::symlink, S::symlinkat]),
            Self::Remove => is(&[S::unlink, S::unlinkat, S::rmdir]),
            Self::Directory => is(&[S::mkdir, S::mkdirat]),
            Self::Mode => is(&[S::chmod, S::fchmod, S::fchmodat]),
            Self::Truncate => is(&[S::ftruncate]),
            Self::List => is(&[S::getdents64]) && at_home(stop),
            Self::Lock => is(&[S::flock]),
            Self::Fork => stop.forks(),
            Self::Thread => is(&[S::clone, S::clone3]) && !stop.forks(),
            Self::Exec => is(&[S::execve]),
            Self::Hold => is(&[S::pidfd_open]),
            Self::Signal => is(&[S::pidfd_send_signal, S::kill]),
            Self::Wait => is(&[S::wait4, S::waitid, S::poll, S::ppoll]),
            Self::Socket => is(&[S::socket]),
            Self::Full => any(&[Self::Create, Self::Write, Self::Sync, Self::Link, Self::Directory]),
            Self::Broken => any(&[Self::Create, Self::Write, Self::Sync, Self::Rename]),
            Self::ReadOnly => any(&[Self::Create, Self::Rename, Self::Link, Self::Remove, Self::Directory, Self::Mode]),
            Self::Descriptors => any(&[Self::Create, Self::Open, Self::Hold, Self::Socket]),
        }
    }
}

/// Places that are the tool's own business: not the loader's, no device, and not what we gave it as its output.
fn at_home(stop: &Stop) -> bool {
    let place = stop.place().unwrap_or_default();
    let foreign =
        ["/lib", "/usr/lib", "/etc/ld.so", "/proc/self/maps", "/sys/", "/dev/", "pipe:", "socket:", "anon_inode:"];
    !place.is_empty()
        && !of_a_process(stop)
        && !place.ends_with(" (deleted)")
        && !foreign.iter().any(|prefix| place.starts_with(prefix))
}

fn of_a_process(stop: &Stop) -> bool {
    let place = stop.place().unwrap_or_default();
    place.strip_prefix("/proc/").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
