//! Health of the release, and of nobody else.

use std::{collections::BTreeMap, net::SocketAddr};

use async_trait::async_trait;
use bluegreen_core::{Blind, HealthProbe, Occupant, ProcessManager as _, Profile, Unhealthy};

use bluegreen_linux::ports::is_led_away;

use crate::{
    Processes,
    processes::{blocking, dialled},
};

/// Believes a good answer from another port or address than the profile's own, as one for management, only when it is the release
/// that listens there. (Who has the profile's own is asked by the engine.)
#[derive(Debug)]
pub struct OwnProbe<P> {
    probe: P,
    processes: Processes,
    elsewhere: BTreeMap<Profile, SocketAddr>,
}

/// An address that is nobody's own: the old release would answer there for the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is asked for the health of both profiles, or belongs to the other one")]
#[non_exhaustive]
pub struct SharedAddress(pub SocketAddr);

impl<P> OwnProbe<P> {
    /// `probe`, which asks each profile at `asked`; `None`: where that is cannot be told, and its answers are believed as they are.
    ///
    /// # Errors
    /// [`SharedAddress`]: no deploy may begin with that.
    pub fn new(
        probe: P,
        processes: &Processes,
        asked: impl Fn(&Profile) -> Option<SocketAddr>,
    ) -> Result<Self, SharedAddress> {
        let profiles = processes.profiles();
        let mut elsewhere = BTreeMap::new();
        for profile in profiles.both() {
            let Some(address) = asked(profile).filter(|address| *address != dialled(profile)) else { continue };
            let others = profiles.other(profile).is_some_and(|other| address == dialled(other));
            if others || elsewhere.values().any(|it| *it == address) {
                return Err(SharedAddress(address));
            }
            elsewhere.insert(profile.clone(), address);
        }
        Ok(Self { probe, processes: processes.clone(), elsewhere })
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

async fn led_away(dialled: SocketAddr) -> std::io::Result<bool> {
    blocking(move || is_led_away(dialled)).await
}

#[async_trait]
impl<P: HealthProbe> HealthProbe for OwnProbe<P> {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        let answer = self.probe.check(profile).await;
        // a wrong answer need not be the release's: the firewall may lead the port to somebody else
        if let (Err(Unhealthy::Sick(_)), Ok(true)) = (&answer, led_away(dialled(profile)).await) {
            return Err(Unhealthy::NotOurs(Box::default()));
        }
        answer?;
        match self.elsewhere.get(profile) {
            Some(address) => self.is_of(profile, *address).await,
            None => Ok(()),
        }
    }
}
