//! On a real haproxy of our own, on loopback ports.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    ops::ControlFlow,
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bluegreen_core::{
    Blind, Deployer, Failover, FileStore, Outcome, Policy, ProcessManager, Profile, ProfileResolver, Profiles,
    ProxySwitcher, ReleaseId, Route, Template, Traffic, testing::conformance,
};
use bluegreen_haproxy::Haproxy;
use bluegreen_http::{FrontDoor, HttpProbe, Options};
use bluegreen_lab::{app, load::Load};
use bluegreen_process::{Config, Launch, NewRelease, Processes, free_port};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

/// Nothing that a test waits for may take longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Not a test of its own: what is deployed, which is this very program.
#[tokio::test]
async fn app() {
    let Ok(port) = env::var("BLUEGREEN_PORT") else { return };
    let (profile, version) = (env::var("BLUEGREEN_PROFILE").unwrap(), env::var("BLUEGREEN_VERSION").unwrap());
    let port = port.parse().unwrap();
    let options = app::Options { port, profile, version, artifact: None, boot_ms: 0, fault: None };
    app::serve(options).await.unwrap();
}

/// A haproxy and what is behind it. What was started ends with it.
struct Rig {
    dir: tempfile::TempDir,
    haproxy: Haproxy,
    child: Child,
    door: u16,
    profiles: Profiles,
    processes: Processes,
}

impl Rig {
    async fn start() -> Option<Self> {
        if !Command::new("haproxy").arg("-v").output().is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: there is no haproxy");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let profile = |name: &str| Profile::new(name.parse().unwrap(), free_port().unwrap()).unwrap();
        let profiles = Profiles::new(profile("real1"), profile("real2")).unwrap();
        let haproxy = haproxy(dir.path(), &profiles);
        haproxy.write(&Route::solo(profiles.second().clone())).unwrap();
        let (rule, backends) = haproxy.snippet();
        let (door, place) = (free_port().unwrap(), dir.path().display());
        let text = format!(
            "global\n    stats socket {place}/one.sock mode 600 level admin expose-fd listeners\n    hard-stop-after 60s\n\
             defaults\n    mode http\n    timeout connect 1s\n    timeout client 30s\n    timeout server 30s\n\
             frontend f\n    bind 127.0.0.1:{door}\n    {rule}\n{backends}"
        );
        fs::write(dir.path().join("haproxy.cfg"), text).unwrap();
        let config = Config {
            state_dir: dir.path().join("state"),
            app: "shop".parse().unwrap(),
            profiles: profiles.clone(),
            launch: launch(),
            group: None,
        };
        let child = run(dir.path());
        let rig = Self { haproxy, child, door, profiles, processes: Processes::new(config), dir };
        rig.until(Result::is_ok).await;
        Some(rig)
    }

    async fn until(&self, so: impl Fn(&Result<Traffic, Blind>) -> bool) {
        let began = Instant::now();
        loop {
            let seen = self.haproxy.resolve().await;
            if so(&seen) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{seen:?}: {}",
                fs::read_to_string(self.dir.path().join("log")).unwrap()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn routes(&self) -> [Route; 4] {
        let [a, b] = self.profiles.both().map(Clone::clone);
        let both = [Route::with_standby(a.clone(), b.clone()), Route::with_standby(b.clone(), a.clone())];
        let [first, second] = both;
        [Route::solo(a), first, second, Route::solo(b)]
    }

    fn release(&self, version: &str) -> ReleaseId {
        let spec = launch().spec();
        let new = NewRelease { artifact: None, spec: &spec, version: Some(version), sha256: None };
        self.processes.releases().add(&new, &mut |_, _| ControlFlow::Continue(())).unwrap().id
    }

    /// Moves the route as somebody with `socat` and an editor would.
    fn lead_to(&self, route: &Route) {
        let standby = route.standby.as_ref().map_or(String::new(), |standby| format!(".{standby}"));
        let (map, backend) = (self.dir.path().join("shop.map"), format!("shop.{}{standby}", route.active));
        fs::write(&map, format!("shop {backend}\n")).unwrap();
        let mut worker = UnixStream::connect(self.dir.path().join("one.sock")).unwrap();
        worker.write_all(format!("set map {} shop {backend}\n", map.display()).as_bytes()).unwrap();
        let mut answer = String::new();
        worker.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.trim(), "");
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.signal("-TERM");
        self.child.wait().unwrap();
        let (processes, profiles) = (self.processes.clone(), self.profiles.clone());
        let stop = async move {
            for profile in profiles.both() {
                if let Some(process) = processes.inspect(profile).await.unwrap().ours() {
                    processes.stop(profile, process, Duration::ZERO).await.unwrap();
                }
            }
        };
        // a runtime cannot be started inside another one
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || runtime().block_on(stop)).join().unwrap();
    }
}

