//! Metrics in the text format of Prometheus, for node_exporter's textfile collector.
//!
//! The counters live in the file itself: whoever removes it resets them, which Prometheus knows how to take.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bluegreen_core::{Event, EventKind, EventSink, Occupant, Seen, State, StateStore as _, machine::rollback_target};
use bluegreen_linux::files::{self, FileError, Replace, Rule};
use bluegreen_process::{Release, ReleaseError, Stored};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::{app::App, config::Config, output};

/// How long a look at the world may take: nobody waits for metrics.
const LOOK: Duration = Duration::from_secs(5);
/// A file with metrics of one app has no more bytes.
const LIMIT: u64 = 1 << 20;
const COUNTER: &str = "bluegreen_deploys_total";

/// How the last command ended that could have changed something.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Last {
    outcome: String,
    exit_code: u8,
    seconds: f64,
    at: i64,
}

/// Remembers how the command ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watcher(Arc<Mutex<Option<Last>>>);

impl EventSink for Watcher {
    fn event(&self, event: &Event) {
        if let EventKind::Finished { outcome, exit_code, .. } = &event.kind {
            let seconds = Duration::from_millis(event.elapsed_ms).as_secs_f64();
            let (outcome, at) = (outcome.clone(), Timestamp::now().as_second());
            let last = Last { outcome, exit_code: *exit_code, seconds, at };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        }
    }
}

impl Watcher {
    pub(crate) fn last(&self) -> Option<Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is so now, and what was counted before, with `last` on top.
///
/// # Errors
/// The file is there, and what was counted is not known.
pub(crate) async fn text(app: &App, last: Option<&Last>) -> Result<String, FileError> {
    let before = app.config.metrics.textfile.as_ref().map(|file| files::text(file, Rule::ANY, LIMIT));
    let before = match before {
        Some(Err(error)) if !error.is_missing() => return Err(error),
        before => before.and_then(Result::ok).unwrap_or_default(),
    };
    let mut kept = Kept::read(&before, app.config.app.as_str());
    if let Some(last) = last {
        kept.add(last);
    }
    let seen = timeout(LOOK, app.wired.deployer.look()).await.ok();
    // what cannot be read has no sample, and is named
    let state = told("state", app.wired.store.load());
    let releases = told("releases", tokio::task::block_in_place(|| whole(app.wired.processes.releases().list()?)));
    let sizes: Option<Vec<u64>> = releases.map(|releases| releases.iter().map(|release| release.size).collect());
    Ok(page(&app.config, &kept, seen.as_ref().map(|seen| (seen, state.as_ref())), sizes.as_deref()))
}

fn told<T, E: Display>(what: &str, read: Result<T, E>) -> Option<T> {
    read.map_err(|error| output::error(format!("warning: the metrics have nothing of the {what}: {error}\n"))).ok()
}

/// Those that are kept. What takes how much is not known when one of them cannot be read.
fn whole(stored: Stored) -> Result<Vec<Release>, ReleaseError> {
    stored.unreadable.into_iter().next().map_or(Ok(stored.releases), |it| Err(it.why))
}

/// Replaces `file` in one rename; all may read it.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), FileError> {
    // the name of the new one does not end with `.prom`: the collector must not read half of it
    files::replace(file, text.as_bytes(), &Replace::public().beginning(".bluegreen-"))
}

/// What the file says that only the file knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    deploys: BTreeMap<String, u64>,
    last: Option<[f64; 3]>,
}

const LAST: [&str; 3] = [
    "bluegreen_last_deploy_timestamp_seconds",
    "bluegreen_last_deploy_duration_seconds",
    "bluegreen_last_deploy_exit_code",
];

