//! What the end-to-end tests and the trials stand on.
//!
//! A [`Stage`] has an nginx of its own, an app's configuration and directories, and the binary under test. Nothing here
//! returns an error: what a test cannot do without panics, and says what it was.
#![forbid(unsafe_code)]

mod load;
mod process;
pub mod schema;

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bluegreen_core::{Profile, Profiles, Route};
use bluegreen_lab::nginx::{Nginx, Site};
use bluegreen_nginx::RouteDir;
use bluegreen_process::{PortOwners as _, ProcPorts};
use rustix::net::{AddressFamily, SocketType, bind, socket};
use serde_json::Value;
use tempfile::TempDir;
use toml::{Table, Value as Toml};

pub use load::Clients;
pub use process::{Ended, Running, below, kill, lives};

/// Nothing that a test waits for may take longer, on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// The place of one test. Dropping it ends what was started in it and removes its files.
#[derive(Debug)]
pub struct Stage {
    home: TempDir,
    /// The front door.
    pub nginx: Nginx,
    /// Those of `real1` and `real2`.
    pub ports: [u16; 2],
    config: Table,
}

/// The binary under test, which cargo puts beside the tests and the trials.
pub fn bluegreen() -> PathBuf {
    let program = env::current_exe().unwrap();
    let here = program.parent().unwrap();
    let beside = if here.ends_with("deps") { here.parent().unwrap() } else { here };
    let binary = beside.join("bluegreen");
    assert!(binary.is_file(), "there is no {}: build it with `cargo build -p bluegreen-cli`", binary.display());
    binary
}

/// Says why a test does nothing here.
pub fn skip(why: &str) {
    say(&format!("SKIPPED {}: {why}", thread::current().name().unwrap_or_default()));
}

/// Past the test harness, which keeps what passes to itself.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

const CONFIG: &str = r#"
app = "shop"
allow_temporary = true
[health]
url = "http://127.0.0.1:{port}/profile"
body = "{profile}"
deadline = "90s"
timeout = "10s"
[stop]
grace = "30s"
[after_switch]
bake = "300ms"
settle = "300ms"
drain = "3s"
"#;

impl Stage {
    /// Marker mode, set up; the route is at the second profile, where nothing runs, so that the first deploy goes to
    /// the first one.
    pub fn marker() -> Option<Self> {
        let mut stage = Self::new(&Site::default())?;
        let parts = ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
        let [http, server, location] = parts;
        let route = stage.route_dir();
        route.create().unwrap();
        route.point(&Route::solo(route.profiles().second().clone())).unwrap();
        stage.serve(&Site { http, server, location });
        stage.set("proxy.nginx.mode", "marker");
        Some(stage)
    }

    /// The article's include file and `proxy_pass $service_url`.
    pub fn reload() -> Option<Self> {
        let mut stage = Self::new(&Site::default())?;
        let include = stage.path("service-url.inc");
        fs::write(&include, format!("set $service_url http://127.0.0.1:{};\n", stage.ports[1])).unwrap();
        stage.serve(&Site::article(&include));
        stage.set("proxy.nginx.mode", "reload");
        stage.set("proxy.nginx.service_url_file", include.to_str().unwrap());
        stage.set("proxy.nginx.test", stage.nginx.with(&["-t"]));
        stage.set("proxy.nginx.reload", stage.nginx.with(&["-s", "reload"]));
        Some(stage)
    }

    /// Until nginx has taken it over, it has no site, and answers with 404.
    fn serve(&self, site: &Site) {
        self.nginx.write(site).unwrap();
        self.nginx.reload().unwrap();
        wait_for("nginx to take the site over", || !self.front().starts_with("404"));
    }