fn haproxy(dir: &Path, profiles: &Profiles) -> Haproxy {
    Haproxy::new("shop".parse().unwrap(), profiles.clone(), &dir.join("shop.map"), &dir.join("master.sock"))
}

/// This very program again, as [`app`].
fn launch() -> Launch {
    let exe = env::current_exe().unwrap();
    let command = [exe.to_str().unwrap(), "app", "--exact", "--nocapture"];
    Launch::new(command.iter().map(|word| Template::parse(word).unwrap()).collect())
}

fn run(dir: &Path) -> Child {
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-W").arg("-S").arg(dir.join("master.sock")).arg("-f").arg(dir.join("haproxy.cfg"));
    command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contracts_of_the_traits() {
    let Some(rig) = Rig::start().await else { return };
    let by_hand = async |route: &Route| rig.lead_to(route);
    conformance::resolver(&rig.haproxy, &rig.haproxy, &rig.routes(), by_hand).await;
    let app = TcpListener::bind(("127.0.0.1", rig.profiles.first().port())).await.unwrap();
    let request = async || {
        let mut client = TcpStream::connect(("127.0.0.1", rig.door)).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        // never answered, and over when both ends are dropped
        (client, app.accept().await.unwrap())
    };
    conformance::switcher(&rig.haproxy, &rig.haproxy, &rig.routes(), request).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_route_outlives_a_restart_and_a_reload() {
    let Some(mut rig) = Rig::start().await else { return };
    for route in rig.routes() {
        rig.haproxy.switch_to(&route).await.unwrap();
        rig.signal("-TERM");
        rig.child.wait().unwrap();
        assert!(matches!(rig.haproxy.resolve().await, Err(Blind::Route(_))), "nobody answers");
        rig.child = run(rig.dir.path());
        rig.until(|seen| *seen == Ok(route.clone().into())).await;
        rig.signal("-USR2");
        rig.until(|seen| *seen == Ok(route.clone().into())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_cannot_follow_is_no_route() {
    let Some(rig) = Rig::start().await else { return };
    let other = Profile::new("real2".parse().unwrap(), free_port().unwrap()).unwrap();
    let other = haproxy(rig.dir.path(), &Profiles::new(rig.profiles.first().clone(), other).unwrap());
    assert!(matches!(other.resolve().await, Err(Blind::Differs(_))));
    fs::write(rig.dir.path().join("shop.map"), "shop shop.real1\n").unwrap();
    assert!(matches!(rig.haproxy.resolve().await, Err(Blind::Route(_))), "file and effect differ");
    let unknown = Haproxy::new(
        "shop".parse().unwrap(),
        rig.profiles.clone(),
        &rig.dir.path().join("no.map"),
        &rig.dir.path().join("master.sock"),
    );
    assert!(matches!(unknown.resolve().await, Ok(Traffic::NotSetUp(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deploys_under_load_lose_nothing() {
    let Some(rig) = Rig::start().await else { return };
    let url = format!("http://127.0.0.1:{}/", rig.door);
    let asked = Template::parse("http://127.0.0.1:{port}/health").unwrap();
    let probe = HttpProbe::new(&"shop".parse().unwrap(), &rig.profiles, &asked, &Options::default()).unwrap();
    let second = Duration::from_secs(1);
    let policy = Policy { bake: second, settle: second, failover: Failover::Bake, ..Policy::default() };
    let home = rig.dir.path().join("state");
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let (proxy, processes) = (rig.haproxy.clone(), rig.processes.clone());
    let deployer =
        Deployer::new(rig.profiles.clone(), proxy.clone(), processes, probe, proxy, FileStore::open(home).unwrap())
            .with_front_door(FrontDoor::new(&url, &rig.profiles, &Options::default()).unwrap())
            .with_policy(policy);
    let deploy = async |version| deployer.deploy(rig.release(version)).await.unwrap().outcome;
    assert_eq!(deploy("v1").await, Some(Outcome::DONE));
    let load = Load { clients: 16, ..Load::new(([127, 0, 0, 1], rig.door).into()) }.start();
    for version in ["v2", "v3", "v4"] {
        assert_eq!(deploy(version).await, Some(Outcome::DONE));
    }
    assert_eq!(deployer.rollback().await.unwrap().outcome, Some(Outcome::DONE));
    let tally = load.stop().await;
    println!("{} requests, {} answered, by release {:?}", tally.0.len(), tally.answered(), tally.by_release());
    assert_eq!(tally.lost(), 0, "{tally}");
    assert!(tally.by_release().len() >= 4, "{tally}");
}
