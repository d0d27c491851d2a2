//! Who may read what is stored: never more people than may read where it came from.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use bluegreen_linux::files;
use rustix::{
    fs::{Gid, Mode, fchmod, fchown, fgetxattr, fremovexattr},
    io::Errno,
};

use super::source::open;

const ACL: &str = "system.posix_acl_access";
/// What is given to everything that is made in a directory.
const DEFAULT_ACL: &str = "system.posix_acl_default";
/// Tags of acl(5), as the kernel writes them.
const USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;
/// Larger than any list of rights that Linux keeps.
const ACL_LIMIT: usize = 64 << 10;

/// What may be done with something, as in a mode: read it, and search or run it. Nobody may write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    /// By its owner, who can always read what he has copied.
    owner: u32,
    gid: u32,
    /// By the group `gid`.
    group: u32,
    others: u32,
    /// By everybody, whatever group he is in.
    all: u32,
}

impl Rights {
    /// Those on what `file` is.
    pub(super) fn of(file: &File, meta: &Metadata) -> io::Result<Self> {
        let (mode, gid) = (meta.mode(), meta.gid());
        let owner = if meta.is_dir() || is_executable(meta) { 0o5 } else { 0o4 };
        let Some(entries) = acl(file)? else {
            let (group, others) = (mode >> 3 & owner, mode & owner);
            return Ok(Self { owner, gid, group, others, all: group & others });
        };
        // the middle bits of the mode are the mask then, and no right of the group
        let least = |tags: &[u16]| {
            let bits = entries.iter().filter(|(tag, _)| tags.contains(tag)).map(|(_, bits)| bits);
            bits.fold(owner, |all, bits| all & bits)
        };
        let all = least(&[USER, OWNING_GROUP, GROUP, MASK, OTHERS]);
        Ok(Self { owner, gid, group: least(&[OWNING_GROUP, MASK]), others: all, all })
    }
}

/// Whether a release keeps the right to run it.
pub(super) fn is_executable(meta: &Metadata) -> bool {
    meta.permissions().mode() & 0o100 != 0
}

/// The list of rights on `file`, where it has more than a mode.
fn acl(file: &File) -> io::Result<Option<Vec<(u16, u32)>>> {
    let mut bytes = vec![0; ACL_LIMIT];
    let length = match fgetxattr(file, ACL, bytes.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // a version, then a tag, its bits and an id for each
    let entries = bytes[..length].get(4..).unwrap_or_default().chunks_exact(8);
    Ok(Some(entries.map(|e| (u16::from_le_bytes([e[0], e[1]]), u32::from(e[2]))).collect()))
}

/// Who reads releases and logs, besides their owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Readers {
    /// Only this group; `None`: of a release whoever may read what it was copied from.
    pub(crate) group: Option<u32>,
}

impl Readers {
    /// Gives `copy`, which is ours, the rights that its source has. Says whether that changed anything.
    pub(super) fn give(self, copy: &File, rights: &Rights) -> io::Result<bool> {
        let Rights { owner, gid, group, others, all } = *rights;
        let cleared = only_mode(copy)?;
        let before = copy.metadata()?;
        let (group, others) = match self.group {
            Some(readers) => regroup(copy, &before, readers).map(|()| (group, 0))?,
            None if regroup(copy, &before, gid).is_ok() => (group, others),
            // its group stays one of ours, of which the source says nothing
            None => (all, all),
        };
        let mode = owner << 6 | group << 3 | others;
        if before.mode() & 0o7777 != mode {
            fchmod(copy, Mode::from_raw_mode(mode))?;
        }
        Ok(cleared || (before.mode() & 0o7777, before.gid()) != (mode, copy.metadata()?.gid()))
    }

    /// Lets the group, and nobody else, read a file of ours, or into a directory; what is in it has its own rights.
    pub(crate) fn let_into(self, path: &Path) -> io::Result<()> {
        let Some(group) = self.group else { return Ok(()) };
        let found = open(path)?;
        only_mode(&found)?;
        files::admit(found, group)
    }

    /// The same of all that is directly in a directory, as far as it can be given.
    pub(crate) fn let_into_all(self, dir: &Path) {
        if self.group.is_some() && self.let_into(dir).is_ok() {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                let _ = self.let_into(&entry.path());
            }
        }
    }

    /// Gives a whole copy, which another group could read, to this one: whoever else could read it cannot any more.
    pub(super) fn take_over(self, copy: &Path) -> io::Result<()> {
        let Some(group) = self.group else { return Ok(()) };
        let found = open(copy)?;
        let now = found.metadata()?;
        if now.is_dir() {
            for entry in fs::read_dir(copy)? {
                let entry = entry?;
                if !entry.file_type()?.is_symlink() {
                    self.take_over(&entry.path())?;
                }
            }
        }
        if now.gid() != group {
            fchmod(&found, Mode::from_raw_mode(now.mode() & 0o700))?;
            regroup(&found, &now, group)?;
        }
        Ok(fchmod(&found, Mode::from_raw_mode(now.mode() & 0o770))?)
    }
}

