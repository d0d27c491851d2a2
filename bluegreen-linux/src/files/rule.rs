//! What must be so of a file before it is believed.

use rustix::process::geteuid;

use super::Unfit;

/// Who may own a file, and what its mode must not allow. Asked of an open descriptor, never of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    owner: Owner,
    /// Bits that must not be set in the mode.
    closed: u32,
    /// Whether the group may write to a file of ours: it is one that we chose.
    our_group: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Anybody,
    OursOrRoots,
    Ours,
}

const WRITE: u32 = 0o022;
const EVERYBODY_WRITES: u32 = 0o002;
const ANY_ACCESS: u32 = 0o077;

impl Rule {
    /// Whose it is does not matter: it is only looked at.
    pub const ANY: Self = Self { owner: Owner::Anybody, closed: 0, our_group: false };
    /// Ours, and nobody else may write to it.
    pub const OURS: Self = Self { owner: Owner::Ours, closed: WRITE, our_group: false };
    /// Ours or root's, and nobody else may write to it, but the group of our own.
    pub const TRUSTED: Self = Self { owner: Owner::OursOrRoots, closed: WRITE, our_group: true };
    /// Ours or root's, and closed to all others.
    pub const SECRET: Self = Self { owner: Owner::OursOrRoots, closed: ANY_ACCESS, our_group: false };

    /// What of the rule is broken by a file with this owner and mode.
    pub fn broken(self, owner: u32, mode: u32) -> Option<Unfit> {
        let (me, mode) = (geteuid().as_raw(), mode & self.closed);
        let is_ours = match self.owner {
            Owner::Anybody => true,
            Owner::OursOrRoots => owner == me || owner == 0,
            Owner::Ours => owner == me,
        };
        if !is_ours {
            Some(Unfit::Foreign { owner, me })
        } else if mode & EVERYBODY_WRITES != 0 {
            Some(Unfit::Everybody)
        } else if self.closed == ANY_ACCESS && mode != 0 {
            Some(Unfit::Readable)
        } else if mode & WRITE != 0 && !(self.our_group && owner == me) {
            Some(Unfit::Group)
        } else {
            None
        }
    }
}
