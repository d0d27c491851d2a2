//! AWS CodeDeploy's agent: an event in the environment, pipes that it reads to their end, and a timeout.

use std::fs;

use bluegreen_rig::{Clients, Ended, Running, Stage, lives};

fn hook(stage: &Stage, event: &str, code: i32) -> Ended {
    let mut command = stage.command(&["hook"]);
    command.env("LIFECYCLE_EVENT", event).env("DEPLOYMENT_ID", "d-4711");
    // waits for the end of the pipes as well, as the agent does
    let ended = Running::spawn(command).wait();
    assert_eq!(ended.code, Some(code), "{event}: {ended}");
    ended
}

#[test]
fn a_deployment() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("hook.artifact", "app-*");
    stage.artifact("v1");
    hook(&stage, "BeforeInstall", 0).says(&["nothing to do in BeforeInstall"]);
    hook(&stage, "AfterInstall", 0).says(&["a deploy can begin"]);
    hook(&stage, "ApplicationStart", 0);
    hook(&stage, "ValidateService", 0);
    assert_eq!(stage.front(), "v1 real1");
    let (clients, old) = (Clients::at(&stage), stage.pid("active"));

    fs::remove_file(stage.path("app-v1")).unwrap();
    stage.artifact("v2");
    hook(&stage, "AfterInstall", 0);
    hook(&stage, "ApplicationStart", 0);
    assert_eq!((stage.front(), stage.behind(1)), ("v1 real1".into(), "v2 real2".into()));
    hook(&stage, "ValidateService", 0);
    assert_eq!(stage.front(), "v2 real2");
    assert!(lives(old));
    assert_eq!(stage.status()["active"]["version"], "d-4711");
    clients.lost_nothing();
}

#[test]
fn a_deployment_that_was_stopped_between_its_hooks_is_replaced_by_the_next() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("hook.artifact", "new-*");
    fs::write(stage.path("new-v2"), "v2").unwrap();
    hook(&stage, "ApplicationStart", 0);
    fs::rename(stage.path("new-v2"), stage.path("new-v3")).unwrap();
    fs::write(stage.path("new-v3"), "v3").unwrap();
    hook(&stage, "ApplicationStart", 0);
    hook(&stage, "ValidateService", 0);
    assert_eq!(stage.front(), "v3 real2");
}

#[test]
fn mistakes() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.run(&["hook"], 2).says(&["LIFECYCLE_EVENT"]);
    stage.set("hook.artifact", "none-*");
    hook(&stage, "AfterInstall", 11).says(&["no file matches"]);
    stage.set("hook.artifact", "*");
    hook(&stage, "ApplicationStart", 11).says(&["files match"]);
    stage.set("hook.artifact", "bad-*");
    fs::write(stage.path("bad-v2"), "v2 exits").unwrap();
    hook(&stage, "ApplicationStart", 10).says(&["cannot reach the database"]);
    // a deployment whose start failed must not validate the release before it
    let ended = hook(&stage, "ValidateService", 0);
    ended.says(&["already"]);
    assert_eq!(stage.front(), "v1 real1");
}
