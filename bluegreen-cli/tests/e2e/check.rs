//! `check`, on a machine where something is wrong.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Stage, below, skip};
use serde_json::Value;

/// The findings, as a program reads them.
fn findings(stage: &Stage, code: i32) -> Vec<Value> {
    let ended = stage.run(&["check", "--format", "json"], code);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&report["schema"], &report["app"]), (&1.into(), &"shop".into()));
    report["findings"].as_array().unwrap().clone()
}

fn find<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("no {id}: {findings:#?}"))
}

/// A stage whose nginx is told apart from those of other tests.
fn stage() -> Option<Stage> {
    let mut stage = Stage::marker()?;
    let pid_file = stage.nginx.prefix().join("nginx.pid");
    stage.set("proxy.nginx.pid_file", pid_file.to_str().unwrap());
    Some(stage)
}

#[test]
fn what_is_fine_is_folded_and_shown_when_asked_for() {
    let Some(stage) = stage() else { return };
    stage.deploy("v1", 0);
    let short = stage.run(&["check"], 0);
    short.says(&["a deploy can begin", "-v shows them"]);
    assert!(!short.out.contains("proves it"), "{short}");
    let long = stage.run(&["check", "-v"], 0);
    long.says(&["nginx proves it: real1 has the traffic", "runs, pid", "has pidfds", "real1 runs a release of ours"]);
    long.says(&["run side by side", "answers as the active profile does"]);
    let findings = findings(&stage, 0);
    assert_eq!(find(&findings, "memory")["severity"], "good");
    assert!(findings.iter().all(|finding| finding["severity"] != "fatal"), "{findings:#?}");
}

#[test]
fn a_configuration_that_somebody_broke_is_named_and_stops_no_marker_deploy() {
    let Some(stage) = stage() else { return };
    stage.deploy("v1", 0);
    let other = stage.path("other.conf");
    fs::write(&other, "\n\nthis is not nginx;\n").unwrap();
    let main = stage.nginx.prefix().join("nginx.conf");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replacen("http {", &format!("http {{ include {};", other.display()), 1)).unwrap();
    let findings = findings(&stage, 0);
    let found = find(&findings, "nginx-config");
    let place = format!("{}:3", other.display());
    assert_eq!((&found["severity"], &found["where"]), (&"warning".into(), &place.into()));
    let told = findings.iter().filter(|finding| finding["what"].as_str().unwrap().contains("[emerg]"));
    assert_eq!(told.count(), 1, "{findings:#?}");
    stage.run(&["check"], 0).says(&["not come up after a restart", "mend that file", "nginx.conf"]);
    stage.deploy("v2", 0);
}

#[test]
fn a_front_door_that_redirects_or_is_another_site_fails_a_deploy() {
    let Some(mut stage) = stage() else { return };
    stage.deploy("v1", 0);
    let parts = ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    let [http, server, location] = parts;
    let more = "location = /moved { return 301 /profile; }\nlocation = /other { return 200 hello; }\n\
                location = /secret { return 401; }";
    stage.nginx.write(&Site { http, server: format!("{server}\n{more}"), location }).unwrap();
    stage.nginx.reload().unwrap();
    stage.set("proxy.nginx.url", stage.nginx.url("/moved"));
    stage.run(&["check"], 3).says(&["redirects to", "proxy.nginx.url"]);
    let artifact = stage.artifact("v2");
    // found before anything is touched, and not by the users after it
    for words in [&["deploy", &artifact][..], &["plan", &artifact], &["adopt", "real2"]] {
        stage.run(words, 3).says(&["redirects to", "traffic  untouched"]);
    }
    stage.run(&["prepare", &artifact], 0);
    stage.run(&["promote"], 3).says(&["redirects to", "traffic  untouched"]);
    assert_eq!((stage.step().as_deref(), stage.front().as_str()), (Some("health"), "v1 real1"));
    stage.run(&["abort"], 0);
    for (page, word) in
        [("/other", "does not answer as the active profile does"), ("/secret", "wants a password (401)")]
    {
        stage.set("proxy.nginx.url", stage.nginx.url(page));
        assert_eq!(find(&findings(&stage, 3), "front-door")["severity"], "fatal");
        stage.deploy("v2", 3).says(&[word, "traffic  untouched"]);
    }
    assert_eq!((below(stage.home()).len(), stage.front().as_str()), (1, "v1 real1"));
    stage.set("proxy.nginx.url", stage.nginx.url("/profile"));
    stage.run(&["check"], 0);
}

