use std::time::Duration;

use tokio::time::Instant;

use crate::{Occupant, Process, ProcessManager, Profile, ReleaseId};

/// How long a release of the suite may take to listen.
pub(super) const LISTENS_WITHIN: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(30);
/// What a stubborn release gets: a test waits for it.
const SHORT_GRACE: Duration = Duration::from_millis(500);

/// The releases that a process manager is checked with.
#[derive(Debug, Clone)]
pub struct Releases {
    /// Runs, listens on its port within a minute, and ends when it is asked to.
    pub listens: ReleaseId,
    /// Any other one.
    pub other: ReleaseId,
    /// Says something in its log, and ends at once.
    pub dies: ReleaseId,
    /// Listens, and does not end when it is asked to.
    pub stubborn: ReleaseId,
}

/// Checks a process manager. `profile` must be free; `hold` lets somebody else listen on its port, until what it returns is
/// dropped.
pub async fn processes<T>(
    manager: &dyn ProcessManager,
    profile: &Profile,
    releases: &Releases,
    hold: impl Fn(&Profile) -> T,
) {
    let (release, inspect) = (&releases.listens, async || manager.inspect(profile).await.expect("inspect works"));
    assert_eq!(inspect().await, Occupant::Nobody, "the suite begins on a free profile");

    manager.start(profile, release).await.expect("start works");
    let process = listening(manager, profile).await;
    assert_eq!(process.release, *release, "inspect names the release that was started");
    assert_eq!(listening(manager, profile).await, process, "an identity does not change");

    manager.start(profile, release).await.expect("starting what runs already does nothing");
    assert_eq!(listening(manager, profile).await, process, "starting what runs already does nothing");
    let other = manager.start(profile, &releases.other).await;
    other.expect_err("starting another release on an occupied profile is an error");

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

    let taken = hold(profile);
    let seen = inspect().await;
    assert!(
        matches!(seen, Occupant::Stranger { beside: None, .. }),
        "who listens there and is not ours is a stranger, not {seen:?}"
    );
    manager.start(profile, release).await.expect_err("starting a release beside a stranger is an error");
    drop(taken);
    assert_eq!(inspect().await, Occupant::Nobody, "a stranger is gone when his port is free");

    stubborn(manager, profile, &releases.stubborn).await;
    dies(manager, profile, &releases.dies).await;
}

async fn stubborn(manager: &dyn ProcessManager, profile: &Profile, release: &ReleaseId) {
    manager.start(profile, release).await.expect("start works");
    let (process, asked) = (listening(manager, profile).await, Instant::now());
    manager.stop(profile, &process, SHORT_GRACE).await.expect("stop ends who does not end when asked");
    assert!(asked.elapsed() >= SHORT_GRACE, "who does not end when asked has the whole of its grace");
    let seen = manager.inspect(profile).await;
    assert_eq!(seen, Ok(Occupant::Nobody), "stop ends who does not end when asked");
}

async fn dies(manager: &dyn ProcessManager, profile: &Profile, release: &ReleaseId) {
    let started = manager.start(profile, release).await;
    started.expect("start returns once the program runs: that it ends at once is no error of start");
    let gone = async {
        while manager.inspect(profile).await.expect("inspect works") != Occupant::Nobody {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LISTENS_WITHIN, gone).await.expect("nobody is on the profile of a release that has ended");
    let autopsy = manager.autopsy(profile).await;
    assert!(
        autopsy.exit.is_some() && !autopsy.log.is_empty(),
        "an autopsy tells how a release has ended and what it said last, not {autopsy:?}"
    );
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
