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
    /// From 1, over all threads.
    pub(crate) number: usize,
    pub(crate) side: Side,
    /// The call; `None` for one that was skipped or that nobody knows.
    pub(crate) call: Option<Sysno>,
    /// Of a child that is not another program yet.
    pub(crate) forked: bool,
    thread: Pid,
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

/// `PTRACE_SYSCALL_INFO_ENTRY`.
const ENTRY: u8 = 1;
/// No path is longer.
const PATH: usize = 4096;

impl Stop {
    pub(super) fn of(thread: Pid, tool: Pid, number: usize) -> nix::Result<Self> {
        let side = if ptrace::syscall_info(thread)?.op == ENTRY { Side::Entry } else { Side::Exit };
        let registers = ptrace::getregs(thread)?;
        let call = usize::try_from(registers.orig_rax).ok().and_then(Sysno::new);
        let forked = thread != tool && fs::metadata(format!("/proc/{tool}/task/{thread}")).is_err();
        Ok(Self { number, side, call, forked, thread, registers })
    }

    /// The call that it is about to do is not done.
    pub(super) fn skip(&self) -> nix::Result<()> {
        ptrace::setregs(self.thread, user_regs_struct { orig_rax: u64::MAX, ..self.registers })
    }

    /// The call that it did was a success.
    pub(super) fn succeed(&self) -> nix::Result<()> {
        ptrace::setregs(self.thread, user_regs_struct { rax: 0, ..self.registers })
    }

    /// What the call is about: the path that it changes or reads, or what its descriptor is.
    pub(crate) fn place(&self) -> Option<String> {
        let (_, argument) = PLACES.iter().find(|(calls, _)| self.call.is_some_and(|call| calls.contains(&call)))?;
        let r = &self.registers;
        let value = [r.rdi, r.rsi, r.rdx, r.r10];
        match argument {
            Argument::Path(index) => self.text(value[*index]),
            Argument::Descriptor => self.descriptor(r.rdi),
        }
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
