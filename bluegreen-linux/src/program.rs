//! Other people's programs, and what they get of us.
//!
//! There is one way to run them. Each gets an empty standard input, signals as they are by default and a process group of its
//! own, and no descriptor of ours but its output. One that is waited for is killed with its group when nobody waits any more;
//! [`Program::run`] also bounds its time and what it may say. One that is [detached](Program::detach) has a session of its own.
//!
//! The environment is the caller's, unless [`Program::with_environment`] says another one. Root's `PATH` is [cleaned](path).

mod obstacle;
mod path;
mod reason;
pub mod relay;
mod running;
mod signals;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use process_wrap::std::{CommandWrap, ProcessSession, ResetSigmask};
use rustix::{fs::Mode, process::umask};

pub use obstacle::{Obstacle, is_noexec, obstacle};
pub use path::{find, find_for_root, is_safe, path};
pub use running::{Running, Stream};

/// The variables of a program.
pub type Environment = BTreeMap<OsString, OsString>;

/// The most that [`Program::run`] takes of what a program says, in bytes: `nginx -T` prints a whole configuration.
pub const OUTPUT: usize = 16 << 20;

/// A program, ready to run.
#[derive(Debug, Clone, Default)]
pub struct Program {
    words: Vec<OsString>,
    /// All of its variables; else those of this process, and `more`.
    environment: Option<Environment>,
    more: Environment,
    directory: Option<PathBuf>,
    umask: Option<u32>,
}

/// What a program said until its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// On its standard output.
    pub out: String,
    /// On its standard error.
    pub err: String,
}

/// Why it is not known what a program would have said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It could not be started.
    #[error("{0}")]
    NotRun(String),
    /// It could not be listened to.
    #[error("it could not be listened to")]
    Unheard(#[source] io::Error),
    /// It was killed after this time.
    #[error("it did not end in time")]
    Late,
    /// It was killed after this many bytes.
    #[error("it says more than {} MiB", .0 >> 20)]
    TooMuch(usize),
}

impl Program {
    /// Its name, or its path, and its arguments. No shell sees them.
    pub fn new(words: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// With these variables and no others.
    #[must_use = "returns the program"]
    pub fn with_environment(self, environment: Environment) -> Self {
        Self { environment: Some(environment), ..self }
    }

    /// With these variables too.
    #[must_use = "returns the program"]
    pub fn with(mut self, more: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>) -> Self {
        self.more.extend(more.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Begins in this directory; else in ours.
    #[must_use = "returns the program"]
    pub fn in_directory(self, directory: impl Into<PathBuf>) -> Self {
        Self { directory: Some(directory.into()), ..self }
    }

    /// With this file mode creation mask; else ours.
    #[must_use = "returns the program"]
    pub fn with_umask(self, umask: u32) -> Self {
        Self { umask: Some(umask), ..self }
    }

    /// Runs it to its end, at most `within`, and returns what it said.
    ///
    /// # Errors
    /// It is not known what it would have said. That it failed is no error.
    pub async fn run(self, within: Duration) -> Result<Said, RunError> {
        let mut running = self.start(true).map_err(|error| RunError::NotRun(error.to_string()))?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut hear = |from, bytes: &[u8]| {
            let heard = if from == Stream::Out { &mut out } else { &mut err };
            heard.extend_from_slice(bytes);
            heard.len() <= OUTPUT
        };
        // dropped, it is killed
        let ended = tokio::time::timeout(within, running.end(&mut hear)).await.map_err(|_| RunError::Late)?;
        let status = ended.map_err(RunError::Unheard)?.ok_or(RunError::TooMuch(OUTPUT))?;
        let [out, err] = [out, err].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Said { status, out, err })
    }

    /// The same for who cannot wait otherwise. Not to be called often: it takes a thread.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_blocking(self, within: Duration) -> Result<Said, RunError> {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(RunError::Unheard)?.block_on(self.run(within))
        };
        // a runtime may be at work on this thread, and cannot have another one inside
        std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Starts it and listens to it; needs a runtime. `apart`: its standard output and its standard error are told from one
    /// another.
    ///
    /// # Errors
    /// Why it could not be started, in words for a person.
    pub fn start(self, apart: bool) -> io::Result<Running> {
        let command = self.command()?;
        Running::spawn(command, apart, |spawn| clean(self.umask, spawn)).map_err(|error| self.explained(&error))
    }

    /// Starts it in a session of its own, where it outlives us, with `log` for all that it says, and returns its pid; exec has
    /// succeeded then.
    ///
    /// # Errors
    /// Why it could not be started, in words for a person.
    pub fn detach(self, log: File) -> io::Result<u32> {
        let mut command = self.command()?;
        command.stdout(log.try_clone()?).stderr(log);
        in_session(command, self.umask).map_err(|error| self.explained(&error))
    }

    fn command(&self) -> io::Result<Command> {
        let [name, arguments @ ..] = &self.words[..] else { return Err(io::Error::other("the command is empty")) };
        if let Some(why @ Obstacle::Workdir(..)) = obstacle(name, None, self.directory.as_deref()) {
            return Err(io::Error::new(io::ErrorKind::NotFound, why.to_string()));
        }
        let mut command = Command::new(name);
        command.args(arguments).stdin(Stdio::null());
        match &self.environment {
            Some(all) => drop(command.env_clear().envs(all)),
            None => drop(command.env("PATH", path())),
        }
        command.envs(&self.more);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        Ok(command)
    }

    /// Where it is looked for.
    fn searched(&self) -> OsString {
        let path = OsStr::new("PATH");
        let own = self.more.get(path).cloned();
        own.or_else(|| self.environment.as_ref().map_or_else(|| Some(self::path()), |all| all.get(path).cloned()))
            .unwrap_or_default()
    }

    fn explained(&self, error: &io::Error) -> io::Error {
        let name = self.words.first().map(OsString::as_os_str).unwrap_or_default();
        let shown = name.to_string_lossy();
        let directory = self.directory.as_deref().unwrap_or(Path::new(""));
        let why = reason::of(error, name, &self.searched(), directory);
        io::Error::new(error.kind(), format!("cannot run {shown:?}: {why}"))
    }
}

/// Starts `command` in a session of its own and returns its pid.
fn in_session(command: Command, umask: Option<u32>) -> io::Result<u32> {
    clean(umask, || CommandWrap::from(command).wrap(ProcessSession).wrap(ResetSigmask).spawn()).map(|child| child.id())
}

/// Calls `spawn` where a new process gets nothing of ours that it should not.
///
/// All of it is safe code: `process-wrap` calls setsid in the child and empties its signal mask. What it does not do is
/// done to this process just before, in ways that do not change how it behaves: see the helpers.
fn clean<T>(mask: Option<u32>, spawn: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    keep_descriptors();
    signals::heed()?;
    // for a moment also the mask of our other threads: what they create then is closed to more people, not to fewer
    let ours = mask.map(|mask| umask(Mode::from_raw_mode(mask)));
    let spawned = spawn();
    ours.map(umask);
    spawned
}

/// Marks every descriptor but stdin, stdout and stderr close-on-exec. All that Rust opens are; what our own caller left
/// open (the lock of a script, the pipe of a CI job) may not be, and the child would hold it for as long as it runs.
pub fn keep_descriptors() {
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
}

#[cfg(test)]
mod tests;
