//! A command under ptrace: it stands still before and after each of its system calls, and we say how it goes on.

mod stop;

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
};

use bluegreen_rig::PATIENCE;
use nix::{
    errno::Errno,
    libc,
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

pub(crate) use stop::{Side, Stop};

/// How a command goes on after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Go,
    /// SIGKILL to the tool. A child that it has forked and that is no other program yet lives on.
    Kill,
    /// The call, at whose entry this is, is not done and gives this error.
    Fail(Errno),
    /// The call, at whose entry this is, is not done and says that all is well.
    Pretend,
}

/// How a traced command ended.
#[derive(Debug)]
pub(crate) struct Traced {
    /// Its exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// It had to be killed, because it did not end.
    pub(crate) hung: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, out, err, .. } = self;
        write!(f, "code {code:?}\n{out}{err}")
    }
}

/// Runs `command` to its end and asks `fate` at each stop.
///
/// All its threads are followed, and what it forks until that is another program.
pub(crate) fn trace(command: &Command, fate: &mut (dyn FnMut(&Stop) -> Act + Send)) -> Traced {
    let [mut out, mut err] = [(); 2].map(|()| tempfile::tempfile().expect("a file for what it says"));
    let (began, pid) = channel();
    let (ended, end) = channel();
    let (code, hung) = thread::scope(|scope| {
        // what a thread traces belongs to that thread, and it may wait for nothing else
        let tracer = scope.spawn(|| {
            let child = hold(command, &out, &err);
            let mut tracer = Tracer::new(command, &child);
            let _ = began.send(tracer.tool);
            let code = tracer.follow(child, fate);
            let _ = ended.send(());
            code
        });
        let pid = pid.recv().expect("it starts");
        let hung = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        if hung {
            let _ = kill(pid, Signal::SIGKILL);
        }
        (tracer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), hung)
    });
    let [out, err] = [&mut out, &mut err].map(said);
    Traced { code, hung, out, err }
}

/// `command` behind a shell that waits for a line before it becomes that program: until then we can take hold of it.
fn hold(command: &Command, out: &File, err: &File) -> Child {
    let mut held = Command::new("sh");
    held.args(["-c", r#"read -r _; exec "$@" </dev/null"#, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => held.env(name, value),
            None => held.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        held.current_dir(dir);
    }
    let copy = |file: &File| file.try_clone().expect("another handle");
    held.stdin(Stdio::piped()).stdout(copy(out)).stderr(copy(err)).spawn().expect("a shell")
}

fn said(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("what it said");
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Tracer {
    tool: Pid,
    program: PathBuf,
    /// The shell has become the tool.
    began: bool,
    killed: bool,
    /// What calls under way that are not done shall give: 0, or an error below it.
    answers: HashMap<Pid, i64>,
}

impl Tracer {
    fn new(command: &Command, child: &Child) -> Self {
        let program = Path::new(command.get_program()).canonicalize().expect("the program is there");
        let tool = Pid::from_raw(child.id().cast_signed());
        Self { tool, program, began: false, killed: false, answers: HashMap::new() }
    }

    /// Its exit code.
    fn follow(&mut self, mut child: Child, fate: &mut (dyn FnMut(&Stop) -> Act + Send)) -> Option<i32> {
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(self.tool, options).expect("may trace its own child");
        child.stdin.take().and_then(|mut line| line.write_all(b"\n").ok()).expect("the shell waits");
        let mut code = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
                Ok(WaitStatus::PtraceSyscall(pid)) => self.stopped(pid, fate),
                Ok(WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC)) => self.became(pid),
                Ok(WaitStatus::PtraceEvent(pid, ..)) => self.go(pid, None),
                Ok(WaitStatus::Stopped(pid, signal)) => self.go(pid, Some(signal)),
                Ok(WaitStatus::Exited(pid, with)) if pid == self.tool => code = Some(with),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => return code,
                Err(error) => panic!("waitpid: {error}"),
            }
        }
    }

    fn stopped(&mut self, pid: Pid, fate: &mut (dyn FnMut(&Stop) -> Act + Send)) {
        // one that dies meanwhile is told of by waitpid
        let Ok(stop) = Stop::of(pid, self.tool) else { return };
        if stop.side == Side::Exit
            && let Some(answer) = self.answers.remove(&pid)
        {
            stop.give(answer);
        }
        match fate(&stop) {
            Act::Go => {}
            Act::Kill => {
                self.killed = true;
                kill(self.tool, Signal::SIGKILL).expect("it is our child");
            }
            Act::Fail(error) => self.instead(&stop, -i64::from(error as i32)),
            Act::Pretend => self.instead(&stop, 0),
        }
        self.go(pid, None);
    }

    fn instead(&mut self, stop: &Stop, answer: i64) {
        stop.skip();
        self.answers.insert(stop.thread, answer);
    }

    /// A child that is a program of its own is no longer the tool. The first exec of all may still be the shell's.
    fn became(&mut self, pid: Pid) {
        if pid == self.tool {
            self.began = fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == self.program);
            return self.go(pid, None);
        }
        let _ = ptrace::detach(pid, None);
    }

    fn go(&self, pid: Pid, signal: Option<Signal>) {
        // what fails here has died, and waitpid says so
        let _ = match (self.began, self.killed) {
            (false, _) => ptrace::cont(pid, signal),
            (true, true) => ptrace::detach(pid, signal),
            (true, false) => ptrace::syscall(pid, signal),
        };
    }
}
