//! A command that keeps our terminal and is not let near it.
//!
//! Who is on a terminal, may type into it (TIOCSTI), read what a person types there, and change its modes, for as long as it
//! keeps the descriptor. A command that becomes another user gets a session of its own and a pseudo-terminal instead, as
//! `sudo` does it with `use_pty`; this process stays between the two, hands on what is said and the signals of the keyboard,
//! and ends as the command does.

mod harmless;

use std::{
    fs::File,
    io::{self, IsTerminal as _, PipeReader, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use procfs::process::Process;
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{OFlags, fcntl_setfl, fstat},
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, getppid, pidfd_open, pidfd_send_signal,
        set_parent_process_death_signal, waitid,
    },
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};

use self::harmless::Harmless;

/// Says to the command who relays for it.
pub const RELAY: &str = "BLUEGREEN_RELAY";
/// More than a pseudo-terminal holds: so much can be left of what was said before the end.
const LEFT: usize = 64 << 10;
/// What a person or a service manager asks of us, and the command shall hear.
const HANDED_ON: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::QUIT];

/// So often is asked before who does not hear it is killed.
const ASKED: usize = 3;

/// Whether this process is on a terminal, or has one for its input or its output.
///
/// # Errors
/// `/proc` does not say it.
pub fn has_terminal() -> io::Result<bool> {
    let stat = Process::myself().and_then(|me| me.stat()).map_err(io::Error::other)?;
    Ok(stat.tty_nr != 0 || io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal())
}

