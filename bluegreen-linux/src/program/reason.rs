//! Why a program could not be executed, in words.

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use super::obstacle::{Obstacle, missing_interpreter, obstacle};

/// The kernel says "no such file" also of what the file needs.
pub(super) fn of(error: &io::Error, name: &OsStr, path: &OsStr, directory: &Path) -> String {
    let has_slash = name.as_encoded_bytes().contains(&b'/');
    let text = match error.kind() {
        io::ErrorKind::NotFound => match find(name, path, directory) {
            None => "there is no such program",
            Some(file) => match missing_interpreter(&file) {
                Some(missing) => {
                    return format!("its first line names the interpreter {missing:?}, which is not there");
                }
                None => "it was built for another system: the loader that it names is not there",
            },
        },
        // also when a directory of PATH is closed to this user
        io::ErrorKind::PermissionDenied if !has_slash => "there is no such program that this user may run",
        io::ErrorKind::PermissionDenied => match obstacle(name, None, Some(directory)) {
            Some(Obstacle::Directory(_)) => "it is a directory",
            Some(Obstacle::Closed(..)) => "a directory on the way is closed to this user",
            Some(Obstacle::NoExec(_)) => "its file system is mounted noexec",
            _ => "it is not executable for this user",
        },
        io::ErrorKind::ExecutableFileBusy => "somebody still writes to it",
        _ => return error.to_string(),
    };
    text.to_owned()
}

fn find(name: &OsStr, path: &OsStr, directory: &Path) -> Option<PathBuf> {
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(directory.join(name)).filter(|file| file.is_file());
    }
    env::split_paths(path).map(|dir| directory.join(dir).join(name)).find(|file| file.is_file())
}
