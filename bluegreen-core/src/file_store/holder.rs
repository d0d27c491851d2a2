//! Who has the lock: the kernel says which process, its note says what it does.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::safe;
use crate::{Holder, StoreError};

/// Between taking the lock and leaving its note a holder needs much less, as a child between its fork and its exec, unless the
/// machine has no time for it.
const NOTED: Duration = Duration::from_secs(1);
/// A note is no longer than this.
const LIMIT: u64 = 1 << 12;

/// Who has the lock of `dir`; without a name when there is no note of theirs. `None`: nobody.
pub(super) fn of(dir: &Path, note: &Path) -> Option<Holder> {
    let began = Instant::now();
    loop {
        let lockers = lockers(dir);
        let pid = *lockers.first()?;
        let noted = read(note).filter(|holder| lockers.contains(&holder.pid));
        match noted {
            Some(holder) if lives(holder.pid) => return Some(holder),
            noted if began.elapsed() >= NOTED => return noted.or(Some(Holder { pid, ..Holder::default() })),
            // it has taken the lock this very moment; or it was killed, and what it was about to start has the lock until its
            // exec, a moment later
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Whether there is such a process, and not only its remains. One that cannot be seen counts as alive.
fn lives(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Leaves our note. It is for messages only: a full disk must not stand in the way of the lock.
pub(super) fn leave(note: &Path, who: &Holder) -> Result<(), StoreError> {
    let mut file = safe::create(note)?;
    let mut write = || {
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(who)?)
    };
    let _: io::Result<()> = write();
    Ok(())
}

/// The note, if there is one. The one who left it may be gone.
pub(super) fn read(note: &Path) -> Option<Holder> {
    let mut text = String::new();
    let file: File = safe::open(note).ok()??;
    file.take(LIMIT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The processes that have locked `dir`: one, unless another file system has a file of the same number.
fn lockers(dir: &Path) -> Vec<u32> {
    let inode = fs::metadata(dir).map(|meta| format!(":{}", meta.ino())).unwrap_or_default();
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().filter_map(|line| locker(line, &inode)).collect()
}

/// Of a line as `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`. One that waits has an arrow in front.
fn locker(line: &str, inode: &str) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, pid, place, ..] = words[..] else { return None };
    if place.ends_with(inode) { pid.parse().ok() } else { None }
}
