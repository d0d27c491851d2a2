//! From the configuration to the parts.

use std::net::SocketAddr;

use bluegreen_core::{Deployer, Events, FileStore, HealthProbe, ProfileResolver, ProxySwitcher};
use bluegreen_http::{Client, FrontDoor, HttpProbe, Options, ProfileEndpoint};
use bluegreen_nginx::{
    MarkerResolver, MarkerSwitcher, RouteDir,
    reload::{IncludeFile, IncludeResolver, Nginx, ReloadSwitcher},
};
use bluegreen_process::{Launch, Processes};

use crate::{
    config::{Config, ProxyMode, ResolveKind},
    exit::Exit,
    halt::Halt,
};

/// Everything that a command works with.
#[derive(Debug, Clone)]
pub struct Wired {
    /// The engine.
    pub deployer: Deployer,
    /// What runs.
    pub processes: Processes,
    /// The state.
    pub store: FileStore,
}

/// Wires `config`. Asks nobody and changes nothing.
pub(crate) fn wire(config: &Config, events: Events) -> Result<Wired, Halt> {
    let store = FileStore::open(&config.state_dir)?;
    let processes = processes(config);
    let (resolver, switcher) = proxy(config)?;
    let front_door = FrontDoor::new(config.nginx.url.as_str(), &config.profiles, &front_door(config)).map_err(usage)?;
    let deployer = Deployer::new(
        config.profiles.clone(),
        resolver,
        processes.clone(),
        probe(config)?,
        switcher,
        store.clone(),
    )
    .with_front_door(front_door)
    .with_policy(config.policy())
    .with_events(events);
    Ok(Wired { deployer, processes, store })
}
