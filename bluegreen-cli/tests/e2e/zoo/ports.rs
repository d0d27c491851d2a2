//! Those that listen where they should not, and strangers that listen where they may not.

use std::net::{TcpListener, TcpStream};

use bluegreen_rig::{lives, wait_for};

use super::{Zoo, wait_for_front};

#[test]
fn one_that_listens_elsewhere_is_told_where_it_should() {
    let Some(mut zoo) = Zoo::open() else { return };
    let port = zoo.stage.ports[1];
    let elsewhere = format!("it runs, and does not listen on port {port}, but on 127.0.0.1:");
    zoo.refuses_in_time(
        "elsewhere",
        &[&elsewhere, &format!("fix  [start] passes it {{port}}, here {port}, and it does not")],
    );
    let says = format!("the address that the health check asks, only on [::1]:{port}\n");
    if TcpListener::bind("[::1]:0").is_ok() {
        zoo.refuses_in_time("in-v6-only", &[&says, "fix  let it listen on the address in [health] url"]);
    } else {
        bluegreen_rig::skip("no IPv6 here");
    }
    zoo.closes();
}

#[test]
fn one_that_listens_on_every_address_is_served() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("anywhere", "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    zoo.closes();
}

/// Any user may sit down on another address of the port, for as long as he likes: he answers nobody who dials 127.0.0.1.
#[test]
fn somebody_on_another_address_of_the_port_has_no_say() {
    let Some(mut zoo) = Zoo::open() else { return };
    let port = zoo.stage.ports[1];
    let sit = |address: &str| TcpListener::bind((address, port));
    let before = sit("127.0.0.2").unwrap();
    zoo.deploy("good", "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    let at = format!("listens on 127.0.0.2:{port}, so that nothing else can listen on 0.0.0.0:{port} or [::]:{port}");
    zoo.stage.run(&["check"], 0).says(&[&at, "--server.address=127.0.0.1"]);
    zoo.deploy("good", "v3", 0);
    drop(before);

    // and he who comes in the bake reverts nothing
    zoo.stage.set("after_switch.bake", "3s");
    zoo.stage.set("start.command", zoo.command(&[], "good"));
    let deploy = zoo.stage.spawn(&["deploy", "--version", "v4"]);
    zoo.stage.wait_for_step("bake");
    let _v4 = sit("127.0.0.3").unwrap();
    let _v6 = sit("::1").inspect_err(|error| bluegreen_rig::skip(&format!("no IPv6 here: {error}")));
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(zoo.stage.front(), "v4 real2");
    zoo.stage.set("after_switch.bake", "100ms");
    zoo.closes();
}

/// The health check asks another address than nginx, as one for management: what answers there must be the release too.
#[test]
fn a_good_answer_at_another_address_is_the_releases_own() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("health.url", "http://127.0.0.2:{port}/");
    let neighbour = zoo.stranger("next-door", 1);
    wait_for("the neighbour", || TcpStream::connect(("127.0.0.2", zoo.stage.ports[1])).is_ok());
    let says = format!("answered by pid {neighbour} ");
    zoo.refuses_in_time("good", &[&says, "which is not the release"]);
    zoo.dismiss(neighbour);
    zoo.deploy("anywhere", "v2", 0);
    assert_eq!(zoo.stage.front(), "v2 real2");
    zoo.stage.unset("health.url");
    zoo.closes();
}

/// It cannot listen, dies of it, and it is said who is in its way.
#[test]
fn one_that_asks_for_every_address_is_told_who_has_one() {
    let Some(mut zoo) = Zoo::open() else { return };
    let port = zoo.stage.ports[1];
    let other = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let (us, at) =
        (format!("pid {} ", std::process::id()), format!("listens on 127.0.0.2:{port}, so that nothing else"));
    zoo.refuses("anywhere", 10, &[&us, &at, "--server.address=127.0.0.1"]);
    drop(other);
    zoo.deploy("anywhere", "v2", 0);
    zoo.closes();
}

/// 200 from somebody else, with the right name, while ours dies of "address in use".
#[test]
fn a_good_answer_of_somebody_else_is_none_of_ours() {
    loses_the_race("too-late");
}

/// The same with one that lives on and waits for the port: it is not left behind.
#[test]
fn one_that_waits_for_its_port_is_ended() {
    loses_the_race("patient");
}

fn loses_the_race(kind: &str) {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("start.command", zoo.command(&[], kind));
    let deploy = zoo.stage.spawn(&["deploy", "--version", "v2"]);
    wait_for("the start", || zoo.book().with_extension("cue").exists());
    let thief = zoo.stranger("good", 1);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(11), "{ended}");
    let pid = format!("pid {thief} ");
    ended.says(&["of real2 is taken by pid ", &pid, "next  bluegreen adopt real2", "traffic  real1 has it, as before"]);
    assert_eq!((zoo.stage.front(), zoo.stage.behind(1)), ("v1 real1".into(), "foreign real2".into()));
    assert_eq!(zoo.living(), [zoo.stage.pid("active")]);
    zoo.deploy("good", "v3", 11).says(&[&pid]);
    assert!(lives(thief));
    zoo.dismiss(thief);
    zoo.closes();
}

/// `SO_REUSEPORT`: somebody shares the port and gets a part of the connections.
#[test]
fn one_that_shares_its_port_with_a_stranger_gets_no_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("after_switch.bake", "90s");
    zoo.stage.set("start.command", zoo.command(&[], "sharer"));
    let deploy = zoo.stage.spawn(&["deploy", "--version", "v2"]);
    zoo.stage.wait_for_step("bake");
    wait_for_front(&zoo.stage, "v2 real2");
    // the requests that the stranger gets are answered, only not by us
    let thief = zoo.stranger("sharer", 1);
    let ended = deploy.wait();
    assert_eq!(ended.code, Some(13), "{ended}");
    ended.says(&["is taken by", &format!("pid {thief} "), "traffic  real1 has it, as before"]);
    assert_eq!(zoo.stage.front(), "v1 real1");
    assert_eq!(zoo.living(), [zoo.stage.pid("active")]);
    assert!(lives(thief));
    zoo.stage.set("after_switch.bake", "100ms");
    zoo.deploy("sharer", "v3", 11).says(&[&format!("pid {thief} ")]);
    zoo.dismiss(thief);
    zoo.closes();
}

/// The same with the active one: the traffic goes to our proven release, and nothing is deployed beside the stranger.
#[test]
fn an_active_one_that_shares_its_port_loses_the_traffic() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.deploy("sharer", "v2", 0);
    let thief = zoo.stranger("sharer", 1);
    wait_for("the thief", || zoo.stage.status()["active"]["pid"].is_null());
    zoo.deploy("good", "v3", 11).says(&[&format!("pid {thief} "), "traffic  real1 has it"]);
    assert_eq!(zoo.stage.front(), "v1 real1");
    assert!(lives(thief));
    zoo.dismiss(thief);
    zoo.closes();
}
