//! The file for node_exporter's textfile collector.

use std::{fs, os::unix::fs::PermissionsExt as _};

use bluegreen_rig::Stage;

#[test]
fn every_command_that_changes_something_keeps_the_metrics() {
    let Some(mut stage) = Stage::marker() else { return };
    let file = stage.path("bluegreen_shop.prom");
    stage.set("metrics.textfile", file.to_str().unwrap());
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.set("health.deadline", "600ms");
    stage.deploy("v3 errors", 10);
    stage.run(&["status"], 0);
    let text = fs::read_to_string(&file).unwrap();
    for line in [
        r#"bluegreen_deploys_total{app="shop",outcome="failed"} 1"#,
        r#"bluegreen_deploys_total{app="shop",outcome="switched"} 2"#,
        r#"bluegreen_last_deploy_exit_code{app="shop"} 10"#,
        r#"bluegreen_active{app="shop",profile="real2"} 1"#,
        r#"bluegreen_degraded{app="shop"} 0"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    // asked for, they are printed, and nothing is counted
    let printed = stage.run(&["metrics"], 0).out;
    assert!(printed.contains(r#"outcome="switched"} 2"#), "{printed}");
    stage.run(&["metrics", "--write"], 0);
    assert!(fs::read_to_string(&file).unwrap().contains(r#"outcome="switched"} 2"#));
}

#[test]
fn a_file_that_cannot_be_written_is_a_warning_and_fails_no_deploy() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.run(&["metrics", "--write"], 2);
    stage.set("metrics.textfile", stage.path("none/bluegreen_shop.prom").to_str().unwrap());
    let ended = stage.deploy("v1", 0);
    assert!(ended.err.contains("warning: cannot write the metrics"), "{ended}");
}
