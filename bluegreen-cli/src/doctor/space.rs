//! Memory for two copies, disk for two releases.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use bluegreen_core::{Blind, Occupant, Profile, Seen, StateStore as _};
use bluegreen_process::ReleaseError;

use super::Finding;
use crate::{app::App, config::Config, report::size};

/// What the release store insists on besides the release, in bytes.
const RESERVE: u64 = 16 << 20;
/// What is comfortable: logs, state, the app's own files.
const MARGIN: u64 = 64 << 20;
/// Files that a deploy makes besides those of the release.
const INODES: u64 = 100;

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    /// What the release with the traffic has now: the new one will want as much.
    one: u64,
    /// What is freed before: the process on the idle profile is stopped first.
    freed: u64,
    available: u64,
    swap: u64,
    /// What the limit of our cgroup leaves.
    cgroup: Option<u64>,
}

impl Memory {
    fn now(one: u64, freed: u64) -> Result<Self, String> {
        let info = text(Path::new("/proc/meminfo"))?;
        let kib = |key: &str| {
            let found = field(&info, key).map(|kib| kib << 10);
            found.ok_or_else(|| format!("/proc/meminfo does not say {}", key.trim_end_matches(':')))
        };
        Ok(Self { one, freed, available: kib("MemAvailable:")?, swap: kib("SwapFree:")?, cgroup: cgroup_left()? })
    }

    /// What the new release may take, without swap.
    fn free(&self) -> u64 {
        self.cgroup.map_or(self.available, |cgroup| self.available.min(cgroup)) + self.freed
    }
}

pub(super) fn look(app: &App, seen: &Seen) -> Vec<Finding> {
    let mut findings: Vec<Finding> = memory(app, seen).map(judge_memory).or_else(no_memory).into_iter().collect();
    findings.extend(disk(&app.config.state_dir, &release_size(app)));
    findings
}

/// What the last good release takes on the disk, for the next one will want as much; 0 when there is none yet.
fn release_size(app: &App) -> Result<u64, String> {
    let state = app.wired.store.load().map_err(|error| error.to_string())?;
    let Some(id) = state.last_good() else { return Ok(0) };
    match app.wired.processes.releases().get(id) {
        Ok(release) => Ok(release.on_disk.unwrap_or(release.size)),
        // one that was adopted has no copy
        Err(ReleaseError::Unknown(_)) => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}

/// The same when no release is known: what the scripts left on a port is as large as the next one will be.
pub(super) fn before_setup(config: &Config, seen: &Seen) -> Vec<Finding> {
    let pid = |occupant: &Result<Occupant, Blind>| match occupant {
        Ok(Occupant::Stranger { who, .. }) => who.pid,
        _ => None,
    };
    let sizes: Result<Vec<u64>, String> = seen.occupants.iter().filter_map(pid).map(resident).collect();
    let memory = sizes.and_then(|sizes| Memory::now(sizes.into_iter().max().unwrap_or(0), 0));
    let memory = memory.map(|memory| match memory.one {
        0 => Finding::good(
            "memory",
            format!("{} of memory are free, for two releases side by side", size(memory.free())),
        ),
        _ => judge_memory(memory),
    });
    // it is made there
    let parent = config.state_dir.ancestors().find(|dir| dir.exists());
    let disks = parent.into_iter().flat_map(|dir| disk(dir, &Ok(0)));
    memory.or_else(|why| no_memory(Some(why))).into_iter().chain(disks).collect()
}

/// Nothing is said of what nobody could want; of what could not be seen it is said so.
fn no_memory(why: Option<String>) -> Result<Finding, ()> {
    let why = why.ok_or(())?;
    let what = format!("whether two releases have room side by side is not known: {why}");
    Ok(Finding::warning("memory", what, "free -m"))
}

fn disk(dir: &Path, release: &Result<u64, String>) -> Vec<Finding> {
    let found: Vec<Finding> = match rustix::fs::statvfs(dir) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            // a file system without a fixed number of inodes says 0
            let inodes = (stat.f_files > 0).then_some(stat.f_favail);
            judge_disk(free, release, inodes).collect()
        }
        Err(error) => {
            let what = format!("how much room is free is not known: {error}");
            vec![Finding::warning("disk", what, format!("df {}", dir.display()))]
        }
    };
    found.into_iter().map(|finding| finding.at(dir.display())).collect()
}

/// An error without words: no release of ours has the traffic, and nobody knows what the next one will want.
fn memory(app: &App, seen: &Seen) -> Result<Memory, Option<String>> {
    let of = |profile: &Profile| match seen.on(profile) {
        Ok(Occupant::Ours { .. }) => {
            // which process that is can be known no more once it has ended
            let pid = app.wired.processes.main_pid(profile);
            pid.map(resident).ok_or_else(|| format!("the process on {profile} cannot be seen"))?
        }
        _ => Ok(0),
    };
    let (active, idle) = (&seen.route().ok_or(None)?.active, seen.idle().ok_or(None)?);
    match (of(active)?, of(idle)?) {
        (0, _) => Err(None),
        (one, freed) => Ok(Memory::now(one, freed)?),
    }
}

