//! What is done on the disk while it remembers.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};
use bluegreen_rig::{Stage, below, kill, wait_for};
use syscalls::Sysno;

use super::{
    Options,
    disk::{self, Log},
    mounted::{Kind, Mounted},
    recording::{Recording, Told},
};
use crate::traced::trace::{Act, Side, Stop, trace};

/// What a command says that it is, and how it must end.
type Deed = (&'static [&'static str], i32);

const STORY: [Deed; 11] = [
    (&["deploy", "v1"], 0),
    (&["deploy", "v2"], 0),
    (&["deploy", "v3 exits"], 10),
    (&["rollback"], 0),
    (&["deploy", "v4"], 0),
    (&["prepare", "v5"], 0),
    (&["abort"], 0),
    (&["prepare", "v6"], 0),
    (&["promote"], 0),
    (&["deploy", "v7"], 0),
    (&["rollback"], 0),
];

/// So many of them have all kinds of steps.
const SAMPLE: usize = 3;

/// An artifact that does not fit into an inode, nor into one page.
const PADDING: usize = 150_000;

/// Where the artifact of `version` is.
pub(super) fn artifact(stage: &Stage, version: &str) -> String {
    let file = stage.artifact(version);
    let text = format!("{version}\n{}", "0123456789abcdef\n".repeat(PADDING / 17));
    fs::write(&file, text).expect("room for an artifact");
    file
}

/// Does it all on a `kind` of file system; no `fsync` of the tool comes through of what begins with `without`.
pub(super) fn record(
    stage: &Stage,
    kind: Kind,
    without: Option<&str>,
    options: &Options,
    dir: &Path,
) -> anyhow::Result<Recording> {
    let (image, place, log) = (dir.join("image"), dir.join("disk"), Log::default());
    kind.make(&image)?;
    let disk = disk::put(&image, &place, log.clone()).context("cannot put a file system in user space")?;
    let mounted = Mounted::in_use(kind, &place, &stage.state_dir())?;
    let route = stage.route_dir();
    route.create()?;
    route.point(&bluegreen_core::Route::solo(route.profiles().second().clone()))?;
    fs::create_dir(stage.state_dir().join("shared"))?;
    rustix::fs::syncfs(fs::File::open(stage.state_dir())?)?;
    Recording::remember(dir, &image)?;
    log.begin();
    log.told(Told::Synced(read_all(route.path())?));
    let neighbour = Neighbour::at(&stage.state_dir().join("shared/neighbour"), options.seed)?;
    for (words, code) in STORY.into_iter().take(if options.sample { SAMPLE } else { STORY.len() }) {
        tell(stage, words, code, without, &log)?;
    }
    drop(neighbour);
    let entries = log.end();
    end_all(stage);
    drop(mounted);
    disk.umount_and_join()?;
    Ok(Recording::new(dir, entries, stage.ports))
}

/// Ends every process of the stage.
pub(super) fn end_all(stage: &Stage) {
    below(stage.home()).into_iter().for_each(kill);
    wait_for("the end of all", || below(stage.home()).is_empty());
}

/// One command.
fn tell(stage: &Stage, words: &[&str], code: i32, without: Option<&str>, log: &Log) -> anyhow::Result<()> {
    let mut line: Vec<String> = words.iter().map(ToString::to_string).collect();
    if let Some(version) = line.get(1).cloned() {
        line[1] = artifact(stage, &version);
        line.extend(["--version".to_owned(), version]);
    }
    log.told(Told::Began(words.join(" ")));
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let ended = trace(&stage.command(&line), &mut |stop| listen(stop, &stage.state_dir(), without, log));
    ensure!(
        ended.code == Some(code) && !ended.hung,
        "{words:?} ended with {:?}: {}{}",
        ended.code,
        ended.out,
        ended.err
    );
    let history = fs::read_to_string(stage.state_dir().join("history.jsonl")).unwrap_or_default();
    log.told(Told::Ended { history, front: version(&stage.front()) });
    Ok(())
}

/// Who answers: `v1` of `v1 real1`, and nothing when it is nginx.
pub(super) fn version(front: &str) -> String {
    let ours = |front: &&str| front.contains(" real");
    Some(front).filter(ours).and_then(|front| front.split(' ').next()).unwrap_or_default().to_owned()
}

/// While the tool stands still: was it told just now that something is on the disk?
fn listen(stop: &Stop, state: &Path, without: Option<&str>, log: &Log) -> Act {
    let Some(Sysno::fsync | Sysno::fdatasync | Sysno::syncfs) = stop.call else { return Act::Go };
    let Some(place) = stop.place().map(PathBuf::from) else { return Act::Go };
    let Some(name) = place.strip_prefix(state).ok().and_then(Path::to_str) else { return Act::Go };
    let pretend = match without {
        None => false,
        Some(".") => name.is_empty(),
        Some(path) => name.starts_with(path),
    };
    if stop.side == (if pretend { Side::Entry } else { Side::Exit })
        && let ("" | "processes" | "route", Ok(files)) = (name, read_all(&place))
    {
        log.told(Told::Synced(files));
    }
    if pretend && stop.side == Side::Entry { Act::Pretend } else { Act::Go }
}

/// What others will rely on in `place`, by its path.
fn read_all(place: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for path in fs::read_dir(place)?.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = match name.as_str() {
            "live" => fs::read_link(&path)?.to_string_lossy().into_owned(),
            "state.json" | "real1.json" | "real2.json" => fs::read_to_string(&path)?,
            _ => continue,
        };
        all.insert(name, text);
    }
    Ok(all)
}

/// Somebody else on the same file system, who syncs a file of his own every now and then: the journal is written when
/// nobody expects it. A process of its own: if it were a thread, then a kill of all of us would wait for its sync, and that
/// for our disk.
struct Neighbour(Child);

const SYNCS: usize = 10_000;

impl Neighbour {
    fn at(file: &Path, seed: u64) -> io::Result<Self> {
        let mut random = fastrand::Rng::with_seed(seed);
        let pauses = (0..SYNCS).map(|_| format!("0.{:03}", random.u32(1..80)));
        let script =
            r#"file=$1; shift; for pause; do echo "$pause" >"$file" && sync "$file" || exit; sleep "$pause"; done"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "neighbour"]).arg(file).args(pauses).stderr(Stdio::null()).spawn().map(Self)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
