//! The releases on disk.

use std::{
    fs, io,
    ops::ControlFlow,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::{Path, PathBuf},
};

use bluegreen_core::{ReleaseId, Template};
use bluegreen_linux::files::{self, Replace, Rule};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Spec, record};

mod access;
mod copy;
mod error;
mod place;
mod scratch;
mod source;
#[cfg(test)]
mod tests;

pub use error::ReleaseError;

pub(crate) use access::Readers;

use self::{
    copy::{Copier, Progress, hex},
    place::{ID, Store},
    scratch::{Scratch, TEMPORARY},
    source::{Content, Source},
};

/// The file in each release that describes it; no artifact may have this name.
const METADATA: &str = "release.json";
/// What is wrong with a release that has none.
const GONE: &str = "there is no release.json in it";
/// A `release.json` has no more bytes.
const LIMIT: u64 = 16 << 20;
/// Left free by [`Releases::add`], so that state and logs can still be written.
const RESERVE: u64 = 16 << 20;

/// Something to run that never changes: an artifact and the command that starts it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Release {
    /// SHA-256 over artifact, command and version.
    pub id: ReleaseId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name of the artifact, a file or a directory; `None` when the command alone is the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// SHA-256 of the artifact in hexadecimal: of the file, or of the sorted manifest of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size of the artifact in bytes.
    pub size: u64,
    /// What it takes on the disk, in bytes, where that was counted: less if it has holes, more if it is many small files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disk: Option<u64>,
    /// One more than that of the release before it: clocks are set back.
    #[serde(default)]
    pub number: u64,
    /// When it was added, RFC 3339 in UTC.
    pub created: String,
    /// How it is started.
    pub spec: Spec,
}

impl Release {
    /// Whether it cannot be started: its command needs an artifact, and it has none.
    pub fn lacks_artifact(&self) -> bool {
        let Spec { command, env, workdir } = &self.spec;
        let mut texts = command.iter().chain(env.values()).chain([workdir]);
        let needs = |text: &String| Template::parse(text).is_ok_and(|text| text.mentions("artifact"));
        self.artifact.is_none() && texts.any(needs)
    }
}

/// A release to add.
#[derive(Debug, Clone, Copy)]
pub struct NewRelease<'a> {
    /// A file or a directory.
    pub artifact: Option<&'a Path>,
    /// How it is started: [`Launch::spec`](crate::Launch::spec).
    pub spec: &'a Spec,
    /// What people call it.
    pub version: Option<&'a str>,
    /// The digest that the artifact must have, in hexadecimal.
    pub sha256: Option<&'a str>,
}

/// What is in the store.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stored {
    /// The releases, newest first.
    pub releases: Vec<Release>,
    /// Those of which it cannot be read what they are. Nothing removes them, and nothing starts them.
    pub unreadable: Vec<Unreadable>,
}

/// A release that is there, and of which it cannot be read what it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unreadable {
    /// Its id, as its directory has it.
    pub id: ReleaseId,
    /// Why not, and what to do.
    pub why: ReleaseError,
}

/// A directory of releases, one subdirectory for each, named after its id.
///
/// Nothing here is ever changed in place: a release appears whole, by one rename, and is read-only from then on.
#[derive(Debug, Clone)]
pub struct Releases {
    dir: PathBuf,
    readers: Readers,
}

