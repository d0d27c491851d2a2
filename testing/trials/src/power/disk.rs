//! A disk that remembers everything it was told: a file system in user space with one file, below a loop device.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
    spawn_mount,
};

use super::recording::{Entry, Told};

/// What a disk was told, and what those above it were told by then, in this order.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Option<Vec<Entry>>>>);

impl Log {
    /// From now on everything is written down.
    pub(super) fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What was written down.
    pub(super) fn end(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    /// Somebody was told this just now.
    pub(super) fn told(&self, what: Told) {
        self.add(Entry::Told(what));
    }

    fn add(&self, entry: Entry) {
        if let Some(entries) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            entries.push(entry);
        }
    }
}

/// Puts the file `image` as a disk at the path `place`, a file, until the value is dropped.
pub(super) fn put(image: &Path, place: &Path, log: Log) -> io::Result<BackgroundSession> {
    let image = File::options().read(true).write(true).open(image)?;
    let size = image.metadata()?.len();
    File::create(place)?;
    spawn_mount(Disk { image, size, log }, place, &Config::default())
}

struct Disk {
    image: File,
    size: u64,
    log: Log,
}

const FOREVER: Duration = Duration::from_secs(3600);

impl Disk {
    fn about(&self) -> FileAttr {
        FileAttr {
            ino: INodeNo::ROOT,
            size: self.size,
            blocks: self.size / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: FileType::RegularFile,
            perm: 0o600,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4096,
        }
    }
}

impl Filesystem for Disk {
    fn getattr(&self, _: &Request, _: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &self.about());
    }

    fn setattr(
        &self,
        _: &Request,
        _: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        reply.attr(&FOREVER, &self.about());
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // nothing may be kept back from us
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        at: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut data = vec![0; size as usize];
        match self.image.read_at(&mut data, at) {
            Ok(length) => reply.data(&data[..length]),
            Err(error) => reply.error(error.into()),
        }
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        at: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.image.write_all_at(data, at) {
            Ok(()) => {
                self.log.add(Entry::Write { at, data: data.to_owned() });
                reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX));
            }
            Err(error) => reply.error(error.into()),
        }
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.log.add(Entry::Flush);
        reply.ok();
    }
}
