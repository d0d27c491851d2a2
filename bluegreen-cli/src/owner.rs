//! The user that owns the state runs everything.

use std::{
    fs::DirBuilder,
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use bluegreen_linux::dirs;
pub(crate) use bluegreen_linux::users::User;
use rustix::{
    fs::Mode,
    process::{getegid, geteuid, getgid, getuid, umask},
};

use crate::{config::Config, exit::Exit, halt::Halt, handover, trust::Purpose};

/// Why it is not known who deploys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoUser {
    #[error("there is no user {0}")]
    None(String),
    #[error("the user {0} cannot be looked up: {1}")]
    Unknown(String, io::Error),
}

impl NoUser {
    pub(crate) fn fix(&self) -> String {
        match self {
            Self::None(name) => format!("sudo useradd --system {name}"),
            Self::Unknown(name, _) => format!("getent passwd {name}"),
        }
    }
}

/// Who deploys: as the configuration says, else who runs this, also through sudo.
pub(crate) fn who_deploys(named: Option<&str>) -> Result<User, NoUser> {
    let look_up = |name: &str| User::named(name).map_err(|error| NoUser::Unknown(name.into(), error));
    if let Some(name) = named {
        return look_up(name)?.ok_or_else(|| NoUser::None(name.into()));
    }
    let sudo = std::env::var("SUDO_USER").ok().filter(|_| geteuid().is_root());
    let sudo = sudo.map(|name| look_up(&name)).transpose()?.flatten();
    Ok(sudo.unwrap_or_else(User::current))
}

/// A setuid program would lend its owner's rights to everybody who can write a configuration.
pub(crate) fn not_setuid() -> Result<(), Halt> {
    if getuid() == geteuid() && getgid() == getegid() {
        return Ok(());
    }
    let why = "bluegreen is installed setuid or setgid, and runs as somebody else than who called it";
    Err(Halt::new(Exit::Usage, why).next("sudo chmod ug-s $(command -v bluegreen)"))
}

/// What we make is ours to open and to enter: a mask that takes that from the owner himself, as 777, is meant by nobody.
pub(crate) fn keep_own_rights() {
    let mask = umask(Mode::empty());
    umask(mask & (Mode::RWXG | Mode::RWXO));
}

/// Others may pass through, as nginx's workers must, and not open it.
fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o711).create(dir)
}

/// For anybody but root: the state directory must be ours. One that is missing is made, if `makes`.
pub(crate) fn must_own(state_dir: &Path, makes: bool) -> Result<(), Halt> {
    let me = geteuid().as_raw();
    let meta = match state_dir.metadata() {
        Ok(meta) if meta.uid() == me => return Ok(()),
        Ok(meta) => meta,
        Err(_) if makes && private_dir(state_dir).is_ok() => return Ok(()),
        Err(error) => return Err(no_state(state_dir, &error)),
    };
    let (dir, mine) = (state_dir.display(), User::current().name);
    let owner = User::by_number(meta.uid(), meta.gid());
    let next = match &owner {
        User { uid: 0, .. } => format!("sudo chown -R {mine} {dir}, if {mine} is to deploy; else sudo bluegreen ..."),
        User { is_known: true, name, .. } => format!("sudo -u {name} bluegreen ..."),
        // sudo takes a number with this mark
        User { uid, .. } => format!("sudo -u '#{uid}' bluegreen ..."),
    };
    Err(Halt::new(Exit::Usage, format!("{dir} belongs to {}, and you are {mine}", owner.name)).next(next))
}

/// For root: who owns the state directory. Whoever else could lead root to another directory would choose as whom the app
/// runs; a text says so where that is no more than a warning.
pub(crate) fn of_state(state_dir: &Path, purpose: Purpose) -> Result<(User, Option<String>), Halt> {
    let reached = dirs::reach(state_dir).map_err(|error| no_state(state_dir, &error))?;
    if !reached.missing().is_empty() {
        return Err(no_state(state_dir, &ErrorKind::NotFound.into()));
    }
    let user = User::by_number(reached.owner(), reached.group());
    let Some(hand) = reached.other_than(&[user.uid]) else { return Ok((user, None)) };
    let what = format!(
        "{} belongs to {}, but {hand}, and so could put another directory in its place",
        state_dir.display(),
        user.name
    );
    // root starts nothing there all the same, and follows nobody's links
    if matches!(purpose, Purpose::BringBack | Purpose::Look) && !reached.follows_others() {
        return Ok((user, Some(format!("{what}; {}", hand.fix()))));
    }
    Err(Halt::new(Exit::Refused, what).next(hand.fix()))
}

/// For root, where there is no state yet whose owner it could become: nothing that a file of somebody else names is run by
/// root. Whoever that is, looks.
pub(crate) fn no_more_than_its_owner(config: &Config) -> Result<(), Halt> {
    let is_roots = config.source().owner == 0 && config.source().hands.is_empty();
    if is_roots || !geteuid().is_root() {
        return Ok(());
    }
    match who_deploys(config.user.as_deref()) {
        Ok(user) if user.uid != 0 => Err(handover::go_on_as(&user, config)),
        _ => Ok(()),
    }
}

fn no_state(state_dir: &Path, error: &io::Error) -> Halt {
    let dir = state_dir.display();
    let what = match error.kind() {
        ErrorKind::NotFound => format!("{dir} is not there yet: this app is not set up"),
        _ => format!("{dir} cannot be used: {error}"),
    };
    Halt::new(Exit::Refused, what).next("sudo bluegreen setup --apply")
}