impl Releases {
    /// The releases below `dir`, which is made when the first one is added.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), readers: Readers::default() }
    }

    /// The same, of which only this group may read what is added, as far as the group of the artifact could. Without it,
    /// whoever could read the artifact may read the copy. What is added then takes root, or to be in that group.
    #[must_use]
    pub fn with_group(mut self, group: Option<u32>) -> Self {
        self.readers = Readers { group };
        self
    }

    /// Copies an artifact into the store. `progress` hears of bytes done and bytes in all, before each piece and after the
    /// last one, and says whether to go on; what is read a second time it hears of as done.
    ///
    /// The same artifact and command under the same version, or under none, give the release that is there, after its content
    /// was verified. Under another version they are another release: what runs keeps the version that it was started with.
    ///
    /// A copy is read-only, never more open than the artifact, and without the rights that a program may get from its file.
    ///
    /// # Errors
    /// The store is as it was before. [`ReleaseError::Stopped`] when `progress` ended it.
    pub fn add(&self, new: &NewRelease<'_>, progress: &mut Progress<'_>) -> Result<Release, ReleaseError> {
        let io = ReleaseError::io(&self.dir);
        self.is_there()?;
        record::own_dir(&self.dir, 0o755).map_err(&io)?;
        self.let_readers_in()?;
        scratch::sweep(&self.dir);
        let mut copier = Copier::new(progress);
        let open = |artifact| Source::open(artifact, &Store::at(&self.dir)?, &mut copier);
        let source = new.artifact.map(open).transpose()?;
        self.check_space(source.as_ref().map_or(0, |s| s.on_disk))?;

        let scratch = Scratch::new(&self.dir).map_err(&io)?;
        let copy = |source: &Source| source.copy_into(&scratch.path, self.readers, &mut copier);
        let content = source.as_ref().map(copy).transpose()?;
        let sha256 = content.as_ref().map(|content| content.digest.clone());
        if let (Some(wanted), Some(found)) = (new.sha256, &sha256)
            && !wanted.eq_ignore_ascii_case(found)
        {
            return Err(ReleaseError::WrongDigest { wanted: wanted.to_owned(), found: found.clone() });
        }
        let number = self.list()?.releases.first().map_or(1, |newest| newest.number + 1);
        let release = Release { number, ..describe(new, source, sha256) };
        let stored = self.stored(&release)?;
        if stored.is_none() && self.publish(&release, &scratch).map_err(&io)? {
            return Ok(release);
        }
        // or another command was faster
        let there = stored.map_or_else(|| self.find(&release.id), |there| Ok(Some(there)))?;
        let there = there.ok_or_else(|| self.damaged(&release.id, GONE))?;
        let size = there.size;
        self.verify_with(&there, &mut Copier::new(&mut |_, _| progress(size, size)))?;
        if let Some((content, copy)) = content.zip(self.artifact(&there)) {
            self.renew_rights(&there, &content, &copy)?;
        }
        Ok(there)
    }

    /// What [`Releases::add`] would give, and whether it is there already. Reads the whole artifact and changes nothing;
    /// `progress` is as there.
    ///
    /// # Errors
    /// The artifact cannot be read, or has another digest than it must.
    pub fn look_at(&self, new: &NewRelease<'_>, progress: &mut Progress<'_>) -> Result<(Release, bool), ReleaseError> {
        let mut copier = Copier::new(progress);
        let open = |artifact| Source::open(artifact, &Store::at(&self.dir)?, &mut copier);
        let source = new.artifact.map(open).transpose()?;
        let sha256 = source.as_ref().map(|source| source.digest(&mut copier)).transpose()?;
        let release = describe(new, source, sha256);
        Ok(self.stored(&release)?.map_or((release, false), |there| (there, true)))
    }

    /// Whoever may read the artifact now may read the release that was made of it before, and nobody else: the rights are in
    /// no digest.
    fn renew_rights(&self, release: &Release, content: &Content, copy: &Path) -> Result<(), ReleaseError> {
        let dir = self.path(&release.id);
        let admitted = self.readers.let_into(&dir).and_then(|()| self.readers.let_into(&dir.join(METADATA)));
        admitted.map_err(ReleaseError::io(&dir))?;
        if content.give_rights(copy, self.readers)? {
            let synced = fs::File::open(copy).and_then(|copy| Ok(rustix::fs::syncfs(copy)?));
            synced.map_err(ReleaseError::io(copy))?;
        }
        Ok(())
    }

    /// Gives what was stored for another group, or before there was one, to this one, as far as that can be done.
    pub(crate) fn admit(&self) {
        let Some(group) = self.readers.group else { return };
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for dir in entries.filter(|entry| entry.file_name().len() == ID).map(|entry| entry.path()) {
            // last is the directory itself: where that was done, all in it was
            if dir.metadata().is_ok_and(|meta| meta.gid() != group || meta.mode() & 0o007 != 0) {
                let _ = self.readers.take_over(&dir).and_then(|()| self.readers.let_into(&dir));
            }
            let _ = self.readers.let_into(&dir.join(METADATA));
        }
        let _ = self.readers.let_into(&self.dir);
    }

    fn let_readers_in(&self) -> Result<(), ReleaseError> {
        self.readers.let_into(&self.dir).map_err(|error| match (error.kind(), self.readers.group) {
            (io::ErrorKind::PermissionDenied, Some(group)) => {
                ReleaseError::NotInGroup { path: self.dir.clone(), group }
            }
            _ => ReleaseError::io(&self.dir)(error),
        })
    }

    /// The newest release that is there already for what `new` describes; any version will do when none was asked for.
    fn stored(&self, new: &Release) -> Result<Option<Release>, ReleaseError> {
        let same = |r: &Release| {
            (&r.sha256, &r.artifact, &r.spec) == (&new.sha256, &new.artifact, &new.spec)
                && (new.version.is_none() || r.version == new.version)
        };
        Ok(self.list()?.releases.into_iter().find(same))
    }

    /// The release of this id.
    ///
    /// # Errors
    /// [`ReleaseError::Unknown`], or the store cannot be read.
    pub fn get(&self, id: &ReleaseId) -> Result<Release, ReleaseError> {
        self.find(id)?.ok_or_else(|| ReleaseError::Unknown(id.as_str().to_owned()))
    }

    /// The release that `text` means: a version, an id, or the beginning of one. Of several with the same version, the
    /// newest.
    ///
    /// # Errors
    /// [`ReleaseError::Unknown`] and [`ReleaseError::Ambiguous`], or the store cannot be read. Where it is not found and another
    /// one cannot be read, it may be that: then why not.
    pub fn resolve(&self, text: &str) -> Result<Release, ReleaseError> {
        let Stored { releases, unreadable } = self.list()?;
        if let Some(release) = releases.iter().find(|r| r.version.as_deref() == Some(text)) {
            return Ok(release.clone());
        }
        let mut matching = releases.iter().filter(|r| !text.is_empty() && r.id.as_str().starts_with(text));
        match (matching.next(), matching.next()) {
            (Some(release), None) => Ok(release.clone()),
            (None, _) => {
                Err(unreadable.into_iter().next().map_or_else(|| ReleaseError::Unknown(text.to_owned()), |it| it.why))
            }
            (Some(a), Some(b)) => {
                Err(ReleaseError::Ambiguous { text: text.to_owned(), first: a.id.clone(), second: b.id.clone() })
            }
        }
    }

    /// All releases. One that cannot be read is no reason to hide the others.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<Stored, ReleaseError> {
        if !self.is_there()? {
            return Ok(Stored::default());
        }
        let entries = fs::read_dir(&self.dir).map_err(ReleaseError::io(&self.dir))?;
        let mut stored = Stored::default();
        for entry in entries {
            let entry = entry.map_err(ReleaseError::io(&self.dir))?;
            // what has another name is none of ours, as a pin or a directory in the making
            let Some(Ok(id)) = entry.file_name().to_str().map(ReleaseId::try_from) else { continue };
            match self.find(&id) {
                Ok(Some(release)) => stored.releases.push(release),
                Ok(None) if entry.file_type().is_ok_and(|kind| kind.is_file()) => {}
                Ok(None) => stored.unreadable.push(Unreadable { why: self.damaged(&id, GONE), id }),
                Err(why) => stored.unreadable.push(Unreadable { id, why }),
            }
        }
        stored.releases.sort_by(|a, b| (b.number, &b.created, &b.id).cmp(&(a.number, &a.created, &a.id)));
        stored.unreadable.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(stored)
    }

    /// Whether anything was stored yet. A link that leads nowhere is no empty store.
    fn is_there(&self) -> Result<bool, ReleaseError> {
        let error = match self.dir.metadata() {
            Ok(meta) if meta.is_dir() => return Ok(true),
            Ok(_) => io::ErrorKind::NotADirectory.into(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.dir.is_symlink() {
                    return Ok(false);
                }
                io::Error::new(error.kind(), "it is a link that leads nowhere")
            }
            Err(error) => error,
        };
        Err(ReleaseError::io(&self.dir)(error))
    }

    /// Where the artifact of `release` is: what `{artifact}` stands for.
    pub fn artifact(&self, release: &Release) -> Option<PathBuf> {
        release.artifact.as_ref().map(|name| self.path(&release.id).join(name))
    }

    /// Where `{release_dir}` is.
    pub fn path(&self, id: &ReleaseId) -> PathBuf {
        self.dir.join(id.as_str())
    }

    /// Reads the whole artifact again and compares it with its digest: whether a rollback to it would start what it was.
    ///
    /// # Errors
    /// [`ReleaseError::Damaged`], or it cannot be read.
    pub fn verify(&self, release: &Release) -> Result<(), ReleaseError> {
        self.verify_with(release, &mut Copier::new(&mut |_, _| ControlFlow::Continue(())))
    }

    fn verify_with(&self, release: &Release, copier: &mut Copier<'_>) -> Result<(), ReleaseError> {
        let Some(path) = self.artifact(release) else { return Ok(()) };
        let damaged = || {
            let file = changed_since(&path, &self.path(&release.id).join(METADATA));
            let file = file.map(|file| format!(": {} was changed", file.display())).unwrap_or_default();
            self.damaged(&release.id, format!("its artifact is another one{file}"))
        };
        let found = Source::open(&path, &Store::default(), copier).and_then(|source| source.digest(copier));
        match found {
            Ok(found) if Some(&found) == release.sha256.as_ref() => Ok(()),
            Ok(_) | Err(ReleaseError::BadArtifact { .. }) => Err(damaged()),
            Err(ReleaseError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Err(damaged()),
            Err(error) => Err(error),
        }
    }

    /// Keeps `id` from [`Releases::prune`].
    ///
    /// # Errors
    /// [`ReleaseError::Unknown`], or the store cannot be written.
    pub fn pin(&self, id: &ReleaseId) -> Result<(), ReleaseError> {
        self.get(id)?;
        let pin = self.pin_path(id);
        let made = files::append(&pin, Rule::ANY, Some(0o644));
        made.map(drop).map_err(|e| ReleaseError::io(&pin)(e.into()))
    }

    /// Takes a pin away; without one, does nothing.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn unpin(&self, id: &ReleaseId) -> Result<(), ReleaseError> {
        let pin = self.pin_path(id);
        match fs::remove_file(&pin) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(ReleaseError::io(&pin)(e)),
            _ => Ok(()),
        }
    }

    /// Whether `id` is pinned: whatever is in the place of a pin keeps it.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn is_pinned(&self, id: &ReleaseId) -> Result<bool, ReleaseError> {
        let pin = self.pin_path(id);
        match fs::symlink_metadata(&pin) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(ReleaseError::io(&pin)(e)),
        }
    }

    /// Removes all but the newest `keep`, those in `protect` (what runs, and what a rollback needs) and the pinned.
    /// Gives back what it removed.
    ///
    /// # Errors
    /// The store cannot be read, or a release cannot be removed; those before it are gone.
    pub fn prune(&self, keep: usize, protect: &[ReleaseId]) -> Result<Vec<Release>, ReleaseError> {
        scratch::sweep(&self.dir);
        let surplus = self.surplus(keep, protect)?;
        for release in &surplus {
            self.remove(&release.id).map_err(ReleaseError::io(&self.path(&release.id)))?;
        }
        Ok(surplus)
    }

    /// What [`Releases::prune`] would remove.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn surplus(&self, keep: usize, protect: &[ReleaseId]) -> Result<Vec<Release>, ReleaseError> {
        let mut surplus = Vec::new();
        for old in self.list()?.releases.into_iter().skip(keep) {
            if !protect.contains(&old.id) && !self.is_pinned(&old.id)? {
                surplus.push(old);
            }
        }
        Ok(surplus)
    }

    fn find(&self, id: &ReleaseId) -> Result<Option<Release>, ReleaseError> {
        let path = self.path(id).join(METADATA);
        let text = match files::read(&path, Rule::ANY, LIMIT) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return self.is_there().map(|_| None);
            }
            Err(e) => {
                return Err(match e.reason() {
                    // not what we wrote, whatever it is
                    Some(why) => self.damaged(id, format!("{METADATA}: {why}")),
                    None => ReleaseError::io(&path)(e.into()),
                });
            }
        };
        match serde_json::from_slice::<Release>(&text) {
            Ok(release) if release.id == *id => Ok(Some(release)),
            Ok(_) => Err(self.damaged(id, "it says that it is another one")),
            Err(error) => Err(self.damaged(id, format!("{METADATA}: {error}"))),
        }
    }

    fn damaged(&self, id: &ReleaseId, reason: impl Into<String>) -> ReleaseError {
        ReleaseError::Damaged { id: id.clone(), path: self.path(id), reason: reason.into() }
    }

    /// Makes the release in `scratch` durable, then visible under its id; `false` when that is taken.
    fn publish(&self, release: &Release, scratch: &Scratch) -> io::Result<bool> {
        write_metadata(&scratch.path, release, self.readers)?;
        fs::set_permissions(&scratch.path, fs::Permissions::from_mode(0o755))?;
        self.readers.let_into(&scratch.path)?;
        match fs::rename(&scratch.path, self.path(&release.id)) {
            Ok(()) => fs::File::open(&self.dir)?.sync_all().map(|()| true),
            Err(e) if matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Half a deletion must not look like a release: first out of sight, then gone.
    fn remove(&self, id: &ReleaseId) -> io::Result<()> {
        let aside = self.dir.join(format!("{TEMPORARY}removed-{}", id.as_str()));
        fs::rename(self.path(id), &aside)?;
        scratch::remove_tree(&aside)
    }

    fn check_space(&self, size: u64) -> Result<(), ReleaseError> {
        let disk = rustix::fs::statvfs(&self.dir).map_err(|e| ReleaseError::io(&self.dir)(e.into()))?;
        let (free, needed) = (disk.f_bavail.saturating_mul(disk.f_frsize), size.saturating_add(RESERVE));
        if free < needed {
            return Err(ReleaseError::NoSpace { dir: self.dir.clone(), needed, free });
        }
        Ok(())
    }

    fn pin_path(&self, id: &ReleaseId) -> PathBuf {
        self.dir.join(format!("{}.pin", id.as_str()))
    }
}

/// Writes `release.json`, durable and never half. The environment in it is nobody's business but the owner's and the group's.
fn write_metadata(dir: &Path, release: &Release, readers: Readers) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(release)?;
    Ok(files::replace(&dir.join(METADATA), &text, &Replace::private().mode(0o400).for_group(readers.group))?)
}

