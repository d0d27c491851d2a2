use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

use super::processes::{GRACE, LISTENS_WITHIN, listening};
use crate::{Occupant, ProcessManager, Profile, Profiles, ReleaseId};

/// Another address of loopback, on which any user may listen.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Checks a process manager whose releases listen on ports of this machine: who is on a profile is who answers `127.0.0.1`
/// there. Both profiles must be free, `release` is as in [`processes`](super::processes), and `both` a release that listens on
/// the ports of both profiles, wherever it is started, if there can be one. That one still runs in the end: nobody may stop it.
pub async fn ports(manager: &dyn ProcessManager, profiles: &Profiles, release: &ReleaseId, both: Option<&ReleaseId>) {
    let [profile, other] = profiles.both();
    let inspect = async |profile| manager.inspect(profile).await.expect("inspect works");

    let elsewhere = TcpListener::bind((ELSEWHERE, profile.port())).expect("127.0.0.2 is loopback too");
    assert_eq!(inspect(profile).await, Occupant::Nobody, "a listener elsewhere on the port is no stranger");
    manager.start(profile, release).await.expect("a listener elsewhere on the port stops no start");
    let process = listening(manager, profile).await;
    manager.stop(profile, &process, GRACE).await.expect("a listener elsewhere on the port keeps none that is free");
    assert_eq!(inspect(profile).await, Occupant::Nobody, "a listener elsewhere on the port is no stranger");
    drop(elsewhere);

    let stranger = hold(profile);
    match inspect(profile).await {
        Occupant::Stranger { who, beside: None } => {
            assert_eq!(who.address, stranger.local_addr().ok(), "a stranger has the address that he listens on");
        }
        seen => panic!("who listens there and is not ours is a stranger, not {seen:?}"),
    }
    drop(stranger);

    let Some(both) = both else { return };
    manager.start(profile, both).await.expect("start works");
    let process = listening(manager, profile).await;
    until(other, answers).await;
    manager.stop(profile, &process, GRACE).await.expect_err("what answers on the other profile is not ended");
    assert!(answers(profile) && answers(other), "nothing was signalled");
    assert_eq!(listening(manager, profile).await, process, "nothing was signalled");
}

/// Listens where `profile` is dialled, as somebody else.
pub fn hold(profile: &Profile) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, profile.port())).expect("the port is free")
}

fn answers(profile: &Profile) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, profile.port())).is_ok()
}

async fn until(profile: &Profile, so: impl Fn(&Profile) -> bool) {
    let poll = async {
        while !so(profile) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LISTENS_WITHIN, poll).await.expect("the release listens on both ports in time");
}
