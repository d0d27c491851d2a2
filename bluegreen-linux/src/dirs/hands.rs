//! Who could put something else in the place of what was found.

use std::{
    fmt,
    os::fd::{AsFd, AsRawFd as _},
    path::PathBuf,
};

use rustix::{
    fs::{Stat, fgetxattr_query, getxattr_query},
    io::Errno,
};

use crate::users;

/// Somebody who is not root, and could put something else in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The directory that they can write, or the link that they made.
    pub path: PathBuf,
    /// Who.
    pub who: Who,
}

/// Who can write to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Its owner.
    User(u32),
    /// The members of its group.
    Group(u32),
    /// Everybody, or some whom an access list names.
    Everybody,
}

impl Hand {
    /// Whether it is root or one of `uids`.
    pub fn is_of(&self, uids: &[u32]) -> bool {
        match self.who {
            Who::User(uid) => uids.contains(&uid),
            // most systems make one for each user, and nobody else is in it
            Who::Group(gid) => uids.iter().any(|uid| users::is_private_group(gid, *uid)),
            Who::Everybody => false,
        }
    }

    /// What to type so that they cannot any more.
    pub fn fix(&self) -> String {
        let path = self.path.display();
        match self.who {
            Who::User(_) => format!("sudo chown root {path}"),
            Who::Group(_) => format!("sudo chmod g-w {path}"),
            Who::Everybody => format!("sudo chmod go-w {path}"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(uid) => f.write_str(&users::shown(*uid)),
            Self::Group(gid) => write!(f, "the group {}", users::group_shown(*gid)),
            Self::Everybody => f.write_str("everybody"),
        }
    }
}

impl fmt::Display for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can write to {}", self.who, self.path.display())
    }
}

const GROUP: u32 = 0o020;
const OTHERS: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Who could replace an entry of `dir`. `entry` is what is there now: in a sticky directory only its owner can replace it.
pub(super) fn of(dir: impl AsFd, stat: &Stat, entry: Option<&Stat>) -> Vec<Who> {
    let owners = |stat: &Stat| Some(Who::User(stat.st_uid)).filter(|_| stat.st_uid != 0);
    let others = match entry {
        Some(entry) if stat.st_mode & STICKY != 0 => owners(entry).filter(|_| stat.st_mode & (GROUP | OTHERS) != 0),
        _ => writers(dir, stat),
    };
    let mut found: Vec<Who> = owners(stat).into_iter().chain(others).collect();
    found.dedup();
    found
}

/// Who may write to it, besides root and its owner.
fn writers(held: impl AsFd, stat: &Stat) -> Option<Who> {
    let may = |bit| stat.st_mode & bit != 0;
    // with an access list, the bits of the group are the most that anybody in the list has
    if may(OTHERS) || may(GROUP) && has_access_list(held) {
        return Some(Who::Everybody);
    }
    (may(GROUP) && stat.st_gid != 0).then_some(Who::Group(stat.st_gid))
}

/// What cannot be told is so.
pub(crate) fn has_access_list(held: impl AsFd) -> bool {
    let name = c"system.posix_acl_access";
    let length = match fgetxattr_query(&held, name) {
        // it was opened for its place alone
        Err(Errno::BADF) => getxattr_query(format!("/proc/self/fd/{}", held.as_fd().as_raw_fd()), name),
        length => length,
    };
    !matches!(length, Ok(0) | Err(Errno::NODATA | Errno::OPNOTSUPP))
}
