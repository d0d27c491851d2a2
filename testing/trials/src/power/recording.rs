//! What a disk was told, and the disks that a power cut may leave of it.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, BufReader, BufWriter},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Entry {
    /// The disk was given this. It may keep it in its cache.
    Write { at: u64, data: Vec<u8> },
    /// The disk said that nothing is in its cache any more.
    Flush,
    /// Somebody above was told something.
    Told(Told),
}

/// What somebody was told, who may rely on it from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// A command begins.
    Began(String),
    /// `fsync` of the directory of these files has returned, and so they are: the text of a file, the target of a link.
    Synced(BTreeMap<String, String>),
    /// The command has ended; this is its history, and the version that the front door gives.
    Ended { history: String, front: String },
}

/// A disk and all that it was told.
#[derive(Debug)]
pub(super) struct Recording {
    dir: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// Those of the two profiles, which the state names.
    pub(super) ports: [u16; 2],
}

/// One instant, and what becomes of what the disk had only in its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Before this entry.
    pub(super) at: usize,
    pub(super) cache: Cache,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// It reached the disk.
    Kept,
    /// It did not.
    Lost,
    /// Some pages of it did; which ones, this number says.
    Mixed(u64),
}

/// What a disk writes as a whole.
const PAGE: usize = 4096;

impl Recording {
    /// What happened to `image`, a file in `dir`, since it was copied there as `base`.
    pub(super) fn new(dir: &Path, entries: Vec<Entry>, ports: [u16; 2]) -> Self {
        Self { dir: dir.to_owned(), entries, ports }
    }

    /// Remembers how the disk is now, before the first entry.
    pub(super) fn remember(dir: &Path, image: &Path) -> io::Result<()> {
        copy(image, &dir.join("base"))
    }

    /// Keeps it, for a replay.
    pub(super) fn keep(&self, to: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(to)?;
        copy(&self.dir.join("base"), &to.join("base"))?;
        let file = BufWriter::new(File::create(to.join("entries.json"))?);
        Ok(serde_json::to_writer(file, &(&self.ports, &self.entries))?)
    }

    /// One that was kept.
    pub(super) fn kept(dir: &Path) -> anyhow::Result<Self> {
        let file =
            File::open(dir.join("entries.json")).with_context(|| format!("no recording in {}", dir.display()))?;
        let (ports, entries) = serde_json::from_reader(BufReader::new(file))?;
        Ok(Self { dir: dir.to_owned(), entries, ports })
    }

    /// Every instant at which the disk could be another one than just before.
    pub(super) fn cuts(&self, seed: u64) -> Vec<Cut> {
        let (mut cuts, mut cached) = (Vec::new(), false);
        for at in 0..=self.entries.len() {
            let entry = self.entries.get(at);
            if matches!(entry, Some(Entry::Told(_))) {
                continue;
            }
            cuts.push(Cut { at, cache: Cache::Kept });
            if cached {
                let mixed = Cache::Mixed(seed.wrapping_add(at as u64));
                cuts.extend([Cache::Lost, mixed].map(|cache| Cut { at, cache }));
            }
            cached = matches!(entry, Some(Entry::Write { .. }));
        }
        cuts
    }
}

/// Makes the disks that power cuts leave, in the order of time.
#[derive(Debug)]
pub(super) struct Disks<'a> {
    recording: &'a Recording,
    /// What is safely on the disk, up to here.
    safe: PathBuf,
    up_to: usize,
    cut: PathBuf,
}

impl<'a> Disks<'a> {
    pub(super) fn of(recording: &'a Recording, scratch: &Path) -> io::Result<Self> {
        let (safe, cut) = (scratch.join("safe"), scratch.join("cut"));
        copy(&recording.dir.join("base"), &safe)?;
        Ok(Self { recording, safe, up_to: 0, cut })
    }

    /// The disk as `cut` leaves it.
    pub(super) fn after(&mut self, cut: Cut) -> anyhow::Result<&Path> {
        ensure!(cut.at >= self.up_to, "cuts go forward in time");
        let entries = self.recording.entries.get(..cut.at).context("there is no such moment in the recording")?;
        let flushed = entries.iter().rposition(|entry| matches!(entry, Entry::Flush)).map_or(0, |at| at + 1);
        let safe = File::options().write(true).open(&self.safe)?;
        for (at, data) in writes(&entries[self.up_to.min(flushed)..flushed]) {
            safe.write_all_at(data, at)?;
        }
        self.up_to = self.up_to.max(flushed);
        // a new name each time: what is still mounted somewhere under the old one would be mounted again, as it was
        let _ = fs::remove_file(&self.cut);
        self.cut.set_file_name(format!("cut-{cut}").replace(':', "-"));
        copy(&self.safe, &self.cut)?;
        let disk = File::options().write(true).open(&self.cut)?;
        let mut coin = match cut.cache {
            Cache::Mixed(seed) => fastrand::Rng::with_seed(seed),
            _ => fastrand::Rng::new(),
        };
        for (at, data) in writes(&entries[flushed..]) {
            for (page, piece) in data.chunks(PAGE).enumerate() {
                let kept = match cut.cache {
                    Cache::Kept => true,
                    Cache::Lost => false,
                    Cache::Mixed(_) => coin.bool(),
                };
                if kept {
                    disk.write_all_at(piece, at + (page * PAGE) as u64)?;
                }
            }
        }
        Ok(&self.cut)
    }
}

fn writes(entries: &[Entry]) -> impl Iterator<Item = (u64, &[u8])> {
    entries.iter().filter_map(|entry| if let Entry::Write { at, data } = entry { Some((*at, &**data)) } else { None })
}

/// Copies a file with holes as one with holes.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let copied = Command::new("cp").arg("--sparse=always").arg(from).arg(to).status()?;
    if copied.success() { Ok(()) } else { Err(io::Error::other(format!("cannot copy {}", from.display()))) }
}

/// `417:lost`
impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cache {
            Cache::Kept => write!(f, "{}:kept", self.at),
            Cache::Lost => write!(f, "{}:lost", self.at),
            Cache::Mixed(seed) => write!(f, "{}:{seed}", self.at),
        }
    }
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no cut: they look like 417:kept, 417:lost or 417:12345");
        let (at, cache) = text.split_once(':').ok_or_else(wrong)?;
        let cache = match cache {
            "kept" => Cache::Kept,
            "lost" => Cache::Lost,
            seed => Cache::Mixed(seed.parse().map_err(|_| wrong())?),
        };
        Ok(Self { at: at.parse().map_err(|_| wrong())?, cache })
    }
}
