//! Users of this machine: who is who, as the system's own name service says.

use std::{ffi::CString, io, path::PathBuf, thread};

use nix::unistd::{self, Gid, Group, Uid};
use rustix::{
    process::{getegid, geteuid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

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

    /// Turns this whole process into the user for good, with all their groups, as a login does.
    ///
    /// # Errors
    /// It takes root; the process may be half-way then, and must end.
    pub fn turn_into(&self) -> io::Result<()> {
        let gid = Gid::from_raw(self.gid);
        unistd::setgroups(&self.groups()?)?;
        unistd::setgid(gid)?;
        Ok(unistd::setuid(Uid::from_raw(self.uid))?)
    }

    /// Does `work` as this user: with their rights and no others, whatever a path in their directories leads to meanwhile.
    /// The kernel keeps the rights of each thread, so it is done in a thread of its own, which ends with it.
    ///
    /// # Errors
    /// It takes root, unless we are that user.
    pub fn act<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        if geteuid().as_raw() == self.uid {
            return Ok(work());
        }
        let groups = self.groups()?;
        let as_user = || {
            let groups: Vec<_> = groups.iter().map(|group| rustix::fs::Gid::from_raw(group.as_raw())).collect();
            let (uid, gid) = (rustix::fs::Uid::from_raw(self.uid), rustix::fs::Gid::from_raw(self.gid));
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
            Ok(work())
        };
        thread::scope(|scope| scope.spawn(as_user).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    fn groups(&self) -> io::Result<Vec<Gid>> {
        let gid = Gid::from_raw(self.gid);
        if self.is_known { Ok(unistd::getgrouplist(&CString::new(self.name.as_str())?, gid)?) } else { Ok(vec![gid]) }
    }
}

/// The name of a user, or the number of one without a name.
pub fn name(uid: u32) -> String {
    User::by_number(uid, uid).name
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

/// Whether the group is the user's own: its first one, of its name, and nobody else was added to it. What cannot be told is
/// not so.
pub(crate) fn is_private_group(gid: u32, uid: u32) -> bool {
    let (Ok(Some(user)), Ok(Some(group))) = (User::of(uid), Group::from_gid(Gid::from_raw(gid))) else { return false };
    user.gid == gid && group.name == user.name && group.mem.iter().all(|member| *member == user.name)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    };

    use super::*;

    #[test]
    fn finds_root_and_nobody_of_a_wrong_name() {
        let root = User::named("root").unwrap().unwrap();
        assert_eq!((root.uid, User::of(0).unwrap()), (0, Some(root)));
        assert_eq!(User::named("no such user").unwrap(), None);
        assert!(is_private_group(0, 0) && !is_private_group(0, 1));
    }

    #[test]
    fn a_nameless_user_is_never_in_the_group_of_root() {
        let user = |gid| User::by_number(424_242, gid);
        assert_eq!((user(7).gid, user(0).gid, user(0).name), (7, 424_242, "424242".to_owned()));
        assert_eq!(shown(424_242), "uid 424242");
    }

    #[test]
    fn who_acts_as_a_user_has_their_rights_and_no_others() {
        if !geteuid().is_root() {
            eprintln!("SKIPPED: only root acts as somebody else");
            return;
        }
        let (dir, user) = (tempfile::tempdir().unwrap(), User::by_number(424_242, 424_243));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, "").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let tried =
            user.act(|| (geteuid().as_raw(), fs::read(&secret), fs::write(dir.path().join("new"), ""))).unwrap();
        assert_eq!(tried.0, 424_242);
        assert_eq!(tried.1.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(tried.2.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        std::os::unix::fs::chown(dir.path(), Some(424_242), None).unwrap();
        let made = user.act(|| fs::write(dir.path().join("new"), "")).unwrap();
        made.unwrap();
        let meta = fs::metadata(dir.path().join("new")).unwrap();
        assert_eq!((meta.uid(), meta.gid(), geteuid().as_raw()), (424_242, 424_243, 0));
    }
}
