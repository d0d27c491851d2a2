//! What each contender gets for itself: a directory, two ports, an nginx and the app to deploy.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use bluegreen_lab::nginx::{Nginx, Site};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The size of a release, in bytes.
const ARTIFACT: usize = 1 << 20;

/// The place of one contender. Dropping it stops its apps and its nginx and removes its files.
#[derive(Debug)]
pub struct Bed {
    dir: TempDir,
    /// Ports of `real1` and `real2`.
    pub ports: [u16; 2],
    /// The front door.
    pub nginx: Nginx,
    app: PathBuf,
    boot: Duration,
}

/// The two moments of a process of the app, as it says itself at `/process`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppProcess {
    /// When the process began.
    pub began: SystemTime,
    /// Since when it listens.
    pub listens: SystemTime,
}

impl Bed {
    /// A place with an nginx that has nothing behind it yet. `app` is a program that knows `app` as its first argument;
    /// it takes `boot` from its start until it listens.
    pub fn new(nginx: &Path, app: PathBuf, boot: Duration) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("bluegreen-bench-").tempdir()?;
        let nothing = Site { location: "return 503;".to_owned(), ..Site::default() };
        let nginx = Nginx::start(nginx, &nothing)?;
        Ok(Self { dir, ports: [bluegreen_process::free_port()?, bluegreen_process::free_port()?], nginx, app, boot })
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command of the app, without profile, port and artifact.
    pub fn app(&self) -> Vec<String> {
        let boot = self.boot.as_millis().to_string();
        vec![self.app.display().to_string(), "app".to_owned(), "--boot-ms".to_owned(), boot]
    }

    /// Writes the release `version`, 1 MiB that begins with its name, and returns the file.
    pub fn build(&self, version: &str, file: &Path) -> Result<()> {
        let mut bytes = format!("{version}\n").into_bytes();
        bytes.resize(ARTIFACT, b'.');
        fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The process that answers at the front door.
    pub fn live(&self) -> Result<AppProcess> {
        ask(self.nginx.address()).context("the front door does not say which process answers")
    }

    /// Ends what runs our app with a file of this place, listening or not yet.
    fn stop_apps(&self) -> io::Result<()> {
        let app = fs::canonicalize(&self.app)?;
        let place = self.dir.path().to_string_lossy();
        for process in fs::read_dir("/proc")?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?)) else {
                continue;
            };
            let runs_it = fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == app);
            let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if runs_it && String::from_utf8_lossy(&words).contains(&*place) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        Ok(())
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.stop_apps();
    }
}

fn ask(address: SocketAddr) -> Result<AppProcess> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET /process HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    parse(body).with_context(|| format!("/process answered {body:?}"))
}

fn parse(body: &str) -> Option<AppProcess> {
    let mut words = body.split(' ').skip(1);
    let mut time = || Some(UNIX_EPOCH + Duration::from_micros(words.next()?.parse().ok()?));
    Some(AppProcess { began: time()?, listens: time()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_app_says_of_itself() {
        let process = parse("42 1000000 1500000").unwrap();
        assert_eq!(process.listens.duration_since(process.began).unwrap(), Duration::from_millis(500));
        assert_eq!(parse("<html>"), None);
        assert_eq!(parse("42 1"), None);
    }
}
