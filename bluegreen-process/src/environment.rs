//! The environment of what is started.

use std::path::{Path, PathBuf};

use bluegreen_linux::{
    files::{self, FileError, Rule},
    program::{self, Environment},
};

/// The kernel takes no larger environment than this (6 MB, as of Linux 4.13), whatever the limits of a process.
const LIMIT: u64 = 8 << 20;

/// Passed on from the caller; the rest of its environment (credentials of a CI job, `LD_PRELOAD`) stays behind.
const PASSED: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "USER"];

/// The caller's variables that are passed on.
pub(crate) fn passed(more: &[String]) -> Environment {
    let names = PASSED.into_iter().chain(more.iter().map(String::as_str));
    let mut environment: Environment =
        names.filter_map(|name| std::env::var_os(name).map(|value| (name.into(), value))).collect();
    environment.insert("PATH".into(), program::path());
    environment
}

/// Why an environment file is not used. No text of it is in the words: it holds secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFileError {
    /// It cannot be read, or should not be.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line makes no sense.
    #[error("{}: line {line} is not NAME=value", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        line: usize,
    },
}

impl EnvFileError {
    /// What to type.
    pub fn fix(&self) -> String {
        match self {
            Self::File(FileError::Unfit { path, why }) => {
                why.fix().map_or_else(|| format!("ls -l {}", path.display()), |fix| format!("{fix} {}", path.display()))
            }
            Self::File(FileError::Io { path, .. }) => format!("ls -l {}", path.display()),
            Self::File(_) => "ls -l, of that file".to_owned(),
            Self::Line { path, line } => format!("correct line {line} of {}", path.display()),
        }
    }
}

/// Whether the file of `[start] env_file` could be used by a start now, as this user.
///
/// # Errors
/// What a start would say.
pub fn check_env_file(path: &Path) -> Result<(), EnvFileError> {
    read_file(path).map(drop)
}

/// Reads an environment file of `NAME=value` lines. It must belong to this user or root and be closed to all others.
pub(crate) fn read_file(path: &Path) -> Result<Vec<(String, String)>, EnvFileError> {
    let text = files::find(path).and_then(|found| found.obeys(Rule::SECRET)?.text(LIMIT))?;
    // the text of a line is a secret: its number must do
    parse(&text).map_err(|line| EnvFileError::Line { path: path.to_owned(), line })
}

/// Comments, `export`, single quotes (all literal) and double quotes (`\n`, `\"`, `\\`, `\$`) as in dotenv files. Nothing is
/// substituted: a `$` in a password is a `$`.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut variables = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line.split_once('=').and_then(|(name, raw)| Some((name.trim(), value(raw.trim())?)));
        match pair {
            Some((name, value)) if is_name(name) => variables.push((name.to_owned(), value)),
            _ => return Err(number + 1),
        }
    }
    Ok(variables)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn value(raw: &str) -> Option<String> {
    let (text, rest) = if let Some(quoted) = raw.strip_prefix('\'') {
        quoted.split_once('\'').map(|(text, rest)| (text.to_owned(), rest))?
    } else if let Some(quoted) = raw.strip_prefix('"') {
        double_quoted(quoted)?
    } else {
        let end = raw.find(" #").unwrap_or(raw.len());
        return (!raw.contains('\0')).then(|| raw[..end].trim_end().to_owned());
    };
    let rest = rest.trim_start();
    ((rest.is_empty() || rest.starts_with('#')) && !text.contains('\0')).then_some(text)
}

fn double_quoted(quoted: &str) -> Option<(String, &str)> {
    let (mut text, mut chars) = (String::new(), quoted.chars());
    loop {
        match chars.next()? {
            '"' => return Some((text, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                c @ ('"' | '\\' | '$') => text.push(c),
                c => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn reads_dotenv_lines_and_substitutes_nothing() {
        let text =
            "# c\n\nA=1\nexport B = two words # c\nC='$x #'\nD=\"a\\n\\\"b\\\" \\$c\" # c\nE=\nF=a#b$y\nG=\"\\d\"\n";
        let pairs = parse(text).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$x #"),
            ("D", "a\n\"b\" $c"),
            ("E", ""),
            ("F", "a#b$y"),
            ("G", "\\d"),
        ];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        for bad in ["A", "=1", "1A=2", "A B=1", "A='x", "A=\"x", "A='x'y"] {
            assert_eq!(parse(&format!("OK=1\n{bad}\n")), Err(2), "{bad}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        let write = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        write("A=secret\n", 0o640);
        assert!(read_file(&path).unwrap_err().to_string().contains("can be read by others"));
        write("A=secret\n", 0o600);
        assert_eq!(read_file(&path).unwrap(), [("A".to_owned(), "secret".to_owned())]);
        write("top secret\n", 0o600);
        let error = read_file(&path).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
        assert!(read_file(dir.path()).is_err());
    }
}
