//! Reload mode where the include file names an upstream group, or an address in another form than the article's.

mod rig;

use std::{fs, os::unix::fs::PermissionsExt as _};

use bluegreen_core::{Blind, ProfileResolver, ProxySwitcher, SwitchError, Traffic};
use rig::{Article, binaries};

const GROUPS: &str = "upstream blue { server 127.0.0.1:{1}; keepalive 4; } upstream green { server 127.0.0.1:{2}; }";

fn blind(seen: Result<Traffic, Blind>) -> String {
    match seen {
        Err(Blind::Route(text)) => text,
        other => panic!("expected to be blind, got {other:?}"),
    }
}

/// What users get stays what it is, and nothing is written.
async fn is_left_alone(rig: &Article, why: &str) {
    let (before, who) = (rig.text(), rig.who().await);
    let seen = blind(rig.resolver().resolve().await);
    assert!(seen.contains(why), "{seen}");
    for route in rig.routes() {
        let Err(SwitchError::Refused(text)) = rig.switcher().switch_to(&route).await else { panic!("{before}") };
        assert!(text.contains(why), "{text}");
    }
    assert!(rig.switcher().can_switch().await.unwrap_err().contains(why));
    assert_eq!((rig.text(), rig.who().await, rig.reloads()), (before, who, rig.reloads()));
}

#[tokio::test]
async fn what_stands_there_is_understood_and_written_back_in_its_form() {
    let cases = [
        (GROUPS, "set $service_url blue;", "set $service_url green;", "http://$service_url"),
        (
            GROUPS,
            "# the colour\nset $service_url \"http://BLUE\" ; # blue\n",
            "# the colour\nset $service_url \"http://green\" ; # blue\n",
            "$service_url",
        ),
        (GROUPS, "set $service_url blue$request_uri;", "set $service_url green$request_uri;", "http://${service_url}"),
        ("", "set $service_url 127.0.0.1:{1};", "set $service_url 127.0.0.1:{2};", "http://$service_url$request_uri"),
        (
            "",
            "set $service_url http://127.0.0.1:{1}$request_uri;",
            "set $service_url http://127.0.0.1:{2}$request_uri;",
            "$service_url",
        ),
        (
            "",
            "set $x 1; set $service_url http://127.0.0.1:9; set $service_url http://127.0.0.1:{1};",
            "set $x 1; set $service_url http://127.0.0.1:9; set $service_url http://127.0.0.1:{2};",
            "$service_url",
        ),
    ];
    for binary in binaries() {
        for (groups, before, after, pass) in cases {
            let rig = Article::with(&binary, groups, before, pass).await;
            let [first, second] = rig.routes();
            assert_eq!(rig.resolver().resolve().await, Ok(first.clone().into()), "{before}");
            assert_eq!((rig.switcher().can_switch().await, rig.who().await.as_str()), (Ok(()), "real1"), "{before}");
            for (route, who, text) in [(&second, "real2", after), (&first, "real1", before)] {
                let switched = rig.switcher().switch_to(route).await;
                assert_eq!(switched, Ok(()), "{before}: {}", rig.log());
                assert_eq!(rig.text().to_lowercase(), text.to_lowercase());
                for _ in 0..5 {
                    assert_eq!(rig.who().await, who, "{before}");
                }
                assert_eq!(rig.resolver().resolve().await, Ok(route.clone().into()), "{before}");
            }
            let reloads = rig.reloads();
            rig.switcher().switch_to(&first).await.unwrap();
            assert_eq!(rig.reloads(), reloads, "the route in effect needs no reload");
        }
    }
}

