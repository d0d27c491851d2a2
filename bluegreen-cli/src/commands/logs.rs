//! `logs`: what the app prints.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_core::Profile;

use super::{Exit, Halt, Session};
use crate::{output, report::sanitize};

/// How often a log that is followed is looked at.
const POLL: Duration = Duration::from_millis(200);
/// The most that is read back for the last lines.
const BACK: u64 = 256 * 1024;

pub(super) async fn run(session: &Session, name: Option<&str>, follow: bool, lines: usize) -> Result<Exit, Halt> {
    let mut profile = match name {
        Some(name) => session.config.profiles.named(name).cloned().ok_or_else(|| {
            let [first, second] = session.config.profiles.both();
            Halt::new(Exit::Usage, format!("no profile {name:?}: it is {first} or {second}")).next("bluegreen status")
        })?,
        None => active(session).await.unwrap_or_else(|| session.config.profiles.first().clone()),
    };
    let Some(mut log) = session.wired.processes.log(&profile) else {
        return Err(Halt::new(Exit::Refused, format!("{profile} has no log yet: nothing was started there"))
            .next("bluegreen status"));
    };
    let mut at = print_last(&log, lines).map_err(|e| Halt::error(Exit::Refused, &e))?;
    while follow && !session.signals.cancel.is_cancelled() && !output::is_closed() {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = session.signals.cancel.cancelled() => break,
        }
        at = read_from(&log, at, &mut output::line);
        if name.is_none()
            && let Some(now) = active(session).await
        {
            profile = now;
        }
        if let Some(newer) = session.wired.processes.log(&profile).filter(|newer| *newer != log) {
            output::line(format!("--- {profile}: {}", newer.display()));
            (log, at) = (newer, 0);
        }
    }
    Ok(Exit::Done)
}

async fn active(session: &Session) -> Option<Profile> {
    session.wired.deployer.look().await.route().map(|route| route.active.clone())
}

/// Prints the last lines; where the file ends.
fn print_last(log: &PathBuf, lines: usize) -> std::io::Result<u64> {
    let mut file = File::open(log)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(BACK)))?;
    let mut text = Vec::new();
    file.take(BACK).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().for_each(|line| output::line(sanitize(line)));
    Ok(end)
}

/// Gives `print` the whole lines from `at` on, and what is too long to wait for its end; where the next one begins.
fn read_from(log: &Path, mut at: u64, print: &mut impl FnMut(String)) -> u64 {
    let Ok(mut file) = File::open(log) else { return at };
    if file.metadata().is_ok_and(|meta| meta.len() < at) {
        // a rotation has copied it and emptied it
        at = 0;
    }
    if file.seek(SeekFrom::Start(at)).is_err() {
        return at;
    }
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.by_ref().take(BACK).read_until(b'\n', &mut line).is_ok() {
        let length = line.len() as u64;
        if length < BACK && !line.ends_with(b"\n") {
            break;
        }
        at += length;
        print(sanitize(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_end_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let back = usize::try_from(BACK).unwrap();
        let mut lines = Vec::new();
        let mut print = |line: String| lines.push(line.len());
        std::fs::write(&log, "x".repeat(2 * back + 10)).unwrap();
        assert_eq!(read_from(&log, 0, &mut print), 2 * BACK);
        assert_eq!(read_from(&log, 2 * BACK, &mut print), 2 * BACK, "this one may still get its end");
        std::fs::write(&log, "one\nthree\nfo").unwrap();
        assert_eq!(read_from(&log, 0, &mut print), 10);
        assert_eq!(lines, [back, back, 3, 5]);
    }
}
