//! What is done, one after the other, at random.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    fs,
    io::{Read as _, Seek as _},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use bluegreen_linux::ports::listening;
use bluegreen_rig::{PATIENCE, Stage, below, kill, lives, wait_for};
use procfs::net::{TcpNetEntry, TcpState};
use wait4::Wait4 as _;

use super::excuses::Excuses;

/// A history that is almost as large as one file of it may be.
const HISTORY: usize = 1000 << 10;

pub(super) struct Soak {
    pub(super) stage: Stage,
    pub(super) excuses: Excuses,
    /// Peak memory of the command of the last round, KiB.
    pub(super) rss: u64,
    /// Every app that was ever seen.
    pub(super) seen: HashSet<u32>,
    random: fastrand::Rng,
    version: u32,
    done: BTreeMap<&'static str, u32>,
}

/// How a command ended.
struct Done {
    code: Option<i32>,
    said: String,
}

/// A deed, and how often of a hundred times.
type Deed = (&'static str, u32, fn(&mut Soak) -> anyhow::Result<()>);

const DEEDS: [Deed; 10] = [
    ("deploys", 28, |soak| soak.deploy()),
    ("failing deploys", 12, Soak::fail),
    ("rollbacks", 12, Soak::roll_back),
    ("prepared and promoted", 8, Soak::promote),
    ("prepared and aborted", 6, Soak::abort),
    ("killed deploys, then recover", 9, |soak| soak.kill_deploy(true)),
    ("killed deploys, then a deploy", 7, |soak| soak.kill_deploy(false)),
    ("killed apps", 8, Soak::kill_app),
    ("reloads of nginx", 4, Soak::reload),
    ("questions", 6, Soak::ask),
];

impl Soak {
    pub(super) fn new(mut stage: Stage, seed: u64) -> Self {
        for (key, value) in [("bake", "100ms"), ("settle", "100ms"), ("failover", "always")] {
            stage.set(&format!("after_switch.{key}"), value);
        }
        stage.set("releases.keep", 3);
        stage.boots_in(20);
        let random = fastrand::Rng::with_seed(seed);
        let (excuses, done) = (Excuses::default(), BTreeMap::new());
        Self { stage, excuses, rss: 0, seen: HashSet::new(), random, version: 0, done }
    }

    /// Two releases, so that there is one to fall back to, and a history that will have to be rotated.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        self.deploy()?;
        let history = self.stage.state_dir().join("history.jsonl");
        let line = fs::read_to_string(&history)?;
        fs::write(&history, line.repeat(HISTORY / line.len()))?;
        self.deploy()
    }

    /// One deed.
    pub(super) fn round(&mut self, round: usize) -> anyhow::Result<()> {
        let mut number = self.random.u32(..DEEDS.iter().map(|(_, share, _)| *share).sum::<u32>());
        let chosen = DEEDS.iter().find(|(_, share, _)| {
            let here = number < *share;
            number = number.saturating_sub(*share);
            here
        });
        let (name, _, deed) = chosen.context("the shares are all there is")?;
        self.excuses.deeds.push((Instant::now(), format!("round {round}, {name}")));
        deed(self).context(*name)?;
        *self.done.entry(name).or_default() += 1;
        self.seen.extend(below(self.stage.home()));
        Ok(())
    }

    /// How often what was done.
    pub(super) fn done(&self) -> String {
        self.done.iter().fold(String::new(), |mut text, (name, times)| {
            let _ = write!(text, "{}{times} {name}", if text.is_empty() { "" } else { ", " });
            text
        })
    }

    fn deploy(&mut self) -> anyhow::Result<()> {
        let version = self.next();
        self.must(&["deploy", &self.stage.artifact(&version), "--version", &version], 0)?;
        self.serves(&version)
    }

    fn fail(&mut self) -> anyhow::Result<()> {
        let (version, before) = (self.next(), self.stage.front());
        let fault = ["exits", "errors", "deaf"][self.random.usize(..3)];
        // a good one has all the time that it needs
        self.stage.set("health.deadline", "2s");
        let refused = self.must(&["deploy", &self.stage.artifact(&format!("{version} {fault}"))], 10);
        self.stage.set("health.deadline", "90s");
        refused?;
        self.serves(&before)
    }

    fn roll_back(&mut self) -> anyhow::Result<()> {
        // each one uses up a confirmed release
        self.deploy()?;
        let before = self.stage.front();
        self.must(&["rollback"], 0)?;
        ensure!(self.stage.front() != before, "{before} serves after the rollback too");
        Ok(())
    }

    fn promote(&mut self) -> anyhow::Result<()> {
        let (version, before) = (self.next(), self.stage.front());
        self.must(&["prepare", &self.stage.artifact(&version)], 0)?;
        self.serves(&before)?;
        self.must(&["promote"], 0)?;
        self.serves(&version)
    }

    fn abort(&mut self) -> anyhow::Result<()> {
        let (version, before) = (self.next(), self.stage.front());
        self.must(&["prepare", &self.stage.artifact(&version)], 0)?;
        self.must(&["abort"], 0)?;
        self.serves(&before)
    }

    fn kill_deploy(&mut self, recover: bool) -> anyhow::Result<()> {
        let version = self.next();
        let after = Duration::from_millis(self.random.u64(..1500));
        self.run(&["deploy", &self.stage.artifact(&version)], Some(after))?;
        if recover {
            self.must(&["recover"], 0).with_context(|| format!("killed after {after:?}"))?;
            ensure!(self.stage.step().is_none(), "killed after {after:?}, a transaction is open after `recover`");
            return Ok(());
        }
        self.deploy().with_context(|| format!("killed after {after:?}"))
    }

    /// The active app; nginx goes on with the warm one.
    fn kill_app(&mut self) -> anyhow::Result<()> {
        self.deploy()?;
        let (before, pid) = (self.stage.front(), self.stage.pid("active"));
        let port = self.stage.ports[usize::from(before.ends_with(" real2"))];
        let killed = Instant::now();
        kill(pid);
        // nginx may hand a request to a kept-alive connection until it has seen its end, and repeats no POST
        wait_for("the end of the app, and of what nginx has open to it", || !lives(pid) && !in_use(port));
        self.excuses.kills.push(killed..=Instant::now());
        let front = self.stage.front();
        ensure!(front.contains(" real") && front != before, "{front:?} serves after {before} was killed");
        if self.random.bool() { self.must(&["recover"], 0) } else { self.deploy() }
    }

    fn reload(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        self.stage.nginx.reload().context("nginx does not reload")?;
        self.excuses.reloads.push(began..=Instant::now());
        self.deploy()
    }

    fn ask(&mut self) -> anyhow::Result<()> {
        for words in [&["status"][..], &["history"], &["logs"], &["releases"], &["check"]] {
            self.must(words, 0)?;
        }
        Ok(())
    }

    fn next(&mut self) -> String {
        self.version += 1;
        format!("v{}", self.version)
    }

    fn serves(&self, version: &str) -> anyhow::Result<()> {
        let front = self.stage.front();
        ensure!(front.split(' ').next() == version.split(' ').next(), "{front:?} serves, and it should be {version}");
        Ok(())
    }

    fn must(&mut self, words: &[&str], code: i32) -> anyhow::Result<()> {
        let done = self.run(words, None)?;
        ensure!(done.code == Some(code), "`bluegreen {}` ended with {:?}: {}", words.join(" "), done.code, done.said);
        Ok(())
    }

    /// Does `words`; killed after a time, if it is still there.
    fn run(&mut self, words: &[&str], killed: Option<Duration>) -> anyhow::Result<Done> {
        let mut said = tempfile::tempfile()?;
        let (out, err) = (Stdio::from(said.try_clone()?), Stdio::from(said.try_clone()?));
        let mut child = self.stage.command(words).stdout(out).stderr(err).spawn()?;
        watch(&mut child, killed.unwrap_or(PATIENCE))?;
        let ended = child.wait4()?;
        self.rss = ended.rusage.maxrss >> 10;
        let mut text = String::new();
        said.rewind()?;
        said.read_to_string(&mut text)?;
        Ok(Done { code: ended.status.code(), said: text })
    }
}

/// Whether somebody listens on `port` of this machine, or holds an open connection to it, be it one whose other end is gone.
fn in_use(port: u16) -> bool {
    let is_open = |socket: &TcpNetEntry| {
        socket.remote_address.port() == port && matches!(socket.state, TcpState::Established | TcpState::CloseWait)
    };
    !listening(port).expect("the kernel's listeners").is_empty()
        || procfs::net::tcp().expect("the kernel's table of sockets").iter().any(is_open)
}

/// Waits until its end without reaping it, at most so long; then it is killed.
fn watch(child: &mut Child, limit: Duration) -> anyhow::Result<()> {
    let began = Instant::now();
    while lives(child.id()) {
        if began.elapsed() >= limit {
            child.kill()?;
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_in_use_until_the_near_end_has_closed_it_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(in_use(port), "somebody listens");
        let near = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (far, _) = listener.accept().unwrap();
        drop(listener);
        assert!(in_use(port), "both ends are there");
        drop(far);
        assert!(in_use(port), "one end does not know yet");
        drop(near);
        wait_for("the end of the connection", || !in_use(port));
    }
}
