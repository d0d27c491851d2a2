//! The fakes keep the contracts that they stand for.

mod support;

use std::sync::Arc;

use bluegreen_core::{
    Deployer, HealthProbe, ProcessManager, ProfileResolver, ProxySwitcher, Route, StateStore,
    testing::{FakeHost, MemoryStore, conformance},
};
use support::{Scene, id, releases};

#[tokio::test(start_paused = true)]
async fn fakes_pass_the_conformance_suite() {
    let scene = Scene::new();
    let (first, second) = (scene.first(), scene.second());
    conformance::processes(&scene.host, &first, &releases(&scene.host), |profile| scene.host.hold(profile)).await;
    conformance::supervisor(&scene.host, &first, &id("v1"), async |at| scene.host.world().restart(at)).await;
    let cut_off = async |profile: &_, release: &_, within| {
        let _ = tokio::time::timeout(within, scene.host.start(profile, release)).await;
    };
    conformance::cut_off(&scene.host, &first, &id("v1"), cut_off).await;
    scene.host.world().start(&first, &id("v1")).unwrap();
    conformance::probe(&scene.host, &first, &second).await;
    scene.host.world().start(&second, &id("v2")).unwrap();
    let routes = [
        Route::solo(first.clone()),
        Route::with_standby(first.clone(), second.clone()),
        Route::with_standby(second.clone(), first.clone()),
        Route::solo(second),
    ];
    conformance::resolver(&scene.host, &scene.host, &routes, async |route| scene.host.world().switch(route)).await;
    conformance::switcher(&scene.host, &scene.host, &routes, async || scene.host.request()).await;
    let store = MemoryStore::default();
    conformance::store(|| store.clone(), &MemoryStore::default());
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_can_be_wired() {
    let host = Arc::new(FakeHost::new());
    let (profiles, store) = (host.world().profiles.clone(), Arc::new(host.store()));
    let resolver: Box<dyn ProfileResolver> = Box::new(host.clone());
    let processes: Arc<dyn ProcessManager> = host.clone();
    let probe: Arc<dyn HealthProbe> = host.clone();
    let switcher: Arc<dyn ProxySwitcher> = host.clone();
    let deployer = Deployer::new(profiles.clone(), resolver, processes.clone(), probe, switcher, store.clone());
    deployer.deploy(id("v1")).await.unwrap();
    assert!(processes.inspect(profiles.first()).await.unwrap().listens());
    assert_eq!(store.load().unwrap().last_good(), Some(&id("v1")));
}
