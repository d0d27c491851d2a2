//! What must be so of a file before it is believed.

use std::os::fd::AsFd;

use rustix::{
    fs::{Stat, fstat},
    io::Errno,
    process::geteuid,
};

use super::Unfit;
use crate::{dirs::has_access_list, users};

/// Whose a file is, and who else may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Its owner.
    pub owner: u32,
    /// Its group.
    pub group: u32,
    /// Its mode.
    pub mode: u32,
    /// Whether the bits of its group are those of a whole list: asked where they let somebody write.
    is_listed: bool,
}

impl Rights {
    /// As an open descriptor says.
    pub(super) fn of(file: impl AsFd) -> Result<Self, Errno> {
        let Stat { st_uid: owner, st_gid: group, st_mode, .. } = fstat(&file)?;
        Ok(Self {
            owner,
            group,
            mode: st_mode & 0o7777,
            is_listed: st_mode & GROUP_WRITES != 0 && has_access_list(file),
        })
    }
}

/// Who may own a file, and what its mode must not allow. Asked of an open descriptor, never of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    owner: Owner,
    /// Bits that must not be set in the mode.
    closed: u32,
    /// Whether the group may write to a file of ours, when it is ours alone.
    our_group: bool,
    /// Who is meant by us; `None`: who runs this.
    us: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Anybody,
    OursOrRoots,
    Ours,
}

const WRITE: u32 = 0o022;
const GROUP_WRITES: u32 = 0o020;
const EVERYBODY_WRITES: u32 = 0o002;
const ANY_ACCESS: u32 = 0o077;

impl Rule {
    /// Whose it is does not matter: it is only looked at.
    pub const ANY: Self = Self { owner: Owner::Anybody, closed: 0, our_group: false, us: None };
    /// Ours, and nobody else may write to it.
    pub const OURS: Self = Self { owner: Owner::Ours, closed: WRITE, our_group: false, us: None };
    /// Ours or root's, and nobody else may write to it, but a group of our own in which nobody else is.
    pub const TRUSTED: Self = Self { owner: Owner::OursOrRoots, closed: WRITE, our_group: true, us: None };
    /// Ours or root's, and closed to all others.
    pub const SECRET: Self = Self { owner: Owner::OursOrRoots, closed: ANY_ACCESS, our_group: false, us: None };

    /// The same with the user `uid` in our place.
    #[must_use]
    pub const fn of(self, uid: u32) -> Self {
        Self { us: Some(uid), ..self }
    }

    /// What of the rule is broken by a file with these rights.
    pub fn broken(self, rights: &Rights) -> Option<Unfit> {
        let me = self.us.unwrap_or_else(|| geteuid().as_raw());
        let Rights { owner, group, .. } = *rights;
        let mode = rights.mode & self.closed;
        let is_ours = match self.owner {
            Owner::Anybody => true,
            Owner::OursOrRoots => owner == me || owner == 0,
            Owner::Ours => owner == me,
        };
        // root is in its own group anyway
        let is_alone = || group == 0 || users::is_private_group(group, me);
        if !is_ours {
            Some(Unfit::Foreign { owner, me })
        } else if mode & EVERYBODY_WRITES != 0 {
            Some(Unfit::Everybody)
        } else if self.closed == ANY_ACCESS && mode != 0 {
            Some(Unfit::Readable)
        } else if mode & GROUP_WRITES == 0 {
            None
        } else if rights.is_listed {
            Some(Unfit::Listed)
        } else if self.our_group && owner == me && is_alone() {
            None
        } else {
            Some(Unfit::Group)
        }
    }
}
