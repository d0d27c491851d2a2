//! A power cut at any moment, on real file systems.
//!
//! The state is on a loop device on a disk of our own, which remembers every write and every flush. The real program runs
//! there, under a tracer, which notes what each `fsync` has promised. Afterwards we make the disks that a cut leaves:
//! before every write and flush, with the disk's cache kept, lost, or kept in part. Each one is mounted, which replays
//! the journal, and must have all that was promised by then. On those that differ the machine "boots".

mod disk;
mod mounted;
mod promise;
mod recording;
mod recovery;
mod story;

use std::{
    collections::HashSet,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    time::Instant,
};

use bluegreen_rig::{Stage, say, skip};

use mounted::{Kind, Mounted};
use promise::Promise;
use recording::{Cut, Disks, Recording};

/// A power cut at any moment of a life of deploys, on ext4 and xfs
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this file system
    #[arg(long, value_enum)]
    fs: Option<Kind>,
    /// At most so many cuts of each run, evenly spread [default: all]
    #[arg(long, value_name = "N")]
    cuts: Option<usize>,
    /// At most so many boots of each run [default: one for each disk that differs]
    #[arg(long, value_name = "N")]
    boots: Option<usize>,
    /// A short life on ext4, a few cuts and boots: half a minute
    #[arg(long, conflicts_with_all = ["fs", "cuts", "boots", "replay"])]
    sample: bool,
    /// No fsync comes through of what begins with this path below the state directory, or of `.`, that directory itself;
    /// there must be failures [default: first all come through, then none]
    #[arg(long, value_name = "PATH", conflicts_with = "replay")]
    without: Option<String>,
    /// Decides what is kept of a cache, and when somebody else syncs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this cut, as a failure names it
    #[arg(long, requires = "replay")]
    cut: Option<Cut>,
    /// Of this recording, as a failure names it
    #[arg(long, value_name = "DIR", requires = "fs")]
    replay: Option<PathBuf>,
}

const SAMPLE_CUTS: usize = 60;
const SAMPLE_BOOTS: usize = 2;

impl Options {
    fn few(&self, sample: usize, wanted: Option<usize>) -> usize {
        if self.sample { sample } else { wanted.unwrap_or(usize::MAX) }
    }
}

/// What became of the cuts of one recording.
#[derive(Debug, Default)]
struct Figures {
    cuts: usize,
    boots: usize,
    failures: usize,
}

/// Whether every promise was kept, and the method sees broken ones.
pub(crate) fn run(options: &Options) -> bool {
    let all = if options.sample { vec![Kind::Ext4] } else { vec![Kind::Ext4, Kind::Xfs] };
    let kinds = options.fs.map_or(all, |kind| vec![kind]);
    kinds.into_iter().fold(true, |good, kind| match tried(options, kind) {
        Ok(kept) => good && kept,
        Err(error) => {
            say(&format!("{}: {error:#}", kind.name()));
            false
        }
    })
}

fn tried(options: &Options, kind: Kind) -> anyhow::Result<bool> {
    if let Some(why) = kind.missing() {
        skip(&format!("a power cut on {}: {why}", kind.name()));
        return Ok(true);
    }
    if let Some(dir) = &options.replay {
        let recording = Recording::kept(dir)?;
        let Some(stage) = stage(Some(recording.ports)) else { return Ok(true) };
        let figures = Trial { options, kind, stage: &stage, control: false }.cut(&recording)?;
        return Ok(figures.failures == 0);
    }
    let mut good = true;
    let both = [None, Some("")];
    let one = [options.without.as_deref()];
    for without in if options.without.is_some() { &one[..] } else { &both } {
        let Some(stage) = stage(None) else { return Ok(true) };
        let (began, dir) = (Instant::now(), tempfile::tempdir()?);
        let recording = story::record(&stage, kind, *without, options, dir.path())?;
        let figures = Trial { options, kind, stage: &stage, control: without.is_some() }.cut(&recording)?;
        let what = without.map_or(String::new(), |path| format!(", without fsync of {path:?}* (must fail)"));
        let Figures { cuts, boots, failures } = figures;
        let took = began.elapsed().as_secs();
        say(&format!("{}{what}: {cuts} cuts, {boots} boots, {failures} failures ({took} s)", kind.name()));
        good &= without.is_none() == (failures == 0);
    }
    Ok(good)
}

