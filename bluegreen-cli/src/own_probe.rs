//! Health of the release, and of nobody else.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use async_trait::async_trait;
use bluegreen_core::{Blind, HealthProbe, Occupant, ProcessManager as _, Profile, Unhealthy};
use bluegreen_http::HttpProbe;
use bluegreen_process::Processes;

use crate::config::Config;

/// Asks as the configuration says, and believes a good answer from another port or address than the profile's own, as one for
/// management, only when it is the release that listens there. (Who has the profile's own is asked by the engine.)
#[derive(Debug)]
pub(crate) struct OwnProbe {
    probe: HttpProbe,
    processes: Processes,
    elsewhere: BTreeMap<Profile, SocketAddr>,
}

impl OwnProbe {
    pub(crate) fn new(probe: HttpProbe, processes: &Processes, config: &Config) -> Self {
        let own = |profile: &Profile| SocketAddr::from((Ipv4Addr::LOCALHOST, profile.port()));
        let asked = |profile: &Profile| {
            let address = config.health_address(profile).filter(|address| *address != own(profile))?;
            Some((profile.clone(), address))
        };
        // one address for both profiles is nobody's own: no deploy begins with that, and what runs is asked as it always was
        let sound = config.objections().is_none();
        let elsewhere = config.profiles.both().into_iter().filter(|_| sound).filter_map(asked).collect();
        Self { probe, processes: processes.clone(), elsewhere }
    }

    async fn is_of(&self, profile: &Profile, address: SocketAddr) -> Result<(), Unhealthy> {
        let unseen = |blind: Blind| Unhealthy::NoAnswer(blind.to_string());
        match self.processes.inspect_at(profile, address).await.map_err(unseen)? {
            Occupant::Ours { listening: true, .. } => Ok(()),
            Occupant::Stranger { who, .. } => match self.processes.inspect(profile).await.map_err(unseen)? {
                // what the scripts left answers for itself
                Occupant::Stranger { .. } => Ok(()),
                Occupant::Ours { .. } | Occupant::Nobody => Err(Unhealthy::NotOurs(Box::new(who))),
            },
            Occupant::Ours { .. } | Occupant::Nobody => {
                Err(Unhealthy::NoAnswer(format!("who answered at {address} is gone again")))
            }
        }
    }
}

#[async_trait]
impl HealthProbe for OwnProbe {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        self.probe.check(profile).await?;
        match self.elsewhere.get(profile) {
            Some(address) => self.is_of(profile, *address).await,
            None => Ok(()),
        }
    }
}
