//! The user that owns the state runs everything.

use std::{
    ffi::CString,
    fs,
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{self, Gid, Uid};
use rustix::process::{getegid, geteuid, getgid, getuid};

use crate::{exit::Exit, halt::Halt};

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    home: String,
}

impl User {
    fn find(matches: impl Fn(&Self) -> bool) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        passwd.lines().filter_map(Self::parse).find(|user| matches(user))
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, home, ..] = fields[..] else { return None };
        Some(Self { name: name.into(), uid: uid.parse().ok()?, gid: gid.parse().ok()?, home: home.into() })
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::find(|user| user.name == name)
    }

    pub(crate) fn of(uid: u32) -> Option<Self> {
        Self::find(|user| user.uid == uid)
    }

    /// Who deploys: as the configuration says, else who runs this, also through sudo. `None`: there is no user of that name.
    pub(crate) fn who_deploys(named: Option<&str>) -> Option<Self> {
        if let Some(name) = named {
            return Self::named(name);
        }
        let sudo = std::env::var("SUDO_USER").ok().and_then(|name| Self::named(&name));
        Some(sudo.filter(|_| geteuid().is_root()).unwrap_or_else(Self::current))
    }

    /// The one who runs this; by number, if it has no name.
    pub(crate) fn current() -> Self {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Self::of(uid).unwrap_or_else(|| Self::nameless(uid, gid))
    }

    /// A number without a line in `/etc/passwd`. The group of root is for nobody else.
    fn nameless(uid: u32, gid: u32) -> Self {
        Self { name: uid.to_string(), uid, gid: if gid == 0 { uid } else { gid }, home: "/".into() }
    }
}

/// A setuid program would lend its owner's rights to everybody who can write a configuration.
pub(crate) fn not_setuid() -> Result<(), Halt> {
    if getuid() == geteuid() && getgid() == getegid() {
        return Ok(());
    }
    let why = "bluegreen is installed setuid or setgid, and runs as somebody else than who called it";
    Err(Halt::new(Exit::Usage, why).next("sudo chmod ug-s $(command -v bluegreen)"))
}

/// Others may pass through, as nginx's workers must, and not open it.
fn private_dir(dir: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o711).create(dir)
}

/// Whether `setup` has not made it yet.
pub(crate) fn is_missing(state_dir: &Path) -> bool {
    fs::metadata(state_dir).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Goes on as the owner of `state_dir`: root becomes it, anybody else is refused. A directory that is missing is made by
/// whoever may, if `makes`.
pub(crate) fn become_owner(state_dir: &Path, makes: bool) -> Result<(), Halt> {
    let me = geteuid().as_raw();
    let (owner, group) = match fs::metadata(state_dir) {
        Ok(meta) => (meta.uid(), meta.gid()),
        Err(_) if makes && me != 0 && private_dir(state_dir).is_ok() => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("{} is not there yet: this app is not set up", state_dir.display());
            return Err(Halt::new(Exit::Refused, what).next("sudo bluegreen setup --apply"));
        }
        Err(error) => {
            let what = format!("{} cannot be used: {error}", state_dir.display());
            return Err(Halt::new(Exit::Refused, what).next("sudo bluegreen setup --apply"));
        }
    };
    if owner == me {
        return Ok(());
    }
    let user = User::of(owner).unwrap_or_else(|| User::nameless(owner, group));
    let name = &user.name;
    let User { name: mine, .. } = User::current();
    if me != 0 {
        // sudo takes a number with this mark
        let sudo = if User::named(name).is_some() { name.clone() } else { format!("'#{owner}'") };
        let dir = state_dir.display();
        let next = match owner {
            0 => format!("sudo chown -R {mine} {dir}, if {mine} is to deploy; else sudo bluegreen ..."),
            _ => format!("sudo -u {sudo} bluegreen ..."),
        };
        return Err(Halt::new(Exit::Usage, format!("{dir} belongs to {name}, and you are {mine}")).next(next));
    }
    Err(go_on_as(&user))
}

/// Replaces this process. What comes back is why it could not.
fn go_on_as(user: &User) -> Halt {
    let User { name, home, .. } = user;
    let mut command = Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1));
    command.env("HOME", home).env("USER", name).env("LOGNAME", name);
    let error = turn_into(user).err().unwrap_or_else(|| command.exec());
    Halt::new(Exit::Usage, format!("cannot go on as {name}: {error}"))
}

/// As a login does, with all the groups of the user. `Command::uid` would leave none but the first.
fn turn_into(user: &User) -> std::io::Result<()> {
    let (name, gid) = (CString::new(user.name.as_str())?, Gid::from_raw(user.gid));
    unistd::initgroups(&name, gid)?;
    unistd::setgid(gid)?;
    Ok(unistd::setuid(Uid::from_raw(user.uid))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_root_in_passwd() {
        let root = User::named("root").unwrap();
        assert_eq!((root.uid, User::of(0)), (0, Some(root.clone())));
        assert_eq!(User::parse("a:b:c"), None);
    }

    #[test]
    fn a_nameless_user_is_never_in_the_group_of_root() {
        let ids = |gid| (User::nameless(4242, gid).gid, User::nameless(4242, gid).home);
        assert_eq!((ids(7), ids(0)), ((7, "/".into()), (4242, "/".into())));
    }
}
