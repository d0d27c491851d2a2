//! An artifact where it was built: what is in it, its digest, and a copy.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt},
    },
    path::{Component, Path, PathBuf},
};

use bluegreen_linux::files::past_lease;
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};

use super::{
    METADATA, ReleaseError,
    access::{Readers, Rights, is_executable},
    copy::{Copier, Fault, data_in, hex},
    place::{Place, Store},
};

/// An artifact outside the store.
pub(super) struct Source {
    /// The file name that it keeps.
    pub(super) name: String,
    /// In bytes.
    pub(super) size: u64,
    /// What a copy takes on the disk, in bytes.
    pub(super) on_disk: u64,
    root: PathBuf,
    /// Everything in a directory, sorted; `None` for a file.
    tree: Option<Vec<Entry>>,
}

struct Entry {
    /// Relative to the root, which has the empty path.
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Directory(Rights),
    File,
    Link(PathBuf),
}

/// What was read.
pub(super) struct Content {
    pub(super) digest: String,
    /// Of each file and directory.
    rights: Vec<(PathBuf, Rights)>,
}

/// Also the least that an entry of a directory takes.
const BLOCK: u64 = 4096;
const TOO_DEEP: &str = "it has directories in one another, so many that a copy could not be named";
const SPECIAL: &str = "neither a file, nor a directory, nor a link";

impl Source {
    pub(super) fn open(path: &Path, store: &Store, copier: &mut Copier<'_>) -> Result<Self, ReleaseError> {
        let bad = |reason| ReleaseError::BadArtifact { path: path.to_owned(), reason };
        let io = ReleaseError::io(path);
        // `app.jar` may be a link to `app-1.2.jar`; a path like `.` has its name only in the resolved form
        let root = path.canonicalize().map_err(&io)?;
        let name = path.file_name().or(root.file_name()).and_then(|n| n.to_str());
        let name = name.ok_or_else(|| bad("its name is not UTF-8"))?.to_owned();
        if name == METADATA || name.contains(char::is_control) {
            return Err(bad("an artifact cannot have this name"));
        }
        let metadata = root.metadata().map_err(&io)?;
        if metadata.is_file() {
            let on_disk = on_disk(&root, &metadata)?;
            return Ok(Self { name, size: metadata.len(), on_disk, root, tree: None });
        }
        if !metadata.is_dir() {
            return Err(bad("neither a file nor a directory"));
        }
        store.is_apart_from(&root)?;
        let mut source = Self { name, size: 0, on_disk: BLOCK, root, tree: None };
        let tree = source.list(store, copier).map_err(|error| source.named(error))?;
        Ok(Self { tree: Some(tree), ..source })
    }

    /// Everything in it, however deep. Links are not followed.
    fn list(&mut self, store: &Store, copier: &mut Copier<'_>) -> Result<Vec<Entry>, ReleaseError> {
        let (mut tree, mut left) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(at) = left.pop() {
            self.list_one(at, &mut tree, &mut left, store, copier)?;
        }
        tree.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        Ok(tree)
    }

    /// The directory `at` and what is in it; the directories in it are `left` for later.
    fn list_one(
        &mut self,
        at: PathBuf,
        tree: &mut Vec<Entry>,
        left: &mut Vec<PathBuf>,
        store: &Store,
        copier: &mut Copier<'_>,
    ) -> Result<(), ReleaseError> {
        let dir = below(&self.root, &at);
        let io = ReleaseError::io(&dir);
        let opened = open(&dir).map_err(&io)?;
        let metadata = opened.metadata().map_err(&io)?;
        store.is_not(Place::of(&metadata), &self.root)?;
        let rights = Rights::of(&opened, &metadata).map_err(&io)?;
        for entry in fs::read_dir(&dir).map_err(&io)? {
            let entry = entry.map_err(&io)?;
            let bad = |reason| ReleaseError::BadArtifact { path: entry.path(), reason };
            let metadata = entry.metadata().map_err(&io)?;
            let path = at.join(entry.file_name());
            copier.ask(0).map_err(|fault| fault.at(&dir, &dir))?;
            if metadata.is_dir() {
                self.on_disk += BLOCK;
                left.push(path);
            } else if metadata.is_file() {
                store.is_no_release(&path, &self.root)?;
                self.size += metadata.len();
                self.on_disk += on_disk(&entry.path(), &metadata)?;
                tree.push(Entry { path, kind: Kind::File });
            } else if metadata.is_symlink() {
                let to = fs::read_link(entry.path()).map_err(&io)?;
                if escapes(&at, &to) {
                    return Err(bad("a relative link that leaves the directory"));
                }
                self.on_disk += BLOCK;
                tree.push(Entry { path, kind: Kind::Link(to) });
            } else {
                return Err(bad(SPECIAL));
            }
        }
        tree.push(Entry { path: at, kind: Kind::Directory(rights) });
        Ok(())
    }

    /// Copies it below `dir`, under its name, durable and read-only.
    pub(super) fn copy_into(
        &self,
        dir: &Path,
        readers: Readers,
        copier: &mut Copier<'_>,
    ) -> Result<Content, ReleaseError> {
        if self.tree.is_some() {
            // one call instead of a wait for each of what may be thousands of files
            copier.sync = |file| Ok(rustix::fs::syncfs(file)?);
        }
        let target = dir.join(&self.name);
        let content = self.read(Some(&target), copier).map_err(|error| self.named(error))?;
        content.give_rights(&target, readers)?;
        copier.ask(0).map_err(|fault| fault.at(&self.root, &target))?;
        open(&target).and_then(|copy| (copier.sync)(&copy)).map_err(ReleaseError::io(&target))?;
        Ok(content)
    }