#[test]
fn a_front_door_that_does_not_follow_the_route_fails_a_deploy_and_a_location_is_broken_by_one() {
    let Some(stage) = stage() else { return };
    let parts = ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    let [http, server, location] = parts;
    let hard = format!("proxy_pass http://127.0.0.1:{};", stage.ports[0]);
    let serve = |server: String, location: String| {
        stage.nginx.write(&Site { http: http.clone(), server, location }).unwrap();
        stage.nginx.reload().unwrap();
    };
    serve(server.clone(), hard.clone());
    stage
        .run(&["check"], 3)
        .says(&["whatever the route says: a deploy to real2 would end with 13", "proxy_pass http://$"]);
    serve(format!("{server}\nlocation /live {{ {hard} }}"), location);
    stage.run(&["check"], 0).says(&["requests to `location /live` go to real1 whatever the route says", "502 now"]);
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.run(&["check"], 3).says(&["the next deploy stops what runs there", "nginx.conf:", "proxy_pass http://$shop"]);
}

/// Nobody listens there, and yet nothing else can.
#[test]
fn who_has_the_port_of_the_next_release_without_listening_is_named_before_anything_is_touched() {
    let Some(stage) = stage() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.run(&["stop"], 0);
    let at = format!("127.0.0.1:{}", stage.ports[0]);
    let _holder = bluegreen_rig::bound(&at);
    let findings = findings(&stage, 3);
    let kept = find(&findings, "port-kept");
    assert_eq!(kept["severity"], "fatal");
    assert!(kept["what"].as_str().unwrap().contains(&format!("has {at} without listening on it")), "{kept}");
    assert!(findings.iter().all(|finding| finding["id"] != "port-free"), "{findings:#?}");
    stage.deploy("v3", 3).says(&["without listening on it", "traffic  untouched"]);
    assert_eq!(stage.front(), "v2 real2");
}

#[test]
fn a_limit_at_the_front_door_is_named_with_its_line_before_a_deploy_and_by_it() {
    let Some(stage) = stage() else { return };
    let [http, server, location] =
        ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    let http = format!("limit_req_zone $binary_remote_addr zone=users:1m rate=500r/s;\n{http}");
    let location = format!("limit_req zone=users burst=500 nodelay;\n{location}");
    stage.nginx.write(&Site { http, server, location }).unwrap();
    stage.nginx.reload().unwrap();
    let says = ["`limit_req zone=users burst=500 nodelay` counts the probes", "once a second", "nginx.conf:"];
    stage.run(&["check"], 0).says(&says);
    stage.deploy("v1", 0).says(&says);
}

/// A release that is well, and a door that says something else: no deploy proves anything there, and none begins.
#[test]
fn a_front_door_where_nginx_itself_answers_stops_a_deploy_before_anything_is_touched() {
    let Some(stage) = stage() else { return };
    let [http, server, location] =
        ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    let serve = |more: &str| {
        let server = format!("{server}\n{more}");
        stage.nginx.write(&Site { http: http.clone(), server, location: location.clone() }).unwrap();
        stage.nginx.reload().unwrap();
    };
    serve("");
    stage.deploy("v1", 0);
    let artifact = stage.artifact("v2");
    for (answer, says) in [("return 429;", "429 Too Many"), ("return 503 maintenance;", "503"), ("return 444;", "")] {
        serve(&format!("location = /profile {{ {answer} }}"));
        for words in [&["check"][..], &["plan", &artifact], &["deploy", &artifact]] {
            let ended = stage.run(words, 3);
            ended.says(&["does not answer as the active profile does", says]);
            assert!(!format!("{ended}").contains("limit"), "there is none: {ended}");
        }
    }
    serve("");
    stage.deploy("v2", 0);
}

