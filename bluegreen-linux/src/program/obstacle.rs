//! What keeps a program from being run, as far as that can be seen without running it.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags, accessat, statvfs};

use crate::files::is_missing;

/// Why a program could not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// The directory that it would run in.
    #[error("the working directory {path} {why}", path = .0.display(), why = .1)]
    Workdir(PathBuf, String),
    /// Nothing has this path.
    #[error("there is no {}", .0.display())]
    Missing(PathBuf),
    /// No directory of PATH has a program of this name.
    #[error("`{}` is not in PATH", .0.display())]
    NotInPath(OsString),
    /// A directory on the way cannot be searched.
    #[error("{path} cannot be reached: {why}", path = .0.display(), why = .1)]
    Closed(PathBuf, String),
    /// It is none.
    #[error("{} is a directory", .0.display())]
    Directory(PathBuf),
    /// This user may not run it.
    #[error("{} is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// Nothing on this file system is run.
    #[error("{} is on a file system that is mounted noexec", .0.display())]
    NoExec(PathBuf),
    /// A script that needs another program.
    #[error("the first line of {script} names the interpreter {missing:?}, which is not there", script = .0.display(), missing = .1)]
    Interpreter(PathBuf, String),
}

/// What keeps `name` from being run in `directory` by this user. `path`: where a name without a slash is searched; where that is not
/// known, it may be anywhere.
pub fn obstacle(name: &OsStr, path: Option<&OsStr>, directory: Option<&Path>) -> Option<Obstacle> {
    let here = directory.unwrap_or(Path::new(""));
    if let Some(why) = directory.and_then(not_entered) {
        return Some(Obstacle::Workdir(here.to_owned(), why));
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return of_file(&here.join(name));
    }
    let mut found: Vec<Option<Obstacle>> =
        std::env::split_paths(path?).map(|dir| of_file(&here.join(dir).join(name))).collect();
    if found.iter().any(Option::is_none) {
        return None;
    }
    // what is there and cannot be run says more than that the others have none
    found.retain(|it| matches!(it, Some(Obstacle::Interpreter(..))));
    found.pop().unwrap_or_else(|| Some(Obstacle::NotInPath(name.to_owned())))
}

fn not_entered(directory: &Path) -> Option<String> {
    match directory.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("does not exist".to_owned()),
        Err(error) => Some(format!("cannot be reached: {error}")),
        Ok(meta) if !meta.is_dir() => Some("is no directory".to_owned()),
        Ok(_) => (!is_allowed(directory)).then(|| "is closed to this user".to_owned()),
    }
}

fn of_file(file: &Path) -> Option<Obstacle> {
    let path = || file.to_owned();
    match fs::metadata(file) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Some(Obstacle::Missing(path()))
        }
        Err(error) => Some(Obstacle::Closed(path(), error.to_string())),
        Ok(meta) if meta.is_dir() => Some(Obstacle::Directory(path())),
        Ok(_) if is_noexec(file) => Some(Obstacle::NoExec(path())),
        Ok(_) if !is_allowed(file) => Some(Obstacle::NotExecutable(path())),
        Ok(_) => missing_interpreter(file).map(|missing| Obstacle::Interpreter(path(), missing)),
    }
}

/// Whether nothing is run of what is there; false also where that cannot be told, as exec tells then.
pub fn is_noexec(path: &Path) -> bool {
    statvfs(path).is_ok_and(|fs| fs.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

fn is_allowed(path: &Path) -> bool {
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// The program in the `#!` of a script, when it is not there.
pub(super) fn missing_interpreter(script: &Path) -> Option<String> {
    let mut start = Vec::new();
    // the kernel reads no more; a program that is no script may be one that nobody may read
    File::open(script).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?.strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    // a carriage return, as Windows writes it, belongs to the name
    let named = line.split([' ', '\t']).find(|word| !word.is_empty())?;
    is_missing(Path::new(named)).then(|| named.to_owned())
}
