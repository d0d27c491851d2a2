//! The way to a directory.

use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStringExt as _,
    },
    path::{Component, Path, PathBuf},
};

use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, FileType, Mode, OFlags, Stat},
    io::Errno,
};

use super::{
    below::{self, Way},
    hands::{self, Hand, Who},
};

/// As many as the kernel follows.
const LINKS: usize = 40;

/// The directory that a path leads to, or as far as there is one.
#[derive(Debug)]
pub struct Reached {
    dir: OwnedFd,
    stat: Stat,
    path: PathBuf,
    missing: Vec<OsString>,
    hands: Vec<Hand>,
    follows_others: bool,
}

impl Reached {
    /// Where it is, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names at the end of the path that are not there yet.
    pub fn missing(&self) -> &[OsString] {
        &self.missing
    }

    /// Who owns the directory that was reached.
    pub fn owner(&self) -> u32 {
        self.stat.st_uid
    }

    /// Its group.
    pub fn group(&self) -> u32 {
        self.stat.st_gid
    }

    /// Its mode.
    pub fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    /// Who could have led the way elsewhere, or still could: each but root, as found on the way. Without any, only root.
    pub fn hands(&self) -> &[Hand] {
        &self.hands
    }

    /// The first who could, and is not in `uids` (or root).
    pub fn other_than(&self, uids: &[u32]) -> Option<&Hand> {
        self.hands.iter().find(|hand| !hand.is_of(uids))
    }

    /// Whether a link was followed that is not root's, or not in a directory that only root can write.
    pub fn follows_others(&self) -> bool {
        self.follows_others
    }

    /// The directory that was reached: a descriptor that says where it is, and cannot be read from.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// The same, if all of the path is there.
    ///
    /// # Errors
    /// Not all of the path is there.
    pub fn into_dir(self) -> io::Result<OwnedFd> {
        if self.missing.is_empty() { Ok(self.dir) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// Walks to the directory at `path`, following links as the kernel does, and says who could have led it elsewhere.
///
/// # Errors
/// It is no directory, or cannot be looked at. A path whose end is missing is no error.
pub fn reach(path: &Path) -> io::Result<Reached> {
    match walk(Way::Best, path)? {
        (reached, None) => Ok(reached),
        (_, Some(_)) => Err(Errno::NOTDIR.into()),
    }
}

/// The same for a file: its directory, and its name there when the path leads to something that is no directory.
///
/// # Errors
/// It cannot be looked at. A path whose end is missing is no error.
pub fn reach_file(path: &Path) -> io::Result<(Reached, Option<OsString>)> {
    walk(Way::Best, path)
}

pub(super) fn walk(way: Way, path: &Path) -> io::Result<(Reached, Option<OsString>)> {
    let from = if path.is_absolute() { PathBuf::new() } else { std::env::current_dir()? };
    let mut to_go: VecDeque<OsString> = names(&from).chain(names(path)).collect();
    let mut at = Walk::new()?;
    while let Some(name) = to_go.pop_front() {
        match at.step(way, &name)? {
            Step::In => {}
            Step::Missing => {
                let missing = [name].into_iter().chain(to_go).filter(|name| name != "..").collect();
                return Ok((at.end(missing), None));
            }
            Step::File if to_go.is_empty() => return Ok((at.end(Vec::new()), Some(name))),
            Step::File => return Err(Errno::NOTDIR.into()),
            Step::Link(target) => {
                if target.is_absolute() {
                    at.root()?;
                }
                to_go = names(&target).chain(to_go).collect();
            }
        }
    }
    Ok((at.end(Vec::new()), None))
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

enum Step {
    In,
    Missing,
    /// Neither a directory nor a link.
    File,
    Link(PathBuf),
}

struct Walk {
    /// The directories from the root to here.
    dirs: Vec<(OwnedFd, Stat)>,
    path: PathBuf,
    hands: Vec<Hand>,
    links: usize,
    follows_others: bool,
}

impl Walk {
    fn new() -> io::Result<Self> {
        let mut walk =
            Self { dirs: Vec::new(), path: PathBuf::new(), hands: Vec::new(), links: 0, follows_others: false };
        walk.root()?;
        Ok(walk)
    }

    fn root(&mut self) -> io::Result<()> {
        let open = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = retry_on_intr(|| sys::openat(sys::CWD, "/", open, Mode::empty()))?;
        let stat = sys::fstat(&dir)?;
        self.dirs = vec![(dir, stat)];
        self.path = "/".into();
        Ok(())
    }

    fn here(&self) -> &(OwnedFd, Stat) {
        self.dirs.last().expect("the root stays")
    }

    fn step(&mut self, way: Way, name: &OsString) -> io::Result<Step> {
        if name == ".." {
            // the directory we came from, whatever has become of it meanwhile
            if self.dirs.len() > 1 {
                self.dirs.pop();
                self.path.pop();
            }
            return Ok(Step::In);
        }
        let (dir, stat) = self.here();
        let found = match below::look(way, dir, name) {
            Err(Errno::NOENT) => {
                let who = hands::of(dir, stat, None);
                self.note(who, &self.path.clone());
                return Ok(Step::Missing);
            }
            found => found?,
        };
        let seen = sys::fstat(&found)?;
        let who = hands::of(dir, stat, Some(&seen));
        let is_roots = who.is_empty() && seen.st_uid == 0;
        self.note(who, &self.path.clone());
        match FileType::from_raw_mode(seen.st_mode) {
            FileType::Directory => {
                self.dirs.push((found, seen));
                self.path.push(name);
                Ok(Step::In)
            }
            FileType::Symlink => {
                self.links += 1;
                if self.links > LINKS {
                    return Err(Errno::LOOP.into());
                }
                if seen.st_uid != 0 {
                    self.note(vec![Who::User(seen.st_uid)], &self.path.join(name));
                }
                self.follows_others |= !is_roots;
                let target = sys::readlinkat(&found, "", Vec::new())?;
                Ok(Step::Link(PathBuf::from(OsString::from_vec(target.into_bytes()))))
            }
            _ => Ok(Step::File),
        }
    }

    fn note(&mut self, who: Vec<Who>, path: &Path) {
        for who in who {
            let hand = Hand { path: path.to_owned(), who };
            if !self.hands.contains(&hand) {
                self.hands.push(hand);
            }
        }
    }

    fn end(mut self, missing: Vec<OsString>) -> Reached {
        let (dir, stat) = self.dirs.pop().expect("the root stays");
        Reached { dir, stat, path: self.path, missing, hands: self.hands, follows_others: self.follows_others }
    }
}