/// What a process has in memory, in bytes.
fn resident(pid: u32) -> Result<u64, String> {
    let path = format!("/proc/{pid}/status");
    // a zombie has none, and no line of it
    Ok(field(&text(Path::new(&path))?, "VmRSS:").unwrap_or(0) << 10)
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

/// What the nearest limit of our cgroup (version 2) leaves; none without one.
fn cgroup_left() -> Result<Option<u64>, String> {
    let own = text(Path::new("/proc/self/cgroup"))?;
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::/")) else { return Ok(None) };
    let mut dir = PathBuf::from("/sys/fs/cgroup").join(path);
    let mut left = None;
    while dir.starts_with("/sys/fs/cgroup") {
        if let Some((max, current)) = number(&dir.join("memory.max"))?.zip(number(&dir.join("memory.current"))?) {
            let here = max.saturating_sub(current);
            left = Some(left.map_or(here, |left: u64| left.min(here)));
        }
        dir.pop();
    }
    Ok(left)
}

/// `None` for `max`, and at the root and where memory is not counted, which have no such file.
fn number(path: &Path) -> Result<Option<u64>, String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
        Ok(text) if text.trim() == "max" => Ok(None),
        Ok(text) => text.trim().parse().map(Some).map_err(|_| format!("{} says {:?}", path.display(), text.trim())),
    }
}

fn judge_memory(memory: Memory) -> Finding {
    let Memory { one, available, swap, cgroup, .. } = memory;
    let least = memory.free();
    let what = format!(
        "two releases run side by side, also while one is prepared, each with its own connections to a database: one has {}, \
         and {} are free",
        size(one),
        size(least)
    );
    if one > least.saturating_add(if cgroup.is_some_and(|cgroup| cgroup < available) { 0 } else { swap }) {
        let fix = "give the machine or the unit more memory, the app less (as `-Xmx`), or deploy with --breaking";
        return Finding::fatal("memory", what, fix);
    }
    if one.saturating_add(one / 4) > least {
        return Finding::warning(
            "memory",
            format!("{what}, which is close"),
            "give the app less, as with `-Xmx`, or add swap",
        );
    }
    Finding::good("memory", what)
}

fn judge_disk(free: u64, release: &Result<u64, String>, inodes: Option<u64>) -> impl Iterator<Item = Finding> + use<> {
    let prune = "bluegreen releases prune";
    let (release, unknown) = match release {
        Ok(release) => (*release, None),
        Err(why) => (0, Some(why)),
    };
    let disk = if free < RESERVE + release {
        Finding::fatal(
            "disk",
            format!("{} free, and the next release wants {} or so", size(free), size(release + RESERVE)),
            prune,
        )
    } else if let Some(why) = unknown {
        let what = format!("{} free; how much the next release wants is not known: {why}", size(free));
        Finding::warning("disk", what, "bluegreen releases")
    } else if free < MARGIN + 2 * release {
        Finding::warning(
            "disk",
            format!("{} free: there is room for one release more, and little else", size(free)),
            prune,
        )
    } else {
        Finding::good("disk", format!("{} free", size(free)))
    };
    let few = inodes.filter(|inodes| *inodes < INODES);
    let inodes =
        few.map(|inodes| Finding::fatal("inodes", format!("only {inodes} files more can be made there"), prune));
    [Some(disk), inodes].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Severity, ids, kind};

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_second_copy_must_fit() {
        let judge = |one, freed, available, swap, cgroup: Option<u64>| {
            judge_memory(Memory {
                one: one * GIB,
                freed: freed * GIB,
                available: available * GIB,
                swap: swap * GIB,
                cgroup: cgroup.map(|c| c * GIB),
            })
            .severity
        };
        assert_eq!(judge(2, 0, 8, 0, None), Severity::Good);
        assert_eq!(judge(2, 0, 2, 0, None), Severity::Warning);
        assert_eq!(judge(3, 0, 2, 0, None), Severity::Fatal);
        assert_eq!(judge(3, 0, 2, 4, None), Severity::Warning, "swap is slow, and enough");
        assert_eq!(judge(3, 3, 2, 0, None), Severity::Good, "the warm one goes first");
        assert_eq!(judge(3, 0, 8, 8, Some(1)), Severity::Fatal, "the cgroup's limit counts, and no swap helps");
    }

    #[test]
    fn disk_and_inodes() {
        let judge = |free, release, inodes| judge_disk(free, &release, inodes).map(|f| kind(&f)).collect::<Vec<_>>();
        assert_eq!(judge(GIB, Ok(MARGIN), None), [(Severity::Good, "disk")]);
        assert_eq!(judge(2 * MARGIN, Ok(MARGIN), Some(1000)), [(Severity::Warning, "disk")]);
        assert_eq!(judge(RESERVE, Ok(1), Some(3)), [(Severity::Fatal, "disk"), (Severity::Fatal, "inodes")]);
        assert_eq!(judge(GIB, Err("torn".to_owned()), None), [(Severity::Warning, "disk")]);
        let gone = ids(&disk(Path::new("/no/such/place"), &Ok(0)));
        assert_eq!(gone, [(Severity::Warning, "disk")], "what cannot be asked is not said to have room");
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(field("MemTotal: 1 kB\nMemAvailable:   7104 kB\n", "MemAvailable:"), Some(7104));
        assert!(resident(std::process::id()).unwrap() > 0);
        assert!(resident(u32::MAX).is_err());
        let file = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), text).unwrap();
            number(file.path())
        };
        assert_eq!((file("max\n"), file("17\n"), number(Path::new("/no/such"))), (Ok(None), Ok(Some(17)), Ok(None)));
        assert!(file("?").is_err() && number(Path::new("/")).is_err(), "no limit is not an unknown one");
    }
}
