//! Where a command stands still.

use std::{fmt, fs, os::unix::fs::FileExt as _};

use nix::{libc::user_regs_struct, sys::ptrace, unistd::Pid};
use syscalls::Sysno;

use Sysno as S;

/// Before the call or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Entry,
    Exit,
}

/// A thread of the tool, or a child of it before its exec, at the edge of a system call.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) side: Side,
    /// The call; `None` for one that was skipped or that nobody knows.
    pub(crate) call: Option<Sysno>,
    /// Of a child that is not another program yet.
    pub(crate) forked: bool,
    pub(super) thread: Pid,
    registers: user_regs_struct,
}

/// Which argument says what a call is about.
enum Argument {
    /// The address of a path.
    Path(usize),
    /// The first one is a descriptor.
    Descriptor,
}

#[rustfmt::skip]
const PLACES: [(&[Sysno], Argument); 5] = [
    (&[S::open, S::stat, S::lstat, S::access, S::unlink, S::mkdir, S::rmdir, S::readlink, S::chmod, S::execve, S::chdir, S::statfs], Argument::Path(0)),
    (&[S::openat, S::newfstatat, S::statx, S::unlinkat, S::mkdirat, S::readlinkat, S::fchmodat, S::rename, S::link, S::symlink], Argument::Path(1)),
    (&[S::symlinkat], Argument::Path(2)),
    (&[S::renameat, S::renameat2, S::linkat], Argument::Path(3)),
    (&[S::read, S::write, S::writev, S::close, S::fsync, S::fdatasync, S::syncfs, S::flock, S::fstat, S::getdents64, S::ftruncate, S::fchmod, S::fchown, S::lseek, S::pidfd_send_signal], Argument::Descriptor),
];

/// Calls after which a file, a lock or a process may be another one, whatever their arguments.
#[rustfmt::skip]
const CHANGES: [Sysno; 30] = [
    S::rename, S::renameat, S::renameat2, S::link, S::linkat, S::symlink, S::symlinkat, S::unlink, S::unlinkat,
    S::mkdir, S::mkdirat, S::rmdir, S::chmod, S::fchmod, S::fchmodat, S::fchown, S::ftruncate, S::utimensat,
    S::fsync, S::fdatasync, S::syncfs, S::flock, S::setsid, S::execve, S::kill, S::pidfd_open,
    S::pidfd_send_signal, S::wait4, S::waitid, S::exit_group,
];
/// `O_WRONLY`, `O_RDWR`, `O_CREAT`, `O_TRUNC`.
const WRITING: u64 = 0o1103;
/// `CLONE_THREAD`.
const THREAD: u64 = 0x10000;

/// `PTRACE_SYSCALL_INFO_ENTRY`.
const ENTRY: u8 = 1;
/// No path is longer.
const PATH: usize = 4096;

impl Stop {
    pub(super) fn of(thread: Pid, tool: Pid) -> nix::Result<Self> {
        let side = if ptrace::syscall_info(thread)?.op == ENTRY { Side::Entry } else { Side::Exit };
        let registers = ptrace::getregs(thread)?;
        let call = usize::try_from(registers.orig_rax).ok().and_then(Sysno::new);
        let forked = thread != tool && fs::metadata(format!("/proc/{tool}/task/{thread}")).is_err();
        Ok(Self { side, call, forked, thread, registers })
    }

    /// What the call is about: the path that it changes or reads, or what its descriptor is.
    pub(crate) fn place(&self) -> Option<String> {
        let (_, argument) = PLACES.iter().find(|(calls, _)| self.call.is_some_and(|call| calls.contains(&call)))?;
        let r = &self.registers;
        let value = [r.rdi, r.rsi, r.rdx, r.r10];
        match argument {
            Argument::Path(index) => {
                let path = self.text(value[*index])?;
                // of the calls whose names end in `at`: relative to the descriptor before it
                let from = index.checked_sub(1).and_then(|before| self.descriptor(value[before]));
                Some(from.filter(|_| !path.starts_with('/')).map_or(path.clone(), |from| format!("{from}/{path}")))
            }
            Argument::Descriptor => self.descriptor(r.rdi),
        }
    }

    /// Whether the world may be another one afterwards: a file, a lock, a process. Killed at two stops with none of these
    /// in between, the tool leaves the same, but for the time that has passed.
    pub(crate) fn matters(&self) -> bool {
        let Some(call) = self.call else { return false };
        match call {
            call if CHANGES.contains(&call) => true,
            S::openat | S::open => self.writes(),
            // sockets, pipes and what we gave it as its output are no places
            S::write | S::writev | S::pwrite64 => {
                self.place().is_some_and(|place| place.starts_with('/') && !place.ends_with(" (deleted)"))
            }
            S::clone | S::clone3 | S::fork | S::vfork => self.forks(),
            _ => false,
        }
    }

    /// Opens a file to write to it.
    pub(crate) fn writes(&self) -> bool {
        match self.call {
            Some(S::openat) => self.registers.rdx & WRITING != 0,
            Some(S::open) => self.registers.rsi & WRITING != 0,
            _ => false,
        }
    }

    /// Makes a new process; threads are none.
    pub(crate) fn forks(&self) -> bool {
        let flags = match self.call {
            Some(S::fork | S::vfork) => Some(0),
            Some(S::clone) => Some(self.registers.rdi),
            Some(S::clone3) => self.word(self.registers.rdi),
            _ => None,
        };
        flags.is_some_and(|flags| flags & THREAD == 0)
    }

    fn word(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let memory = fs::File::open(format!("/proc/{}/mem", self.thread)).ok()?;
        memory.read_exact_at(&mut bytes, at).ok().map(|()| u64::from_ne_bytes(bytes))
    }

    fn descriptor(&self, number: u64) -> Option<String> {
        let link = fs::read_link(format!("/proc/{}/fd/{number}", self.thread)).ok()?;
        Some(link.to_string_lossy().into_owned())
    }

    fn text(&self, at: u64) -> Option<String> {
        let mut bytes = [0; PATH];
        let memory = fs::File::open(format!("/proc/{}/mem", self.thread)).ok()?;
        let read = memory.read_at(&mut bytes, at).ok()?;
        let text = bytes[..read].split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// At the entry: the kernel finds no such call.
    pub(super) fn skip(&self) {
        let _ = ptrace::setregs(self.thread, user_regs_struct { orig_rax: u64::MAX, ..self.registers });
    }

    /// At the exit: this is what the call gives.
    pub(super) fn give(&self, answer: i64) {
        let rax = answer.cast_unsigned();
        let _ = ptrace::setregs(self.thread, user_regs_struct { rax, ..self.registers });
    }
}

/// `entry of renameat state.json`
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.side == Side::Entry { "entry" } else { "exit" };
        write!(f, "{side} of {}", self.call.map_or("no call", |call| call.name()))?;
        if let Some(place) = self.place() {
            write!(f, " {place}")?;
        }
        if self.forked { f.write_str(" in a forked child") } else { Ok(()) }
    }
}
