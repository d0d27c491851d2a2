use std::path::Path;

use bluegreen_nginx::setup::Place;

use super::*;
use crate::{
    appspec::AppSpec,
    config::Config,
    init::{
        Ephemeral, Proxy,
        ports::{Neighbour, Owner},
        scripts::Scripts,
    },
};

/// The draft, whose text must be a configuration.
#[track_caller]
fn draft(wishes: &Wishes, findings: &Findings) -> Draft {
    let draft = Draft::new(wishes, findings);
    let text = draft.to_toml();
    Config::parse(&text, Path::new("bluegreen.toml")).unwrap_or_else(|e| panic!("{}\n{text}", e.render(false)));
    draft
}

fn app(kind: &'static str, command: &[&str]) -> App {
    let command = command.iter().map(ToString::to_string).collect();
    App { kind, command, artifact: Some("x".into()), ..App::default() }
}

fn door(listen: &str, name: Option<&str>, tls: bool, is_default: bool) -> Door {
    let port = listen.rsplit(':').next().unwrap().parse().unwrap();
    let at = Place { path: "/etc/nginx/site".into(), line: 3 };
    Door { at, listen: listen.into(), port, tls, name: name.map(Into::into), is_default, apps: Vec::new() }
}

fn leads_to(port: u16, door: Door) -> Proxy {
    Proxy { passes: vec![(port, door.at.clone(), Some(door.clone()))], doors: vec![door], ..Proxy::default() }
}

fn taken(ports: &[u16]) -> Vec<Owner> {
    let mut who = bluegreen_core::Stranger::new();
    who.pid = Some(1);
    ports.iter().map(|port| Owner { port: *port, who: who.clone() }).collect()
}

fn ports(draft: &Draft) -> [u16; 2] {
    draft.profiles.clone().map(|(_, port)| port)
}

#[test]
fn a_name_is_made_of_what_there_is() {
    let named = |name: &str, directory: &str| {
        let findings =
            Findings { app: Some(App { name: Some(name.into()), ..app("jar", &["x"]) }), ..Findings::default() };
        draft(&Wishes { directory: directory.into(), ..Wishes::default() }, &findings).app
    };
    assert_eq!(named("My Shop", "d"), "my-shop");
    assert_eq!(named("42!", "freelec-springboot2-webservice-and-more"), "freelec-springboot2-webservice-a");
    assert_eq!(named("", "7"), "app");
}

#[test]
fn ports_come_from_the_app_then_from_nginx_then_from_what_is_free() {
    let with = |proxy: Option<Proxy>, owners: &[u16], known: &[(&str, u16)]| {
        let profiles = known.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
        let app = App { profiles, ..app("jar", &["x"]) };
        ports(&draft(
            &Wishes::default(),
            &Findings { app: Some(app), proxy, owners: taken(owners), ..Findings::default() },
        ))
    };
    let nginx = |port| Some(leads_to(port, door("80", None, false, true)));
    assert_eq!(with(nginx(3000), &[3000, 3001], &[]), [3000, 3002]);
    assert_eq!(with(nginx(8082), &[8082], &[]), [8081, 8082]);
    assert_eq!(with(nginx(8080), &[8080], &[("a", 9001), ("b", 9002)]), [9001, 9002]);
    assert_eq!(with(None, &[8081], &[]), [8082, 8083]);
    let wished = |first, second| {
        ports(&draft(
            &Wishes { ports: [first, second], ..Wishes::default() },
            &Findings { app: Some(app("jar", &["x"])), owners: taken(&[9002]), ..Findings::default() },
        ))
    };
    assert_eq!(wished(Some(9001), None), [9001, 9003]);
    assert_eq!(wished(None, Some(9)), [8081, 9]);
}

/// What is said of ports, and the ports.
fn with_ports(findings: Findings) -> ([u16; 2], Vec<String>) {
    let draft = draft(&Wishes::default(), &Findings { app: Some(app("jar", &["x"])), ..findings });
    let said = draft.found.iter().filter(|found| found.kind == "port");
    (ports(&draft), said.map(|found| format!("{}: {}", found.what, found.origin)).collect())
}

