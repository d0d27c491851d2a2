//! Whether the kernel ended a process for want of memory.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    os::unix::fs::OpenOptionsExt as _,
};

use bluegreen_linux::proc::Birth;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

/// What the kernel has counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kills {
    /// On the whole machine, since boot.
    pub(crate) machine: Option<u64>,
    /// The memory cgroup that we are in, and with us what we start, with its own count.
    pub(crate) cgroup: Option<(String, u64)>,
}

impl Kills {
    /// As it is now. What cannot be read is not known.
    pub(crate) fn now() -> Self {
        let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
        let cgroup = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| place(&text));
        let count = |file: &String| fs::read_to_string(file).ok().and_then(|text| counted(&text));
        Self { machine: counted(&vmstat), cgroup: cgroup.and_then(|file| count(&file).map(|count| (file, count))) }
    }

    /// What to say of `leader`, which SIGKILL ended, when `self` was so at its start.
    pub(crate) fn verdict(&self, leader: Birth) -> String {
        self.judge(&Self::now(), kernel_names(leader).as_deref())
    }

    fn judge(&self, now: &Self, said: Option<&str>) -> String {
        if let Some(said) = said {
            return format!("by the kernel, for want of memory: {said}");
        }
        if let (Some((place, before)), Some((same, count))) = (&self.cgroup, &now.cgroup)
            && place == same
            && count > before
        {
            return format!("by the kernel, for want of memory: oom_kill in {place} went from {before} to {count}");
        }
        match (self.machine, now.machine) {
            (Some(before), Some(count)) if count > before => {
                "probably by the kernel, for want of memory: it has ended something since the start".to_owned()
            }
            (Some(_), Some(_)) => "not for want of memory: somebody sent the signal".to_owned(),
            _ => "whether for want of memory is not known: /proc/vmstat does not say it".to_owned(),
        }
    }
}

/// The number behind `oom_kill`, in `/proc/vmstat`, `memory.events` and `memory.oom_control` alike.
fn counted(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

/// The file with the count of the memory cgroup that a `/proc/PID/cgroup` names.
fn place(cgroups: &str) -> Option<String> {
    let of = |wanted: &str| {
        cgroups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers.split(',').any(|c| c == wanted).then_some(path)
        })
    };
    let below = |path: &str| if path == "/" { String::new() } else { path.to_owned() };
    of("memory")
        .map(|path| format!("/sys/fs/cgroup/memory{}/memory.oom_control", below(path)))
        .or_else(|| of("").map(|path| format!("/sys/fs/cgroup{}/memory.events", below(path))))
}

/// The line of the kernel's log about the end of `leader`, where that may be read. In a container pids are others, so a
/// log without such a line says nothing.
fn kernel_names(leader: Birth) -> Option<String> {
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let mut log = fs::OpenOptions::new().read(true).custom_flags(nonblock).open("/dev/kmsg").ok()?;
    let mut found = None;
    let mut record = [0; 8 << 10];
    // one record for each read; at its end the log would wait
    loop {
        match log.read(&mut record) {
            Ok(0) => return found,
            Ok(length) => found = named(&String::from_utf8_lossy(&record[..length]), leader).or(found),
            // records were overwritten meanwhile: go on with the oldest
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(_) => return found,
        }
    }
}

/// The text of a record `6,1234,5678901,-;Out of memory: Killed process 42 (java) ...`, when it is about `leader`.
fn named(record: &str, leader: Birth) -> Option<String> {
    let (head, text) = record.split_once(';')?;
    let micros: u64 = head.split(',').nth(2)?.parse().ok()?;
    let text = text.lines().next()?;
    let about = text.contains(&format!("Killed process {} (", leader.pid));
    // a pid of before was another process; both clocks count from boot, this one in hundredths of a second
    (about && micros / 10_000 + 100 >= leader.start).then(|| text.split(", UID").next().unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_word() {
        let kills = |machine, cgroup: Option<u64>| Kills { machine, cgroup: cgroup.map(|n| ("/cg".to_owned(), n)) };
        let before = kills(Some(4), Some(1));
        let said = |now: Kills, line: Option<&str>| before.judge(&now, line).split(':').next().unwrap().to_owned();
        let by_the_kernel = "by the kernel, for want of memory";
        assert_eq!(said(kills(Some(5), Some(1)), Some("Killed process 7")), by_the_kernel);
        assert_eq!(said(kills(Some(5), Some(2)), None), by_the_kernel);
        assert_eq!(said(kills(Some(5), Some(1)), None), format!("probably {by_the_kernel}"));
        assert_eq!(said(kills(Some(4), Some(1)), None), "not for want of memory");
        assert_eq!(said(kills(None, None), None), "whether for want of memory is not known");
        // another cgroup counts something else
        let elsewhere = Kills { machine: Some(4), cgroup: Some(("/other".to_owned(), 9)) };
        assert_eq!(said(elsewhere, None), "not for want of memory");
    }

    #[test]
    fn finds_its_cgroup_in_both_versions() {
        let file = |text| place(text).unwrap_or_default();
        assert_eq!(file("0::/system.slice/a.service\n"), "/sys/fs/cgroup/system.slice/a.service/memory.events");
        assert_eq!(file("0::/\n"), "/sys/fs/cgroup/memory.events");
        assert_eq!(file("4:cpu,memory:/x\n0::/\n"), "/sys/fs/cgroup/memory/x/memory.oom_control");
        assert_eq!(counted("low 0\noom 3\noom_kill 2\noom_group_kill 0\n"), Some(2));
        assert_eq!(counted("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), Some(7));
    }

    #[test]
    fn a_line_of_the_kernel_is_about_this_process_and_no_earlier_one() {
        let record =
            "6,1234,5000000,-;Out of memory: Killed process 42 (java) total-vm:9kB, anon-rss:7kB, UID:0\n SUB=x\n";
        let leader = |pid, start| Birth { pid, start };
        assert_eq!(
            named(record, leader(42, 400)).unwrap(),
            "Out of memory: Killed process 42 (java) total-vm:9kB, anon-rss:7kB"
        );
        assert_eq!(named(record, leader(4, 400)), None);
        assert_eq!(named(record, leader(42, 9000)), None);
    }
}
