//! What must not grow.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use bluegreen_rig::{PATIENCE, below};

use super::deeds::Soak;

/// Taken after each round.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    /// Peak memory of the command of this round, KiB.
    rss: u64,
    processes: u64,
    zombies: u64,
    /// Open files of an app that are no sockets.
    descriptors: u64,
    /// In the directory of the state, releases and logs apart.
    files: u64,
    state: u64,
    history: u64,
    logs: u64,
    log_bytes: u64,
    releases: u64,
    release_bytes: u64,
}

/// One figure: its name, how to read it, and what it may be at most.
type Row = (&'static str, fn(&Figures) -> u64, u64);

/// 32 confirmed and 32 failed releases and an open transaction with a failure fit in.
const STATE: u64 = 12 << 10;
/// One that grows and four old ones, each up to a MiB and an entry.
const HISTORY: u64 = 5 * ((1 << 20) + 4096);
/// Ten of earlier starts and that of the last one, for each profile, and two links.
const LOGS: u64 = 2 * (11 + 1);
/// The tiny app writes two lines.
const LOG_BYTES: u64 = LOGS * 512;
/// `keep`, two confirmed, and what failed since the last prune.
const RELEASES: u64 = 3 + 2 + 12;
/// state, the one before, lock, history and its four old ones, two records, and the route: five names and four markers.
const FILES: u64 = 3 + 5 + 2 + 9;

const ROWS: [Row; 11] = [
    ("peak KiB", |f| f.rss, 64 << 10),
    ("processes", |f| f.processes, 2),
    ("zombies", |f| f.zombies, 0),
    ("app fds", |f| f.descriptors, 16),
    ("files", |f| f.files, FILES),
    ("state B", |f| f.state, STATE),
    ("history B", |f| f.history, HISTORY),
    ("logs", |f| f.logs, LOGS),
    ("log B", |f| f.log_bytes, LOG_BYTES),
    ("releases", |f| f.releases, RELEASES),
    ("release B", |f| f.release_bytes, RELEASES * 4096),
];

impl Figures {
    pub(super) fn head() -> String {
        ROWS.iter().fold("round ".to_owned(), |line, (name, ..)| format!("{line}{name:>12}"))
    }

    pub(super) fn of(soak: &Soak) -> Self {
        let state = soak.stage.state_dir();
        let apps = below(soak.stage.home());
        let size = |name: &str| fs::metadata(state.join(name)).map_or(0, |meta| meta.len());
        let (logs, log_bytes) = count(&state.join("logs"));
        let (release_files, release_bytes) = count(&state.join("releases"));
        let shared = count(&state.join("shared")).0;
        let history = (1..=9).map(|n| size(&format!("history.jsonl.{n}"))).sum::<u64>() + size("history.jsonl");
        Self {
            rss: soak.rss,
            processes: apps.len() as u64,
            zombies: zombies(&soak.seen),
            descriptors: apps.iter().map(|pid| files_of(*pid)).max().unwrap_or_default(),
            files: count(&state).0 - release_files - logs - shared,
            state: size("state.json"),
            history,
            logs,
            log_bytes,
            releases: fs::read_dir(state.join("releases")).into_iter().flatten().count() as u64,
            release_bytes,
        }
    }

    pub(super) fn line(&self, round: usize) -> String {
        ROWS.iter().fold(format!("{round:>5} "), |line, (_, read, _)| format!("{line}{:>12}", read(self)))
    }
}

/// What is above its limit, or higher in the last tenth than in the first.
pub(super) fn grown(figures: &[Figures]) -> Vec<String> {
    let tenth = (figures.len() / 10).max(1).min(figures.len());
    let (first, last) = (&figures[..tenth], &figures[figures.len() - tenth..]);
    let mut grown = Vec::new();
    for (name, read, limit) in ROWS {
        let most = figures.iter().map(read).max().unwrap_or_default();
        if most > limit {
            grown.push(format!("{name}: {most}, and the limit is {limit}"));
        }
        let (before, after) = (median(first, read), median(last, read));
        // the others have filled up only when their limit is reached
        if matches!(name, "peak KiB" | "app fds") && after * 10 > before * 11 {
            grown.push(format!("{name}: {before} in the first tenth of the rounds, {after} in the last"));
        }
    }
    grown
}

fn median(figures: &[Figures], read: fn(&Figures) -> u64) -> u64 {
    let mut values: Vec<u64> = figures.iter().map(read).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Files and links below `dir`, and their bytes.
fn count(dir: &Path) -> (u64, u64) {
    fs::read_dir(dir).into_iter().flatten().flatten().fold((0, 0), |(files, bytes), entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => {
            let (more, size) = count(&entry.path());
            (files + more, bytes + size)
        }
        Ok(meta) => (files + 1, bytes + meta.len()),
        Err(_) => (files, bytes),
    })
}

/// Apps that have ended, and that nobody waits for. The system's first process may take its time.
fn zombies(seen: &HashSet<u32>) -> u64 {
    let dead =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains("(bluegreen) Z "));
    let began = Instant::now();
    loop {
        let count = seen.iter().filter(|pid| dead(pid)).count() as u64;
        if count == 0 || began.elapsed() > PATIENCE {
            return count;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn files_of(pid: u32) -> u64 {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = links.filter_map(|link| fs::read_link(link.path()).ok());
    targets.filter(|target| !target.to_string_lossy().starts_with("socket:")).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_seen_and_what_is_flat_is_not() {
        let flat = vec![Figures { rss: 20_000, descriptors: 9, processes: 2, ..Figures::default() }; 100];
        assert!(grown(&flat).is_empty(), "{:?}", grown(&flat));
        let leak = |round: u64| Figures { rss: 20_000 + round * 50, ..flat[0].clone() };
        assert_eq!(grown(&(0..100).map(leak).collect::<Vec<_>>()).len(), 1);
        for (name, wrong) in [
            ("processes", Figures { processes: 3, ..Figures::default() }),
            ("zombies", Figures { zombies: 1, ..Figures::default() }),
            ("files", Figures { files: FILES + 1, ..Figures::default() }),
            ("state B", Figures { state: STATE + 1, ..Figures::default() }),
            ("history B", Figures { history: HISTORY + 1, ..Figures::default() }),
            ("logs", Figures { logs: LOGS + 1, ..Figures::default() }),
            ("releases", Figures { releases: RELEASES + 1, ..Figures::default() }),
        ] {
            let found = grown(&[Figures::default(), wrong, Figures::default()]);
            assert!(found.len() == 1 && found[0].starts_with(name), "{name}: {found:?}");
        }
    }
}
