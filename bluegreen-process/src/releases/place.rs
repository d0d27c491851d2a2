//! Where the store is, told by what the kernel calls it: there may be many paths to it.

use std::{
    ffi::OsStr,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{METADATA, ReleaseError};

/// The digits of an id.
pub(super) const ID: usize = 64;

/// A directory, by whatever path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    device: u64,
    inode: u64,
}

impl Place {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino() }
    }
}

/// The store, for who might be about to copy it into itself. The default is none.
#[derive(Default)]
pub(super) struct Store {
    path: PathBuf,
    /// None before the first release.
    place: Option<Place>,
    /// What it is in, itself first.
    chain: Vec<Place>,
}

impl Store {
    pub(super) fn at(path: &Path) -> Result<Self, ReleaseError> {
        let io = ReleaseError::io(path);
        let place = unless_missing(path.metadata()).map_err(&io)?.as_ref().map(Place::of);
        let there = if place.is_some() { Some(path) } else { path.parent() };
        let chain = there.map(|there| unless_missing(chain(there))).transpose().map_err(&io)?;
        Ok(Self { path: path.to_owned(), place, chain: chain.flatten().unwrap_or_default() })
    }

    /// Neither is the store in the directory `path`, nor `path` in it.
    pub(super) fn is_apart_from(&self, path: &Path) -> Result<(), ReleaseError> {
        let theirs = chain(path).map_err(ReleaseError::io(path))?;
        if theirs.first().is_some_and(|place| self.chain.contains(place)) {
            return Err(ReleaseError::HoldsStore { path: path.to_owned(), store: self.path.clone() });
        }
        if self.place.is_some_and(|place| theirs.contains(&place)) {
            return Err(ReleaseError::InStore { path: path.to_owned(), store: self.path.clone() });
        }
        Ok(())
    }

    /// `place`, which is below `artifact` by whatever mount, is another one.
    pub(super) fn is_not(&self, place: Place, artifact: &Path) -> Result<(), ReleaseError> {
        if self.place == Some(place) {
            return Err(ReleaseError::HoldsStore { path: artifact.to_owned(), store: self.path.clone() });
        }
        Ok(())
    }

    /// The file `path` of `artifact` is none of a release. The store may be in there although the kernel does not call it so, as
    /// through an overlay; whose release that is does not matter, for the next one would have this one in it.
    pub(super) fn is_no_release(&self, path: &Path, artifact: &Path) -> Result<(), ReleaseError> {
        let id = path.parent().and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or_default();
        if !self.path.as_os_str().is_empty()
            && path.ends_with(METADATA)
            && id.len() == ID
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(ReleaseError::HoldsStore { path: artifact.to_owned(), store: self.path.clone() });
        }
        Ok(())
    }
}

/// The directory `path`, the one that it is in, and so on.
fn chain(path: &Path) -> io::Result<Vec<Place>> {
    path.canonicalize()?.ancestors().map(|path| path.metadata().map(|meta| Place::of(&meta))).collect()
}

fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