    fn new(site: &Site) -> Option<Self> {
        let Some(binary) = Nginx::find() else {
            skip("there is no nginx");
            return None;
        };
        let home = tempfile::Builder::new().prefix("bluegreen-e2e.").tempdir().unwrap();
        // nginx's workers may be another user
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(home.path().join("state")).unwrap();
        // another test may have taken the port in between
        let nginx = (0..3).find_map(|_| Nginx::start(&binary, site).ok()).expect("nginx starts");
        let ports = [bluegreen_process::free_port().unwrap(), bluegreen_process::free_port().unwrap()];
        let mut stage = Self { home, nginx, ports, config: CONFIG.parse().unwrap() };
        stage.set("state_dir", stage.state_dir().to_str().unwrap());
        stage.set("profiles.real1", i64::from(ports[0]));
        stage.set("profiles.real2", i64::from(ports[1]));
        stage.set("proxy.nginx.url", stage.nginx.url("/profile"));
        stage.boots_in(100);
        Some(stage)
    }

    /// Sets the value of a dotted key of `bluegreen.toml`.
    pub fn set(&mut self, key: &str, value: impl Into<Toml>) {
        let (sections, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.config;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let inner = table.entry(section).or_insert_with(|| Toml::Table(Table::new()));
            table = inner.as_table_mut().unwrap();
        }
        table.insert(leaf.to_owned(), value.into());
        fs::write(self.path("bluegreen.toml"), self.config.to_string()).unwrap();
    }

    /// Takes the `bluegreen.toml` of an example. Ports, paths, nginx and the times after the switch stay those of the stage.
    pub fn configure(&mut self, file: &Path) {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut theirs: Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let names = |config: &Table| {
            (config["app"].clone(), config["profiles"].as_table().unwrap().keys().cloned().collect::<Vec<_>>())
        };
        assert_eq!(names(&theirs), names(&self.config), "the route has the names of the stage");
        let url = theirs["proxy"]["nginx"]["url"].as_str().unwrap();
        let page = url.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        for kept in ["state_dir", "allow_temporary", "profiles", "proxy", "after_switch"] {
            theirs.insert(kept.to_owned(), self.config[kept].clone());
        }
        self.config = theirs;
        self.set("proxy.nginx.url", self.nginx.url(&format!("/{page}")));
    }

