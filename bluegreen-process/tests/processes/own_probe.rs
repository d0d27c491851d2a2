//! A good answer counts when it is the release's own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use async_trait::async_trait;
use bluegreen_core::{HealthProbe, ProcessManager as _, Profile, Unhealthy};
use bluegreen_process::{OwnProbe, free_port};

use crate::rig::{GRACE, Rig};

/// Everything is well.
#[derive(Debug)]
struct Yes;

#[async_trait]
impl HealthProbe for Yes {
    async fn check(&self, _: &Profile) -> Result<(), Unhealthy> {
        Ok(())
    }
}

#[tokio::test]
async fn what_somebody_else_answers_is_no_health_of_the_release() {
    let rig = Rig::new();
    let foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port().unwrap())).unwrap();
    let at = foreign.local_addr().unwrap();
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    let asks = |address| {
        let first = rig.profile().clone();
        OwnProbe::new(Yes, &rig.processes, move |profile| (*profile == first).then_some(address)).unwrap()
    };
    let process = rig.listening("listen").await;
    let Err(Unhealthy::NotOurs(who)) = asks(at).check(rig.profile()).await else { panic!("it is this test's") };
    assert_eq!((who.pid, who.address), (Some(std::process::id()), Some(at)));
    assert!(matches!(asks(nobody).check(rig.profile()).await, Err(Unhealthy::NoAnswer(_))));
    // its own is for the engine to look at
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, rig.profile().port()));
    assert_eq!(asks(own).check(rig.profile()).await, Ok(()));
    assert_eq!(asks(at).check(rig.config.profiles.second()).await, Ok(()), "nothing is known of where that is");
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
}

#[tokio::test]
async fn an_address_of_both_profiles_is_nobodys_own() {
    let rig = Rig::new();
    let [first, second] = rig.config.profiles.both().map(|profile| (Ipv4Addr::LOCALHOST, profile.port()).into());
    let management = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let asked = |on_first: SocketAddr, on_second: SocketAddr| {
        let one = rig.profile().clone();
        let asked = move |profile: &Profile| Some(if *profile == one { on_first } else { on_second });
        OwnProbe::new(Yes, &rig.processes, asked).err()
    };
    assert_eq!(asked(management, management).map(|shared| shared.0), Some(management));
    assert_eq!(asked(second, management).map(|shared| shared.0), Some(second));
    assert_eq!(asked(first, first).map(|shared| shared.0), Some(first));
    assert_eq!([asked(first, second), asked(management, second), asked(first, management)], [None; 3]);
}
