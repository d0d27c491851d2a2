//! One writer at a time.

use rustix::process::Signal;

use bluegreen_rig::Stage;

#[test]
fn another_deploy_is_named_or_waited_for() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.boots_in(1500);
    let (slow, next) = (stage.artifact("v2"), stage.artifact("v3"));
    let first = stage.spawn(&["deploy", &slow]);
    stage.wait_for_step("health");
    let pid = first.pid().to_string();
    let busy = stage.run(&["deploy", &next], 75);
    busy.says(&["deploy", &pid, "--wait", "traffic  untouched"]);
    stage.run(&["rollback"], 75).says(&[&pid]);
    stage.run(&["status"], 0).says(&["held by", &pid]);
    assert_eq!(stage.status()["lock"]["pid"], first.pid());
    // a waiting one can be interrupted
    let waiting = stage.spawn(&["deploy", &next, "--wait"]);
    std::thread::sleep(std::time::Duration::from_millis(300));
    waiting.signal(Signal::INT);
    let ended = waiting.wait();
    assert_eq!(ended.code, Some(130), "{ended}");

    let waited = stage.run(&["deploy", &next, "--wait"], 0);
    waited.says(&["waiting for", &pid]);
    assert_eq!(first.wait().code, Some(0));
    assert_eq!(stage.front(), "v3 real1");
    assert_eq!(stage.status()["lock"], serde_json::Value::Null);
}
