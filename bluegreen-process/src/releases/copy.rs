//! Copying an artifact while hashing it.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt},
    },
    path::{Component, Path, PathBuf},
};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::{METADATA, ReleaseError};

/// An artifact outside the store.
pub(super) struct Source {
    /// The file name that it keeps.
    pub(super) name: String,
    /// In bytes.
    pub(super) size: u64,
    root: PathBuf,
    /// Everything in a directory, sorted; `None` for a file.
    tree: Option<Vec<Entry>>,
}

struct Entry {
    /// Relative to the root.
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Directory,
    File,
    Link(PathBuf),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, ReleaseError> {
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
            return Ok(Self { name, size: metadata.len(), root, tree: None });
        }
        if !metadata.is_dir() {
            return Err(bad("neither a file nor a directory"));
        }
        let (mut tree, mut size) = (Vec::new(), 0);
        list(&root, Path::new(""), &mut tree, &mut size)?;
        tree.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        Ok(Self { name, size, root, tree: Some(tree) })
    }

    /// Copies it below `dir`, under its name, durable and read-only. Gives back the digest of what was written.
    pub(super) fn copy_into(&self, dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<String, ReleaseError> {
        let target = dir.join(&self.name);
        let mut done = 0;
        let mut count = |bytes| {
            done += bytes;
            progress(done, self.size.max(done));
        };
        let Some(tree) = &self.tree else {
            let (digest, _) = copy_file(&self.root, Some(&target), &mut count)?;
            fs::File::open(&target).and_then(|f| f.sync_all()).map_err(ReleaseError::io(&target))?;
            return Ok(digest);
        };
        fs::create_dir(&target).map_err(ReleaseError::io(&target))?;
        let digest = self.walk(tree, Some(&target), &mut count)?;
        // directories become read-only when they are full
        for entry in tree.iter().rev().filter(|e| matches!(e.kind, Kind::Directory)) {
            read_only(&target.join(&entry.path))?;
        }
        read_only(&target)?;
        // one call instead of a wait for each of what may be thousands of files
        let root = fs::File::open(&target).map_err(ReleaseError::io(&target))?;
        rustix::fs::syncfs(&root).map_err(|e| ReleaseError::io(&target)(e.into()))?;
        Ok(digest)
    }

    /// The digest that [`Source::copy_into`] would give.
    pub(super) fn digest(&self) -> Result<String, ReleaseError> {
        match &self.tree {
            None => copy_file(&self.root, None, &mut |_| {}).map(|(digest, _)| digest),
            Some(tree) => self.walk(tree, None, &mut |_| {}),
        }
    }

    /// Hashes a directory as the list of its entries, and copies each one to `target`.
    fn walk(&self, tree: &[Entry], target: Option<&Path>, count: &mut dyn FnMut(u64)) -> Result<String, ReleaseError> {
        let mut manifest = Sha256::new();
        for entry in tree {
            let source = self.root.join(&entry.path);
            let target = target.map(|t| t.join(&entry.path));
            let line = match &entry.kind {
                Kind::Directory => {
                    target.map(|t| fs::create_dir(&t).map_err(ReleaseError::io(&t))).transpose()?;
                    "d".to_owned()
                }
                Kind::File => {
                    let (digest, executable) = copy_file(&source, target.as_deref(), count)?;
                    format!("{} {digest}", if executable { "x" } else { "f" })
                }
                Kind::Link(to) => {
                    let link = |t: PathBuf| std::os::unix::fs::symlink(to, &t).map_err(ReleaseError::io(&t));
                    target.map(link).transpose()?;
                    format!("l {}", hex(to.as_os_str().as_bytes()))
                }
            };
            // NUL ends a path and nothing else can hold one: no two trees have the same manifest
            manifest.update(line);
            manifest.update(b" ");
            manifest.update(entry.path.as_os_str().as_bytes());
            manifest.update(b"\0");
        }
        Ok(hex(&manifest.finalize()))
    }
}

/// Everything below `root/at`. Links are not followed.
fn list(root: &Path, at: &Path, tree: &mut Vec<Entry>, size: &mut u64) -> Result<(), ReleaseError> {
    let dir = root.join(at);
    let io = ReleaseError::io(&dir);
    for entry in fs::read_dir(&dir).map_err(&io)? {
        let entry = entry.map_err(&io)?;
        let bad = |reason| ReleaseError::BadArtifact { path: entry.path(), reason };
        let metadata = entry.metadata().map_err(&io)?;
        let path = at.join(entry.file_name());
        if metadata.is_dir() {
            tree.push(Entry { path: path.clone(), kind: Kind::Directory });
            list(root, &path, tree, size)?;
        } else if metadata.is_file() {
            *size += metadata.len();
            tree.push(Entry { path, kind: Kind::File });
        } else if metadata.is_symlink() {
            let to = fs::read_link(entry.path()).map_err(&io)?;
            if escapes(at, &to) {
                return Err(bad("a relative link that leaves the directory"));
            }
            tree.push(Entry { path, kind: Kind::Link(to) });
        } else {
            return Err(bad("neither a file, nor a directory, nor a link"));
        }
    }
    Ok(())
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

/// Reads `source`, writes it to `target` and gives back its digest and whether it is executable.
fn copy_file(source: &Path, target: Option<&Path>, count: &mut dyn FnMut(u64)) -> Result<(String, bool), ReleaseError> {
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut reader =
        fs::OpenOptions::new().read(true).custom_flags(nofollow).open(source).map_err(ReleaseError::io(source))?;
    let executable = reader.metadata().map_err(ReleaseError::io(source))?.permissions().mode() & 0o100 != 0;
    let mode = if executable { 0o555 } else { 0o444 };
    let create = |t: &Path| fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(t);
    let mut writer = target.map(|t| create(t).map_err(ReleaseError::io(t))).transpose()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(ReleaseError::io(source)(e)),
        };
        hash.update(&buffer[..length]);
        if let (Some(writer), Some(target)) = (&mut writer, target) {
            writer.write_all(&buffer[..length]).map_err(ReleaseError::io(target))?;
        }
        count(length as u64);
    }
    Ok((hex(&hash.finalize()), executable))
}

fn read_only(dir: &Path) -> Result<(), ReleaseError> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o555)).map_err(ReleaseError::io(dir))
}

/// Removes a tree whose directories are read-only.
pub(super) fn remove_tree(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(dir)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