/// Everything in it is short, and the ports are those of a recording.
fn stage(ports: Option<[u16; 2]>) -> Option<Stage> {
    let mut stage = Stage::marker()?;
    if let Some(ports) = ports {
        stage.set("profiles.real1", i64::from(ports[0]));
        stage.set("profiles.real2", i64::from(ports[1]));
    }
    for time in ["bake", "settle"] {
        stage.set(&format!("after_switch.{time}"), "100ms");
    }
    stage.set("releases.keep", 2);
    stage.boots_in(0);
    Some(stage)
}

/// One run on one recording.
struct Trial<'a> {
    options: &'a Options,
    kind: Kind,
    stage: &'a Stage,
    /// It must fail, so nobody needs to hear of it.
    control: bool,
}

impl Trial<'_> {
    fn cut(&self, recording: &Recording) -> anyhow::Result<Figures> {
        let scratch = tempfile::tempdir()?;
        let mut disks = Disks::of(recording, scratch.path())?;
        let (mut figures, mut booted) = (Figures::default(), HashSet::new());
        for cut in self.chosen(recording) {
            let promise = Promise::at(&recording.entries, cut.at);
            figures.cuts += 1;
            if let Err(error) = self.look(disks.after(cut)?, &promise, &mut booted) {
                figures.failures += 1;
                if !self.control {
                    self.tell(recording, cut, &promise, &error, figures.failures == 1)?;
                }
            }
        }
        figures.boots = booted.len();
        Ok(figures)
    }

    fn chosen(&self, recording: &Recording) -> Vec<Cut> {
        if let Some(cut) = self.options.cut {
            return vec![cut];
        }
        let all = recording.cuts(self.options.seed);
        let count = self.options.few(SAMPLE_CUTS, self.options.cuts).clamp(1, all.len());
        (0..count).map(|n| all[n * all.len() / count]).collect()
    }

    /// What is on the disk after the cut, and then the boot.
    fn look(&self, disk: &Path, promise: &Promise, booted: &mut HashSet<u64>) -> anyhow::Result<()> {
        let state = self.stage.state_dir();
        let _mounted = Mounted::after_boot(self.kind, disk, &state)?;
        promise.is_kept(&state, &self.stage.route_dir())?;
        let more = booted.len() < self.options.few(SAMPLE_BOOTS, self.options.boots) && !self.control;
        if more && booted.insert(digest(&state, promise)) {
            recovery::ends_well(self.stage, promise)?;
        }
        Ok(())
    }

    fn tell(
        &self,
        recording: &Recording,
        cut: Cut,
        promise: &Promise,
        error: &anyhow::Error,
        first: bool,
    ) -> anyhow::Result<()> {
        let (kind, kept) = (self.kind.name(), format!("power-{}-{}", self.kind.name(), self.options.seed));
        let kept = std::env::temp_dir().join(kept);
        if first && self.options.replay.is_none() {
            recording.keep(&kept)?;
        }
        let kept = self.options.replay.as_ref().unwrap_or(&kept).display();
        let during = &promise.during;
        say(&format!(
            "cut {cut} ({during}): {error:#}\n  testing/trials/run power --fs {kind} --replay {kept} --cut {cut}"
        ));
        Ok(())
    }
}

/// Tells apart the disks on which a boot could go differently.
fn digest(state: &Path, promise: &Promise) -> u64 {
    let mut hasher = DefaultHasher::new();
    promise.fronts.hash(&mut hasher);
    fs::read_link(state.join("route/live")).ok().hash(&mut hasher);
    for name in ["state.json", "state.json.prev", "processes/real1.json", "processes/real2.json"] {
        fs::read(state.join(name)).ok().hash(&mut hasher);
    }
    for dir in ["", "processes", "releases", "route"] {
        let mut names: Vec<_> =
            fs::read_dir(state.join(dir)).into_iter().flatten().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names.len().hash(&mut hasher);
    }
    hasher.finish()
}
