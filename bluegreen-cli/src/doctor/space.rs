//! Memory for two copies, disk for two releases.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bluegreen_core::{Blind, Occupant, Profile, Seen, StateStore as _};

use super::Finding;
use crate::{config::Config, report::size, session::Session};

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
    fn now(one: u64, freed: u64) -> Option<Self> {
        let info = fs::read_to_string("/proc/meminfo").ok()?;
        let kib = |key: &str| field(&info, key).map(|kib| kib << 10);
        let (available, swap) = (kib("MemAvailable:")?, kib("SwapFree:").unwrap_or(0));
        Some(Self { one, freed, available, swap, cgroup: cgroup_left() })
    }

    /// What the new release may take, without swap.
    fn free(&self) -> u64 {
        self.cgroup.map_or(self.available, |cgroup| self.available.min(cgroup)) + self.freed
    }
}

pub(super) fn look(session: &Session, seen: &Seen) -> Vec<Finding> {
    let mut findings: Vec<Finding> = memory(session, seen).map(judge_memory).into_iter().collect();
    let active = session.wired.store.load().ok().and_then(|state| state.last_good().cloned());
    let release = active
        .and_then(|id| session.wired.processes.releases().get(&id).ok())
        .map_or(0, |release| release.on_disk.unwrap_or(release.size));
    findings.extend(disk(&session.config.state_dir, release));
    findings
}

/// The same when no release is known: what the scripts left on a port is as large as the next one will be.
pub(super) fn before_setup(config: &Config, seen: &Seen) -> Vec<Finding> {
    let pid = |occupant: &Result<Occupant, Blind>| match occupant {
        Ok(Occupant::Stranger { who, .. }) => who.pid,
        _ => None,
    };
    let one = seen.occupants.iter().filter_map(pid).map(resident).max().unwrap_or(0);
    let memory = Memory::now(one, 0).map(|memory| match memory.one {
        0 => Finding::good(
            "memory",
            format!("{} of memory are free, for two releases side by side", size(memory.free())),
        ),
        _ => judge_memory(memory),
    });
    // it is made there
    let parent = config.state_dir.ancestors().find(|dir| dir.exists());
    memory.into_iter().chain(parent.into_iter().flat_map(|dir| disk(dir, 0))).collect()
}

fn disk(dir: &Path, release: u64) -> Vec<Finding> {
    let Ok(stat) = rustix::fs::statvfs(dir) else { return Vec::new() };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    // a file system without a fixed number of inodes says 0
    let inodes = (stat.f_files > 0).then_some(stat.f_favail);
    judge_disk(free, release, inodes).map(|f| Finding { place: Some(dir.display().to_string()), ..f }).collect()
}

fn memory(session: &Session, seen: &Seen) -> Option<Memory> {
    let active = &seen.route()?.active;
    let of = |profile: &Profile| match seen.on(profile) {
        Ok(Occupant::Ours { .. }) => session.wired.processes.main_pid(profile).map_or(0, resident),
        _ => 0,
    };
    Memory::now(of(active), of(session.config.profiles.other(active))).filter(|memory| memory.one > 0)
}

/// What a process has in memory, in bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    field(&status, "VmRSS:").unwrap_or(0) << 10
}

fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
}

/// What the nearest limit of our cgroup (version 2) leaves.
fn cgroup_left() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    let mut dir = PathBuf::from("/sys/fs/cgroup").join(path);
    let mut left = None;
    while dir.starts_with("/sys/fs/cgroup") {
        let number = |name: &str| fs::read_to_string(dir.join(name)).ok()?.trim().parse::<u64>().ok();
        if let Some((max, current)) = number("memory.max").zip(number("memory.current")) {
            let here = max.saturating_sub(current);
            left = Some(left.map_or(here, |left: u64| left.min(here)));
        }
        dir.pop();
    }
    left
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

fn judge_disk(free: u64, release: u64, inodes: Option<u64>) -> impl Iterator<Item = Finding> + use<> {
    let prune = "bluegreen releases prune";
    let disk = if free < RESERVE + release {
        Finding::fatal(
            "disk",
            format!("{} free, and the next release wants {} or so", size(free), size(release + RESERVE)),
            prune,
        )
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
    use crate::doctor::Severity;

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
        let judge =
            |free, release, inodes| judge_disk(free, release, inodes).map(|f| (f.severity, f.id)).collect::<Vec<_>>();
        assert_eq!(judge(GIB, MARGIN, None), [(Severity::Good, "disk")]);
        assert_eq!(judge(2 * MARGIN, MARGIN, Some(1000)), [(Severity::Warning, "disk")]);
        assert_eq!(judge(RESERVE, 1, Some(3)), [(Severity::Fatal, "disk"), (Severity::Fatal, "inodes")]);
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(field("MemTotal: 1 kB\nMemAvailable:   7104 kB\n", "MemAvailable:"), Some(7104));
        assert!(resident(std::process::id()) > 0);
    }
}