/// One who has the lock and is no command of ours.
#[test]
fn whoever_has_the_lock_is_named_and_only_a_command_of_ours_is_waited_for() {
    let Some(mut stage) = stage() else { return };
    stage.deploy("v1", 0);
    let artifact = stage.artifact("v2");
    let lock = bluegreen_core::FileStore::hold(&stage.state_dir()).unwrap();
    for words in [&["check"][..], &["plan", &artifact], &["deploy", &artifact]] {
        stage.run(words, 3).says(&[&format!("pid {}", std::process::id()), "no command of bluegreen"]);
    }
    drop(lock);
    stage.run(&["check"], 0);
    stage.boots_on_cue();
    let slow = stage.spawn(&["deploy", &artifact]);
    stage.wait_for_step("health");
    stage.run(&["check"], 75).says(&[&format!("(pid {})", slow.pid()), "a deploy has to wait"]);
    stage.run(&["plan", &artifact], 75).says(&[&format!("(pid {})", slow.pid())]);
    stage.boot();
    assert_eq!(slow.wait().code, Some(0));
}

#[test]
fn what_cannot_be_written_is_tried_before_anything_is_touched() {
    let Some(stage) = stage() else { return };
    stage.deploy("v1", 0);
    let dir = stage.state_dir();
    let attribute = |what: &str| {
        let chattr = Command::new("chattr").arg(what).arg(&dir).stderr(Stdio::null()).status();
        chattr.is_ok_and(|status| status.success())
    };
    if !attribute("+i") {
        return skip("no chattr, or not on this file system");
    }
    let artifact = stage.artifact("v2");
    let ended = [&["check"][..], &["plan", &artifact], &["deploy", &artifact]].map(|words| stage.spawn(words).wait());
    assert!(attribute("-i"));
    for ended in &ended {
        assert_eq!(ended.code, Some(3), "{ended}");
        ended.says(&["cannot write to", "chattr -i"]);
    }
    stage.run(&["check"], 0);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn what_cannot_be_started_fails_a_deploy() {
    let Some(mut stage) = stage() else { return };
    stage.set("start.command", vec!["no-such-prog", "{artifact}"]);
    let ended = stage.run(&["check"], 3);
    ended.says(&["`no-such-prog` is not in PATH", "both profiles would take the same port"]);
}

#[test]
fn modes_secrets_and_the_time_of_hooks() {
    let Some(mut stage) = stage() else { return };
    stage.deploy("v1", 0);
    let before = below(stage.home());
    let mode = |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fs::write(stage.path("env"), "A=b").unwrap();
    mode(stage.path("env"), 0o644);
    stage.set("start.env_file", stage.path("env").to_str().unwrap());
    stage.run(&["check"], 3).says(&["others may read", "chmod 600 "]);
    mode(stage.path("env"), 0o600);
    stage.run(&["check"], 0);
    mode(stage.state_dir(), 0o777);
    stage.run(&["check"], 3).says(&["others may write to", "chmod go-w"]);
    mode(stage.state_dir(), 0o711);

    let spec = "hooks:\n  ApplicationStart:\n    - location: x.sh\n      timeout: 1\n";
    fs::write(stage.path("appspec.yml"), spec).unwrap();
    stage.run(&["check"], 0).says(&["ApplicationStart has 1 s", "appspec.yml:3", "timeout: "]);
    assert_eq!(below(stage.home()), before, "check starts nothing");
}

#[test]
fn what_the_set_up_cannot_do_by_itself_is_said_too() {
    let Some(stage) = stage() else { return };
    stage.nginx.write(&Site { location: "return 200 hello;".into(), ..Site::default() }).unwrap();
    stage.nginx.reload().unwrap();
    let ended = stage.run(&["check"], 3);
    ended.says(&["the proxy is not set up", "setup --apply", "no location of nginx goes to this app"]);
}

#[test]
fn before_the_first_setup_it_looks_as_far_as_it_can_and_makes_nothing() {
    let Some(mut stage) = stage() else { return };
    let taken = std::net::TcpListener::bind(("127.0.0.1", stage.ports[0])).unwrap();
    let missing = stage.path("not-there");
    stage.set("state_dir", missing.to_str().unwrap());
    let ended = stage.run(&["check", "--format", "json"], 3);
    let found = ended.events().remove(0)["findings"].clone();
    let ids: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["severity"].as_str().unwrap(), f["id"].as_str().unwrap()))
        .collect();
    for wanted in [
        ("fatal", "route"),
        ("fatal", "port-taken"),
        ("good", "port-free"),
        ("good", "nginx"),
        ("good", "sight"),
        ("good", "memory"),
        ("good", "disk"),
        ("good", "place"),
    ] {
        assert!(ids.contains(&wanted), "{wanted:?} is not in {ids:?}");
    }
    stage.run(&["check"], 3).says(&["not set up", "setup --apply"]);
    assert!(!missing.exists());
    drop(taken);
    stage.set("user", "nobody-of-that-name");
    stage.run(&["check"], 3).says(&["there is no user nobody-of-that-name", "useradd"]);
    stage.set("start.env_file", stage.path("no-env").to_str().unwrap());
    stage.run(&["check"], 3).says(&["no-env, which start.env_file names"]);
}

