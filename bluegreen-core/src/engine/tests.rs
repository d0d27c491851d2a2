//! The order of the calls, over mocks: what the traits' contracts let the engine do, and no more.

use mockall::Sequence;

use super::*;
use crate::{
    MockFrontDoor, MockHealthProbe, MockProcessManager, MockProfileResolver, MockProxySwitcher, MockStateStore,
    Occupant, Process, Route, Stamp, State,
};

fn profiles() -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap()
}

/// v1 on the first profile, v2 on the second.
fn on(profile: &Profile) -> Occupant {
    let [release, id] = if profile.port() == 8081 { ["v1", "one"] } else { ["v2", "two"] };
    let process = Process::new(release.parse().unwrap(), id);
    Occupant::Ours { process, listening: true }
}

/// A store whose app has v2 on real2 and v1 warm on real1.
fn store() -> MockStateStore {
    let mut store = MockStateStore::new();
    let confirmed = vec!["v2".parse().unwrap(), "v1".parse().unwrap()];
    store.expect_lock().times(1).returning(|_| Ok(Lease::new(())));
    store.expect_load().times(1).returning(move || {
        let lost_traffic = [("real2".parse().unwrap(), None)].into();
        Ok(State { confirmed: confirmed.clone(), lost_traffic, ..State::default() })
    });
    store.expect_now().returning(|| Stamp { boot: "b".into(), since_boot: Duration::ZERO });
    store
}

fn processes() -> MockProcessManager {
    let mut processes = MockProcessManager::new();
    processes.expect_inspect().returning(|profile| Ok(on(profile)));
    processes.expect_start().never();
    processes.expect_stop().never();
    processes
}

#[tokio::test(start_paused = true)]
async fn a_warm_rollback_is_written_down_and_probed_before_the_route_moves() {
    let (mut order, pair) = (Sequence::new(), profiles());
    let (mut store, mut probe, mut switcher) = (store(), MockHealthProbe::new(), MockProxySwitcher::new());
    let (first, second) = (pair.first().clone(), pair.second().clone());

    // recovery asks whether the live side answers
    probe.expect_check().times(1).in_sequence(&mut order).returning(|_| Ok(()));
    // written down, made healthy, proven again inside the effect of the switch
    store.expect_save().times(1).in_sequence(&mut order).returning(|_, _| Ok(()));
    probe.expect_check().times(2).in_sequence(&mut order).returning(|_| Ok(()));
    store.expect_save().times(1).in_sequence(&mut order).returning(|_, state| {
        assert_eq!(state.transaction.as_ref().unwrap().step, crate::Step::Switch);
        Ok(())
    });
    probe.expect_check().times(2).in_sequence(&mut order).returning(|_| Ok(()));
    let to = first.clone();
    switcher
        .expect_switch_to()
        .times(1)
        .in_sequence(&mut order)
        .returning(move |route| if *route == Route::solo(to.clone()) { Ok(()) } else { panic!("{route}") });
    store.expect_save().times(1..).in_sequence(&mut order).returning(|_, _| Ok(()));

    let mut resolver = MockProfileResolver::new();
    // recovery, by whose look the command begins, and two looks before the move; then the proofs
    let mut asked = 0;
    resolver.expect_resolve().times(6..).returning(move || {
        asked += 1;
        Ok(Route::solo(if asked <= 3 { second.clone() } else { first.clone() }).into())
    });
    let deployer = Deployer::new(pair, resolver, processes(), probe, switcher, store);
    let began = tokio::time::Instant::now();
    assert_eq!(deployer.rollback().await.unwrap().outcome, Some(Outcome::DONE));
    // of what it waits by itself, a rollback that takes 50 ms can afford no more
    assert!(began.elapsed() <= Duration::from_millis(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_switcher_that_only_says_yes_is_not_believed() {
    let pair = profiles();
    let (mut store, mut probe, mut switcher) = (store(), MockHealthProbe::new(), MockProxySwitcher::new());
    store.expect_save().returning(|_, _| Ok(()));
    probe.expect_check().returning(|_| Ok(()));
    switcher.expect_switch_to().times(1).returning(|_| Ok(()));
    let mut resolver = MockProfileResolver::new();
    let second = pair.second().clone();
    resolver.expect_resolve().returning(move || Ok(Route::solo(second.clone()).into()));
    let report = Deployer::new(pair, resolver, processes(), probe, switcher, store).rollback().await.unwrap();
    assert!(matches!(report.outcome, Some(Outcome::Undone(f)) if f.cause == crate::Cause::Switch));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_not_done() {
    let pair = profiles();
    let (mut store, mut switcher) = (store(), MockProxySwitcher::new());
    let kind = std::io::ErrorKind::StorageFull;
    let full = move || StoreError::Io {
        action: "cannot write",
        path: "state.json".into(),
        kind,
        reason: "no space left".into(),
    };
    store.expect_save().times(1).returning(move |_, _| Err(full()));
    switcher.expect_switch_to().never();
    let mut resolver = MockProfileResolver::new();
    let second = pair.second().clone();
    resolver.expect_resolve().returning(move || Ok(Route::solo(second.clone()).into()));
    let mut probe = MockHealthProbe::new();
    probe.expect_check().times(1).returning(|_| Ok(()));
    let deployer = Deployer::new(pair, resolver, processes(), probe, switcher, store);
    assert_eq!(deployer.rollback().await, Err(RunError::Unsaved(full())));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_nobody_wants_to_hear_asks_no_more() {
    let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let mut door = MockFrontDoor::new();
    let counter = asked.clone();
    door.expect_is_limited().return_const(false);
    door.expect_ask().returning(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        crate::Answer::Release
    });
    let watch = watch::Watch::start(Arc::new(door), profiles().first().clone(), true, Receipt::default()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(watch);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let so_far = asked.load(std::sync::atomic::Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(so_far > 10, "it did ask: {so_far}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), so_far);
}