impl Kept {
    /// Reads a file that we wrote; what is not ours is left out.
    pub(crate) fn read(text: &str, app: &str) -> Self {
        let counter = format!("{COUNTER}{{app=\"{app}\",outcome=\"");
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let count = |line: &str| {
            let (outcome, number) = line.strip_prefix(&counter)?.split_once("\"} ")?;
            word(outcome).then_some((outcome.to_owned(), number.parse().ok()?))
        };
        let value = |name: &str| {
            let start = format!("{name}{{app=\"{app}\"}} ");
            let value: f64 = text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())?;
            value.is_finite().then_some(value)
        };
        let [at, seconds, code] = LAST.map(value);
        Self {
            deploys: text.lines().filter_map(count).collect(),
            last: at.zip(seconds).zip(code).map(|((a, b), c)| [a, b, c]),
        }
    }

    fn add(&mut self, last: &Last) {
        let count = self.deploys.entry(last.outcome.clone()).or_default();
        *count = count.saturating_add(1);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let at = last.at as f64;
        self.last = Some([at, last.seconds, f64::from(last.exit_code)]);
    }
}

/// The whole file.
fn page(config: &Config, kept: &Kept, seen: Option<(&Seen, Option<&State>)>, sizes: Option<&[u64]>) -> String {
    let app = config.app.as_str();
    let mut page = Page(String::new());
    let counts = kept.deploys.iter().map(|(outcome, n)| (vec![("app", app), ("outcome", outcome)], *n));
    page.family(COUNTER, "counter", "Commands that deploy, roll back or recover, by how they ended.", counts);
    let [at, took, code] = LAST;
    for (name, help, value) in
        [(at, "When the last of them ended.", 0), (took, "How long it took.", 1), (code, "The exit code of it.", 2)]
    {
        page.family(name, "gauge", help, kept.last.map(|last| (vec![("app", app)], last[value])));
    }
    if let Some((seen, state)) = seen {
        world(&mut page, app, seen, state);
    }
    let of = |number: u64| (vec![("app", app)], number);
    let count = sizes.map(|sizes| of(sizes.len() as u64));
    page.family("bluegreen_releases", "gauge", "Releases that are kept.", count);
    let bytes = sizes.map(|sizes| of(sizes.iter().sum()));
    page.family("bluegreen_releases_bytes", "gauge", "The size of their artifacts.", bytes);
    page.0
}

fn world(page: &mut Page, app: &str, seen: &Seen, state: Option<&State>) {
    let route = seen.route();
    let number = |profile: &str| u8::from(route.is_some_and(|route| route.active.name().as_str() == profile));
    let names = seen.profiles.both().map(|profile| profile.name().as_str());
    let active = names.map(|profile| (vec![("app", app), ("profile", profile)], number(profile)));
    let active = active.into_iter().filter(|_| seen.traffic.is_ok());
    page.family("bluegreen_active", "gauge", "1 for the profile that gets new requests.", active);
    let runs = seen.profiles.both().into_iter().filter_map(|profile| {
        let release = &seen.ours(profile)?.release;
        Some((vec![("app", app), ("profile", profile.name().as_str()), ("release", release.as_str())], 1))
    });
    page.family("bluegreen_running_info", "gauge", "The releases that run, and where.", runs);
    let known = seen.traffic.is_ok() && seen.occupants.iter().all(Result::is_ok);
    let warm = state.filter(|_| known).map(|state| rollback_target(state, seen).is_some_and(|target| target.warm));
    let served = state.is_none_or(|state| state.lost || state.last_good().is_some());
    let answers = route.is_some_and(|route| match seen.on(&route.active) {
        Ok(Occupant::Stranger { .. }) => !served,
        occupant => occupant.is_ok_and(Occupant::listens),
    });
    let degraded = "1 when the route is not known, or no release of ours listens on the active profile.";
    for (name, help, so) in [
        ("bluegreen_warm_available", "1 when a rollback goes to a release that runs, in an instant.", warm),
        ("bluegreen_degraded", degraded, Some(!answers)),
    ] {
        page.family(name, "gauge", help, so.map(|so| (vec![("app", app)], u8::from(so))));
    }
}

/// The text format of Prometheus.
struct Page(String);

impl Page {
    /// One metric with its samples; nothing without one.
    fn family<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, impl Display)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_some() {
            let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        for (labels, value) in samples {
            // names, ids and words of ours: nothing to escape
            let labels: Vec<String> = labels.iter().map(|(label, text)| format!("{label}=\"{text}\"")).collect();
            let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
        }
    }
}

#[cfg(test)]
mod tests;