#[test]
fn setup_takes_no_other_nginx_for_the_one_of_the_pid_file() {
    let Some(mut stage) = stage() else { return };
    stage.nginx.stop().unwrap();
    for what in ["--check", "--apply"] {
        let ended = stage.run(&["setup", what], 3);
        ended.says(&["does not name a running nginx", "correct pid_file"]);
        assert!(!ended.err.contains("/etc/nginx") && !ended.out.contains("/etc/nginx"), "{ended}");
    }
}

#[test]
fn setup_check_has_the_findings_of_check_for_programs() {
    let Some(stage) = stage() else { return };
    let found = |code| {
        let ended = stage.run(&["setup", "--check", "--format", "json"], code);
        let report: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(report["app"], "shop");
        report["findings"][0].clone()
    };
    let fine = found(0);
    assert_eq!((&fine["id"], &fine["severity"]), (&"setup".into(), &"good".into()));
    let parts = ["http", "server", "location"].map(|part| stage.run(&["setup", "--print", part], 0).out);
    let [http, server, location] = parts;
    let location = location.replace("_upstream;", "_upstream/x;");
    stage.nginx.write(&Site { http, server, location }).unwrap();
    let wrong = found(3);
    assert_eq!((&wrong["id"], &wrong["severity"]), (&"setup".into(), &"fatal".into()));
    assert!(wrong["where"].as_str().unwrap().contains("nginx.conf:"), "{wrong}");
    assert!(wrong["fix"].as_str().unwrap().contains("proxy_pass http://$shop_upstream;"), "{wrong}");
    stage.run(&["setup", "--apply", "--format", "json"], 2).says(&["only --check has --format json"]);
}

/// Somebody lost `live`, and nginx leads to the first profile: the repair moves nobody from there to an older release.
#[test]
fn the_repair_of_a_route_keeps_the_users_where_nginx_leads_them() {
    let Some(stage) = stage() else { return };
    for version in ["v1", "v2", "v3"] {
        stage.deploy(version, 0);
    }
    assert_eq!(stage.front(), "v3 real1");
    let live = stage.state_dir().join("route/live");
    fs::remove_file(&live).unwrap();
    std::os::unix::fs::symlink("nowhere", &live).unwrap();
    stage.run(&["check"], 3).says(&["sudo bluegreen setup --apply"]);
    stage.run(&["setup", "--apply", "--yes"], 0).says(&["the route is real1", "from now on"]);
    assert_eq!(stage.front(), "v3 real1", "v2 runs too, and is older");
    stage.run(&["status"], 0);
}
