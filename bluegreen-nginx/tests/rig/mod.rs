//! A private nginx, two tiny apps behind it, and clients that count what they lose.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_core::{Name, Profile, Profiles};
use bluegreen_nginx::{FrontDoor, MarkerResolver, RouteDir, Snippet, setup};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// The nginx binaries to try: the system's, and those in `BLUEGREEN_TEST_NGINX` (separated by `:`).
pub(crate) fn binaries() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/usr/sbin/nginx")];
    match std::env::var_os("BLUEGREEN_TEST_NGINX") {
        Some(more) => found.extend(std::env::split_paths(&more)),
        None => eprintln!("SKIPPED: newer nginx, as BLUEGREEN_TEST_NGINX names none"),
    }
    found.retain(|path| {
        let there = path.is_file();
        if !there {
            eprintln!("SKIPPED: there is no {}", path.display());
        }
        there
    });
    found
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory that nginx's workers, who are somebody else when we are root, can enter.
pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    home
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn profiles(first: u16, second: u16) -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", first), profile("real2", second)).unwrap()
}

/// nginx with its own prefix; `http` goes into the http block, where `{port}` is its port.
pub(crate) struct Nginx {
    pub(crate) prefix: PathBuf,
    pub(crate) address: SocketAddr,
    binary: PathBuf,
    child: Child,
}

impl Nginx {
    pub(crate) async fn start(binary: &Path, prefix: &Path, http: &str) -> Self {
        Self::start_with(binary, prefix, http, |_| {}).await
    }

    /// `write` writes more files, given nginx's port, before it starts.
    pub(crate) async fn start_with(binary: &Path, prefix: &Path, http: &str, write: impl Fn(u16)) -> Self {
        std::fs::create_dir_all(prefix.join("conf.d")).unwrap();
        // somebody else may take the port before nginx does
        for _ in 0..3 {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let http = http.replace("{port}", &address.port().to_string());
            std::fs::write(prefix.join("nginx.conf"), main_conf(prefix, &http)).unwrap();
            write(address.port());
            let mut command = Command::new(binary);
            command.args(&argv(binary, prefix)[1..]).args(["-g", "daemon off;"]);
            let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let mut nginx = Self { prefix: prefix.to_owned(), address, binary: binary.to_owned(), child };
            if nginx.answers().await {
                return nginx;
            }
            eprintln!("nginx did not start: {}", nginx.log());
        }
        panic!("nginx did not start");
    }

    async fn answers(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.address).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.prefix.join("error.log")).unwrap_or_default()
    }

    pub(crate) fn door(&self) -> FrontDoor {
        FrontDoor::new(self.address, "shop.example")
    }

    pub(crate) fn commands(&self) -> setup::Nginx {
        setup::Nginx::new(argv(&self.binary, &self.prefix))
    }

    pub(crate) fn tests(&self) -> bool {
        let argv = argv(&self.binary, &self.prefix);
        Command::new(&argv[0]).args(&argv[1..]).arg("-t").stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // not yet waited for, so the pid is still its own
        if matches!(self.child.try_wait(), Ok(None)) {
            let pid = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn argv(binary: &Path, prefix: &Path) -> Vec<String> {
    let path = |name: &str| prefix.join(name).display().to_string();
    let words = [binary.display().to_string(), "-p".into(), path(""), "-c".into(), path("nginx.conf"), "-e".into()];
    words.into_iter().chain([path("error.log")]).collect()
}

fn main_conf(prefix: &Path, http: &str) -> String {
    let prefix = prefix.display();
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let group = if groups.contains("nogroup:") { "nogroup" } else { "nobody" };
    let user = if is_root() { format!("user nobody {group};") } else { String::new() };
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {prefix}/{kind};\n"))
        .concat();
    format!(
        "{user}\nworker_processes 2;\npid {prefix}/nginx.pid;\nerror_log {prefix}/error.log;\n\
         events {{ worker_connections 512; }}\nhttp {{\n  access_log off;\n{temp}{http}\n}}\n"
    )
}

/// A marker route with two apps on it.
pub(crate) struct Shop {
    pub(crate) app: Name,
    pub(crate) route: RouteDir,
    pub(crate) first: Option<App>,
    pub(crate) second: Option<App>,
}

impl Shop {
    pub(crate) async fn start(app: &str, home: &Path) -> Self {
        let (first, second) = (App::start("real1").await, App::start("real2").await);
        let route = RouteDir::new(home.join(app).join("route"), profiles(first.port, second.port)).unwrap();
        route.create(None).unwrap();
        Self { app: app.parse().unwrap(), route, first: Some(first), second: Some(second) }
    }

    pub(crate) fn snippet(&self) -> Snippet {
        Snippet::new(self.app.clone(), self.route.clone())
    }

    pub(crate) fn resolver(&self, nginx: &Nginx) -> MarkerResolver {
        MarkerResolver::new(self.app.clone(), self.route.clone(), nginx.door())
    }

    /// The http level with one server block for it.
    pub(crate) fn http(&self) -> String {
        let snippet = self.snippet();
        format!(
            "{}server {{ {} listen 127.0.0.1:{{port}}; location / {{ {} }} }}",
            snippet.http(),
            snippet.server(true),
            snippet.location()
        )
    }
}

/// An app that answers its name, on keep-alive connections. Dropping it ends it at once.
pub(crate) struct App {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl App {
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, name));
            }
        });
        Self { port, task }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, name: &'static str) {
    let mut stream = BufReader::new(stream);
    while let Some((head, _)) = read_message(&mut stream).await {
        let host = head.iter().filter(|l| l.to_ascii_lowercase().starts_with("host:")).cloned().collect::<Vec<_>>();
        let body = format!("{name} {}", host.join(","));
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The lines of the head, and the body.
async fn read_message(stream: &mut BufReader<TcpStream>) -> Option<(Vec<String>, String)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

/// One request over a fresh connection: status and body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    Client { address, stream: None }.ask("GET", path).await
}

struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    async fn ask(&mut self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.address).await.ok()?),
        };
        let body = if method == "POST" { "x=1" } else { "" };
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.ok()?;
        let (head, body) = read_message(&mut stream).await?;
        let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
        // as nginx says after keepalive_requests
        if !head.iter().any(|l| l.eq_ignore_ascii_case("connection: close")) {
            self.stream = Some(stream);
        }
        Some((status, body))
    }
}

/// Keep-alive clients, every third request a POST, until told to stop.
pub(crate) struct Load(Vec<JoinHandle<(usize, usize)>>, tokio::sync::watch::Sender<bool>);

impl Load {
    pub(crate) fn start(address: SocketAddr, clients: usize) -> Self {
        let stop = tokio::sync::watch::Sender::new(false);
        let client = |stop: tokio::sync::watch::Receiver<bool>| async move {
            let (mut sent, mut lost) = (0, 0);
            let mut client = Client { address, stream: None };
            while !*stop.borrow() && sent < 100_000 {
                sent += 1;
                let method = if sent % 3 == 0 { "POST" } else { "GET" };
                let good = matches!(client.ask(method, "/").await, Some((200, body)) if body.starts_with("real"));
                lost += usize::from(!good);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            (sent, lost)
        };
        let tasks = (0..clients).map(|_| tokio::spawn(client(stop.subscribe()))).collect();
        Self(tasks, stop)
    }

    /// How many were sent, and how many got no good answer.
    pub(crate) async fn stop(self) -> (usize, usize) {
        self.1.send_replace(true);
        let mut all = (0, 0);
        for task in self.0 {
            let (sent, lost) = task.await.unwrap();
            all = (all.0 + sent, all.1 + lost);
        }
        all
    }
}
