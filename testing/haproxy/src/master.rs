//! The runtime API of the master: one command, one answer, one fresh connection.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bluegreen_core::Blind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{sleep, timeout},
};

const LIMIT: Duration = Duration::from_secs(2);
const MOST: u64 = 4 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Master(pub(crate) PathBuf);

#[derive(Debug)]
pub(crate) struct Worker {
    master: Master,
    pid: u32,
    /// It only ends what it has begun.
    pub(crate) old: bool,
}

#[derive(Debug)]
pub(crate) enum Failed {
    Io(PathBuf, io::Error),
    /// The worker has ended meanwhile.
    Gone,
    Said(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, e) => write!(f, "HAProxy at {}: {e}", path.display()),
            Self::Gone => f.write_str("the worker has ended"),
            Self::Said(text) => write!(f, "HAProxy says: {text}"),
        }
    }
}

impl From<Failed> for Blind {
    fn from(failed: Failed) -> Self {
        Self::Route(failed.to_string())
    }
}

impl Master {
    pub(crate) async fn workers(&self) -> Result<Vec<Worker>, Failed> {
        let (text, mut old, mut workers) = (self.ask("show proc").await?, false, Vec::new());
        for line in text.lines() {
            old |= line.starts_with("# old workers");
            let mut words = line.split_whitespace();
            if let (Some(Ok(pid)), Some("worker")) = (words.next().map(str::parse), words.next()) {
                workers.push(Worker { master: self.clone(), pid, old });
            }
        }
        Ok(workers)
    }

    /// A master that reloads executes itself again: for a moment nobody listens, and what was asked just before is cut off. Every
    /// command here may be given twice.
    async fn ask(&self, command: &str) -> Result<String, Failed> {
        let patient = async {
            loop {
                match self.ask_once(command).await {
                    Err(e) if is_reload(&e) => sleep(Duration::from_millis(20)).await,
                    answer => return answer,
                }
            }
        };
        let answer = timeout(LIMIT, patient).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        answer.map_err(|e| Failed::Io(self.0.clone(), e))
    }

    async fn ask_once(&self, command: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(&self.0).await?;
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        // the master waits for this before it answers
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.take(MOST).read_to_string(&mut answer).await?;
        // only an order is answered by nothing
        if answer.trim().is_empty() && command.contains("show ") {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(answer.trim().to_owned())
    }
}

fn is_reload(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | BrokenPipe)
}

impl Worker {
    async fn ask(&self, command: &str) -> Result<String, Failed> {
        let answer = self.master.ask(&format!("@!{} {command}", self.pid)).await?;
        if answer.starts_with("Can't find the target") { Err(Failed::Gone) } else { Ok(answer) }
    }

    pub(crate) async fn order(&self, command: &str) -> Result<(), Failed> {
        let answer = self.ask(command).await?;
        if answer.is_empty() { Ok(()) } else { Err(Failed::Said(answer)) }
    }

    /// What `map` has for `key`; `None` without such a map, or such a key.
    pub(crate) async fn mapped(&self, map: &Path, key: &str) -> Result<Option<String>, Failed> {
        let answer = self.ask(&format!("show map {}", map.display())).await?;
        let entry = answer.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix(key)?.strip_prefix(' '));
        Ok(entry.map(ToOwned::to_owned))
    }

    /// The servers of a backend, with their ports.
    pub(crate) async fn servers(&self, backend: &str) -> Result<Vec<(String, u16)>, Failed> {
        let answer = self.ask(&format!("show servers state {backend}")).await?;
        let rows = columns(&answer, ' ', ["srv_name", "srv_port"])?;
        let server = |[name, port]: [&str; 2]| Some((name.to_owned(), port.parse().ok()?));
        rows.into_iter().map(server).collect::<Option<_>>().ok_or(Failed::Said(answer.clone()))
    }

    /// Requests that are with `server` or queued for it, in the backends that are `mine`.
    pub(crate) async fn open(&self, mine: impl Fn(&str) -> bool, server: &str) -> Result<usize, Failed> {
        let answer = self.ask("show stat -1 4 -1").await?;
        let rows = columns(&answer, ',', ["pxname", "svname", "qcur", "scur"])?;
        let of = rows.into_iter().filter(|[backend, name, ..]| mine(backend) && *name == server);
        let open = |[.., queued, now]: [&str; 4]| Some(queued.parse::<usize>().ok()? + now.parse::<usize>().ok()?);
        of.map(open).sum::<Option<usize>>().ok_or(Failed::Said(answer.clone()))
    }
}

/// The named columns of a table whose header begins with `# `.
fn columns<'a, const N: usize>(table: &'a str, separator: char, names: [&str; N]) -> Result<Vec<[&'a str; N]>, Failed> {
    let said = || Failed::Said(table.to_owned());
    let mut lines = table.lines().skip_while(|line| !line.starts_with('#'));
    let header: Vec<&str> = lines.next().ok_or_else(said)?.trim_start_matches(['#', ' ']).split(separator).collect();
    let row = |line: &'a str| {
        let cells: Vec<&str> = line.split(separator).collect();
        let cell = |name: &str| cells.get(header.iter().position(|h| h == &name)?).copied();
        names.iter().map(|name| cell(name)).collect::<Option<Vec<_>>>()?.try_into().ok()
    };
    lines.filter(|line| !line.is_empty()).map(row).collect::<Option<_>>().ok_or_else(said)
}
