use std::time::Duration;

use tokio::time::Instant;

use crate::{Occupant, Process, ProcessManager, Profile, ReleaseId};

/// How long a release of the suite may take to listen.
pub(super) const LISTENS_WITHIN: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(30);
/// At how many instants of its time a start is cut off, beside the first one.
const INSTANTS: u32 = 20;
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

    let stranger = Process::new(process.release.clone(), format!("{}x", process.start));
    manager.stop(profile, &stranger, GRACE).await.ok();
    assert_eq!(listening(manager, profile).await, process, "stop does nothing to any other process");

    manager.stop(profile, &process, GRACE).await.expect("stop works");
    assert_eq!(inspect().await, Occupant::Nobody, "after stop the process is gone and the port is free");
    manager.stop(profile, &process, GRACE).await.expect("stopping what is gone succeeds");

    manager.start(profile, release).await.expect("the profile can be used again");
    let second = listening(manager, profile).await;
    assert_ne!(second.start, process.start, "no two starts have the same identity");
    assert_ne!(second.run, process.run, "no two runs have the same identity");
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

/// Checks a process manager whose supervisor runs a release again that has ended: `crash` ends what runs on `profile`, which
/// must be free now, as an accident would. `release` is as [`Releases::listens`].
pub async fn supervisor(
    manager: &dyn ProcessManager,
    profile: &Profile,
    release: &ReleaseId,
    crash: impl AsyncFn(&Profile),
) {
    manager.start(profile, release).await.expect("start works");
    let first = listening(manager, profile).await;
    crash(profile).await;
    let runs_again = async {
        loop {
            match listening(manager, profile).await {
                process if process.run == first.run => tokio::time::sleep(Duration::from_millis(20)).await,
                process => return process,
            }
        }
    };
    let second = tokio::time::timeout(LISTENS_WITHIN, runs_again).await.expect("what runs again has another run");
    assert_eq!(second.start, first.start, "what a supervisor runs again is of the same start");
    manager.stop(profile, &first, GRACE).await.expect("stop ends the start, in whichever run it is");
    let seen = manager.inspect(profile).await;
    assert_eq!(seen, Ok(Occupant::Nobody), "stop ends the start, in whichever run it is");
    manager.start(profile, release).await.expect("start works");
    let third = listening(manager, profile).await;
    assert_ne!(third.start, first.start, "no two starts have the same identity");
    manager.stop(profile, &third, GRACE).await.expect("stop works");
}

/// Checks that the next command finds what a start has left that was cut off at any instant, and can end it. `begin` begins a start
/// on `profile`, which must be free, and cuts it off after the given time, as a kill of the whole program would. `release` is as
/// [`Releases::listens`].
pub async fn cut_off(
    manager: &dyn ProcessManager,
    profile: &Profile,
    release: &ReleaseId,
    begin: impl AsyncFn(&Profile, &ReleaseId, Duration),
) {
    let asked = Instant::now();
    manager.start(profile, release).await.expect("start works");
    let took = asked.elapsed();
    end(manager, profile).await;
    for instant in 0..=INSTANTS {
        begin(profile, release, took * instant / INSTANTS).await;
        match manager.inspect(profile).await.expect("inspect works") {
            Occupant::Nobody => {}
            Occupant::Ours { process, .. } if process.release == *release => {}
            seen => panic!("what a start that was cut off has left is ours, not {seen:?}"),
        }
        manager.start(profile, release).await.expect("what a start that was cut off has left is in no start's way");
        end(manager, profile).await;
    }
}

async fn end(manager: &dyn ProcessManager, profile: &Profile) {
    let process = listening(manager, profile).await;
    manager.stop(profile, &process, GRACE).await.expect("stop works");
    let seen = manager.inspect(profile).await;
    assert_eq!(seen, Ok(Occupant::Nobody), "after stop the process is gone and the port is free");
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
