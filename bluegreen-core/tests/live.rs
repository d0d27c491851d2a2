//! The live side: one that listens and gives no answer, and one that is ended by the stop of the other.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bluegreen_core::{
    Autopsy, Blind, Cause, Command, Deployer, Event, EventKind, EventSink, Events, HealthProbe, Kind, Occupant,
    Options, Outcome, Process, ProcessError, ProcessManager, Profile, ReleaseId, Step, Unhealthy, testing::FakeHost,
};
use support::{Scene, id};

/// One profile listens and says nothing, as an app that hangs, or a socket that was left to a child.
#[derive(Debug)]
struct Hangs(FakeHost, Profile);

#[async_trait::async_trait]
impl HealthProbe for Hangs {
    async fn check(&self, profile: &Profile) -> Result<(), Unhealthy> {
        if *profile == self.1 {
            return Err(Unhealthy::NoAnswer("none within 2 s".into()));
        }
        self.0.check(profile).await
    }
}

/// A stop of what is on one profile ends what is on the other too, as a script that ends all of a name does; and somebody
/// may have the port of one profile without listening there.
#[derive(Debug)]
struct Sloppy(FakeHost, Option<Profile>);

#[async_trait::async_trait]
impl ProcessManager for Sloppy {
    async fn inspect(&self, profile: &Profile) -> Result<Occupant, Blind> {
        self.0.inspect(profile).await
    }

    async fn start(&self, profile: &Profile, release: &ReleaseId) -> Result<(), ProcessError> {
        if self.1.as_ref() == Some(profile) {
            let (profile, release) = (profile.to_string(), release.to_string());
            return Err(ProcessError::Taken { profile, release, reason: "mallory has the port".into() });
        }
        self.0.start(profile, release).await
    }

    async fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        self.0.stop(profile, process, grace).await?;
        self.0.world().running.clear();
        Ok(())
    }

    async fn autopsy(&self, profile: &Profile) -> Autopsy {
        self.0.autopsy(profile).await
    }
}

fn deployer(scene: &Scene, processes: impl ProcessManager + 'static, probe: impl HealthProbe + 'static) -> Deployer {
    let (host, profiles) = (scene.host.clone(), scene.host.world().profiles.clone());
    Deployer::new(profiles, host.clone(), processes, probe, host, scene.store.clone())
}

#[tokio::test(start_paused = true)]
async fn recovery_leaves_who_listens_and_gives_no_answer() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let hangs = deployer(&scene, scene.host.clone(), Hangs(scene.host.clone(), scene.second()));
    let report = hangs.run(&Command::Recover, &Options::default()).await.unwrap();
    assert_eq!(report.transaction.map(|tx| tx.kind), Some(Kind::Flip));
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.first(), "v1 v2"));
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn without_anybody_to_go_to_another_process_of_its_release_is_started() {
    let scene = Scene::deployed(&["v1"]).await;
    let hangs = deployer(&scene, scene.host.clone(), Hangs(scene.host.clone(), scene.first()));
    let report = hangs.run(&Command::Up, &Options::default()).await.unwrap();
    assert_eq!(report.recovered, Some(Outcome::DONE), "{report:?}");
    assert_eq!(
        (scene.route().active, scene.running().as_str()),
        (scene.second(), "v1 v1"),
        "who hangs is ended by nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_sick_is_left_to_the_person() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let second = scene.second();
    scene.host.world().running.get_mut(&second).unwrap().health = bluegreen_core::testing::Health::Sick;
    let report = scene.run(Command::Recover).await.unwrap();
    assert_eq!((report.outcome, report.recovered), (None, None), "an answer is one, whatever it says");
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_a_port_that_somebody_has_is_left_for_the_other_profile() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.host.world().reboot();
    let kept_out = deployer(&scene, Sloppy(scene.host.clone(), Some(scene.second())), scene.host.clone());
    let report = kept_out.run(&Command::Up, &Options::default()).await.unwrap();
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.first(), "v2 -"), "{report:?}");
    scene.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_the_stop_took_along_is_started_again_before_the_command_ends() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    let sloppy = deployer(&scene, Sloppy(scene.host.clone(), None), scene.host.clone());
    let report = sloppy.deploy(id("v3")).await.unwrap();
    assert!(matches!(&report.outcome, Some(Outcome::Undone(failure)) if failure.cause == Cause::Process), "{report:?}");
    assert_eq!((scene.route().active, scene.running().as_str()), (scene.second(), "- v2"));
    assert_eq!(report.release, Some(id("v3")), "it was about that one");
}

/// Each heading that is told is an entry in the history, and its last one is how the command ended.
#[tokio::test(start_paused = true)]
async fn an_abort_that_took_the_live_side_along_is_about_what_it_took_back() {
    let scene = Scene::deployed(&["v1", "v2"]).await;
    scene.until("v3", Step::Health).await;
    let told = Told::default();
    let sloppy =
        deployer(&scene, Sloppy(scene.host.clone(), None), scene.host.clone()).with_events(Events::to(told.clone()));
    let report = sloppy.run(&Command::Abort { release: None }, &Options::default()).await.unwrap();
    assert!(matches!(&report.outcome, Some(Outcome::Undone(failure)) if failure.cause == Cause::Aborted), "{report:?}");
    assert_eq!((scene.running().as_str(), report.release), ("- v2", Some(id("v3"))));
    let (headings, warnings) = told.0.lock().unwrap().clone();
    assert_eq!(headings, [id("v3")]);
    assert!(warnings.iter().any(|says| says.contains("ended as well")), "{warnings:?}");
}

/// The releases of the headings, and the warnings.
#[derive(Debug, Default, Clone)]
struct Told(Arc<Mutex<(Vec<ReleaseId>, Vec<String>)>>);

impl EventSink for Told {
    fn event(&self, event: &Event) {
        let mut told = self.0.lock().unwrap();
        match &event.kind {
            EventKind::Began { release, .. } => told.0.push(release.clone()),
            EventKind::Warning { message } => told.1.push(message.clone()),
            _ => {}
        }
    }
}