#[tokio::test]
async fn a_group_may_be_anywhere() {
    for binary in binaries() {
        let rig = Article::with(
            &binary,
            "include {prefix}/conf.d/*.conf;",
            "set $service_url http://127.0.0.1:{1};",
            "$service_url",
        )
        .await;
        let [first, second] = rig.routes();
        let ports = rig.profiles.both().map(bluegreen_core::Profile::port);
        let at = |name: &str| rig.prefix.join(name);
        // in another file, its servers behind an include of their own
        fs::write(
            at("blue.servers"),
            format!("server 127.0.0.1:{} max_fails=0;\nserver 127.0.0.1:9 down;\n", ports[0]),
        )
        .unwrap();
        fs::write(at("conf.d/blue.conf"), format!("upstream blue {{ include {}; }}", at("blue.servers").display()))
            .unwrap();
        fs::write(at("conf.d/green.conf"), format!("upstream green {{ server localhost:{}; }}", ports[1])).unwrap();
        rig.become_site("include {prefix}/conf.d/*.conf;", "set $service_url blue;", "http://$service_url").await;
        assert_eq!(rig.resolver().resolve().await, Ok(first.into()));
        rig.switcher().switch_to(&second).await.unwrap();
        assert_eq!((rig.text().as_str(), rig.who().await.as_str()), ("set $service_url green;", "real2"));
        assert_eq!(rig.resolver().resolve().await, Ok(second.clone().into()));

        // what was changed behind nginx's back is not in effect
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        fs::write(at("conf.d/green.conf"), "upstream green { server 127.0.0.1:9; }").unwrap();
        let seen = blind(rig.resolver().resolve().await);
        assert!(seen.contains("green.conf is newer than nginx's workers"), "{seen}");
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_left_alone() {
    let both =
        "upstream blue { server 127.0.0.1:{1}; server 127.0.0.1:{2} backup; } upstream green { server 127.0.0.1:{2}; }";
    let twice = "upstream blue { server 127.0.0.1:{1}; } upstream green { server 127.0.0.1:{2}; } upstream lime { server 127.0.0.1:{2}; }";
    let balanced = "map $host $colour { default blue; }\nupstream blue { server 127.0.0.1:{1}; }";
    let cases = [
        (both, "set $service_url blue;", "http://$service_url", "real1 and real2"),
        (balanced, "set $service_url $colour;", "http://$service_url", "`$colour` depends on a variable"),
        ("", "set $p {1}; set $service_url http://127.0.0.1:$p;", "$service_url", "depends on a variable"),
        ("", "set $service_url http://app.example:{1};", "$service_url", "cannot be told whether it is this machine"),
        ("", "set $service_url http://127.0.0.2:{1};", "$service_url", "is an address of this machine"),
        ("", "set $service_url http://unix:/tmp/app.sock;", "$service_url", "socket in the file system"),
        ("", "set $service_url violet;", "http://$service_url", "no upstream group of this name"),
        (GROUPS, "if ($http_x) { set $service_url green; }", "http://$service_url", "stands in `if ($http_x)`"),
        // what 0.1.0 made of it
        (GROUPS, "set $service_url http://127.0.0.1:{1};", "http://$service_url", "`http://` twice"),
        (GROUPS, "set $service_url blue;", "$service_url", "has no `http://`"),
    ];
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        for (groups, set, pass, why) in cases {
            rig.become_site(groups, set, pass).await;
            is_left_alone(&rig, why).await;
        }
        // the route is known, and there is no telling what a switch would write
        rig.become_site(twice, "set $service_url blue;", "http://$service_url").await;
        let [first, second] = rig.routes();
        assert_eq!(rig.resolver().resolve().await, Ok(first.into()));
        let why = rig.switcher().can_switch().await.unwrap_err();
        let file = rig.include().path().display().to_string();
        assert!(
            why.contains("green and lime lead to real2") && !why.contains(&file),
            "who shows it names the file: {why}"
        );
        assert!(rig.switcher().switch_to(&second).await.is_err());
        rig.become_site("upstream blue { server 127.0.0.1:{1}; }", "set $service_url blue;", "http://$service_url")
            .await;
        assert!(rig.switcher().can_switch().await.unwrap_err().contains("write `upstream real2 { server 127.0.0.1:"));
        assert_eq!((rig.text().as_str(), rig.who().await.as_str()), ("set $service_url blue;", "real1"));
    }
}

#[tokio::test]
async fn what_overrules_the_include_is_named() {
    for binary in binaries() {
        let rig =
            Article::with(&binary, GROUPS, "set $service_url blue;", "http://$service_url; set $service_url green")
                .await;
        assert_eq!(rig.who().await, "real2");
        is_left_alone(&rig, "sets it anew").await;
    }
}

#[tokio::test]
async fn a_third_place_is_known_and_left_in_the_form_it_has() {
    let third = "upstream old { server 127.0.0.1:9; } ";
    let cases = [
        (format!("{third}{GROUPS}"), "set $service_url old;", "http://$service_url", "set $service_url green;"),
        (third.to_owned(), "set $service_url old;", "http://$service_url", "set $service_url 127.0.0.1:{2};"),
        (
            third.to_owned(),
            "set $service_url http://old$request_uri;",
            "$service_url",
            "set $service_url http://127.0.0.1:{2}$request_uri;",
        ),
        (
            String::new(),
            "set $service_url http://127.0.0.1:9;",
            "$service_url",
            "set $service_url http://127.0.0.1:{2};",
        ),
        (
            String::new(),
            "set $service_url https://192.0.2.1/old;",
            "$service_url",
            "set $service_url http://127.0.0.1:{2};",
        ),
    ];
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let second = rig.routes()[1].clone();
        for (groups, set, pass, after) in &cases {
            rig.become_site(groups, set, pass).await;
            let seen = rig.resolver().resolve().await;
            assert!(matches!(&seen, Ok(Traffic::Elsewhere(to)) if to.contains("leads to")), "{set}: {seen:?}");
            assert_eq!(rig.switcher().can_switch().await, Ok(()));
            rig.switcher().switch_to(&second).await.unwrap();
            assert_eq!((&rig.text(), rig.who().await.as_str()), (&(*after).to_owned(), "real2"), "{set}");
            assert_eq!(rig.resolver().resolve().await, Ok(second.clone().into()), "{set}");
        }
    }
}

#[tokio::test]
async fn a_torn_include_gets_the_form_that_its_use_needs() {
    for binary in binaries() {
        let rig = Article::with(&binary, GROUPS, "set $service_url blue;", "http://$service_url").await;
        fs::write(rig.include().path(), "set $service_").unwrap();
        rig.resolver().resolve().await.unwrap_err();
        rig.switcher().switch_to(&rig.routes()[1]).await.unwrap();
        assert_eq!((rig.text().as_str(), rig.who().await.as_str()), ("set $service_url 127.0.0.1:{2};\n", "real2"));
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_named() {
    if rig::is_root() {
        eprintln!("SKIPPED: root reads every file");
        return;
    }
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let groups = rig.prefix.join("groups.conf");
        fs::write(&groups, "").unwrap();
        rig.become_site("include {prefix}/groups.conf;", "set $service_url blue;", "http://$service_url").await;
        fs::set_permissions(&groups, fs::Permissions::from_mode(0o000)).unwrap();
        let seen = blind(rig.resolver().resolve().await);
        assert!(seen.contains("groups.conf cannot be read"), "{seen}");
    }
}
