//! Deploys a directory of web pages behind nginx:  embed DIRECTORY
//!
//! nginx has been set up once, in marker mode, by `bluegreen setup`. The app is Python's own web server; any program that
//! takes a port will do.

use std::{error::Error, net::SocketAddr, ops::ControlFlow, path::Path, time::Duration};

use bluegreen_core::{Deployer, Event, Events, FileStore, Name, Policy, Profile, Profiles, Report, Template};
use bluegreen_http::{FrontDoor, HttpProbe, Options};
use bluegreen_nginx::{MarkerResolver, MarkerSwitcher, ProofLocation, RouteDir};
use bluegreen_process::{Config, Launch, NewRelease, Processes};

const COMMAND: [&str; 8] =
    ["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", "{artifact}"];

/// Deploys `artifact` as the app `shop`, whose state is in `home`.
pub(crate) async fn deploy(
    home: &Path,
    nginx: SocketAddr,
    profiles: Profiles,
    artifact: &Path,
) -> Result<Report, Box<dyn Error>> {
    let app: Name = "shop".parse()?;
    let route = RouteDir::new(home.join("route"), profiles.clone())?;
    let door = "http://shop.example/";
    let dial = Options { connect: Some(nginx), ..Options::default() };
    let proof = ProofLocation::new(door, &app, &dial)?;
    let resolver = MarkerResolver::new(app.clone(), route.clone(), proof);
    let switcher = MarkerSwitcher::new(route);

    let probe = HttpProbe::new(&app, &profiles, &Template::parse("http://127.0.0.1:{port}/")?, &Options::default())?;
    let front_door = FrontDoor::new(door, &profiles, &dial)?;

    let launch = Launch::new(COMMAND.map(Template::parse).into_iter().collect::<Result<_, _>>()?);
    let spec = launch.spec();
    let processes =
        Processes::new(Config { state_dir: home.into(), app, profiles: profiles.clone(), launch, group: None });
    let new = NewRelease { artifact: Some(artifact), spec: &spec, version: None, sha256: None };
    let release = processes.releases().add(&new, &mut |_, _| ControlFlow::Continue(()))?;

    let policy = Policy { bake: Duration::from_secs(2), ..Policy::default() };
    let deployer = Deployer::new(profiles, resolver, processes, probe, switcher, FileStore::open(home)?)
        .with_front_door(front_door)
        .with_policy(policy)
        .with_events(Events::to(|event: &Event| println!("{:>6} ms  {:?}", event.elapsed_ms, event.kind)));
    Ok(deployer.deploy(release.id).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let artifact = std::env::args().nth(1).ok_or("usage: embed DIRECTORY")?;
    let profiles = Profiles::new(Profile::new("real1".parse()?, 8081)?, Profile::new("real2".parse()?, 8082)?)?;
    let home = Path::new("/var/lib/bluegreen/shop");
    let report = deploy(home, ([127, 0, 0, 1], 80).into(), profiles, artifact.as_ref()).await?;
    println!("{:?}; the traffic goes to {}", report.outcome, report.traffic?);
    Ok(())
}
