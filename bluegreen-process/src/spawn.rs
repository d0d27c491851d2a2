//! Starting a program that outlives us and holds nothing of ours.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use process_wrap::std::{CommandWrap, ProcessSession};
use rustix::{fs::Mode, process::umask};

use crate::environment::Environment;

/// A program, ready to run.
pub(crate) struct Program<'a> {
    pub(crate) argv: &'a [String],
    pub(crate) environment: &'a Environment,
    pub(crate) workdir: &'a Path,
    pub(crate) umask: u32,
    pub(crate) log: File,
}

/// Starts `program` in a session of its own and gives back its pid; exec has succeeded then.
///
/// All of it is safe code: `process-wrap` calls setsid in the child, and `std` empties its signal mask. What neither does is
/// done to this process just before, in ways that do not change how it behaves: see the helpers.
pub(crate) fn spawn(program: Program<'_>) -> io::Result<u32> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let [name, arguments @ ..] = program.argv else { return Err(io::Error::other("the command is empty")) };
    if !program.workdir.is_dir() {
        return Err(io::Error::other(format!("the working directory {} does not exist", program.workdir.display())));
    }
    let mut command = Command::new(name);
    command.args(arguments).env_clear().envs(program.environment).current_dir(program.workdir);
    command.stdin(Stdio::null()).stdout(program.log.try_clone()?).stderr(program.log);

    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    keep_descriptors();
    heed_signals()?;
    // for a moment also the mask of our other threads: what they create then is closed to more people, not to fewer
    let ours = umask(Mode::from_raw_mode(program.umask));
    let child = CommandWrap::from(command).wrap(ProcessSession).spawn();
    umask(ours);
    child.map(|child| child.id()).map_err(|error| {
        let why = reason(&error, name, program.environment, program.workdir);
        io::Error::new(error.kind(), format!("cannot run {name:?}: {why}"))
    })
}

/// Why `name` could not be executed. The kernel says "no such file" also of what the file needs.
fn reason(error: &io::Error, name: &str, environment: &Environment, workdir: &Path) -> String {
    let text = match error.kind() {
        io::ErrorKind::NotFound => match find(name, environment, workdir) {
            None => "there is no such program",
            Some(file) => match interpreter(&file) {
                Some(missing) => {
                    return format!("its first line names the interpreter {missing:?}, which is not there");
                }
                None => "it was built for another system: the loader that it names is not there",
            },
        },
        // also when a directory of PATH is closed to this user
        io::ErrorKind::PermissionDenied if !name.contains('/') => "there is no such program that this user may run",
        io::ErrorKind::PermissionDenied => "it is not executable for this user",
        io::ErrorKind::ExecutableFileBusy => "somebody still writes to it",
        _ => return error.to_string(),
    };
    text.to_owned()
}

fn find(name: &str, environment: &Environment, workdir: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(workdir.join(name)).filter(|file| file.is_file());
    }
    let path = environment.get(OsStr::new("PATH"))?;
    env::split_paths(path).map(|dir| workdir.join(dir).join(name)).find(|file| file.is_file())
}

/// The program in the `#!` of a script.
fn interpreter(script: &Path) -> Option<String> {
    let mut start = Vec::new();
    // the kernel reads no more
    File::open(script).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?.strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    // a carriage return, as Windows writes it, belongs to the name
    line.split([' ', '\t']).find(|word| !word.is_empty()).map(ToOwned::to_owned)
}

/// Marks every descriptor but stdin, stdout and stderr close-on-exec. All that Rust opens are; what our own caller left
/// open (the lock of a script, the pipe of a CI job) may not be, and the child would hold it for as long as it runs.
fn keep_descriptors() {
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
}

/// Signals that a program expects to have an effect, where the number is the same on every Linux we run on.
const EXPECTED: [i32; 8] = [1, 2, 3, 10, 12, 14, 15, 17];

/// An ignored signal (under nohup, or started by `sh` with `&`) stays ignored over exec, a handled one does not. So what
/// this process ignores gets a handler that does nothing: the same for us, and the default for the child.
fn heed_signals() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    for signal in EXPECTED.into_iter().filter(|n| mask.unwrap_or_default() & (1 << (n - 1)) != 0) {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}
