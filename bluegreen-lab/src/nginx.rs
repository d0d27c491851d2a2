//! A private nginx: own prefix, own port on loopback, own pid, as any user. Nothing of the system's nginx is touched.

use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

/// How long it may take to start or to stop, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many workers it has.
const WORKERS: usize = 2;

/// Text for three places of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Inside `http`.
    pub http: String,
    /// At the start of the only `server`.
    pub server: String,
    /// Inside its `location /`.
    pub location: String,
}

impl Site {
    /// The seed article's way: an include file that sets `$service_url`.
    pub fn article(include: &Path) -> Self {
        let location = format!(
            "include {};\nproxy_pass $service_url;\nproxy_set_header X-Real-IP $remote_addr;\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header Host $http_host;",
            include.display()
        );
        Self { location, ..Self::default() }
    }
}

/// A running private nginx; dropping it stops it and removes its files.
#[derive(Debug)]
pub struct Nginx {
    binary: PathBuf,
    prefix: TempDir,
    address: SocketAddr,
    master: Child,
}

impl Nginx {
    /// The nginx of this machine: in PATH, or in the places that an ordinary user's PATH lacks.
    pub fn find() -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"].map(PathBuf::from);
        env::split_paths(&path).chain(usual).map(|dir| dir.join("nginx")).find(|file| file.is_file())
    }

    /// Starts `binary` on a free port, and returns when all its workers take connections and it heeds signals: it listens
    /// a moment before that, and what is sent then is lost.
    ///
    /// # Errors
    /// It refuses the configuration or the port, or is not there within a minute; the text is what it wrote.
    pub fn start(binary: &Path, site: &Site) -> io::Result<Self> {
        let prefix = tempfile::Builder::new().prefix("bluegreen-nginx-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, bluegreen_linux::ports::free_port()?));
        fs::write(prefix.path().join("nginx.conf"), configuration(prefix.path(), address, site))?;
        let master = command(binary, prefix.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at a terminal is for us; the front door must outlive the clean-up.
            .process_group(0)
            .spawn()?;
        let mut nginx = Self { binary: binary.to_owned(), prefix, address, master };
        let there = |nginx: &Self| nginx.titled() == WORKERS && TcpStream::connect(address).is_ok();
        wait_until(|| Ok(nginx.ended()?.is_some() || there(&nginx)))?;
        if nginx.ended()?.is_none() && there(&nginx) {
            return Ok(nginx);
        }
        Err(io::Error::other(format!("nginx does not start: {}", nginx.log())))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `path` at the front door.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Directory of its configuration, logs and temporary files.
    pub fn prefix(&self) -> &Path {
        self.prefix.path()
    }

    /// The process id of its master.
    pub fn pid(&self) -> u32 {
        self.master.id()
    }

    /// The command that speaks to it, as `with(&["-s", "reload"])` or `with(&["-t"])`, for a shell or a configuration.
    pub fn with(&self, arguments: &[&str]) -> Vec<String> {
        let command = command(&self.binary, self.prefix());
        [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .chain(arguments.iter().map(ToString::to_string))
            .collect()
    }

    /// Writes a configuration for another site; `reload` makes it take effect.
    pub fn write(&self, site: &Site) -> io::Result<()> {
        fs::write(self.prefix().join("nginx.conf"), configuration(self.prefix(), self.address, site))
    }

    /// `nginx -s reload`, and then the wait until the workers of before are gone: nginx's own success only says that
    /// the order was given.
    ///
    /// # Errors
    /// nginx refuses the configuration, or its old workers are still there after a minute, which an open connection can
    /// cause as well; the text is what it wrote.
    pub fn reload(&self) -> io::Result<()> {
        let before = self.workers()?;
        let output = command(&self.binary, self.prefix()).args(["-s", "reload"]).output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let replaced = || Ok(self.workers()?.iter().all(|worker| !before.contains(worker)) && self.titled() == WORKERS);
        if wait_until(replaced)? {
            return Ok(());
        }
        Err(io::Error::other(format!("the old workers of nginx do not go away: {}", self.log())))
    }

    /// The process ids of its workers, those that are shutting down included.
    pub fn workers(&self) -> io::Result<Vec<u32>> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid()))?;
        Ok(children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect())
    }

    /// How many workers have their title, which is their last step before they take connections.
    fn titled(&self) -> usize {
        let is =
            |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|t| t.starts_with(b"nginx: worker process"));
        self.workers().unwrap_or_default().iter().filter(|pid| is(pid)).count()
    }

    /// Stops it and waits until it is gone; its files stay until the drop.
    pub fn stop(&mut self) -> io::Result<()> {
        if self.ended()?.is_none() {
            // Its own child and not waited for yet: the number cannot belong to anybody else.
            let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a child has a pid");
            kill_process(pid, Signal::TERM)?;
            if !wait_until(|| Ok(self.ended()?.is_some()))? {
                self.master.kill()?;
                self.master.wait()?;
            }
        }
        Ok(())
    }

    /// What it wrote to its error log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.prefix().join("error.log")).unwrap_or_default()
    }

    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.master.try_wait()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

fn command(binary: &Path, prefix: &Path) -> Command {
    let mut command = Command::new(binary);
    // -e: without it nginx first opens the log it was compiled with, which only root may.
    command.arg("-e").arg(prefix.join("error.log")).arg("-p").arg(prefix).arg("-c").arg(prefix.join("nginx.conf"));
    command
}

fn configuration(prefix: &Path, address: SocketAddr, site: &Site) -> String {
    let prefix = prefix.display();
    // Started by root the workers would be `nobody`, who may not search our private directory.
    let user = if getuid().is_root() { "user root;\n" } else { "" };
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {prefix}/{kind};\n"))
        .concat();
    format!(
        "{user}daemon off;\nworker_processes {WORKERS};\npid {prefix}/nginx.pid;\nerror_log {prefix}/error.log notice;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n    access_log off;\n    default_type text/plain;\n{temporary}\
         {}\nserver {{\nlisten {address};\n{}\nlocation / {{\n{}\n}}\n}}\n}}\n",
        site.http, site.server, site.location
    )
}

/// Looks every 5 ms, for a minute, until `done` says so; whether it did.
fn wait_until(mut done: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    let start = Instant::now();
    while !done()? {
        if start.elapsed() > PATIENCE {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
