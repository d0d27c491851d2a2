//! Files that say what is run: nobody else may change them.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

/// Who could have written a file, besides those who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// Its mode says so.
    Everybody,
    /// The same, and it is not our file, so not our group.
    Group,
    /// Its owner.
    Foreign,
}

impl Distrust {
    /// A sentence without its end.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Everybody => "everybody may write to it",
            Self::Group => "a group may write to it",
            Self::Foreign => "it belongs to another user",
        }
    }

    /// What to type, in front of the path.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::Everybody => "chmod go-w",
            Self::Group => "chmod g-w",
            Self::Foreign => "sudo chown root",
        }
    }
}

/// Whether others could have written the file. Root's can be trusted, ours, and that of who called `sudo`.
pub(crate) fn distrust(meta: &Metadata) -> Option<Distrust> {
    let sudo = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    judge(meta.mode(), meta.uid(), rustix::process::geteuid().as_raw(), sudo)
}

fn judge(mode: u32, owner: u32, me: u32, sudo: Option<u32>) -> Option<Distrust> {
    match (mode & 0o020 != 0, mode & 0o002 != 0) {
        (_, true) => Some(Distrust::Everybody),
        (true, _) if owner != me => Some(Distrust::Group),
        _ if owner != 0 && owner != me && Some(owner) != sudo => Some(Distrust::Foreign),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_may_not_write() {
        let judged = |mode, owner, sudo| judge(mode, owner, 1000, sudo);
        for trusted in [judged(0o644, 1000, None), judged(0o755, 0, None), judged(0o664, 1000, None)] {
            assert_eq!(trusted, None);
        }
        assert_eq!(judged(0o664, 0, None), Some(Distrust::Group));
        assert_eq!(judged(0o646, 1000, None), Some(Distrust::Everybody));
        assert_eq!(judged(0o666, 0, None), Some(Distrust::Everybody));
        assert_eq!(judged(0o644, 1001, None), Some(Distrust::Foreign));
        assert_eq!(judged(0o644, 1001, Some(1002)), Some(Distrust::Foreign));
        assert_eq!(judged(0o644, 1001, Some(1001)), None);
    }
}