#[test]
fn ports_that_somebody_counts_on_are_left_alone_and_why_is_said() {
    let at = |line| Place { path: "/etc/nginx/x".into(), line };
    let own = Place { path: "/etc/nginx/conf.d/bluegreen-app.conf".into(), line: 3 };
    let nginx = Proxy { ports: vec![(8081, at(7)), (8085, own)], ..Proxy::default() };
    let neighbour = |port, app: &str| Neighbour { port, app: app.into(), file: "/etc/bluegreen/web.toml".into() };
    let (ports, said) = with_ports(Findings {
        proxy: Some(nginx),
        owners: taken(&[8083]),
        neighbours: vec![neighbour(8082, "web"), neighbour(8084, "app")],
        ..Findings::default()
    });
    assert_eq!(ports, [8084, 8085], "what is this very app's is free for it");
    assert_eq!(
        said,
        [
            "8083 is taken: pid 1 (unknown user)",
            "8081 is left alone: nginx names it at /etc/nginx/x:7",
            "8082 is left alone: web has it, by /etc/bluegreen/web.toml",
        ]
    );
}

#[test]
fn the_kernels_own_ports_are_left_alone_where_there_are_others() {
    let kernel = |range: &str, reserved: &str| {
        let ephemeral = Ephemeral::parse(range, reserved);
        with_ports(Findings { ephemeral, ..Findings::default() })
    };
    assert_eq!(kernel("32768 60999", ""), ([8081, 8082], vec![]));
    let why = "8081 is left alone: the kernel gives 8000-9000 to outgoing connections".to_owned();
    assert_eq!(kernel("8000 9000", ""), ([9001, 9002], vec![why]));
    assert_eq!(kernel("8000 9000", "8081-8090").0, [8081, 8082]);
    assert_eq!(kernel("1024 65535", ""), ([8081, 8082], vec![]), "where there is no other");
    let proxy = Proxy {
        ports: vec![(8082, door("80", None, false, true).at)],
        ..leads_to(8081, door("80", None, false, true))
    };
    assert_eq!(with_ports(Findings { proxy: Some(proxy), ..Findings::default() }).0, [8081, 8083]);
}

#[test]
fn the_front_door_is_dialled_on_loopback() {
    let url = |door: Door| {
        let draft = draft(
            &Wishes::default(),
            &Findings { app: Some(app("jar", &["x"])), proxy: Some(leads_to(1, door)), ..Findings::default() },
        );
        (draft.url, draft.connect)
    };
    assert_eq!(url(door("80", Some("shop.example"), false, true)), ("http://127.0.0.1/".into(), None));
    let named = ("http://shop.example:8080/".into(), Some("127.0.0.1:8080".into()));
    assert_eq!(url(door("8080", Some("shop.example"), false, false)), named);
    let secure = ("https://shop.example/".into(), Some("127.0.0.1:443".into()));
    assert_eq!(url(door("0.0.0.0:443", Some("shop.example"), true, true)), secure);
    assert_eq!(url(door("127.0.0.2:9000", None, false, true)), ("http://127.0.0.2:9000/".into(), None));
}

#[test]
fn the_articles_scripts_win_over_the_jar() {
    let spec = AppSpec {
        path: "appspec.yml".into(),
        destinations: vec![],
        hooks: vec![crate::appspec::Hook {
            event: "AfterInstall".into(),
            user: Some("ec2-user".into()),
            ..Default::default()
        }],
    };
    let scripts = Scripts {
        profiles: Some([("real1".into(), 8081), ("real2".into(), 8082)]),
        command: Some(vec!["java".into(), "-Dx=\"quoted\\\"".into(), "{artifact}".into()]),
        health: Some("/profile".into()),
        artifacts: Some("/srv/zip/*.jar".into()),
        files: vec![],
    };
    let findings =
        Findings { app: Some(app("jar", &["java", "{artifact}"])), spec: Some(spec), scripts, ..Findings::default() };
    let draft = draft(&Wishes::default(), &findings);
    assert_eq!(draft.command[1], "-Dx=\"quoted\\\"");
    assert_eq!(
        (draft.user.as_deref(), draft.body, draft.url.as_str()),
        (Some("ec2-user"), Some("{profile}"), "http://127.0.0.1/profile")
    );
    assert_eq!(draft.pattern.as_deref(), Some("/srv/zip/*.jar"));
}

