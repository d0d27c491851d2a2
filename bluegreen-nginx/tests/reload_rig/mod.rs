//! A private nginx as the article sets it up, and two tiny apps behind it.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_core::{Profile, Profiles};
use bluegreen_http::{Client, Options, ProfileEndpoint};
use bluegreen_nginx::reload::{IncludeFile, IncludeResolver, Nginx, ReloadSwitcher};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The nginx binaries to try: the system's, and those in `BLUEGREEN_TEST_NGINX` (separated by `:`).
pub(crate) fn binaries() -> Vec<PathBuf> {
    let more = std::env::var_os("BLUEGREEN_TEST_NGINX").unwrap_or_default();
    let mut found = vec![PathBuf::from("/usr/sbin/nginx")];
    found.extend(std::env::split_paths(&more).filter(|path| !path.as_os_str().is_empty()));
    if found.len() == 1 {
        eprintln!("SKIPPED: newer nginx, as BLUEGREEN_TEST_NGINX names none");
    }
    found.retain(|path| {
        path.is_file() || {
            eprintln!("SKIPPED: there is no {}", path.display());
            false
        }
    });
    found
}

/// One nginx, its directory, and the profiles of the apps behind it.
pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    pub(crate) profiles: Profiles,
    binary: PathBuf,
    child: Option<Child>,
}

impl Rig {
    /// With the include file leading to `real1`; both apps answer with their profile's name.
    pub(crate) async fn new(binary: &Path) -> Self {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let (first, second) = (app("real1").await, app("real2").await);
        let profiles = Profiles::new(profile("real1", first), profile("real2", second)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Self { dir, port: free_port(), profiles, binary: binary.to_owned(), child: None };
        rig.lead_to(first);
        rig.configure("");
        rig.start().await;
        rig
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The configuration of the article, with `more` in its http block.
    pub(crate) fn configure(&self, more: &str) {
        let dir = self.dir.path().display();
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {dir}/{name}; "))
            .concat();
        let text = format!(
            "worker_processes 2; pid {dir}/nginx.pid; error_log {dir}/error.log notice; events {{}}\n\
             http {{ access_log off; {temp}\n{more}\n\
             server {{ listen 127.0.0.1:{}; location / {{ include {dir}/service-url.inc; proxy_pass $service_url; }} }} }}\n",
            self.port
        );
        fs::write(self.path("nginx.conf"), text).unwrap();
    }

    /// Writes the include file by hand.
    pub(crate) fn lead_to(&self, port: u16) {
        fs::write(self.path("service-url.inc"), format!("set $service_url http://127.0.0.1:{port};\n")).unwrap();
    }

    pub(crate) async fn start(&mut self) {
        let child =
            Command::new(&self.binary).args(&self.argv(&["-g", "daemon off;"])[1..]).stderr(Stdio::null()).spawn();
        self.child = child.ok();
        let until = Instant::now() + Duration::from_secs(10);
        while self.get().await.is_empty() {
            assert!(Instant::now() < until, "nginx did not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the nginx that `start` started.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ = child.wait();
        }
    }

    pub(crate) fn argv(&self, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let own = [self.binary.display().to_string(), "-p".into(), path(""), "-c".into(), path("nginx.conf")];
        let log = ["-e".into(), path("error.log")];
        own.into_iter().chain(log).chain(more.iter().map(ToString::to_string)).collect()
    }

    pub(crate) fn nginx(&self) -> Nginx {
        Nginx::new().with_pid_file(self.path("nginx.pid"))
    }

    pub(crate) fn include(&self) -> IncludeFile {
        IncludeFile::new(self.path("service-url.inc"))
    }

    pub(crate) fn switcher(&self) -> ReloadSwitcher {
        ReloadSwitcher::new(self.include(), self.nginx())
            .with_commands(self.argv(&["-t"]), self.argv(&["-s", "reload"]))
            .with_error_log(self.path("error.log"))
    }

    pub(crate) fn resolver(&self) -> IncludeResolver {
        IncludeResolver::new(self.include(), &self.profiles, self.nginx())
    }

    pub(crate) fn endpoint(&self) -> ProfileEndpoint {
        ProfileEndpoint::new(self.client(), &self.profiles)
    }

    /// What a user gets; empty when nobody answers.
    pub(crate) async fn get(&self) -> String {
        self.client().get().await.map(|answer| answer.text().into_owned()).unwrap_or_default()
    }

    fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}/", self.port), &Options::default()).unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    pub(crate) fn reloads(&self) -> usize {
        self.log().matches("reconfiguring").count()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// An app that answers with `name`; for `/slow` after two seconds.
async fn app(name: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 2048];
                let n = stream.read(&mut request).await.unwrap_or(0);
                if request[..n].starts_with(b"GET /slow") {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}
