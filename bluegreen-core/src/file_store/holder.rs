//! Who has the lock: the kernel says which process, its note says what it does.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use bluegreen_linux::files::{self, Rule};
use rustix::fs::{major, minor};

use super::safe;
use crate::Holder;

/// Between taking the lock and leaving its note a holder needs much less, as a child between its fork and its exec, unless the
/// machine has no time for it.
const NOTED: Duration = Duration::from_secs(1);
/// A note is no longer than this.
const LIMIT: u64 = 1 << 12;

/// Who has the lock of `dir`; without a name when it left no note. `None`: nobody.
pub(super) fn of(dir: &Path, note: &Path, owner: u32) -> Option<Holder> {
    let began = Instant::now();
    loop {
        let lockers = lockers(dir);
        let pid = *lockers.first()?;
        let may_be_ours = |holder: &Holder| lockers.contains(&holder.pid) && runs_as(holder.pid, owner);
        let noted = read(note, owner).filter(may_be_ours);
        match noted {
            Some(holder) if lives(holder.pid) => return Some(holder),
            noted if began.elapsed() >= NOTED => return noted.or(Some(Holder { pid, ..Holder::default() })),
            // it has taken the lock this very moment; or it was killed, and what it was about to start has the lock until its
            // exec, a moment later
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Whether `holder` is a command of ours: it left its note, which nobody else can write, or runs from our very file.
pub(super) fn is_command(holder: &Holder) -> bool {
    let program = |of: &str| fs::metadata(format!("/proc/{of}/exe")).map(|meta| (meta.dev(), meta.ino()));
    let same =
        || matches!((program(&holder.pid.to_string()), program("self")), (Ok(theirs), Ok(ours)) if theirs == ours);
    !holder.command.is_empty() || same()
}

/// Whether it runs as `owner` or as root. A note may be of one who is gone, and its number somebody else's now.
fn runs_as(pid: u32, owner: u32) -> bool {
    // one that cannot be seen may be
    fs::metadata(format!("/proc/{pid}")).map_or(true, |meta| [0, owner].contains(&meta.uid()))
}

/// Whether there is such a process, and not only its remains. One that cannot be seen counts as alive.
fn lives(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Leaves our note. It is for messages only: neither a full disk nor what somebody has put in its place stands in the way of the
/// lock.
pub(super) fn leave(note: &Path, who: &Holder, group: Option<u32>) {
    let write = || -> io::Result<()> {
        let mut file = match files::create(note, Rule::OURS, 0o600) {
            Err(error) if error.reason().is_some() => {
                files::set_aside(note)?;
                files::create(note, Rule::OURS, 0o600)?
            }
            file => file?,
        };
        let _ = group.map_or(Ok(()), |group| files::admit(&file, group));
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(who)?)
    };
    let _ = write();
}

/// The note, if there is one. The one who left it may be gone.
pub(super) fn read(note: &Path, owner: u32) -> Option<Holder> {
    serde_json::from_str(&safe::text(note, owner, LIMIT).ok()??).ok()
}

/// The processes that have locked `dir`: one, unless it cannot be told from a file of the same number elsewhere.
fn lockers(dir: &Path) -> Vec<u32> {
    let Ok(meta) = fs::metadata(dir) else { return Vec::new() };
    let device = format!("{:02x}:{:02x}", major(meta.dev()), minor(meta.dev()));
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let found: Vec<(u32, &str)> = locks.lines().filter_map(|line| locker(line, meta.ino())).collect();
    let here = found.iter().any(|(_, place)| *place == device);
    // some file systems, as btrfs, show another device there than the file says; those have no major number
    let any = major(meta.dev()) == 0 && !here;
    found.into_iter().filter(|(_, place)| any || *place == device).map(|(pid, _)| pid).collect()
}

/// Of a line as `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`: who, and the device. One that waits has an arrow in front.
fn locker(line: &str, inode: u64) -> Option<(u32, &str)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, pid, place, ..] = words[..] else { return None };
    let (device, number) = place.rsplit_once(':')?;
    (number.parse() == Ok(inode)).then_some((pid.parse().ok()?, device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_locked_a_file_is_in_the_kernels_list() {
        let line = "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF";
        assert_eq!(locker(line, 1234), Some((4711, "08:01")));
        assert_eq!(locker(line, 234), None);
        assert_eq!(locker("1: -> FLOCK  ADVISORY  WRITE 4712 08:01:1234 0 EOF", 1234), None);
        assert_eq!(locker("2: POSIX  ADVISORY  WRITE 4713 08:01:1234 0 EOF", 1234), None);
    }
}
