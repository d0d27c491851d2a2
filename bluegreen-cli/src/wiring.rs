//! From the configuration to the parts.

use std::path::Path;

use bluegreen_core::{Deployer, Events, FileStore, Profile, ProfileResolver, ProxySwitcher};
use bluegreen_http::{Client, ClientError, FrontDoor, HttpProbe, Options, ProfileEndpoint};
use bluegreen_nginx::{
    Commands, MarkerResolver, MarkerSwitcher, Master, MasterError, ProofLocation, RouteDir,
    reload::{IncludeFile, IncludeResolver, ReloadSwitcher},
    setup::Setup,
};
use bluegreen_process::{Launch, OwnProbe, Processes};

use crate::{
    access,
    config::{Config, ProxyMode, ResolveKind},
    exit::Exit,
    halt::Halt,
    hooks::gate::Owner,
    owner::User,
    trust::Purpose,
};

/// Everything that a command works with.
#[derive(Debug, Clone)]
pub(crate) struct Wired {
    /// The engine.
    pub(crate) deployer: Deployer,
    /// What runs.
    pub(crate) processes: Processes,
    /// The state.
    pub(crate) store: FileStore,
}

/// Wires `config`. Asks nobody and changes nothing.
pub(crate) fn wire(config: &Config, events: Events, purpose: Purpose) -> Result<Wired, Halt> {
    let open = if purpose == Purpose::Look { FileStore::look_at } else { FileStore::open };
    let store = open(config.state_dir.clone())?.with_group(access::usable(config));
    let processes = processes(config);
    // an address that is nobody's own refuses each deploy; what runs is asked there as it always was
    let sound = config.objections().is_none();
    let asked = |profile: &Profile| config.health_address(profile).filter(|_| sound);
    let probe = OwnProbe::new(probe(config).map_err(unusable)?, &processes, asked)
        .map_err(|error| Halt::error(Exit::Usage, &error))?;
    let door = front_door(config).map_err(unusable)?;
    let (resolver, switcher) = proxy(config)?;
    let deployer = Deployer::new(config.profiles.clone(), resolver, processes.clone(), probe, switcher, store.clone())
        .with_front_door(door)
        .with_gate(Owner { config: config.clone(), events: events.clone(), releases: processes.releases() })
        .with_policy(config.policy())
        .with_events(events);
    Ok(Wired { deployer, processes, store })
}

/// What runs on the profiles; needs no place for the state yet.
pub(crate) fn processes(config: &Config) -> Processes {
    Processes::new(bluegreen_process::Config {
        state_dir: config.state_dir.clone(),
        app: config.app.clone(),
        profiles: config.profiles.clone(),
        launch: launch(config),
        group: access::usable(config),
    })
}

type Proxy = (Box<dyn ProfileResolver>, Box<dyn ProxySwitcher>);

/// The witness and the actor of the proxy.
fn proxy(config: &Config) -> Result<Proxy, Halt> {
    match config.nginx.mode {
        ProxyMode::Marker => {
            let route = route_dir(config)?;
            let resolver =
                MarkerResolver::new(config.app.clone(), route.clone(), proof(config)?).with_master(master(config));
            Ok((Box::new(resolver), Box::new(MarkerSwitcher::new(route))))
        }
        ProxyMode::Reload => {
            let mut resolver = IncludeResolver::new(include(config), &config.profiles, master(config));
            if config.resolve.kind == ResolveKind::Http {
                let options = Options { allow_remote: true, ..Options::default() };
                let client = Client::new(config.resolve.url.as_str(), &options).map_err(unusable)?;
                resolver = resolver.with_endpoint(ProfileEndpoint::new(client, &config.profiles));
            }
            Ok((Box::new(resolver), Box::new(reload_switcher(config))))
        }
    }
}

/// The actor of reload mode.
pub(crate) fn reload_switcher(config: &Config) -> ReloadSwitcher {
    ReloadSwitcher::new(include(config), &config.profiles, master(config), configured(config))
}

/// How releases are started and stopped.
pub(crate) fn launch(config: &Config) -> Launch {
    Launch {
        env: config.start.env.clone(),
        env_file: config.start.env_file.clone(),
        pass_env: config.start.pass_env.clone(),
        workdir: config.start.workdir.clone(),
        signal: config.stop.signal,
        to: config.stop.to,
        ..Launch::new(config.start.command.clone())
    }
}

