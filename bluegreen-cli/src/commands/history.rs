//! `history`: what was done, as a table, and one deploy as a story.

use std::{
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_core::{Cause, Failure, State, StateStore as _};
use bluegreen_linux::files::FileError;
use jiff::Timestamp;

use super::{Exit, Format, Global, Halt, Session};
use crate::{
    args::HistoryAction,
    history::{self, Entry, Kept},
    output,
    report::{self, HistoryRow, Tone, ago, brief, history_table, took},
    story,
};

pub(super) fn run(
    session: &Session,
    global: &Global,
    last: usize,
    action: Option<&HistoryAction>,
) -> Result<Exit, Halt> {
    match action {
        None => list(session, global, last),
        Some(HistoryAction::Show { id, html }) => show(session, global, id.as_deref(), html.as_ref()),
    }
}

fn show(session: &Session, global: &Global, id: Option<&str>, html: Option<&Option<PathBuf>>) -> Result<Exit, Halt> {
    let entries = history::find(read(session)?, id);
    let Some(newest) = entries.last() else {
        let unknown = |id| (format!("no deploy {id:?} is known"), "bluegreen history");
        let (what, next) = id.map_or_else(|| empty(session), unknown);
        return Err(Halt::new(Exit::Refused, what).next(next));
    };
    if let Some(file) = html {
        let app = session.config.app.as_str();
        let name = || PathBuf::from(format!("{app}-{}.html", story::numbered(newest).replace(' ', "-")));
        return write(&file.clone().unwrap_or_else(name), &story::page(app, &entries));
    }
    if global.format == Format::Json {
        entries.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    let (paint, width) = (report::stdout_paint(global.color), report::table_width());
    let told: Vec<String> = entries.iter().map(|entry| story::text(entry, paint, width)).collect();
    output::raw(told.join("\n"));
    Ok(Exit::Done)
}

/// To a file of our own, `-` for standard output. It may hold the last lines of a log: others do not read it by accident.
fn write(file: &Path, page: &str) -> Result<Exit, Halt> {
    if file == Path::new("-") {
        output::raw(page);
        return Ok(Exit::Done);
    }
    let open = || std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(file);
    let written = open().and_then(|mut open| io::Write::write_all(&mut open, page.as_bytes()));
    if let Err(error) = written {
        let what = format!("cannot write {}: {error}", file.display());
        return Err(Halt::new(Exit::Usage, what).next("bluegreen history show --html /tmp/deploy.html"));
    }
    output::line(format!("wrote {}", file.display()));
    Ok(Exit::Done)
}

/// What is in it is not known, and nothing is said of it.
fn unreadable(error: &FileError) -> Halt {
    Halt::new(Exit::Refused, format!("the history cannot be read: {error}")).next("bluegreen check")
}

/// What is kept; how much of it makes no sense is told beside it.
fn read(session: &Session) -> Result<Vec<Entry>, Halt> {
    let Kept { entries, torn } = history::all(&session.config.state_dir).map_err(|error| unreadable(&error))?;
    let lines = match torn {
        0 => return Ok(entries),
        1 => "1 line of the history makes no sense, and is left out: what it told is".to_owned(),
        _ => format!("{torn} lines of the history make no sense, and are left out: what they told is"),
    };
    output::error(format!("warning: {lines} not known\n"));
    Ok(entries)
}

/// What is known where the history has no entry, and what to type.
fn empty(session: &Session) -> (String, &'static str) {
    match session.wired.store.load() {
        Ok(State { number: 0, lost: false, .. }) => {
            ("nothing was deployed yet".to_owned(), "bluegreen deploy ARTIFACT")
        }
        Ok(_) => ("the history has no entry, though there were deploys".to_owned(), "bluegreen status"),
        Err(error) => {
            let what = format!("the history has no entry, and whether there were deploys is not known: {error}");
            (what, "bluegreen recover")
        }
    }
}

fn list(session: &Session, global: &Global, last: usize) -> Result<Exit, Halt> {
    let mut all = read(session)?;
    let is_empty = all.is_empty();
    let entries = all.split_off(all.len().saturating_sub(last));
    if global.format == Format::Json {
        entries.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    let now = Timestamp::now();
    let row = |entry: &Entry| HistoryRow {
        number: entry.number,
        // the clock was put back since: then only the date is known
        when: Duration::try_from(now.duration_since(entry.began)).map_or_else(|_| story::when(entry.began), ago),
        what: entry.kind.to_string(),
        release: entry.release.to_string(),
        version: entry.version.clone(),
        to: entry.to.clone(),
        took: took(Duration::from_millis(entry.took_ms)),
        outcome: match &entry.failure {
            Some(failure) if entry.exit_code != 0 => ended(&entry.outcome, failure),
            _ => entry.outcome.replace('_', " "),
        },
        tone: match entry.exit_code {
            0 => Tone::Good,
            20 => Tone::Bad,
            _ => Tone::Warn,
        },
    };
    let rows: Vec<HistoryRow> = entries.iter().map(row).collect();
    if is_empty {
        output::line(empty(session).0);
    } else {
        output::raw(history_table(&rows, report::stdout_paint(global.color), report::table_width()));
    }
    Ok(Exit::Done)
}

/// How it ended and why, without what other columns say.
fn ended(outcome: &str, failure: &Failure) -> String {
    match (failure.cause, failure.causes.first()) {
        (Cause::Interrupted, _) => format!("{outcome} in {}", failure.step),
        (Cause::Died, Some(why)) => format!("{outcome}: {}, {why}", brief(failure)),
        _ => format!("{outcome}: {failure}"),
    }
}

#[cfg(test)]
mod tests {
    use bluegreen_core::Step;

    use super::*;

    #[test]
    fn an_outcome_says_why_once() {
        let failure = |cause, message: &str| Failure::new(Step::Health, cause, message);
        let died = Failure { causes: vec!["exited with code 1".into()], ..failure(Cause::Died, "release x ended") };
        for (outcome, failure, expected) in [
            ("interrupted", failure(Cause::Interrupted, "interrupted"), "interrupted in health"),
            ("failed", died, "failed: the app died, exited with code 1"),
            ("failed", failure(Cause::Unhealthy, "not healthy"), "failed: not healthy"),
        ] {
            assert_eq!(ended(outcome, &failure), expected);
        }
    }
}
