//! A private nginx.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_core::Name;
use bluegreen_http::Options;
use bluegreen_nginx::{Commands, Master, ProofLocation};
use tokio::net::TcpStream;

use super::{free_port, is_root};

/// nginx with its own prefix; `http` goes into the http block, where `{port}` is its port.
pub(crate) struct Nginx {
    pub(crate) prefix: PathBuf,
    pub(crate) address: SocketAddr,
    binary: PathBuf,
    child: Option<Child>,
    workers: usize,
}

impl Nginx {
    pub(crate) async fn start(binary: &Path, prefix: &Path, http: &str) -> Self {
        Self::start_with(binary, prefix, http, |_| {}).await
    }

    /// With one worker, which every request goes to.
    pub(crate) async fn start_small(binary: &Path, prefix: &Path, http: &str) -> Self {
        Self::launch(binary, prefix, http, |_| {}, 1).await
    }

    /// `write` writes more files, given nginx's port, before it starts.
    pub(crate) async fn start_with(binary: &Path, prefix: &Path, http: &str, write: impl Fn(u16)) -> Self {
        Self::launch(binary, prefix, http, write, 2).await
    }

    async fn launch(binary: &Path, prefix: &Path, http: &str, write: impl Fn(u16), workers: usize) -> Self {
        fs::create_dir_all(prefix.join("conf.d")).unwrap();
        // somebody else may take the port before nginx does
        for _ in 0..3 {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let (prefix, binary) = (prefix.to_owned(), binary.to_owned());
            let mut nginx = Self { prefix, address, binary, child: None, workers };
            nginx.configure(http);
            write(address.port());
            if nginx.run().await {
                return nginx;
            }
            eprintln!("nginx did not start: {}", nginx.log());
        }
        panic!("nginx did not start");
    }

    /// Writes its main file, which it reads when it starts or reloads.
    pub(crate) fn configure(&self, http: &str) {
        let http = http.replace("{port}", &self.address.port().to_string());
        fs::write(self.prefix.join("nginx.conf"), main_conf(&self.prefix, &http, self.workers)).unwrap();
    }

    /// Starts it; whether it answers, and all its processes have their titles, which is a moment later.
    pub(crate) async fn run(&mut self) -> bool {
        let mut command = Command::new(&self.binary);
        command.args(&argv(&self.binary, &self.prefix)[1..]).args(["-g", "daemon off;"]);
        let (master, workers) = (self.master(), self.workers);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let child = self.child.insert(child);
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            if titled(child.id()) == workers
                && master.worker().is_ok()
                && TcpStream::connect(self.address).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// Reloads it, and returns when its workers are new ones.
    pub(crate) async fn reload(&self) {
        let before = self.master().worker().unwrap();
        let argv = argv(&self.binary, &self.prefix);
        assert!(Command::new(&argv[0]).args(&argv[1..]).args(["-s", "reload"]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(60);
        // the old ones bear their title until they shut down
        while self.master().worker().is_ok_and(|worker| worker == before) || titled(self.pid()) != self.workers {
            assert!(Instant::now() < until, "no new workers: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Ends what `run` started.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // not yet waited for, so the pid is still its own
        if matches!(child.try_wait(), Ok(None)) {
            let pid = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ = child.wait();
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.prefix.join("error.log")).unwrap_or_default()
    }

    pub(crate) fn proof(&self, app: &Name) -> ProofLocation {
        let options = Options { connect: Some(self.address), ..Options::default() };
        ProofLocation::new("http://shop.example/", app, &options).unwrap()
    }

    pub(crate) fn master(&self) -> Master {
        Master::new().with_pid_file(self.prefix.join("nginx.pid")).with_program(&self.binary)
    }

    pub(crate) fn commands(&self) -> Commands {
        Commands::new(argv(&self.binary, &self.prefix))
    }

    pub(crate) fn tests(&self) -> bool {
        let argv = argv(&self.binary, &self.prefix);
        Command::new(&argv[0]).args(&argv[1..]).arg("-t").stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How many workers of this master have their title.
fn titled(master: u32) -> usize {
    let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap_or_default();
    let is =
        |pid: &&str| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|t| t.starts_with(b"nginx: worker process"));
    children.split_whitespace().filter(is).count()
}

fn argv(binary: &Path, prefix: &Path) -> Vec<String> {
    let path = |name: &str| prefix.join(name).display().to_string();
    let words = [binary.display().to_string(), "-p".into(), path(""), "-c".into(), path("nginx.conf"), "-e".into()];
    words.into_iter().chain([path("error.log")]).collect()
}

fn main_conf(prefix: &Path, http: &str, workers: usize) -> String {
    let prefix = prefix.display();
    let groups = fs::read_to_string("/etc/group").unwrap();
    let group = if groups.contains("nogroup:") { "nogroup" } else { "nobody" };
    let user = if is_root() { format!("user nobody {group};") } else { String::new() };
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {prefix}/{kind};\n"))
        .concat();
    format!(
        "{user}\nworker_processes {workers};\npid {prefix}/nginx.pid;\nerror_log {prefix}/error.log notice;\n\
         events {{ worker_connections 512; }}\nhttp {{\n  access_log off;\n{temp}{http}\n}}\n"
    )
}