pub(crate) fn probe(config: &Config) -> Result<HttpProbe, ClientError> {
    // the configuration has said already whether the address may be remote
    let options = Options { timeout: config.health.timeout, allow_remote: true, ..Options::default() };
    let probe = HttpProbe::new(&config.app, &config.profiles, &config.health.url, &options)?;
    Ok(probe.status(config.health.status.clone()).body(config.health.body.clone()))
}

pub(crate) fn front_door(config: &Config) -> Result<FrontDoor, ClientError> {
    FrontDoor::new(config.nginx.url.as_str(), &config.profiles, &at_the_door(config))
}

/// What a user would ask.
pub(crate) fn door_client(config: &Config) -> Result<Client, ClientError> {
    Client::new(config.nginx.url.as_str(), &at_the_door(config))
}

/// What the health probe asks of `profile`.
pub(crate) fn health_client(config: &Config, profile: &Profile) -> Result<Client, ClientError> {
    let url = config.health_url(profile);
    Client::new(&url, &Options { timeout: config.health.timeout, allow_remote: true, ..Options::default() })
}

fn at_the_door(config: &Config) -> Options {
    Options { connect: config.nginx.connect, allow_remote: true, ..Options::default() }
}

/// Where the route is kept in marker mode.
pub(crate) fn route_dir(config: &Config) -> Result<RouteDir, Halt> {
    RouteDir::new(&config.route_dir, config.profiles.clone()).map_err(|e| Halt::error(Exit::Usage, &e))
}

/// The include file of reload mode.
pub(crate) fn include(config: &Config) -> IncludeFile {
    let file = IncludeFile::new(&config.nginx.service_url_file);
    match &config.nginx.install {
        Some(argv) => file.install_with(argv.clone()),
        None => file,
    }
}

/// How nginx is called: as the one that runs was called, but for what reload mode has configured.
pub(crate) fn commands(config: &Config) -> Result<Commands, MasterError> {
    let commands = Commands::new(master(config).command()?);
    Ok(match config.nginx.mode {
        ProxyMode::Marker => commands,
        ProxyMode::Reload => as_configured(config, commands),
    })
}

/// How reload mode tests and reloads nginx, whatever runs.
pub(crate) fn configured(config: &Config) -> Commands {
    as_configured(config, Commands::new(["nginx"]))
}

fn as_configured(config: &Config, commands: Commands) -> Commands {
    commands.with_test(config.nginx.test.clone()).with_reload(config.nginx.reload.clone())
}

/// What a person types to test the nginx that is meant; the system's, where it is not known which one that is.
pub(crate) fn typed_test(config: &Config) -> String {
    // root is given no command of a file that others can write
    let called = if config.is_roots() { commands(config) } else { master(config).command().map(Commands::new) };
    called.unwrap_or_else(|_| Commands::new(["nginx"])).typed_test()
}

/// The nginx behind the front door.
pub(crate) fn master(config: &Config) -> Master {
    let url = &config.nginx.url;
    let named = || Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?));
    let dialled = config.nginx.connect.map(|address| (address.ip().to_string(), address.port())).or_else(named);
    let master = dialled.map_or_else(Master::new, |(host, port)| Master::new().with_front_door(host, port));
    let master = config.nginx_program().into_iter().fold(master, Master::with_program);
    config.nginx.pid_file.iter().fold(master, Master::with_pid_file)
}

/// The set-up of this app on the nginx that is called by `commands`; `owner` is who deploys.
pub(crate) async fn setup(config: &Config, commands: Commands, owner: Option<User>) -> Result<Setup, Halt> {
    let main = commands.configuration().await;
    Ok(Setup {
        app: config.app.clone(),
        route: route_dir(config)?,
        proof: proof(config)?,
        commands,
        master: master(config),
        nginx_dir: main.parent().unwrap_or(Path::new("/etc/nginx")).to_owned(),
        site: None,
        owner,
        last: Ok(None),
        allow_temporary: config.allow_temporary,
    })
}

/// Where nginx proves what it does.
pub(crate) fn proof(config: &Config) -> Result<ProofLocation, Halt> {
    ProofLocation::new(config.nginx.url.as_str(), &config.app, &at_the_door(config)).map_err(unusable)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn unusable(error: ClientError) -> Halt {
    Halt::error(Exit::Usage, &error)
}
