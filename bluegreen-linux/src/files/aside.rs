//! Giving something another name, so that it is in nobody's way and a person can look at it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// So many directories may be in the way: each was put aside before, and nothing of it is lost.
const MOST: u32 = 100;

/// Gives what is at `path`, whatever it is, the name `path` with `.damaged` behind it. It is neither followed nor opened. What had
/// that name goes, unless a rename does not replace it, as a directory: then a number stands behind.
///
/// # Errors
/// It is not there, or may not be renamed, as where something is mounted.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(".damaged");
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    };
    let mut number = 0;
    loop {
        let aside = name(number);
        match fs::rename(path, &aside) {
            Ok(()) => return Ok(aside),
            Err(error) if number < MOST && is_in_the_way(&error) => number += 1,
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }
}

/// Of a directory in the place of a file, a file in that of a directory, and a directory that is not empty.
fn is_in_the_way(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory)
}
