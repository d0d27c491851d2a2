//! nginx is not well.

use std::fs;

use bluegreen_lab::nginx::Site;
use rustix::process::Signal;

use bluegreen_rig::{Clients, Running, Stage, below, wait_for};

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
    stage.run(&["status"], 20).says(&["the route is not known", "systemctl start nginx"]);
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

/// Several may run; the system's is only one of them.
#[test]
fn what_to_type_is_about_the_nginx_that_is_meant() {
    let Some(mut stage) = Stage::reload() else { return };
    stage.set("proxy.nginx.pid_file", stage.nginx.prefix().join("nginx.pid").to_str().unwrap());
    stage.run(&["status"], 0);
    // newer than the workers, so they need not have read it
    let include = stage.path("service-url.inc");
    fs::write(&include, fs::read(&include).unwrap()).unwrap();
    let test = format!("-c {} -t", stage.nginx.prefix().join("nginx.conf").display());
    for words in [&["status"][..], &["profile"]] {
        let code = if words == ["status"] { 20 } else { 3 };
        stage.run(words, code).says(&[
            "the route is not known",
            "     next  sudo ",
            &format!(" {test} && bluegreen check\n"),
        ]);
    }
    stage.nginx.stop().unwrap();
    stage.run(&["profile"], 3).says(&["     next  bluegreen check\n"]);
    stage.run(&["check"], 3).says(&["start that nginx, or correct pid_file"]);
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
    stage.deploy("v2", 3).says(&["[emerg]", "nginx.conf", "traffic  untouched", "nginx.conf -t"]);
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

/// A reload mode deploy of v2 that stays in the switch, with the new port in the file and the old one in nginx, until
/// there is a file `go`.
fn in_mid_switch(stage: &mut Stage) -> Running {
    stage.deploy("v1", 0);
    let reload = stage.nginx.with(&["-s", "reload"]).join(" ");
    let slow = format!("touch begun; while [ ! -e go ]; do [ ! -e gone ] || exit; sleep 0.05; done; exec {reload}");
    stage.set("proxy.nginx.reload", vec!["sh".to_owned(), "-c".to_owned(), slow]);
    let artifact = stage.artifact("v2");
    let deploy = stage.spawn(&["deploy", &artifact]);
    wait_for("the reload", || stage.path("begun").exists());
    deploy
}

#[test]
fn a_deploy_waits_for_another_one_in_mid_switch() {
    let Some(mut stage) = Stage::reload() else { return };
    let first = in_mid_switch(&mut stage);
    let artifact = stage.artifact("v3");
    stage.run(&["deploy", &artifact], 75).says(&[&first.pid().to_string()]);
    let next = stage.spawn(&["deploy", &artifact, "--wait"]);
    next.wait_for_word("waiting for");
    fs::write(stage.path("go"), "").unwrap();
    let (first, next) = (first.wait(), next.wait());
    assert_eq!((first.code, next.code), (Some(0), Some(0)), "{first}\n{next}");
    assert_eq!(stage.front(), "v3 real1");
}

#[test]
fn a_deploy_after_one_that_was_killed_in_mid_switch_recovers_it() {
    let Some(mut stage) = Stage::reload() else { return };
    let first = in_mid_switch(&mut stage);
    first.signal(Signal::KILL);
    first.wait();
    // its reload never comes
    fs::write(stage.path("gone"), "").unwrap();
    stage.set("proxy.nginx.reload", stage.nginx.with(&["-s", "reload"]));
    assert_eq!(stage.front(), "v1 real1");
    stage.deploy("v3", 0);
    assert!(stage.front().starts_with("v3 "), "{}", stage.front());
}
