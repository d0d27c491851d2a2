//! Why a program could not be executed, in words.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The kernel says "no such file" also of what the file needs.
pub(super) fn of(error: &io::Error, name: &OsStr, path: &OsStr, directory: &Path) -> String {
    let has_slash = name.as_encoded_bytes().contains(&b'/');
    let text = match error.kind() {
        io::ErrorKind::NotFound => match find(name, path, directory) {
            None => "there is no such program",
            Some(file) => match interpreter(&file) {
                Some(missing) => {
                    return format!("its first line names the interpreter {missing:?}, which is not there");
                }
                None => "it was built for another system: the loader that it names is not there",
            },
        },
        // also when a directory of PATH is closed to this user
        io::ErrorKind::PermissionDenied if !has_slash => "there is no such program that this user may run",
        io::ErrorKind::PermissionDenied => "it is not executable for this user",
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
