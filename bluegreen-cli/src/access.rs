//! `[access]`: who may read what a deploy leaves.

use std::{ffi::CString, fmt, io};

use bluegreen_linux::dirs;
use nix::{
    errno::Errno,
    unistd::{self, Gid, Group},
};

use crate::{config::Config, owner::User};

/// Why a group cannot be given anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// There is none of this name.
    Missing { group: String },
    /// This user may not give it anything.
    NotIn { group: String, user: String },
    /// The system did not say.
    Unknown { group: String, why: Errno },
}

impl Unusable {
    /// What to type.
    pub(crate) fn fix(&self) -> String {
        match self {
            Self::Missing { group } => format!("sudo groupadd {group}, or correct `access.group`"),
            Self::NotIn { group, user } => format!("sudo usermod -aG {group} {user}, then log in again"),
            Self::Unknown { group, .. } => format!("getent group {group}"),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { group } => write!(f, "`access.group` is {group}, and there is no such group"),
            Self::NotIn { group, user } => {
                write!(f, "`access.group` is {group}, and {user} is not in it: only its members can give it anything")
            }
            Self::Unknown { group, why } => write!(f, "`access.group` is {group}, which cannot be looked up: {why}"),
        }
    }
}

/// The group that `user` lets read state, releases and logs; `None` when none is configured.
pub(crate) fn group(config: &Config, user: &User) -> Result<Option<u32>, Unusable> {
    let Some(group) = config.access.group.clone() else { return Ok(None) };
    let unknown = |why| Unusable::Unknown { group: group.clone(), why };
    let Some(found) = Group::from_name(&group).map_err(unknown)? else { return Err(Unusable::Missing { group }) };
    if user.uid != 0 && !groups(user).map_err(unknown)?.contains(&found.gid) {
        return Err(Unusable::NotIn { group, user: user.name.clone() });
    }
    Ok(Some(found.gid.as_raw()))
}

/// The group that we let read what we write. One that cannot be used stops a deploy, and neither `recover` nor `up`; nothing is given
/// to it where somebody else could lead the way elsewhere.
pub(crate) fn usable(config: &Config) -> Option<u32> {
    let me = User::current();
    let is_ours_alone = || dirs::reach(&config.state_dir).is_ok_and(|way| way.other_than(&[me.uid]).is_none());
    group(config, &me).unwrap_or_default().filter(|_| is_ours_alone())
}

/// Whether we are in the group that reads what another user wrote.
pub(crate) fn is_reader(config: &Config) -> bool {
    config.state_dir.is_dir() && group(config, &User::current()).is_ok_and(|group| group.is_some())
}

/// The first group of the user called `name`, where it was made for him: it is called as he is, and nobody else is a member.
pub(crate) fn own_group(name: &str) -> io::Result<Option<String>> {
    let Some(user) = User::named(name)? else { return Ok(None) };
    let is_own = |group: &Group| group.name == user.name && group.mem.iter().all(|member| *member == user.name);
    Ok(Group::from_gid(Gid::from_raw(user.gid))?.filter(is_own).map(|group| group.name))
}

/// Those that he has now, if it is who runs this; else those that he gets when he logs in.
fn groups(user: &User) -> Result<Vec<Gid>, Errno> {
    if unistd::geteuid().as_raw() == user.uid {
        let mut all = unistd::getgroups()?;
        all.push(unistd::getegid());
        return Ok(all);
    }
    let name = CString::new(user.name.as_str()).map_err(|_| Errno::EINVAL)?;
    unistd::getgrouplist(&name, Gid::from_raw(user.gid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SMALLEST;

    #[test]
    fn a_group_is_one_that_exists_and_that_the_user_is_in() {
        let with = |name: &str| {
            let text = format!("{SMALLEST}[access]\ngroup = \"{name}\"\n");
            Config::parse(&text, "bluegreen.toml".as_ref()).unwrap()
        };
        let me = User::current();
        let none = Config::parse(SMALLEST, "bluegreen.toml".as_ref()).unwrap();
        assert_eq!(group(&none, &me), Ok(None));
        let (mut root, mut other) = (me.clone(), me.clone());
        root.uid = 0;
        assert_eq!(group(&with("root"), &root), Ok(Some(0)));
        let missing = group(&with("no-such-group"), &me).unwrap_err();
        assert_eq!(missing, Unusable::Missing { group: "no-such-group".into() });
        (other.uid, other.gid, other.name) = (4242, 4242, "nobody-of-them".into());
        let outside = group(&with("root"), &other).unwrap_err();
        assert!(outside.to_string().contains("nobody-of-them is not in it"), "{outside}");
        assert!(outside.fix().starts_with("sudo usermod -aG root nobody-of-them"), "{}", outside.fix());
    }
}
