//! The workers of one nginx.

use std::time::{Duration, SystemTime};

use procfs::process::Stat;
use rustix::time::{ClockId, clock_gettime};

use super::{MasterError, candidate::titled};

/// A worker; the pair is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worker {
    pub(super) pid: i32,
    /// In clock ticks since boot.
    started: u64,
}

/// The workers of one nginx at one moment.
#[derive(Debug)]
pub(crate) struct Workers {
    /// The pid of the process that starts them.
    pub(crate) master: i32,
    /// Those that take new connections.
    pub(crate) accepting: Vec<Worker>,
    /// Those that have just been forked and still bear their master's title: they are about to.
    starting: Vec<Worker>,
    /// How many finish what they have and then end.
    pub(crate) leaving: usize,
}

impl Workers {
    /// The children of `master`: nobody else can have such a parent, so their titles are nginx's own.
    pub(super) fn of(master: i32) -> Result<Self, MasterError> {
        let seen: Vec<(String, Stat)> = titled("nginx: ")?.into_iter().map(|(_, title, stat)| (title, stat)).collect();
        let mut workers = Self { master, accepting: Vec::new(), starting: Vec::new(), leaving: 0 };
        for (title, stat) in seen.iter().filter(|(_, stat)| stat.ppid == master) {
            let worker = Worker { pid: stat.pid, started: stat.starttime };
            // a master that takes over (USR2) is a child of the one before, and has workers
            let alone = || seen.iter().all(|(_, other)| other.ppid != stat.pid);
            match title.strip_prefix("nginx: ").unwrap_or_default() {
                title if title.starts_with("worker process is shutting down") => workers.leaving += 1,
                title if title.starts_with("worker process") => workers.accepting.push(worker),
                title if title.starts_with("master process") && alone() => workers.starting.push(worker),
                _ => {}
            }
        }
        Ok(workers)
    }

    /// Whether every worker that takes connections was started after `modified`, the time of a file: then it has read it.
    /// Every one, since a worker that crashed is started again with the configuration of before.
    pub(crate) fn started_after(&self, modified: SystemTime) -> bool {
        !self.accepting.is_empty() && self.all().all(|worker| worker.started_at() >= modified)
    }

    /// Whether new ones take the connections, none of `old`, and none of another reload that was under way when ours was
    /// `asked` for: those are new too, and have not read what ours is about.
    pub(crate) fn replace(&self, old: &Self, asked: SystemTime) -> bool {
        self.started_after(asked) && !self.all().any(|worker| old.all().any(|before| before == worker))
    }

    fn all(&self) -> impl Iterator<Item = &Worker> {
        self.accepting.iter().chain(&self.starting)
    }
}

impl Worker {
    /// The end of the clock tick in which it started, by the wall clock of now: times of files are in no other.
    fn started_at(self) -> SystemTime {
        let started = Duration::from_millis((self.started + 1) * 1000 / procfs::ticks_per_second());
        let (boot, wall) = clocks();
        wall - boot.saturating_sub(started)
    }
}

/// The time since boot, and the wall clock just before it. Who is put aside between the two would take a worker for older
/// than it is, and then they are looked at again; the other way round a worker of before could pass for one that was started
/// after a file was written.
fn clocks() -> (Duration, SystemTime) {
    let since_boot = || {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let look = || (since_boot(), SystemTime::now(), since_boot());
    let at_once =
        |(before, _, after): &(Duration, _, Duration)| after.saturating_sub(*before) < Duration::from_millis(1);
    let (_, wall, boot) = (0..10).map(|_| look()).find(at_once).unwrap_or_else(look);
    (boot, wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was forked `ago`.
    fn worker(pid: i32, ago: Duration) -> Worker {
        let now = clock_gettime(ClockId::Boottime);
        let now = Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap());
        let ticks = now.saturating_sub(ago).as_millis() * u128::from(procfs::ticks_per_second()) / 1000;
        Worker { pid, started: u64::try_from(ticks).unwrap() }
    }

    fn workers(accepting: &[Worker], starting: &[Worker]) -> Workers {
        Workers { master: 1, accepting: accepting.to_vec(), starting: starting.to_vec(), leaving: 0 }
    }

    #[test]
    fn only_those_that_our_own_reload_started_take_the_place_of_those_before() {
        let [long_ago, before, lately] = [60, 30, 1].map(Duration::from_secs);
        let asked = SystemTime::now() - Duration::from_secs(10);
        let (first, others, ours) = (worker(10, long_ago), worker(20, before), worker(30, lately));
        let old = workers(&[first], &[]);
        assert!(workers(&[ours], &[]).replace(&old, asked));
        assert!(!workers(&[ours, first], &[]).replace(&old, asked));
        assert!(!workers(&[others], &[]).replace(&old, asked), "of a reload that was under way");
        assert!(!workers(&[others], &[ours]).replace(&old, asked), "and ours come only now");
        assert!(!workers(&[ours], &[others]).replace(&old, asked));
        assert!(!workers(&[], &[ours]).replace(&old, asked), "nobody has said yet that it takes connections");
        // one without its title, that was forked in the tick in which the reload was asked for
        assert!(!workers(&[ours], &[]).replace(&workers(&[first], &[ours]), asked));
    }
}
