//! A proxy of your own: the route is a value in this program, and everything else is the library's.
//!
//! It starts a tiny TCP proxy, deploys two versions of a tiny app behind it, goes back to the first, and cleans up. No
//! nginx, no root; a few seconds. The app is this program, started with `app PORT PROFILE VERSION_FILE`.

use std::{
    error::Error,
    fs,
    net::SocketAddr,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bluegreen_core::{
    Blind, Deployer, Event, EventKind, Events, Failover, FileStore, Occupant, Policy, ProcessManager, Profile,
    ProfileResolver, Profiles, ProxySwitcher, Route, SwitchError, Template, Traffic,
};
use bluegreen_http::{Client, FrontDoor, HttpProbe, Options};
use bluegreen_process::{Config, Launch, NewRelease, Processes};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Sends each new connection to the active profile. Cheap to clone.
#[derive(Debug, Clone)]
struct Proxy {
    profiles: Profiles,
    active: watch::Sender<Profile>,
    /// Connections that are open to the first and to the second profile.
    open: Arc<[AtomicUsize; 2]>,
}

impl Proxy {
    /// Nothing runs yet. It points at the second profile, so that the first deploy goes to the first one.
    fn new(profiles: Profiles) -> Self {
        Self { active: watch::Sender::new(profiles.second().clone()), profiles, open: Arc::default() }
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            let active = self.active.borrow().clone();
            let proxy = self.clone();
            // counted before anybody can look away: what was accepted is seen by `drain`
            self.open_to(&active).fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                // a connection that breaks is the client's and the app's business
                let _ = relay(client, active.port()).await;
                proxy.open_to(&active).fetch_sub(1, Ordering::SeqCst);
            });
        }
    }

    fn open_to(&self, profile: &Profile) -> &AtomicUsize {
        &self.open[usize::from(profile != self.profiles.first())]
    }
}

async fn relay(mut client: TcpStream, port: u16) -> std::io::Result<()> {
    let mut app = TcpStream::connect(("127.0.0.1", port)).await?;
    tokio::io::copy_bidirectional(&mut client, &mut app).await.map(|_| ())
}

/// The witness. What it reads is what the next connection will do.
#[async_trait]
impl ProfileResolver for Proxy {
    async fn resolve(&self) -> Result<Traffic, Blind> {
        Ok(Route::solo(self.active.borrow().clone()).into())
    }
}

/// The actor.
#[async_trait]
impl ProxySwitcher for Proxy {
    async fn switch_to(&self, route: &Route) -> Result<(), SwitchError> {
        if route.standby.is_some() {
            return Err(SwitchError::Refused("this proxy has no failover".to_owned()));
        }
        self.active.send_replace(route.active.clone());
        Ok(())
    }

    async fn drain(&self, profile: &Profile, within: Duration) -> Result<usize, Blind> {
        let open = || self.open_to(profile).load(Ordering::SeqCst);
        let none_open = async {
            while open() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // running out of time is not an error
        let _ = tokio::time::timeout(within, none_open).await;
        Ok(open())
    }
}

/// Answers every connection with its version and its profile.
async fn app(port: u16, profile: &str, version_file: &str) -> Result<()> {
    let body = format!("{} {profile}", fs::read_to_string(version_file)?.trim());
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
    }
}

fn report(event: &Event) {
    match &event.kind {
        EventKind::StepDone { step, took_ms, .. } => println!("  {step:6} {took_ms:>4} ms"),
        EventKind::Warning { message } => println!("  {message}"),
        EventKind::Failed { failure } => println!("  {failure}: {}", failure.causes.join(": ")),
        _ => {}
    }
}

async fn tour() -> Result<()> {
    let home = tempfile::tempdir()?;
    let profile = |name: &str| -> Result<Profile> { Ok(Profile::new(name.parse()?, bluegreen_process::free_port()?)?) };
    let profiles = Profiles::new(profile("real1")?, profile("real2")?)?;

    let proxy = Proxy::new(profiles.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address: SocketAddr = listener.local_addr()?;
    tokio::spawn(proxy.clone().serve(listener));

    let this_program = std::env::current_exe()?.display().to_string();
    let command = [this_program.as_str(), "app", "{port}", "{profile}", "{artifact}"].map(Template::parse);
    let launch = Launch::new(command.into_iter().collect::<Result<_, _>>()?);
    let (name, spec) = ("tour".parse()?, launch.spec());
    let url = Template::parse("http://127.0.0.1:{port}/")?;
    let probe = HttpProbe::new(&name, &profiles, &url, &Options::default())?;
    let door = format!("http://{address}/");
    let config = Config { state_dir: home.path().into(), app: name, profiles: profiles.clone(), launch, group: None };
    let processes = Processes::new(config);

    let short = Duration::from_millis(300);
    let policy = Policy { bake: short, settle: short, failover: Failover::Never, ..Policy::default() };
    let store = FileStore::open(home.path())?;
    let deployer = Deployer::new(profiles.clone(), proxy.clone(), processes.clone(), probe, proxy, store)
        .with_front_door(FrontDoor::new(&door, &profiles, &Options::default())?)
        .with_policy(policy)
        .with_events(Events::to(report));

    let visitor = Client::new(&door, &Options::default())?;
    for version in ["v1", "v2"] {
        println!("deploy of {version}");
        let file = home.path().join("version");
        fs::write(&file, version)?;
        let new = NewRelease { artifact: Some(&file), spec: &spec, version: Some(version), sha256: None };
        let release = processes.releases().add(&new, &mut |_, _| ControlFlow::Continue(()))?;
        let done = deployer.deploy(release.id).await?;
        println!("  {}", done.receipt.ok_or("nobody watched the front door")?);
        println!("the proxy answers: {}", visitor.get().await?.text());
    }
    println!("rollback");
    deployer.rollback().await?;
    println!("the proxy answers: {}", visitor.get().await?.text());

    // an app outlives the program that started it, so a tour has to clean up
    for profile in profiles.both() {
        if let Occupant::Ours { process, .. } = processes.inspect(profile).await? {
            processes.stop(profile, &process, Duration::from_secs(1)).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["app", port, profile, version_file] => app(port.parse()?, profile, version_file).await,
        _ => tour().await,
    }
}
