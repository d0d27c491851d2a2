//! Reading a file while hashing it, and copying it.

use std::{
    fmt::Write as _,
    fs::{File, Metadata},
    io,
    ops::{ControlFlow, Range},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use sha2::{Digest, Sha256};

/// So much is read before it is asked whether to go on.
const CHUNK: usize = 256 << 10;
/// So much is written before it is brought to the disk: nothing can interrupt that, so it is never much.
const UNSYNCED: u64 = 64 << 20;
/// What `st_blocks` counts.
const SECTOR: u64 = 512;

/// Hears of bytes done and bytes in all, and says whether to go on.
pub(super) type Progress<'a> = dyn FnMut(u64, u64) -> ControlFlow<()> + 'a;

/// Copies files, or only reads them.
pub(super) struct Copier<'a> {
    progress: &'a mut Progress<'a>,
    done: u64,
    /// As far as it is known.
    pub(super) total: u64,
    /// Brings what was written to the disk: one file, or all that are there.
    pub(super) sync: fn(&File) -> io::Result<()>,
    unsynced: u64,
    buffer: Vec<u8>,
}

/// Why a file was not copied.
pub(super) enum Fault {
    Stopped,
    Read(io::Error),
    Write(io::Error),
}

impl<'a> Copier<'a> {
    pub(super) fn new(progress: &'a mut Progress<'a>) -> Self {
        Self { progress, done: 0, total: 0, sync: File::sync_all, unsynced: 0, buffer: vec![0; CHUNK] }
    }

    /// Copies `source` to `target`, and gives back the digest of what it read: as much as there was when it began. A hole stays
    /// a hole.
    pub(super) fn file(&mut self, source: &File, target: Option<&File>) -> Result<String, Fault> {
        let mut hash = Sha256::new();
        let meta = source.metadata().map_err(Fault::Read)?;
        if !is_sparse(&meta) {
            self.data(source, target, 0..meta.len(), &mut hash)?;
            return Ok(hex(&hash.finalize()));
        }
        let (mut at, mut end) = (0, meta.len());
        while let Some(data) = next_data(source, at).map_err(Fault::Read)?.filter(|data| data.start < meta.len()) {
            let data = data.start..data.end.min(meta.len());
            self.hole(data.start - at, &mut hash)?;
            at = self.data(source, target, data.clone(), &mut hash)?;
            if at < data.end {
                // somebody cut it off meanwhile
                end = at;
                break;
            }
        }
        self.hole(end.saturating_sub(at), &mut hash)?;
        target.map(|target| target.set_len(end.max(at))).transpose().map_err(Fault::Write)?;
        Ok(hex(&hash.finalize()))
    }

    /// Copies what is at `range`. Gives back where it ended, which is earlier at the end of the file.
    fn data(
        &mut self,
        source: &File,
        target: Option<&File>,
        range: Range<u64>,
        hash: &mut Sha256,
    ) -> Result<u64, Fault> {
        let mut at = range.start;
        while at < range.end {
            let most = usize::try_from(range.end - at).unwrap_or(CHUNK).min(CHUNK);
            let read = match source.read_at(&mut self.buffer[..most], at) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Fault::Read(e)),
            };
            hash.update(&self.buffer[..read]);
            if let Some(target) = target {
                self.write(target, read, at).map_err(Fault::Write)?;
            }
            at += read as u64;
            self.ask(read)?;
        }
        Ok(at)
    }

    fn write(&mut self, target: &File, length: usize, at: u64) -> io::Result<()> {
        target.write_all_at(&self.buffer[..length], at)?;
        self.unsynced += length as u64;
        if self.unsynced >= UNSYNCED {
            (self.sync)(target)?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Hashes the zeros that a hole reads as.
    fn hole(&mut self, length: u64, hash: &mut Sha256) -> Result<(), Fault> {
        self.buffer.fill(0);
        let mut left = length;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            hash.update(&self.buffer[..piece]);
            left -= piece as u64;
            self.ask(piece)?;
        }
        Ok(())
    }

    /// Whether to go on, after `bytes` more.
    pub(super) fn ask(&mut self, bytes: usize) -> Result<(), Fault> {
        self.done += bytes as u64;
        if (self.progress)(self.done, self.total.max(self.done)).is_break() { Err(Fault::Stopped) } else { Ok(()) }
    }
}

/// How much of the file at `path` is no hole.
pub(super) fn data_in(path: &Path, meta: &Metadata) -> io::Result<u64> {
    if !is_sparse(meta) {
        return Ok(meta.len());
    }
    let file = &super::source::open(path)?;
    let (mut at, mut size) = (0, 0);
    while let Some(data) = next_data(file, at)? {
        size += data.end - data.start;
        at = data.end;
    }
    Ok(size)
}

fn is_sparse(meta: &Metadata) -> bool {
    meta.blocks().saturating_mul(SECTOR) < meta.len()
}

/// The next bytes from `at` on that are no hole.
fn next_data(file: &File, at: u64) -> io::Result<Option<Range<u64>>> {
    let start = match seek(file, SeekFrom::Data(at)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        // a file system that knows of no holes
        Err(Errno::INVAL) => {
            let end = file.metadata()?.len();
            return Ok((at < end).then_some(at..end));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Some(start..seek(file, SeekFrom::Hole(start))?))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write as _};

    use super::*;

    #[test]
    fn what_grows_while_it_is_copied_is_copied_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, vec![b'x'; 3 * CHUNK]).unwrap();
        let mut pieces = 0;
        let mut grow = |_, _| {
            pieces += 1;
            OpenOptions::new().append(true).open(&path).unwrap().write_all(&vec![b'y'; CHUNK]).unwrap();
            if pieces < 20 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let copy = File::create(dir.path().join("copy")).unwrap();
        let digest = Copier::new(&mut grow).file(&File::open(&path).unwrap(), Some(&copy)).ok().unwrap();
        assert_eq!(digest, hex(&Sha256::digest(vec![b'x'; 3 * CHUNK])));
        assert_eq!(copy.metadata().unwrap().len(), 3 * CHUNK as u64);
    }
}
