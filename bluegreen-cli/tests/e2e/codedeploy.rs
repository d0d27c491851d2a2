//! AWS CodeDeploy's agent, played with the files of `examples/codedeploy/`: what it copies, which events it calls in which
//! order, with which environment, pipes and timeouts.
//!
//! As the agent of version 1.7 does it: the scripts of `appspec.yml` run one after the other in a process group of their own,
//! with nothing in the environment but the agent's and the deployment's variables; their output is read to its end; after
//! `timeout` seconds the group gets SIGTERM, and nobody reads any more.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use bluegreen_rig::{Clients, Ended, Running, Stage, below, wait_for};
use rustix::process::{Pid, Signal, kill_process_group};
use yaml_rust2::{Yaml, YamlLoader};

/// What a deployment in place goes through on a machine without a load balancer; those between have no scripts.
const EVENTS: [&str; 5] = ["ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"];

struct Agent<'a> {
    stage: &'a Stage,
    /// Where `files:` go; the place of the article.
    destination: PathBuf,
    /// Has the `bluegreen` that scripts call.
    bin: PathBuf,
    deployments: u32,
}

impl<'a> Agent<'a> {
    fn new(stage: &'a mut Stage) -> Self {
        let (destination, bin) = (stage.path("step3/zip"), stage.path("bin"));
        stage.set("hook.artifact", destination.join("*.jar").to_str().unwrap());
        fs::create_dir_all(&destination).unwrap();
        fs::create_dir(&bin).unwrap();
        let config = stage.path("bluegreen.toml");
        // as if /etc/bluegreen/webservice.toml were the stage's configuration
        let stub = format!(
            "#!/bin/sh\n[ \"$1 $2\" = \"--config /etc/bluegreen/webservice.toml\" ] || exit 97\nshift 2\nexec {} --config {} \"$@\"\n",
            bluegreen_rig::bluegreen().display(),
            config.display(),
        );
        fs::write(bin.join("bluegreen"), stub).unwrap();
        fs::set_permissions(bin.join("bluegreen"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { stage, destination, bin, deployments: 0 }
    }

    /// A deployment of the app in this version; how its scripts ended, up to the first that failed.
    fn deploy(&mut self, app: &str, appspec: impl Fn(String) -> String) -> Vec<(String, Ended)> {
        self.deploy_revision("", Some(app), app, appspec)
    }

    /// The same with the appspec and the scripts of this directory of the example, with or without a jar, and with the version in
    /// `release.txt`.
    fn deploy_revision(
        &mut self,
        dir: &str,
        app: Option<&str>,
        version: &str,
        appspec: impl Fn(String) -> String,
    ) -> Vec<(String, Ended)> {
        self.deployments += 1;
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/codedeploy").join(dir);
        let revision = self.stage.path(&format!("revision-{}", self.deployments));
        fs::create_dir_all(revision.join("scripts")).unwrap();
        let spec = appspec(fs::read_to_string(examples.join("appspec.yml")).unwrap());
        let here = |text: String| text.replace("/home/ec2-user/app/step3/zip", &self.destination.display().to_string());
        let spec = here(spec);
        fs::write(revision.join("appspec.yml"), &spec).unwrap();
        for script in fs::read_dir(examples.join("scripts")).unwrap().map(|entry| entry.unwrap().path()) {
            let to = revision.join("scripts").join(script.file_name().unwrap());
            fs::write(to, here(fs::read_to_string(script).unwrap())).unwrap();
        }
        fs::write(revision.join("release.txt"), format!("{version}\n")).unwrap();
        if let Some(app) = app {
            fs::write(revision.join("webservice.jar"), app).unwrap();
        }

        let spec = YamlLoader::load_from_str(&spec).unwrap().remove(0);
        assert_eq!((spec["version"].as_f64(), spec["os"].as_str()), (Some(0.0), Some("linux")));
        let mut ended = Vec::new();
        for event in EVENTS {
            // between BeforeInstall and AfterInstall
            if event == "AfterInstall" {
                install(&revision, &spec["files"]);
            }
            for script in spec["hooks"][event].as_vec().into_iter().flatten() {
                let last = self.script(&revision, event, script);
                let failed = last.code != Some(0);
                ended.push((event.to_owned(), last));
                if failed {
                    return ended;
                }
            }
        }
        ended
    }

    /// The agent's clock begins when the release has been started: how long that takes is the machine's affair.
    fn script(&self, revision: &Path, event: &str, script: &Yaml) -> Ended {
        let timeout = Duration::from_secs(script["timeout"].as_i64().unwrap().try_into().unwrap());
        let mut command = Command::new("/bin/bash");
        command.arg(revision.join(script["location"].as_str().unwrap())).process_group(0).env_clear().current_dir("/");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.bin.display());
        command.env("PATH", path).env("LIFECYCLE_EVENT", event).env("APPLICATION_NAME", "webservice");
        command
            .env("DEPLOYMENT_ID", format!("d-{}", self.deployments))
            .env("DEPLOYMENT_GROUP_NAME", "webservice-group");
        let (mut hook, mut began) = (Running::spawn(command), None);
        while hook.ended().is_none() {
            if self.stage.step().as_deref() == Some("health")
                && began.get_or_insert_with(Instant::now).elapsed() > timeout
            {
                let group = Pid::from_raw(hook.pid().try_into().unwrap()).unwrap();
                kill_process_group(group, Signal::TERM).unwrap();
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        hook.wait()
    }
}

fn install(revision: &Path, files: &Yaml) {
    for file in files.as_vec().into_iter().flatten() {
        let (source, to) = (file["source"].as_str().unwrap(), file["destination"].as_str().unwrap());
        let from = revision.join(source.trim_start_matches('/'));
        let copied = Command::new("cp").arg("-rT").arg(from).arg(to).status().unwrap();
        assert!(copied.success());
    }
}

fn as_it_is(appspec: String) -> String {
    appspec
}

fn events(ended: &[(String, Ended)]) -> Vec<&str> {
    ended.iter().map(|(event, _)| event.as_str()).collect()
}

#[test]
fn two_deployments_with_the_appspec_of_the_examples() {
    let Some(mut stage) = Stage::marker() else { return };
    let mut agent = Agent::new(&mut stage);
    let ended = agent.deploy("v1", as_it_is);
    assert_eq!(events(&ended), ["AfterInstall", "ApplicationStart", "ValidateService"], "{ended:?}");
    assert_eq!(agent.stage.front(), "v1 real1");
    let clients = Clients::at(agent.stage);
    let ended = agent.deploy("v2", as_it_is);
    assert_eq!(ended.len(), 3, "{ended:?}");
    assert_eq!(
        (agent.stage.front(), agent.stage.status()["active"]["version"].as_str()),
        ("v2 real2".into(), Some("d-2"))
    );
    clients.lost_nothing();
}

#[test]
fn a_release_that_is_sick_ends_the_deployment_before_it_has_traffic() {
    let Some(mut stage) = Stage::marker() else { return };
    let mut agent = Agent::new(&mut stage);
    agent.deploy("v1", as_it_is);
    let clients = Clients::at(agent.stage);
    let ended = agent.deploy("v2 errors", as_it_is);
    assert_eq!(events(&ended), ["AfterInstall", "ApplicationStart"], "{ended:?}");
    let (_, last) = ended.last().unwrap();
    assert_eq!(last.code, Some(10), "{last}");
    assert_eq!(agent.stage.front(), "v1 real1");
    // CodeDeploy's own rollback: the revision before, as a new deployment
    assert_eq!(agent.deploy("v1", as_it_is).len(), 3);
    assert!(agent.stage.front().starts_with("v1 "));
    clients.lost_nothing();
}

#[test]
fn a_hook_that_runs_into_its_timeout_takes_back_what_it_did() {
    let Some(mut stage) = Stage::marker() else { return };
    let mut agent = Agent::new(&mut stage);
    agent.deploy("v1", as_it_is);
    let before = below(agent.stage.home()).len();
    let clients = Clients::at(agent.stage);
    // shorter than health.deadline, which people do by mistake
    let ended = agent.deploy("v2 deaf", |spec| spec.replace("timeout: 300", "timeout: 1"));
    let (event, last) = ended.last().unwrap();
    assert_eq!((event.as_str(), last.code), ("ApplicationStart", Some(143)), "{last}");
    wait_for("the end of v2", || below(agent.stage.home()).len() == before);
    assert_eq!((agent.stage.front(), agent.stage.step()), ("v1 real1".into(), None));
    assert_eq!(agent.deploy("v3", as_it_is).len(), 3);
    assert!(agent.stage.front().starts_with("v3 "));
    clients.lost_nothing();
}

/// `examples/codedeploy/fleet`, on one of its machines.
#[test]
fn a_fleet_is_two_deployments() {
    let Some(mut stage) = Stage::marker() else { return };
    let mut agent = Agent::new(&mut stage);
    let mut half = |half: &str, app: Option<&str>, version: &str| {
        let ended = agent.deploy_revision(&format!("fleet/{half}"), app, version, as_it_is);
        (events(&ended).join(" "), ended.last().and_then(|(_, last)| last.code), agent.stage.front())
    };
    let prepared = || ("AfterInstall ApplicationStart".to_owned(), Some(0));
    let (events, code, _) = half("prepare", Some("v1"), "1.0");
    assert_eq!((events, code), prepared());
    assert_eq!(half("promote", None, "1.0"), ("ValidateService".into(), Some(0), "v1 real1".into()));
    // again, as after a deployment that ended in the middle: nothing is started anew, and nothing moves
    let (events, code, front) = half("prepare", Some("v1"), "1.0");
    assert_eq!(((events, code), front), (prepared(), "v1 real1".into()));
    assert_eq!(half("promote", None, "1.0"), ("ValidateService".into(), Some(0), "v1 real1".into()));
    // no traffic moves in the first half, and in the second to no other release
    let (_, _, front) = half("prepare", Some("v2"), "2.0");
    assert_eq!(front, "v1 real1");
    assert_eq!(half("promote", None, "3.0"), ("ValidateService".into(), Some(3), "v1 real1".into()));
    assert_eq!(half("promote", None, "2.0"), ("ValidateService".into(), Some(0), "v2 real2".into()));
    let (events, code, front) = half("prepare", Some("v3 errors"), "3.0");
    assert_eq!((events.as_str(), code, front), ("AfterInstall ApplicationStart", Some(10), "v2 real2".into()));
}
