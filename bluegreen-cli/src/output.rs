//! Printing what was asked for. A reader that went away stops nothing and is no error. A file or a device that takes no more
//! stops nothing either, and the command that wrote to it does not end with 0.

use std::{
    fs,
    io::{self, ErrorKind, Write, stderr, stdout},
    os::unix::fs::FileTypeExt as _,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    fs::{OFlags, fcntl_getfl},
    io::Errno,
    process::Signal,
};
use serde::Serialize;

use crate::{
    exit::Exit,
    report::{Paint, Patient, Trouble, escape},
};

/// Why not all of stdout could be written: the first reason.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Whether stdout takes no more, for whatever reason.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Where stdout leads, as the system knows it.
const STDOUT: &str = "/proc/self/fd/1";

/// Takes away the limit of a file's size.
pub(crate) const FILE_SIZE: &str = "ulimit -f unlimited";

/// Standard output, whose errors are kept until the [end](ended).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kept(stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        kept(stdout().flush())
    }
}

fn kept<T>(result: io::Result<T>) -> io::Result<T> {
    result.inspect_err(|error| {
        if error.kind() == ErrorKind::Interrupted {
            return;
        }
        CLOSED.store(true, Ordering::Relaxed);
        if !reader_is_gone(error) {
            let again = io::Error::from_raw_os_error(error.raw_os_error().unwrap_or_default());
            LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(again);
        }
    })
}

/// Of a pipe or a connection, and of a terminal that was closed: every write to that is an error of the device.
fn reader_is_gone(error: &io::Error) -> bool {
    let hung_up = || {
        error.raw_os_error() == Some(Errno::IO.raw_os_error())
            && fs::metadata(STDOUT).is_ok_and(|meta| meta.file_type().is_char_device())
    };
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) || hung_up()
}

/// Looks whether stdout is open for writing: a write to one that is not is dropped by the standard library without a word.
pub(crate) fn heed_stdout() {
    let mode = fcntl_getfl(stdout()).map(|flags| flags & OFlags::RWMODE);
    if matches!(mode, Ok(OFlags::RDONLY) | Err(Errno::BADF)) {
        let _ = kept::<()>(Err(Errno::BADF.into()));
    }
}

/// Whether it is no use to print any more.
pub(crate) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Makes the limit of a file's size (`ulimit -f`) an error of the write like any other, where it is a signal that ends the
/// program. A handler, which the programs that we start do not inherit.
pub(crate) fn heed_file_size() -> io::Result<()> {
    signal_hook::flag::register(Signal::XFSZ.as_raw(), Arc::new(AtomicBool::new(false))).map(|_| ())
}

/// Says what clap has to say: help and version on stdout, a mistake on stderr.
pub(crate) fn clap(said: &clap::Error) -> Exit {
    let printed = said.print();
    if said.use_stderr() {
        return Exit::Usage;
    }
    let _ = kept(printed).and_then(|()| Stdout.flush());
    Exit::Done
}

/// How a command really ends that would end with `exit`: what it did is done, but if it says so in vain, that is not 0.
pub(crate) fn ended(exit: Exit) -> Exit {
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(error) = lost.filter(|_| exit == Exit::Done) else { return exit };
    let place = fs::read_link(STDOUT).unwrap_or_else(|_| STDOUT.into());
    let trouble = Trouble {
        causes: vec![error.to_string()],
        command: fix(&error, &place),
        ..Trouble::new(format!("not all of the output could be written to {}", place.display()))
    };
    self::error(trouble.render(Paint(false), 0));
    Exit::Internal
}

/// What to type when a file at `place` cannot be written.
fn fix(error: &io::Error, place: &Path) -> Option<String> {
    match error.kind() {
        _ if error.raw_os_error() == Some(Errno::BADF.raw_os_error()) => None,
        ErrorKind::FileTooLarge => Some(FILE_SIZE.to_owned()),
        _ => Some(format!("df -h {}", place.display())),
    }
}

/// Prints `text` and a line break.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(Stdout, "{text}");
}

/// Prints JSON on one line.
pub(crate) fn json(value: &impl Serialize) {
    line(as_json(value));
}

/// `value` as JSON on one line.
pub(crate) fn as_json(value: &impl Serialize) -> String {
    // all keys of ours are text, so this cannot fail
    escape(&serde_json::to_string(value).unwrap_or_default())
}

/// Prints `text` as it is.
pub(crate) fn raw(text: impl std::fmt::Display) {
    let _ = write!(Stdout, "{text}").and_then(|()| Stdout.flush());
}

/// Prints `text` to stderr, as it is.
pub(crate) fn error(text: impl std::fmt::Display) {
    let _ = write!(Patient::new(stderr()), "{text}");
}