    /// Takes a dotted key out of `bluegreen.toml`.
    pub fn unset(&mut self, key: &str) {
        let (sections, leaf) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.config;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            table = table[section].as_table_mut().unwrap();
        }
        table.remove(leaf);
        fs::write(self.path("bluegreen.toml"), self.config.to_string()).unwrap();
    }

    /// The tiny app listens after `ms` milliseconds.
    pub fn boots_in(&mut self, ms: u32) {
        self.set("start.command", tiny_app(&ms.to_string()));
    }

    /// The tiny app boots when a test says `boot`: until then a deploy is at its health step for sure.
    pub fn boots_on_cue(&mut self) {
        let script = format!("until [ -e '{}' ]; do sleep 0.05; done; exec \"$@\"", self.path("boot").display());
        let shell = ["sh", "-c", &script, "sh"].map(str::to_owned);
        self.set("start.command", shell.into_iter().chain(tiny_app("0")).collect::<Vec<_>>());
    }

    /// Lets it boot.
    pub fn boot(&self) {
        fs::write(self.path("boot"), "").unwrap();
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Where the state is.
    pub fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    /// The route of marker mode.
    pub fn route_dir(&self) -> RouteDir {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(profile("real1", self.ports[0]), profile("real2", self.ports[1])).unwrap();
        RouteDir::new(self.state_dir().join("route"), profiles).unwrap()
    }

    /// An artifact of the tiny app; `text` is its version and, after a blank, its fault.
    pub fn artifact(&self, text: &str) -> String {
        let file = self.path(&format!("app-{}", text.replace(' ', "-")));
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// The binary under test, about to do `words`.
    pub fn command(&self, words: &[&str]) -> Command {
        let binary = bluegreen();
        let mut command = Command::new(&binary);
        // as if it were installed: then it calls itself by its name
        let path = env::var_os("PATH").unwrap_or_default();
        let beside = binary.parent().unwrap().to_owned();
        command.env("PATH", env::join_paths([beside].into_iter().chain(env::split_paths(&path))).unwrap());
        // where the configuration is: one that is named would be named again in every command that the program says
        command.args(words).current_dir(self.home());
        command.env_remove("BLUEGREEN_CONFIG").stdin(Stdio::null());
        command
    }

    /// Begins to do `words`.
    pub fn spawn(&self, words: &[&str]) -> Running {
        Running::spawn(self.command(words))
    }

    /// Does `words`, which must end with `code`.
    #[track_caller]
    pub fn run(&self, words: &[&str], code: i32) -> Ended {
        let ended = self.spawn(words).wait();
        assert_eq!(ended.code, Some(code), "`bluegreen {}`:\n{ended}", words.join(" "));
        ended
    }

    /// Deploys the tiny app in this version.
    #[track_caller]
    pub fn deploy(&self, text: &str, code: i32) -> Ended {
        self.run(&["deploy", &self.artifact(text), "--version", text], code)
    }

    /// The front door.
    pub fn address(&self) -> SocketAddr {
        self.nginx.address()
    }

    /// The first line of what the front door answers, or what went wrong.
    pub fn front(&self) -> String {
        get(self.address())
    }

    /// The same of a profile's own port, 0 or 1.
    pub fn behind(&self, profile: usize) -> String {
        get(([127, 0, 0, 1], self.ports[profile]).into())
    }

    /// Whether nobody listens where a profile is dialled. Looked up: who binds it to find out may have a child that holds it
    /// for a moment longer.
    pub fn is_free(&self, profile: usize) -> bool {
        ProcPorts.answering(([127, 0, 0, 1], self.ports[profile]).into(), &[]).unwrap().is_empty()
    }

    /// What `status --format json` says.
    pub fn status(&self) -> Value {
        let ended = self.spawn(&["status", "--format", "json"]).wait();
        serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended}"))
    }

    /// The pid on the `active` or the `idle` side.
    pub fn pid(&self, side: &str) -> u32 {
        let mut found = None;
        // while the route changes, nobody can say which side is which
        wait_for(&format!("the pid of the {side} side"), || {
            found = self.status()[side]["pid"].as_u64().and_then(|pid| pid.try_into().ok());
            found.is_some()
        });
        found.unwrap_or_default()
    }

    /// The step of the open transaction, as it is on disk.
    pub fn step(&self) -> Option<String> {
        let state = fs::read(self.state_dir().join("state.json")).ok()?;
        let state: Value = serde_json::from_slice(&state).ok()?;
        state["transaction"]["step"].as_str().map(ToOwned::to_owned)
    }

    /// Waits until the state on disk says this step.
    #[track_caller]
    pub fn wait_for_step(&self, step: &str) {
        wait_for(&format!("step {step}"), || self.step().as_deref() == Some(step));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // whatever runs below this test's own directory was started by it
        below(self.home()).into_iter().for_each(kill);
        // directories of releases are read-only, and only root may empty such a one
        let _ = Command::new("chmod").arg("-R").arg("u+w").arg(self.home()).status();
    }
}

/// The command of the tiny app, which listens after so many milliseconds.
fn tiny_app(boot_ms: &str) -> Vec<String> {
    let words =
        ["__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}", "--boot-ms", boot_ms];
    let binary = bluegreen();
    [binary.to_str().unwrap()].into_iter().chain(words).map(str::to_owned).collect()
}

/// Waits until it is so.
#[track_caller]
pub fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A socket that has `address` and does not listen on it.
pub fn bound(address: &str) -> OwnedFd {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let address: SocketAddr = address.parse().unwrap();
    bind(&socket, &address).unwrap();
    socket
}

/// The first line of what `address` answers, or what went wrong.
pub fn get(address: SocketAddr) -> String {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    let answer: String = match ask() {
        Ok(answer) => answer,
        Err(error) => return error.to_string(),
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default().trim_start_matches("HTTP/1.1 ");
    if status.starts_with("200") { body.lines().next().unwrap_or_default().to_owned() } else { status.to_owned() }
}