/// Leaves `file`, which is ours, nothing but its mode: a list of rights that it got from the directory around it would let in
/// people of whom its source says nothing, and a mode that is given then is only the most that these get.
pub(super) fn only_mode(file: &File) -> io::Result<bool> {
    let mut changed = false;
    for list in [ACL, DEFAULT_ACL] {
        match fgetxattr(file, list, &mut [0; 0][..]) {
            Ok(_) => {}
            Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => continue,
            Err(error) => return Err(error.into()),
        }
        // nobody is let in between the two
        fchmod(file, Mode::from_raw_mode(file.metadata()?.mode() & 0o700))?;
        fremovexattr(file, list)?;
        changed = true;
    }
    Ok(changed)
}

/// Takes root, or to be in that group.
fn regroup(file: &File, now: &Metadata, gid: u32) -> io::Result<()> {
    if now.gid() == gid { Ok(()) } else { Ok(fchown(file, None, Some(Gid::from_raw(gid)))?) }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use rustix::fs::{XattrFlags, fsetxattr};

    use super::*;

    /// As the kernel takes it.
    fn bytes(acl: &[(u16, u16)]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0];
        for (tag, bits) in acl {
            let id: u32 = if [USER, GROUP].contains(tag) { 4242 } else { u32::MAX };
            bytes.extend([tag.to_le_bytes(), bits.to_le_bytes()].concat().into_iter().chain(id.to_le_bytes()));
        }
        bytes
    }

    /// What a copy of something with `mode`, and the list `acl`, gets.
    fn copied(mode: u32, acl: &[(u16, u16)], readers: Readers) -> u32 {
        let dir = tempfile::tempdir().unwrap();
        let [source, copy] = ["source", "copy"].map(|name| {
            let path = dir.path().join(name);
            fs::write(&path, "").unwrap();
            File::open(&path).unwrap()
        });
        source.set_permissions(Permissions::from_mode(mode)).unwrap();
        copy.set_permissions(Permissions::from_mode(0o600)).unwrap();
        if !acl.is_empty() {
            fsetxattr(&source, ACL, &bytes(acl), XattrFlags::empty()).unwrap();
        }
        let rights = Rights::of(&source, &source.metadata().unwrap()).unwrap();
        assert!(readers.give(&copy, &rights).unwrap());
        assert!(!readers.give(&copy, &rights).unwrap(), "nothing is left to do");
        copy.metadata().unwrap().mode() & 0o7777
    }

    /// As an administrator may have given it to all that is below the state.
    #[test]
    fn a_list_of_rights_that_comes_from_around_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let entries = [(0x01, 7), (USER, 7), (OWNING_GROUP, 5), (MASK, 7), (OTHERS, 0)];
        fsetxattr(File::open(dir.path()).unwrap(), DEFAULT_ACL, &bytes(&entries), XattrFlags::empty()).unwrap();
        let path = dir.path().join("copy");
        let made = || {
            fs::write(&path, "").unwrap();
            File::open(&path).unwrap()
        };
        let copy = made();
        assert!(acl(&copy).unwrap().is_some(), "it is given to what is made there");
        let rights = Rights { owner: 4, gid: copy.metadata().unwrap().gid(), group: 4, others: 0, all: 0 };
        assert!(Readers::default().give(&copy, &rights).unwrap());
        assert_eq!((acl(&copy).unwrap(), copy.metadata().unwrap().mode() & 0o7777), (None, 0o440));
        assert!(!Readers::default().give(&copy, &rights).unwrap(), "nothing is left to do");
        let below = dir.path().join("below");
        fs::create_dir(&below).unwrap();
        assert!(only_mode(&File::open(&below).unwrap()).unwrap());
        fs::write(below.join("file"), "").unwrap();
        assert_eq!(acl(&File::open(below.join("file")).unwrap()).unwrap(), None, "nor do directories hand it on");
    }

    #[test]
    fn a_copy_is_never_more_open_and_nobody_writes() {
        let cases = [
            (0o644, 0o444),
            (0o600, 0o400),
            (0o640, 0o440),
            (0o755, 0o555),
            (0o700, 0o500),
            (0o744, 0o544),
            // the owner's right to run it is what the digest knows
            (0o655, 0o444),
            (0o6777, 0o555),
            (0o400, 0o400),
        ];
        for (source, copy) in cases {
            assert_eq!(copied(source, &[], Readers::default()), copy, "{source:o}");
        }
    }

    #[test]
    fn one_group_of_readers_closes_it_to_others() {
        let readers = Readers { group: Some(rustix::process::getegid().as_raw()) };
        for (source, copy) in [(0o644, 0o440), (0o600, 0o400), (0o755, 0o550), (0o604, 0o400)] {
            assert_eq!(copied(source, &[], readers), copy, "{source:o}");
        }
    }

    #[test]
    fn the_mask_of_a_list_of_rights_is_no_right_of_the_group() {
        let acl = |user, group, others| [(0x01, 6), (USER, user), (OWNING_GROUP, group), (MASK, 7), (OTHERS, others)];
        let with = |acl: [(u16, u16); 5]| copied(0o670, &acl, Readers::default());
        assert_eq!(with(acl(6, 0, 0)), 0o400, "only one user may read it besides its owner");
        assert_eq!(with(acl(6, 4, 4)), 0o444);
        assert_eq!(with(acl(0, 4, 4)), 0o440, "one of the others may not read it");
    }
}
