//! nginx is not well.

use std::fs;

use bluegreen_cli::demo::nginx::Site;

use crate::rig::{Clients, Stage, below};

#[test]
fn nginx_stopped_is_refused_before_anything_is_touched() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let before = below(stage.home());
    stage.nginx.stop().unwrap();
    let ended = stage.deploy("v2", 3);
    ended.says(&["traffic  untouched", "systemctl start nginx"]);
    assert_eq!(below(stage.home()), before);
    stage.run(&["check"], 3).says(&["systemctl start nginx"]);
    stage.run(&["rollback"], 3);
    assert_eq!(stage.behind(0), "v1 real1");
}

#[test]
fn nginx_stopped_in_reload_mode_is_refused_too() {
    let Some(mut stage) = Stage::reload() else { return };
    stage.deploy("v1", 0);
    let before = below(stage.home());
    stage.nginx.stop().unwrap();
    stage.deploy("v2", 3).says(&["traffic  untouched"]);
    assert_eq!(below(stage.home()), before);
}

fn break_configuration(stage: &Stage) {
    let file = stage.nginx.prefix().join("nginx.conf");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{text}\nthis is not nginx\n")).unwrap();
}

#[test]
fn a_broken_configuration_on_disk_is_nothing_to_marker_mode() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    break_configuration(&stage);
    let clients = Clients::at(&stage);
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
    clients.lost_nothing();
}

#[test]
fn a_broken_configuration_on_disk_is_refused_in_reload_mode() {
    let Some(stage) = Stage::reload() else { return };
    stage.deploy("v1", 0);
    let (before, include) = (below(stage.home()), fs::read_to_string(stage.path("service-url.inc")).unwrap());
    break_configuration(&stage);
    let clients = Clients::at(&stage);
    stage.deploy("v2", 3).says(&["[emerg]", "nginx.conf", "traffic  untouched", "nginx -t"]);
    // what is prepared before it is mended waits
    stage.run(&["prepare", &stage.artifact("v3")], 0);
    stage.run(&["promote"], 3);
    stage.run(&["switch"], 3);
    assert_eq!(stage.behind(1), "v3 real2");
    stage.run(&["abort"], 0);
    clients.lost_nothing();
    assert_eq!(fs::read_to_string(stage.path("service-url.inc")).unwrap(), include);
    assert_eq!((below(stage.home()), stage.front()), (before, "v1 real1".into()));
}

#[test]
fn an_nginx_that_was_never_set_up_is_refused() {
    let Some(stage) = Stage::marker() else { return };
    stage.nginx.write(&Site { location: "return 200 hello;".into(), ..Site::default() }).unwrap();
    stage.nginx.reload().unwrap();
    stage.deploy("v1", 3).says(&["setup --apply", "traffic  untouched"]);
    assert_eq!(below(stage.home()), Vec::<u32>::new());
}

#[test]
fn another_port_in_nginx_than_in_the_configuration_is_refused() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.set("profiles.real2", i64::from(stage.ports[1]) + 1);
    stage.deploy("v2", 3).says(&["setup --apply", "traffic  untouched"]);
    assert_eq!(stage.front(), "v1 real1");
}
