//! From events to entries.

use std::{
    fs,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bluegreen_core::{Event, EventKind, EventSink, Kind, ReleaseId};
use bluegreen_linux::files::{self, Rule};
use jiff::Timestamp;

use super::{
    entry::Entry,
    files::{LIMIT, path, rotate},
    moment::Timeline,
};

/// What every entry of one command says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) by: Option<String>,
    pub(crate) config: Option<String>,
    /// Who reads it besides its owner.
    pub(crate) group: Option<u32>,
}

/// Follows the events of one command and writes its entry at the end.
#[derive(Debug, Clone)]
pub(crate) struct History(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    began: Timestamp,
    header: Header,
    version: Box<dyn Version>,
    current: Mutex<Current>,
    lost: Mutex<Lost>,
}

/// Entries that could not be written.
#[derive(Debug, Default)]
struct Lost {
    count: usize,
    /// Why the first of them could not.
    why: String,
}

#[derive(Debug, Default)]
struct Current {
    /// What came before the first transaction, as copying.
    before: Timeline,
    entry: Option<Entry>,
}

/// Finds the version of a release.
pub(crate) trait Version: Send + Sync + std::fmt::Debug {
    fn of(&self, release: &ReleaseId) -> Option<String>;
}

impl Version for bluegreen_process::Releases {
    fn of(&self, release: &ReleaseId) -> Option<String> {
        self.get(release).ok()?.version
    }
}

impl History {
    pub(crate) fn new(state_dir: &Path, header: Header, version: impl Version + 'static) -> Self {
        let (file, version) = (path(state_dir), Box::new(version));
        let (current, lost) = Default::default();
        Self(Arc::new(Inner { file, began: Timestamp::now(), header, version, current, lost }))
    }

    /// How many entries of this command are missing in the history, and why.
    pub(crate) fn lost(&self) -> Option<String> {
        let Lost { count, why } = &*self.0.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match count {
            0 => None,
            1 => Some(format!("1 entry of this command is not in the history: {why}")),
            _ => Some(format!("{count} entries of this command are not in the history: {why}")),
        }
    }
}

impl Inner {
    /// A deploy does not fail because its history cannot be written.
    fn keep(&self, entry: &Entry) {
        if let Err(error) = self.append(entry) {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            if lost.count == 0 {
                lost.why = format!("{}: {error}", self.file.display());
            }
            lost.count += 1;
        }
    }

    fn append(&self, entry: &Entry) -> io::Result<()> {
        if fs::symlink_metadata(&self.file).is_ok_and(|meta| meta.is_file() && meta.len() > LIMIT) {
            rotate(&self.file)?;
        }
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut file = files::append(&self.file, Rule::TRUSTED, Some(0o600))?;
        let _ = self.header.group.map_or(Ok(()), |group| files::admit(&file, group));
        if is_torn(&self.file)? {
            line.insert(0, b'\n');
        }
        let end = file.metadata()?.len();
        if let Err(error) = file.write_all(&line) {
            // half of it would make no sense
            file.set_len(end)?;
            return Err(error);
        }
        // with the file itself, when it is new
        file.sync_data()?;
        fs::File::open(self.file.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    /// The entry that `Began` begins; one under way of another number was what a command had to finish before.
    fn begin(&self, current: &mut Current, event: &Event) {
        let EventKind::Began { kind, from, to, release, resumed } = &event.kind else { return };
        if let Some(before) = &mut current.entry {
            if before.number == event.deploy && *resumed {
                return;
            }
            "recovered".clone_into(&mut before.outcome);
            before.took_ms = event.elapsed_ms;
            self.keep(before);
        }
        let mut timeline = std::mem::take(&mut current.before);
        timeline.note(&event.kind, event.elapsed_ms);
        let from = from.as_ref().map(ToString::to_string);
        current.entry = Some(Entry { from, timeline, ..self.entry(event.deploy, *kind, release, to.to_string()) });
    }

    fn entry(&self, number: u64, kind: Kind, release: &ReleaseId, to: String) -> Entry {
        Entry {
            number,
            kind,
            release: release.clone(),
            version: self.version.of(release),
            from: None,
            to,
            began: self.began,
            took_ms: 0,
            outcome: String::new(),
            exit_code: 0,
            active: None,
            failure: None,
            receipt: None,
            by: self.header.by.clone(),
            config: self.header.config.clone(),
            timeline: Timeline::default(),
            findings: Vec::new(),
        }
    }
}

/// Whether the last line has no end, as a power cut leaves it: it must not take the next one with it.
fn is_torn(file: &Path) -> io::Result<bool> {
    let mut file = files::open(file, Rule::TRUSTED)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last != [b'\n'])
}

impl EventSink for History {
    fn event(&self, event: &Event) {
        self.0.note(event);
    }
}

impl Inner {
    fn note(&self, event: &Event) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let EventKind::Began { .. } = event.kind {
            return self.begin(&mut current, event);
        }
        let Current { before, entry, .. } = &mut *current;
        let Some(entry) = entry else { return before.note(&event.kind, event.elapsed_ms) };
        entry.timeline.note(&event.kind, event.elapsed_ms);
        match &event.kind {
            EventKind::Failed { failure } | EventKind::Undoing { failure } => {
                entry.failure.get_or_insert_with(|| failure.clone());
            }
            EventKind::Autopsy { findings } => entry.findings.clone_from(findings),
            EventKind::Finished { outcome, exit_code, active, receipt, .. } => {
                entry.took_ms = event.elapsed_ms;
                (entry.outcome, entry.exit_code) = (outcome.clone(), *exit_code);
                (entry.active, entry.receipt) = (active.clone(), receipt.clone());
                self.keep(entry);
                current.entry = None;
            }
            _ => {}
        }
    }
}