/// Runs `command` away from our terminal, and returns its exit code; 128 and the signal, when one ended it. Its standard input
/// is empty. It should [`follow`] us. Asked to end for the third time, it is killed.
///
/// # Errors
/// It could not be started.
pub fn run(mut command: Command) -> io::Result<i32> {
    // before anything is started: this way alone it can be signalled and waited for
    pidfd_open(getpid(), PidfdFlags::empty())?;
    command.stdin(Stdio::null()).env(RELAY, std::process::id().to_string());
    let screens = Screen::before_ours(&mut command)?;
    // a deploy outlives its terminal
    signal_hook::flag::register(Signal::HUP.as_raw(), Arc::new(AtomicBool::new(false)))?;
    let heard = HANDED_ON.map(Heard::listen).into_iter().collect::<io::Result<Vec<_>>>()?;
    let resized = Heard::listen(Signal::WINCH)?;
    let (over, end) = io::pipe()?;
    let copying: Vec<_> = screens.iter().map(|screen| screen.copy(over.try_clone()?)).collect::<io::Result<_>>()?;

    let pid = super::in_session(command, None)?;
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let child = pidfd_open(pid, PidfdFlags::empty())?;
    let mut asked = 0;
    loop {
        let mut fds = vec![PollFd::new(&child, PollFlags::IN), PollFd::new(&resized.pipe, PollFlags::IN)];
        fds.extend(heard.iter().map(|heard| PollFd::new(&heard.pipe, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        for heard in heard.iter().zip(&ready[2..]).filter_map(|(heard, ready)| ready.then_some(heard)) {
            heard.forget();
            asked += 1;
            // it may have ended just now
            let _ = pidfd_send_signal(&child, if asked < ASKED { heard.signal } else { Signal::KILL });
            // whoever has its rights may have stopped it
            let _ = pidfd_send_signal(&child, Signal::CONT);
        }
        if ready[1] {
            resized.forget();
            screens.iter().for_each(Screen::resize);
        }
        if ready[0] {
            break;
        }
    }
    drop(end);
    for copy in copying {
        // what a terminal did not take is lost
        let _ = copy.join();
    }
    let status = waitid(WaitId::PidFd(child.as_fd()), WaitIdOptions::EXITED)?.ok_or(io::ErrorKind::InvalidData)?;
    let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.ok_or_else(|| io::Error::other("it is not known how the command ended"))
}

/// Ends as if interrupted when who relays for this process is gone; nothing when nobody does. To be called after the last
/// change of the user, which would undo it, and before exec, which does not.
///
/// # Errors
/// The kernel takes no such wish.
pub fn follow() -> io::Result<()> {
    if !is_ours() {
        return Ok(());
    }
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if is_ours() { Ok(()) } else { Err(io::Error::other("who called this is gone")) }
}

/// Whether our parent relays for us.
pub fn is_ours() -> bool {
    let relay = std::env::var(RELAY).ok().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    relay.is_some() && relay == getppid()
}

/// A signal that was heard is a byte in its pipe.
struct Heard {
    signal: Signal,
    pipe: UnixStream,
}

impl Heard {
    fn listen(signal: Signal) -> io::Result<Self> {
        let (pipe, told) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal.as_raw(), told)?;
        Ok(Self { signal, pipe })
    }

    fn forget(&self) {
        let _ = (&self.pipe).read(&mut [0; 64]);
    }
}

/// Gives a command one of its three descriptors.
type Give = fn(&mut Command, OwnedFd) -> &mut Command;

/// A pseudo-terminal in the place of a real one.
struct Screen {
    real: OwnedFd,
    master: OwnedFd,
}

impl Screen {
    /// Those that `command` gets in the place of ours; one where ours is one, so that all that is said keeps its order.
    fn before_ours(command: &mut Command) -> io::Result<Vec<Self>> {
        let (out, err) = (io::stdout(), io::stderr());
        let ours = [(out.as_fd(), Command::stdout::<OwnedFd> as Give), (err.as_fd(), Command::stderr)];
        let mut screens: Vec<Self> = Vec::new();
        for (real, give) in ours.into_iter().filter(|(real, _)| real.is_terminal()) {
            let known = screens.iter().position(|screen| screen.is(real));
            if known.is_none() {
                screens.push(Self::before(real)?);
            }
            let screen = &screens[known.unwrap_or(screens.len() - 1)];
            give(command, screen.slave()?);
        }
        Ok(screens)
    }

    /// As large as `real`.
    fn before(real: BorrowedFd<'_>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK)?;
        // what is said passes as it is: the real one does what a terminal does with it
        let mut modes = tcgetattr(&master)?;
        modes.make_raw();
        tcsetattr(&master, OptionalActions::Now, &modes)?;
        let screen = Self { real: real.try_clone_to_owned()?, master };
        screen.resize();
        Ok(screen)
    }

    fn slave(&self) -> io::Result<OwnedFd> {
        Ok(ioctl_tiocgptpeer(&self.master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?)
    }

    /// Whether it stands before this terminal.
    fn is(&self, other: BorrowedFd<'_>) -> bool {
        fstat(&self.real).is_ok_and(|real| fstat(other).is_ok_and(|other| real.st_rdev == other.st_rdev))
    }

    fn resize(&self) {
        // one without a size is as good
        let _ = tcgetwinsize(&self.real).and_then(|size| tcsetwinsize(&self.master, size));
    }

    /// Hands on what is said, until `over` is closed and all of it is handed on. A terminal that is held is waited for.
    fn copy(&self, over: PipeReader) -> io::Result<thread::JoinHandle<()>> {
        let (master, mut real) = (self.master.try_clone()?, File::from(self.real.try_clone()?));
        let copy = move || {
            let (mut bytes, mut left, mut harmless) = ([0; 4096], LEFT, Harmless::default());
            while left > 0 {
                let mut fds = [PollFd::new(&master, PollFlags::IN), PollFd::new(&over, PollFlags::IN)];
                let polled = poll(&mut fds, None);
                let is_over = !fds[1].revents().is_empty();
                match rustix::io::read(&master, &mut bytes) {
                    Ok(count @ 1..) => {
                        // a terminal that is gone stops nothing
                        let _ = real.write_all(&harmless.pass(&bytes[..count]));
                        left -= if is_over { count.min(left) } else { 0 };
                    }
                    Err(Errno::AGAIN) if !is_over && matches!(polled, Ok(_) | Err(Errno::INTR)) => {}
                    Err(Errno::INTR) => {}
                    // nobody has the other end any more
                    _ => return,
                }
            }
        };
        thread::Builder::new().name("terminal".to_owned()).spawn(copy)
    }
}
