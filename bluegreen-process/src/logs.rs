//! The output of what was started.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{OpenOptionsExt, symlink},
    path::{Path, PathBuf},
};

use bluegreen_core::sanitize;
use bluegreen_linux::files::{self, Rule};
use rustix::fs::OFlags;

use crate::{record, releases::Readers};

/// So many logs of earlier starts stay.
const KEEP: usize = 10;
/// At most so much of a log's end is shown.
const TAIL_BYTES: u64 = 16 << 10;
const TAIL_LINES: usize = 20;
/// Of a longer line so many characters of its start and of its end are shown.
const LINE_ENDS: usize = 200;

/// Opens a new log in `dir`, points `dir/current` to it and removes the oldest ones.
pub(crate) fn open_new(dir: &Path, readers: Readers) -> io::Result<(PathBuf, File)> {
    record::private_dir(dir)?;
    // what has to run runs, whoever may read what it says
    let _ = dir.parent().map_or(Ok(()), |all| readers.let_into(all)).and_then(|()| readers.let_into(dir));
    let files = fs::read_dir(dir)?.map(|entry| entry.map(|entry| numbered(&entry))).collect::<io::Result<Vec<_>>>()?;
    let files: Vec<(u64, PathBuf)> = files.into_iter().flatten().collect();
    let mut numbers: Vec<u64> = files.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let next = numbers.last().map_or(1, |last| last + 1);
    let oldest = numbers.iter().rev().nth(KEEP - 1).copied().unwrap_or_default();
    for (_, old) in files.iter().filter(|(number, _)| *number < oldest) {
        let _ = fs::remove_file(old);
    }
    let path = dir.join(name(next));
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let file = fs::OpenOptions::new().append(true).create_new(true).mode(0o640).custom_flags(flags).open(&path)?;
    let _ = readers.let_into(&path);
    for link in ["current.new", "current"].map(|name| dir.join(name)) {
        // a release has its log all the same
        if fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_dir()) {
            files::set_aside(&link)?;
        }
    }
    let new_link = dir.join("current.new");
    let _ = fs::remove_file(&new_link);
    symlink(name(next), &new_link)?;
    fs::rename(new_link, dir.join("current"))?;
    Ok((path, file))
}

/// The log of a start, or what a rotation made of it, as `000042.log.1.gz`.
fn numbered(entry: &fs::DirEntry) -> Option<(u64, PathBuf)> {
    let name = entry.file_name();
    let (number, rest) = name.to_str()?.split_once(".log")?;
    (rest.is_empty() || rest.starts_with(['.', '-'])).then_some((number.parse().ok()?, entry.path()))
}

fn name(number: u64) -> String {
    format!("{number:06}.log")
}

/// The last lines of a log, safe for a terminal. A log that cannot be read has none.
pub(crate) fn tail(path: &Path) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = files::open(path, Rule::ANY)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = sanitize(&String::from_utf8_lossy(&read().unwrap_or_default()));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].iter().map(|line| shorten(line)).collect()
}

fn shorten(line: &str) -> String {
    let mut ends = line.char_indices().map(|(at, _)| at);
    let ends = ends.nth(LINE_ENDS).zip(ends.rev().nth(LINE_ENDS - 1));
    ends.map_or_else(|| line.to_owned(), |(start, end)| format!("{} … {}", &line[..start], &line[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_log_for_each_start_and_not_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs/real1");
        for _ in 0..15 {
            open_new(&logs, Readers::default()).unwrap();
        }
        let (path, _) = open_new(&logs, Readers::default()).unwrap();
        assert_eq!(path.file_name().unwrap(), "000016.log");
        assert_eq!(logs.join("current").canonicalize().unwrap(), path.canonicalize().unwrap());
        assert_eq!(fs::read_dir(&logs).unwrap().count(), KEEP + 1 + 1);
    }

    #[test]
    fn what_a_rotation_made_of_a_log_goes_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let logs = dir.path().join("logs/real1");
        open_new(&logs, Readers::default()).unwrap();
        for name in ["000001.log.1", "000001.log.2.gz", "000001.log-20261122", "000001.logo", "notes"] {
            fs::write(logs.join(name), "").unwrap();
        }
        let here = |name: &str| logs.join(name).exists();
        for _ in 0..KEEP - 1 {
            open_new(&logs, Readers::default()).unwrap();
        }
        assert!(here("000001.log") && here("000001.log.2.gz"));
        open_new(&logs, Readers::default()).unwrap();
        open_new(&logs, Readers::default()).unwrap();
        assert!(
            !here("000001.log") && !here("000001.log.1") && !here("000001.log.2.gz") && !here("000001.log-20261122")
        );
        assert!(here("000001.logo") && here("notes") && here("000012.log"));
    }

    #[test]
    fn shows_the_end_bounded_and_clean() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let long = (0..9999).fold(String::new(), |text, i| text + &format!("line {i}\n"));
        fs::write(&path, long + "\u{1b}[31mlast\u{1b}[0m \u{202e}one\n\n").unwrap();
        let lines = tail(&path);
        assert_eq!(lines.len(), TAIL_LINES);
        assert_eq!(lines[18..], ["line 9998", "last one"]);
        assert!(tail(&dir.path().join("none")).is_empty());
    }

    #[test]
    fn a_long_line_is_cut_in_the_middle() {
        let (dir, start, end) = (tempfile::tempdir().unwrap(), "ä".repeat(LINE_ENDS), "ö".repeat(LINE_ENDS));
        let path = dir.path().join("a.log");
        fs::write(&path, format!("{start}{end}\n{start}x{end}\n{}", "y".repeat(1 << 20))).unwrap();
        let lines = tail(&path);
        assert_eq!(lines.len(), 1, "the others are too far from the end");
        assert_eq!(lines[0], format!("{0} … {0}", "y".repeat(LINE_ENDS)));
        assert_eq!(shorten(&format!("{start}{end}")), format!("{start}{end}"));
        assert_eq!(shorten(&format!("{start}x{end}")), format!("{start} … {end}"));
    }
}
