//! The directory that nginx looks at.

use std::{
    ffi::OsStr,
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use bluegreen_core::{Profiles, Route};
use bluegreen_linux::{
    dirs::{self, MakeError, Reached},
    files::set_aside,
    users::User,
};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::retry_on_intr;

/// A directory `route` with four static directories and the symlink `live`, which names one of them:
///
/// ```text
/// route/real1/           solo           real1 active, no failover
/// route/real1+standby/                  real1 active, real2 as failover
/// route/real2/           second solo    real2 active, no failover
/// route/real2+standby/   second         real2 active, real1 as failover
/// route/live -> real1+standby
/// ```
///
/// The marker files say the same to nginx with two `stat()` per request. A request whose two tests straddle a rename still
/// reads one of the four routes. A lost or unreadable `live` means [`RouteDir::fallback`].
#[derive(Debug, Clone)]
pub struct RouteDir {
    path: PathBuf,
    profiles: Profiles,
}

/// Why the route directory could not be made, read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteDirError {
    /// The path cannot stand in an nginx configuration without quoting, or is relative.
    #[error("{0:?} cannot be a route directory: it must be absolute and of letters, digits and . _ + - / only")]
    Path(PathBuf),
    /// A route of other profiles, or a standby that is the active one.
    #[error("the route \"{0}\" is not one of this app")]
    Foreign(Route),
    /// `live` is not a symlink to one of the four directories.
    #[error("{path} names {target:?}, which is none of the four routes")]
    Target {
        /// The symlink.
        path: PathBuf,
        /// What it names.
        target: String,
    },
    /// A directory or a marker is missing, or one too many is there.
    #[error("{0} is missing, or lacks a marker file, or has one too many")]
    Markers(PathBuf),
    /// Something else is where a directory or a file of ours should be.
    #[error("{0} is in the way: it is not what bluegreen would put there")]
    InTheWay(PathBuf),
    /// Somebody else could move the traffic.
    #[error("{path} is not safe: {why}")]
    Unsafe {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, and what to type.
        why: String,
    },
    /// The system said no.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried, as `open`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The new route is in effect, but may not survive a power cut.
    #[error("the route was changed, but {path} could not be written to the disk")]
    NotDurable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

const LIVE: &str = "live";
/// One writer at a time (the app's lock), so one name will do; what a killed one left is overwritten.
const NEXT: &str = ".live.next";
const MARKERS: [&str; 2] = ["second", "solo"];

impl RouteDir {
    /// The route directory at `path`, which need not exist yet.
    ///
    /// # Errors
    /// The path is not absolute, or has characters that nginx would have to have quoted.
    pub fn new(path: impl Into<PathBuf>, profiles: Profiles) -> Result<Self, RouteDirError> {
        let path = path.into();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+-/".contains(c);
        if path.is_absolute() && path.to_str().is_some_and(|text| text.chars().all(plain)) {
            Ok(Self { path, profiles })
        } else {
            Err(RouteDirError::Path(path))
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The two profiles, in their order.
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// What nginx does when `live` is lost or unreadable: the first profile, with the other as failover, so that whichever
    /// runs answers.
    pub fn fallback(&self) -> Route {
        Route::with_standby(self.profiles.first().clone(), self.profiles.second().clone())
    }

    /// Makes what is missing of the directory (0755) and its markers (0644), but not `live`; changes nothing that is right.
    ///
    /// # Errors
    /// It cannot be made, or something else is in its place.
    pub fn create(&self) -> Result<(), RouteDirError> {
        std::fs::create_dir_all(self.path.parent().unwrap_or(&self.path)).map_err(self.io("create", ""))?;
        let dir = self.make_dir(fs::CWD, self.path.to_str().unwrap_or_default())?;
        for route in self.routes() {
            let name = self.dir_name(&route)?;
            let sub = self.make_dir(dir.as_fd(), &name)?;
            for (marker, wanted) in self.markers(&route) {
                if wanted {
                    self.make_marker(&sub, &name, marker)?;
                } else if let Err(e) = fs::unlinkat(&sub, marker, AtFlags::empty())
                    && e != rustix::io::Errno::NOENT
                {
                    return Err(self.io("remove", &format!("{name}/{marker}"))(e.into()));
                }
            }
            fs::fsync(&sub).map_err(|e| self.io("sync", &name)(e.into()))?;
        }
        fs::fsync(&dir).map_err(|e| self.io("sync", "")(e.into()))
    }

    /// Whether it is, or can be made, the directory of `owner` alone; one that is there is given to nobody.
    ///
    /// # Errors
    /// [`RouteDirError::Unsafe`] says what is wrong with it, and what to type.
    pub fn fits(&self, owner: &User) -> Result<(), RouteDirError> {
        self.reach(owner).map(drop)
    }

    fn reach(&self, owner: &User) -> Result<Reached, RouteDirError> {
        let reached = dirs::reach(&self.path).map_err(self.io("open", ""))?;
        let names: Vec<String> = self.routes().iter().filter_map(|route| self.dir_name(route).ok()).collect();
        let ours = |name: &OsStr| name == LIVE || names.iter().any(|ours| **ours == *name);
        match reached.fits(owner, ours).map_err(self.io("read", ""))? {
            Ok(()) => Ok(reached),
            Err(why) => Err(self.not_safe(format!("{why}; {}", why.fix(&self.path, "route_dir")))),
        }
    }

    /// The same as [`RouteDir::create`] for a set-up that runs as root: the directory becomes that of `owner`, who makes the
    /// rest.
    pub(crate) fn create_for(&self, owner: &User) -> Result<(), RouteDirError> {
        self.reach(owner)?.make(0o755, owner).map_err(|error| match error {
            MakeError::Io { path, why: source } => RouteDirError::Io { action: "create", path, source },
            error => self.not_safe(error.to_string()),
        })?;
        owner.act(|| self.create()).map_err(self.io("create", ""))?
    }

    /// The route that `live` names; `None` when there is no `live`.
    ///
    /// # Errors
    /// `live` cannot be read, or names none of the four routes.
    pub fn read(&self) -> Result<Option<Route>, RouteDirError> {
        let target = match std::fs::read_link(self.path.join(LIVE)) {
            Ok(target) => target.to_string_lossy().into_owned(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                return Err(RouteDirError::InTheWay(self.path.join(LIVE)));
            }
            Err(e) => return Err(self.io("read", LIVE)(e)),
        };
        let named = self.routes().into_iter().find(|r| self.dir_name(r).is_ok_and(|name| name == target));
        named.map(Some).ok_or_else(|| RouteDirError::Target { path: self.path.join(LIVE), target })
    }

    /// Makes `live` name `route`, with one `rename(2)`; when this returns it also survives a power cut. Naming the same
    /// route again only makes sure of that.
    ///
    /// # Errors
    /// [`RouteDirError::NotDurable`] when it is moved and may not survive a power cut; else it is where it was.
    pub fn point(&self, route: &Route) -> Result<(), RouteDirError> {
        let name = self.dir_name(route)?;
        let open = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir =
            retry_on_intr(|| fs::open(&self.path, open, Mode::empty())).map_err(|e| self.io("open", "")(e.into()))?;
        self.check_owner(&dir)?;
        self.check_markers(route)?;
        if self.read().ok().flatten().as_ref() != Some(route) {
            let _ = fs::unlinkat(&dir, NEXT, AtFlags::empty());
            fs::symlinkat(&name, &dir, NEXT).map_err(|e| self.io("create", NEXT)(e.into()))?;
            match fs::renameat(&dir, NEXT, &dir, LIVE) {
                Err(rustix::io::Errno::ISDIR) => self.take_the_place(&dir),
                renamed => renamed.map_err(io::Error::from),
            }
            .map_err(self.io("replace", LIVE))?;
        }
        // after the rename: whoever waits for the new answer does not wait for the disk
        fs::fsync(&dir).map_err(|e| RouteDirError::NotDurable { path: self.path.clone(), source: e.into() })
    }

    /// A directory is where `live` should be: the two change places, so that there is a route at any time.
    fn take_the_place(&self, dir: &OwnedFd) -> io::Result<()> {
        fs::renameat_with(dir, NEXT, dir, LIVE, fs::RenameFlags::EXCHANGE)?;
        set_aside(&self.path.join(NEXT)).map(drop)
    }

    /// Whether all four directories have exactly their markers.
    ///
    /// # Errors
    /// The first thing that is missing or too much.
    pub fn check(&self) -> Result<(), RouteDirError> {
        self.routes().iter().try_for_each(|route| self.check_markers(route))
    }

    /// Whether only we can change what is in it; one that is not there yet is safe.
    ///
    /// # Errors
    /// Somebody else could change it, or it cannot be looked at.
    pub fn check_safe(&self) -> Result<(), RouteDirError> {
        let open = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| fs::open(&self.path, open, Mode::empty())) {
            Ok(dir) => self.check_owner(&dir),
            Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => Err(RouteDirError::InTheWay(self.path.clone())),
            Err(e) => Err(self.io("open", "")(e.into())),
        }
    }

    /// Whether [`RouteDir::point`] finds what it needs, whichever route it is told: the directory, ours alone, with all its markers.
    ///
    /// # Errors
    /// As [`RouteDir::point`].
    pub fn can_point(&self) -> Result<(), RouteDirError> {
        self.check_safe()?;
        self.check()
    }

    fn check_owner(&self, dir: &OwnedFd) -> Result<(), RouteDirError> {
        let uid = rustix::process::geteuid().as_raw();
        let stat = fs::fstat(dir).map_err(|e| self.io("read", "")(e.into()))?;
        let path = self.path.display();
        let why = if stat.st_uid != uid {
            format!("it belongs to uid {}, and uid {uid} deploys; sudo chown {uid} {path}", stat.st_uid)
        } else if stat.st_mode & 0o022 != 0 {
            format!("others may write to it; chmod go-w {path}")
        } else {
            return Ok(());
        };
        Err(self.not_safe(why))
    }

    fn not_safe(&self, why: String) -> RouteDirError {
        RouteDirError::Unsafe { path: self.path.clone(), why }
    }

    fn check_markers(&self, route: &Route) -> Result<(), RouteDirError> {
        let dir = self.path.join(self.dir_name(route)?);
        // no links: nginx would follow them, and so would what they say change from elsewhere
        let is = |path: PathBuf, kind: fn(&std::fs::Metadata) -> bool| path.symlink_metadata().is_ok_and(|m| kind(&m));
        let marked = |(marker, wanted)| {
            is(dir.join(marker), std::fs::Metadata::is_file) == wanted && dir.join(marker).exists() == wanted
        };
        let right = is(dir.clone(), std::fs::Metadata::is_dir) && self.markers(route).into_iter().all(marked);
        if right { Ok(()) } else { Err(RouteDirError::Markers(dir)) }
    }

    /// The four routes.
    fn routes(&self) -> [Route; 4] {
        let (first, second) = (self.profiles.first(), self.profiles.second());
        [
            Route::solo(first.clone()),
            Route::with_standby(first.clone(), second.clone()),
            Route::solo(second.clone()),
            Route::with_standby(second.clone(), first.clone()),
        ]
    }

    fn dir_name(&self, route: &Route) -> Result<String, RouteDirError> {
        match (self.profiles.other(&route.active), &route.standby) {
            (Some(_), None) => Ok(route.active.name().to_string()),
            (Some(other), Some(standby)) if standby == other => Ok(format!("{}+standby", route.active.name())),
            _ => Err(RouteDirError::Foreign(route.clone())),
        }
    }

    fn markers(&self, route: &Route) -> [(&'static str, bool); 2] {
        let [second, solo] = MARKERS;
        [(second, route.active == *self.profiles.second()), (solo, route.standby.is_none())]
    }

    fn make_dir(&self, at: impl AsFd, name: &str) -> Result<OwnedFd, RouteDirError> {
        let is_new = match fs::mkdirat(&at, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false,
            Err(e) => return Err(self.io("create", name)(e.into())),
        };
        // no link: what is written there would be elsewhere
        let open = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = retry_on_intr(|| fs::openat(&at, name, open, Mode::empty())).map_err(|e| match e {
            rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP => RouteDirError::InTheWay(self.path.join(name)),
            e => self.io("open", name)(e.into()),
        })?;
        // the top may be of somebody who chose its mode; those in it are ours
        if is_new || !name.starts_with('/') {
            self.set_mode(&dir, name, 0o755)?;
        }
        Ok(dir)
    }

    fn make_marker(&self, dir: &OwnedFd, dir_name: &str, marker: &str) -> Result<(), RouteDirError> {
        let name = format!("{dir_name}/{marker}");
        let open = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| fs::openat(dir, marker, open, Mode::from_raw_mode(0o644))) {
            Ok(file) => self.set_mode(&file, &name, 0o644),
            Err(rustix::io::Errno::EXIST) => {
                let stat =
                    fs::statat(dir, marker, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| self.io("read", &name)(e.into()))?;
                let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
                if is_file { Ok(()) } else { Err(RouteDirError::InTheWay(self.path.join(name))) }
            }
            Err(e) => Err(self.io("create", &name)(e.into())),
        }
    }

    /// Whatever the umask.
    fn set_mode(&self, fd: &OwnedFd, name: &str, mode: u32) -> Result<(), RouteDirError> {
        fs::fchmod(fd, Mode::from_raw_mode(mode)).map_err(|e| self.io("set the mode of", name)(e.into()))
    }

    fn io(&self, action: &'static str, name: &str) -> impl FnOnce(io::Error) -> RouteDirError {
        let path = self.path.join(name);
        move |source| RouteDirError::Io { action, path, source }
    }
}

#[cfg(test)]
mod tests;