    /// A path that is too long to be one is none that anybody could read in a message.
    fn named(&self, error: ReleaseError) -> ReleaseError {
        match error {
            ReleaseError::Io { source, .. } if source.kind() == io::ErrorKind::InvalidFilename => {
                ReleaseError::BadArtifact { path: self.root.clone(), reason: TOO_DEEP }
            }
            error => error,
        }
    }

    /// The digest that [`Source::copy_into`] would give.
    pub(super) fn digest(&self, copier: &mut Copier<'_>) -> Result<String, ReleaseError> {
        self.read(None, copier).map(|content| content.digest)
    }

    fn read(&self, target: Option<&Path>, copier: &mut Copier<'_>) -> Result<Content, ReleaseError> {
        copier.total = self.size;
        let Some(tree) = &self.tree else {
            let (digest, rights, _) = read_file(&self.root, target, copier)?;
            return Ok(Content { digest, rights: vec![(PathBuf::new(), rights)] });
        };
        let (mut manifest, mut all) = (Sha256::new(), Vec::new());
        for Entry { path, kind } in tree {
            let source = below(&self.root, path);
            let target = target.map(|target| below(target, path));
            let line = match kind {
                Kind::Directory(rights) => {
                    let make = |t: PathBuf| fs::DirBuilder::new().mode(0o700).create(&t).map_err(ReleaseError::io(&t));
                    target.map(make).transpose()?;
                    all.push((path.clone(), *rights));
                    "d".to_owned()
                }
                Kind::File => {
                    let (digest, rights, executable) = read_file(&source, target.as_deref(), copier)?;
                    all.push((path.clone(), rights));
                    format!("{} {digest}", if executable { "x" } else { "f" })
                }
                Kind::Link(to) => {
                    let link = |t: PathBuf| std::os::unix::fs::symlink(to, &t).map_err(ReleaseError::io(&t));
                    target.map(link).transpose()?;
                    format!("l {}", hex(to.as_os_str().as_bytes()))
                }
            };
            // the root is in no digest
            if path.as_os_str().is_empty() {
                continue;
            }
            // NUL ends a path and nothing else can hold one: no two trees have the same manifest
            manifest.update(line);
            manifest.update(b" ");
            manifest.update(path.as_os_str().as_bytes());
            manifest.update(b"\0");
        }
        Ok(Content { digest: hex(&manifest.finalize()), rights: all })
    }
}

impl Content {
    /// Gives the copy at `target` the rights that were read. Says whether that changed anything.
    pub(super) fn give_rights(&self, target: &Path, readers: Readers) -> Result<bool, ReleaseError> {
        let mut changed = false;
        for (path, rights) in &self.rights {
            let copy = below(target, path);
            let given = open(&copy).and_then(|copy| readers.give(&copy, rights));
            changed |= given.map_err(ReleaseError::io(&copy))?;
        }
        Ok(changed)
    }
}

impl Fault {
    fn at(self, source: &Path, target: &Path) -> ReleaseError {
        match self {
            Self::Stopped => ReleaseError::Stopped,
            Self::Read(error) => ReleaseError::io(source)(error),
            Self::Write(error) => ReleaseError::io(target)(error),
        }
    }
}

/// Reads `source`, writes it to `target`, and gives back its digest, who may read it, and whether it is executable.
fn read_file(
    source: &Path,
    target: Option<&Path>,
    copier: &mut Copier<'_>,
) -> Result<(String, Rights, bool), ReleaseError> {
    let io = ReleaseError::io(source);
    let reader = open(source).map_err(&io)?;
    let meta = reader.metadata().map_err(&io)?;
    if !meta.is_file() {
        return Err(ReleaseError::BadArtifact { path: source.to_owned(), reason: SPECIAL });
    }
    let create = |t: &Path| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(t);
    let writer = target.map(|t| create(t).map_err(ReleaseError::io(t))).transpose()?;
    let digest = copier.file(&reader, writer.as_ref()).map_err(|fault| fault.at(source, target.unwrap_or(source)))?;
    Ok((digest, Rights::of(&reader, &meta).map_err(&io)?, is_executable(&meta)))
}

/// Opens a file or a directory. Neither a link nor something that waits for its other end leads elsewhere.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(past_lease(|| rustix::fs::open(path, flags, Mode::empty()))?.into())
}

/// What a copy of the file takes on the disk.
fn on_disk(path: &Path, meta: &Metadata) -> Result<u64, ReleaseError> {
    Ok(data_in(path, meta).map_err(ReleaseError::io(path))?.next_multiple_of(BLOCK).max(BLOCK))
}

fn below(root: &Path, path: &Path) -> PathBuf {
    // an empty path would put a slash behind a file
    if path.as_os_str().is_empty() { root.to_owned() } else { root.join(path) }
}

/// Whether a link in the directory `at` leaves the tree by `..`, and so would mean something else in the copy. Absolute
/// links (a virtual environment has some) mean the same everywhere and are kept.
fn escapes(at: &Path, to: &Path) -> bool {
    let mut depth = at.components().count();
    to.is_relative()
        && to.components().any(|part| {
            match part {
                Component::ParentDir if depth == 0 => return true,
                Component::ParentDir => depth -= 1,
                Component::Normal(_) => depth += 1,
                _ => {}
            }
            false
        })
}