#[test]
fn what_a_person_says_wins() {
    let wishes = Wishes {
        app: Some("other".parse().unwrap()),
        command: vec!["./run".into()],
        health: Some("/up".into()),
        url: Some("https://a.example/".into()),
        connect: Some("127.0.0.1:8443".parse().unwrap()),
        user: Some("deploy".into()),
        state_dir: Some("/srv/state".into()),
        ..Wishes::default()
    };
    let findings = Findings {
        app: Some(app("jar", &["java"])),
        proxy: Some(leads_to(1, door("80", None, false, true))),
        ..Findings::default()
    };
    let draft = draft(&wishes, &findings);
    assert_eq!(
        (draft.app.as_str(), &draft.command[..], draft.health.as_deref()),
        ("other", &["./run".to_owned()][..], Some("/up"))
    );
    assert_eq!((draft.url.as_str(), draft.connect.as_deref()), ("https://a.example/", Some("127.0.0.1:8443")));
}

#[test]
fn an_nginx_that_leads_nowhere_is_told_where_it_must() {
    let proxy = Proxy { doors: vec![door("80", None, false, true)], ..Proxy::default() };
    let findings = Findings { app: Some(app("jar", &["x"])), proxy: Some(proxy), ..Findings::default() };
    let notes = draft(&Wishes::default(), &findings).notes;
    assert!(
        notes[0].contains("proxy_pass http://127.0.0.1:8081;") && notes[0].contains("/etc/nginx/site:3"),
        "{notes:?}"
    );
}

#[test]
fn an_app_on_a_third_port_is_said() {
    let profiles = vec![("a".to_owned(), 9001), ("b".to_owned(), 9002)];
    let app = App { profiles, ..app("jar", &["x"]) };
    let proxy = Some(leads_to(8080, door("80", None, false, true)));
    let findings = Findings { app: Some(app), proxy, owners: taken(&[8080]), ..Findings::default() };
    let draft = draft(&Wishes::default(), &findings);
    assert!(draft.notes[0].contains("served from port 8080"), "{:?}", draft.notes);
}

#[test]
fn an_app_that_bluegreen_serves_there_is_left_alone() {
    let notes = |served: &[&str]| {
        let apps = served.iter().map(ToString::to_string).collect();
        let proxy = Proxy { doors: vec![Door { apps, ..door("80", None, false, true) }], ..Proxy::default() };
        let wishes = Wishes { app: Some("web".parse().unwrap()), ..Wishes::default() };
        let findings = Findings { app: Some(app("jar", &["x"])), proxy: Some(proxy), ..Findings::default() };
        draft(&wishes, &findings).notes.join("\n")
    };
    assert!(notes(&[]).contains("into `location /` of the server block at /etc/nginx/site:3, in place of"));
    let beside = notes(&["shop"]);
    assert!(beside.contains("serves shop by bluegreen") && beside.contains("`location /web/ { proxy_pass"), "{beside}");
    assert!(!beside.contains("in place of"), "{beside}");
    assert_eq!(notes(&["shop", "web"]), "");
}

#[test]
fn a_new_app_is_closed_to_all_but_the_group_of_its_user() {
    let mut draft = draft(&Wishes::default(), &Findings { app: Some(app("jar", &["x"])), ..Findings::default() });
    let group = |draft: &Draft| Config::parse(&draft.to_toml(), Path::new("bluegreen.toml")).unwrap().access.group;
    assert_eq!(group(&draft), None, "who deploys is not known");
    assert!(draft.to_toml().contains("has to be in this group, or take the line out"));
    draft.group = Some("deploy".to_owned());
    assert_eq!(group(&draft), Some("deploy".to_owned()));
}