/// The file below `path` that was written to last, if that was after `stored` was. For a person, who may find out more.
fn changed_since(path: &Path, stored: &Path) -> Option<PathBuf> {
    let written = |path: &Path| path.symlink_metadata().and_then(|meta| meta.modified()).ok();
    let (mut left, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(path) = left.pop() {
        if path.is_dir() && !path.is_symlink() {
            left.extend(fs::read_dir(&path).ok()?.flatten().map(|entry| entry.path()));
        }
        found.push((written(&path)?, path));
    }
    let last = found.into_iter().filter(|(_, path)| !path.is_dir()).max()?;
    (last.0 > written(stored)?).then_some(last.1)
}

fn describe(new: &NewRelease<'_>, source: Option<Source>, sha256: Option<String>) -> Release {
    Release {
        id: release_id(sha256.as_deref(), source.as_ref().map(|s| s.name.as_str()), new.spec, new.version),
        version: new.version.map(ToOwned::to_owned),
        size: source.as_ref().map_or(0, |s| s.size),
        on_disk: source.as_ref().map(|s| s.on_disk),
        number: 0,
        artifact: source.map(|s| s.name),
        sha256,
        created: format!("{:.3}", jiff::Timestamp::now()),
        spec: new.spec.clone(),
    }
}

fn release_id(sha256: Option<&str>, name: Option<&str>, spec: &Spec, version: Option<&str>) -> ReleaseId {
    let content = serde_json::to_vec(&(sha256, name, spec, version)).expect("strings and maps of strings");
    hex(&Sha256::digest(content)).parse().expect("64 hexadecimal digits")
}
