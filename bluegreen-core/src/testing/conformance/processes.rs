use std::time::Duration;

use crate::{Occupant, Process, ProcessManager, Profile, ReleaseId};

/// How long a release of the suite may take to listen.
pub(super) const LISTENS_WITHIN: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// Checks a process manager. `profile` must be free, `release` must be something that runs and listens on its port within
/// a minute, `other` any other release.
pub async fn processes(manager: &dyn ProcessManager, profile: &Profile, release: &ReleaseId, other: &ReleaseId) {
    let inspect = async || manager.inspect(profile).await.expect("inspect works");
    assert_eq!(inspect().await, Occupant::Nobody, "the suite begins on a free profile");

    manager.start(profile, release).await.expect("start works");
    let process = listening(manager, profile).await;
    assert_eq!(process.release, *release, "inspect names the release that was started");
    assert_eq!(listening(manager, profile).await, process, "an identity does not change");

    manager.start(profile, release).await.expect("starting what runs already does nothing");
    assert_eq!(listening(manager, profile).await, process, "starting what runs already does nothing");
    manager.start(profile, other).await.expect_err("starting another release on an occupied profile is an error");

    let stranger = Process { id: format!("{}x", process.id), ..process.clone() };
    manager.stop(profile, &stranger, GRACE).await.ok();
    assert_eq!(listening(manager, profile).await, process, "stop does nothing to any other process");

    manager.stop(profile, &process, GRACE).await.expect("stop works");
    assert_eq!(inspect().await, Occupant::Nobody, "after stop the process is gone and the port is free");
    manager.stop(profile, &process, GRACE).await.expect("stopping what is gone succeeds");

    manager.start(profile, release).await.expect("the profile can be used again");
    let second = listening(manager, profile).await;
    assert_ne!(second.id, process.id, "no two processes have the same identity");
    manager.stop(profile, &process, GRACE).await.ok();
    assert_eq!(listening(manager, profile).await, second, "stop does nothing to a process that took the place");
    manager.stop(profile, &second, GRACE).await.expect("stop works");
}

pub(super) async fn listening(manager: &dyn ProcessManager, profile: &Profile) -> Process {
    let poll = async {
        loop {
            match manager.inspect(profile).await.expect("inspect works") {
                Occupant::Ours { process, listening: true } => return process,
                Occupant::Ours { .. } => tokio::time::sleep(Duration::from_millis(20)).await,
                other => panic!("a started process is ours, not {other:?}"),
            }
        }
    };
    tokio::time::timeout(LISTENS_WITHIN, poll).await.expect("the release listens in time")
}
