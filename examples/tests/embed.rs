//! `embed` on a real nginx.

use std::{fs, path::Path, time::Duration};

use bluegreen_core::{Outcome, ProcessManager, Profile, Profiles, Route};
use bluegreen_lab::nginx::{Nginx, Site};
use bluegreen_nginx::{RouteDir, Snippet};
use bluegreen_process::{Config, Launch, Processes};

#[expect(dead_code, reason = "its main is for the command line")]
#[path = "../embed.rs"]
mod embed;

#[tokio::test(flavor = "multi_thread")]
async fn embed_deploys_behind_nginx() {
    let (Some(binary), true) = (Nginx::find(), has_python()) else {
        eprintln!("SKIPPED: needs nginx and python3");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().canonicalize().unwrap();
    let profile = |name: &str| Profile::new(name.parse().unwrap(), bluegreen_process::free_port().unwrap()).unwrap();
    let profiles = Profiles::new(profile("real1"), profile("real2")).unwrap();
    let pages = home.join("pages");
    fs::create_dir(&pages).unwrap();
    fs::write(pages.join("index.html"), "hello").unwrap();

    let route = RouteDir::new(home.join("route"), profiles.clone()).unwrap();
    route.create().unwrap();
    route.point(&Route::solo(profiles.second().clone())).unwrap();
    let snippet = Snippet::new("shop".parse().unwrap(), route);
    let site = Site { http: snippet.http(), server: snippet.server(true), location: snippet.location() };
    let nginx = Nginx::start(&binary, &site).unwrap();

    let report = embed::deploy(&home, nginx.address(), profiles.clone(), &pages).await;
    stop(&home, &profiles).await;

    let report = report.unwrap();
    assert_eq!(report.outcome, Some(Outcome::DONE));
    assert_eq!(report.traffic.unwrap().route().unwrap().active, *profiles.first());
    let receipt = report.receipt.unwrap();
    assert!(receipt.probes > 0 && receipt.switch_us.is_some(), "{receipt}");
}

fn has_python() -> bool {
    std::process::Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What was deployed outlives the deployer.
async fn stop(home: &Path, profiles: &Profiles) {
    let launch = Launch::new(Vec::new());
    let config = Config {
        state_dir: home.into(),
        app: "shop".parse().unwrap(),
        profiles: profiles.clone(),
        launch,
        group: None,
    };
    let processes = Processes::new(config);
    for profile in profiles.both() {
        if let Some(process) = processes.inspect(profile).await.unwrap().ours() {
            processes.stop(profile, process, Duration::from_secs(1)).await.unwrap();
        }
    }
}
