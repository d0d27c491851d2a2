//! `logs`: what the app prints.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
    time::Duration,
};

use bluegreen_core::Profile;
use bluegreen_linux::files::{self, Rule};

use super::{Exit, Halt, Session};
use crate::{output, report::sanitize};

/// How often a log that is followed is looked at.
const POLL: Duration = Duration::from_millis(200);
/// The most that is read back for the last lines.
const BACK: u64 = 256 * 1024;
/// So much of a log that is followed is read at once.
const PART: u64 = 4 << 20;

pub(super) async fn run(session: &Session, name: Option<&str>, follow: bool, lines: usize) -> Result<Exit, Halt> {
    let (profiles, named) = (&session.config.profiles, name.map(|name| (name, session.config.profiles.named(name))));
    let mut profile = match (named, active(session).await) {
        (Some((_, Some(profile))), _) => profile.clone(),
        (Some((name, None)), _) => {
            let [first, second] = profiles.both();
            let what = format!("no profile {name:?}: it is {first} or {second}");
            return Err(Halt::new(Exit::Usage, what).next("bluegreen status"));
        }
        (None, Some(active)) => active,
        (None, None) => {
            output::line(format!("--- {}, as no profile is known to have the traffic", profiles.first()));
            profiles.first().clone()
        }
    };
    let Some(mut log) = session.wired.processes.log(&profile).map_err(|error| unreadable(&error))? else {
        return Err(Halt::new(Exit::Refused, format!("{profile} has no log: bluegreen started nothing there"))
            .next("bluegreen status"));
    };
    let mut at = print_last(&log, lines).map_err(|error| unreadable(&error))?;
    while follow && !session.signals.cancel.is_cancelled() && !output::is_closed() {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = session.signals.cancel.cancelled() => break,
        }
        at = read_from(&log, at, &mut output::line).map_err(|error| unreadable(&error))?;
        if name.is_none()
            && let Some(now) = active(session).await
        {
            profile = now;
        }
        let newest = session.wired.processes.log(&profile).map_err(|error| unreadable(&error))?;
        if let Some(newer) = newest.filter(|newer| *newer != log) {
            output::line(format!("--- {profile}: {}", newer.display()));
            (log, at) = (newer, 0);
        }
    }
    Ok(Exit::Done)
}

async fn active(session: &Session) -> Option<Profile> {
    session.wired.deployer.look().await.route().map(|route| route.active.clone())
}

fn unreadable(error: &io::Error) -> Halt {
    Halt::error(Exit::Refused, error).next("bluegreen status")
}

/// Prints the last lines; where the file ends.
fn print_last(log: &Path, lines: usize) -> io::Result<u64> {
    let mut file = files::open(log, Rule::ANY)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(BACK)))?;
    let mut text = Vec::new();
    file.take(BACK).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().for_each(|line| output::line(sanitize(line)));
    Ok(end)
}

/// Gives `print` the whole lines from `at` on, and what is too long to wait for its end; where the next one begins. Of much
/// it gives a part, so that whoever wants us to end is heard.
fn read_from(log: &Path, mut at: u64, print: &mut impl FnMut(String)) -> io::Result<u64> {
    let mut file = match files::open(log, Rule::ANY) {
        // a rotation is at it
        Err(error) if error.is_missing() => return Ok(at),
        file => file?,
    };
    if file.metadata()?.len() < at {
        // a rotation has copied it and emptied it
        at = 0;
    }
    file.seek(SeekFrom::Start(at))?;
    let mut reader = BufReader::new(file);
    let (mut line, end) = (Vec::new(), at + PART);
    while at < end {
        reader.by_ref().take(BACK).read_until(b'\n', &mut line)?;
        let length = line.len() as u64;
        if length < BACK && !line.ends_with(b"\n") {
            break;
        }
        at += length;
        print(sanitize(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    Ok(at)
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
        let mut read = |at| read_from(&log, at, &mut print).unwrap();
        assert_eq!(read(0), 2 * BACK);
        assert_eq!(read(2 * BACK), 2 * BACK, "this one may still get its end");
        std::fs::write(&log, "one\nthree\nfo").unwrap();
        assert_eq!(read(0), 10);
        assert_eq!(lines, [back, back, 3, 5]);
    }

    #[test]
    fn a_log_without_an_end_is_given_in_parts() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::File::create(&log).unwrap().set_len(200 << 30).unwrap();
        assert_eq!(read_from(&log, 0, &mut |_| {}).unwrap(), PART);
    }

    #[test]
    fn a_link_in_the_place_of_a_log_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::os::unix::fs::symlink("/etc/passwd", &log).unwrap();
        for error in [print_last(&log, 9).unwrap_err(), read_from(&log, 0, &mut |_| {}).unwrap_err()] {
            assert!(error.to_string().contains("symbolic link"), "{error}");
        }
    }
}
