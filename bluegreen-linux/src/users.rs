//! Users of this machine: who is who, as the system's own name service says.

use std::{io, path::PathBuf};

use nix::unistd::{self, Gid, Group, Uid};
use rustix::process::{getegid, geteuid};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name; the number, where there is none.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The number of the first group.
    pub gid: u32,
    /// The home.
    pub home: PathBuf,
    /// Whether the system knows a name for the number.
    pub is_known: bool,
}

impl From<unistd::User> for User {
    fn from(user: unistd::User) -> Self {
        let unistd::User { name, uid, gid, dir, .. } = user;
        Self { name, uid: uid.as_raw(), gid: gid.as_raw(), home: dir, is_known: true }
    }
}

impl User {
    /// The user of this name; `None` when there is none.
    ///
    /// # Errors
    /// The name service does not answer.
    pub fn named(name: &str) -> io::Result<Option<Self>> {
        Ok(unistd::User::from_name(name)?.map(Self::from))
    }

    /// The user with this number; `None` when there is none.
    ///
    /// # Errors
    /// The name service does not answer.
    pub fn of(uid: u32) -> io::Result<Option<Self>> {
        Ok(unistd::User::from_uid(Uid::from_raw(uid))?.map(Self::from))
    }

    /// The one who runs this; by number, if it has no name that can be found out.
    pub fn current() -> Self {
        Self::by_number(geteuid().as_raw(), getegid().as_raw())
    }

    /// The user with this number; without a name, one who is in `gid`. The group of root is for nobody else.
    pub fn by_number(uid: u32, gid: u32) -> Self {
        let nameless = || Self {
            name: uid.to_string(),
            uid,
            gid: if gid == 0 && uid != 0 { uid } else { gid },
            home: "/".into(),
            is_known: false,
        };
        Self::of(uid).ok().flatten().unwrap_or_else(nameless)
    }
}

/// A user for a person to read: `user deploy`, or `uid 4711`.
pub fn shown(uid: u32) -> String {
    match User::of(uid) {
        Ok(Some(user)) => format!("user {}", user.name),
        _ => format!("uid {uid}"),
    }
}

/// A group for a person to read: its name, or its number.
pub(crate) fn group_shown(gid: u32) -> String {
    match Group::from_gid(Gid::from_raw(gid)) {
        Ok(Some(group)) => group.name,
        _ => gid.to_string(),
    }
}

/// Whether the group is the user's own: its first one, of its name, and nobody else was added to it.
pub(crate) fn is_private_group(gid: u32, uid: u32) -> bool {
    let (Ok(Some(user)), Ok(Some(group))) = (User::of(uid), Group::from_gid(Gid::from_raw(gid))) else { return false };
    user.gid == gid && group.name == user.name && group.mem.iter().all(|member| *member == user.name)
}
