//! Reload mode on machines where the include file names upstream groups.

use std::fs;

use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Clients, Stage, below, wait_for};

/// Gives the stage `groups`, `set` in its include file and this argument of `proxy_pass`; `{1}` and `{2}` are the ports.
fn site(stage: &Stage, groups: &str, set: &str, pass: &str) {
    let [first, second] = stage.ports.map(|port| port.to_string());
    let filled = |text: &str| text.replace("{1}", &first).replace("{2}", &second);
    let include = stage.path("service-url.inc");
    fs::write(&include, filled(set)).unwrap();
    let location = format!("include {}; proxy_pass {pass};", include.display());
    stage.nginx.write(&Site { http: filled(groups), server: String::new(), location }).unwrap();
    stage.nginx.reload().unwrap();
}

fn set(stage: &Stage) -> String {
    let [first, second] = stage.ports.map(|port| port.to_string());
    let text = fs::read_to_string(stage.path("service-url.inc")).unwrap();
    text.replace(&first, "{1}").replace(&second, "{2}")
}

const GROUPS: &str = "upstream blue { server 127.0.0.1:{1}; } upstream green { server 127.0.0.1:{2}; }";

#[test]
fn groups_change_by_their_names_and_users_lose_nothing() {
    let Some(stage) = Stage::reload() else { return };
    site(&stage, GROUPS, "# by hand\nset $service_url green; # or blue\n", "http://$service_url");
    stage.deploy("v1", 0);
    assert_eq!(
        (stage.front(), set(&stage).as_str()),
        ("v1 real1".into(), "# by hand\nset $service_url blue; # or blue\n")
    );
    stage.run(&["check"], 0);
    let clients = Clients::at(&stage);
    stage.deploy("v2", 0);
    assert_eq!(
        (stage.front(), set(&stage).as_str()),
        ("v2 real2".into(), "# by hand\nset $service_url green; # or blue\n")
    );
    assert_eq!(stage.status()["active"]["profile"], "real2");
    stage.run(&["rollback"], 0);
    assert_eq!(
        (stage.front(), set(&stage).as_str()),
        ("v1 real1".into(), "# by hand\nset $service_url blue; # or blue\n")
    );
    drop(clients);
}

/// Once it was taken for nobody's: the live app was stopped, and every user got 500.
#[test]
fn what_cannot_be_followed_is_nobodys_only_in_a_guess() {
    let Some(stage) = Stage::reload() else { return };
    stage.deploy("v1", 0);
    let mapped = "map $host $colour { default blue; } upstream blue { server 127.0.0.1:{1}; }";
    let both =
        "upstream blue { server 127.0.0.1:{1}; server 127.0.0.1:{2} backup; } upstream green { server 127.0.0.1:{2}; }";
    for (groups, value, pass, why) in [
        (mapped, "$colour", "http://$service_url", "`$colour` depends on a variable"),
        (both, "blue", "http://$service_url", "the upstream group blue leads to real1 and real2"),
        ("upstream blue { server 127.0.0.1:{1}; }", "blue", "http://$service_url", "no upstream group leads to real2"),
    ] {
        let text = format!("set $service_url {value};");
        site(&stage, groups, &text, pass);
        wait_for("the new workers", || stage.front() == "v1 real1");
        let before = below(stage.home());
        let kept = || fs::read_dir(stage.state_dir().join("releases")).unwrap().count();
        let releases = kept();
        stage.run(&["check"], 3).says(&[why]);
        stage.deploy("v2", 3).says(&[why, "untouched"]);
        assert_eq!((below(stage.home()), set(&stage), stage.front()), (before, text, "v1 real1".into()), "{why}");
        assert_eq!((stage.step(), kept()), (None, releases), "{why}: refused before anything is copied");
    }
    site(&stage, "", "set $service_url http://127.0.0.1:{1};", "$service_url");
    stage.deploy("v2", 0);
    assert_eq!(stage.front(), "v2 real2");
}

/// What 0.1.0 left behind is named, and one line puts it right.
#[test]
fn an_address_that_does_not_fit_its_use_is_named() {
    let Some(stage) = Stage::reload() else { return };
    site(&stage, GROUPS, "set $service_url green;", "http://$service_url");
    stage.deploy("v1", 0);
    site(&stage, GROUPS, "set $service_url http://127.0.0.1:{1};", "http://$service_url");
    wait_for("the fault", || stage.front().starts_with("500"));
    stage.run(&["status"], 20).says(&["`http://` twice in `proxy_pass http://$service_url`"]);
    stage.deploy("v2", 3);
    site(&stage, GROUPS, "set $service_url blue;", "http://$service_url");
    wait_for("the mended route", || stage.front() == "v1 real1");
    stage.run(&["status"], 0);
}
