//! Reload mode against real nginx, set up as in the article.

mod rig;

use std::{fs, net::TcpListener, time::Duration};

use bluegreen_core::{
    Answer, Blind, FrontDoor as _, Profile, ProfileResolver, Profiles, ProxySwitcher, Route, SwitchError, Traffic,
    testing::conformance,
};
use bluegreen_http::{FrontDoor, Options};
use bluegreen_nginx::{
    Master,
    reload::{IncludeResolver, ReloadSwitcher, Version},
};
use rig::{Article, binaries, free_port, open_request};

/// Nothing that a test waits for may take longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn unknown(seen: Result<Traffic, Blind>) -> String {
    match seen {
        Err(Blind::Route(text)) => text,
        other => panic!("expected an unknown route, got {other:?}"),
    }
}

fn refused(seen: Result<(), SwitchError>) -> String {
    match seen {
        Err(SwitchError::Refused(text)) => text,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn keeps_the_contracts_of_the_traits() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let (resolver, switcher) = (rig.resolver(), rig.switcher());
        let by_hand = async |route: &Route| {
            rig.lead_to(route.active.port());
            // the kernel tells when a worker began in steps of 10 ms
            tokio::time::sleep(Duration::from_millis(50)).await;
            rig.reload().await;
        };
        conformance::resolver(&resolver, &switcher, &rig.routes(), by_hand).await;
        let request = async || open_request(rig.address, &rig.apps[0]).await;
        conformance::switcher(&switcher, &resolver, &rig.routes(), request).await;
    }
}

#[tokio::test]
async fn says_whether_nginx_includes_a_file() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        assert_eq!(rig.commands().reads(rig.include().path()).await, Ok(true));
        let stray = rig.prefix.join("stray.inc");
        fs::write(&stray, "").unwrap();
        assert_eq!(rig.commands().reads(&stray).await, Ok(false));
        rig.configure("this is not nginx;");
        assert!(rig.commands().reads(rig.include().path()).await.unwrap_err().contains("nginx"));
    }
}

#[tokio::test]
async fn when_it_returns_every_new_connection_goes_to_the_new_profile() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let [first, second] = rig.routes();
        assert_eq!(rig.resolver().resolve().await, Ok(first.clone().into()));
        for (route, name) in [(&second, "real2"), (&first, "real1"), (&second, "real2")] {
            let switched = rig.switcher().switch_to(route).await;
            assert_eq!(switched, Ok(()), "{}", rig.log());
            for _ in 0..30 {
                assert_eq!(rig.who().await, name);
            }
            assert_eq!(rig.resolver().resolve().await, Ok(route.clone().into()));
        }
        let reloads = rig.reloads();
        rig.switcher().switch_to(&second).await.unwrap();
        assert_eq!(rig.reloads(), reloads, "the route in effect needs no reload");
        let with_standby = Route::with_standby(first.active, second.active);
        assert!(refused(rig.switcher().switch_to(&with_standby).await).contains("no failover"));
    }
}

#[tokio::test]
async fn a_broken_configuration_is_refused_before_anything_is_touched() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        rig.configure("no_such_directive on;");
        let before = rig.include().read().unwrap();
        let text = refused(rig.switcher().switch_to(&rig.routes()[1]).await);
        assert!(text.contains("[emerg] unknown directive \"no_such_directive\""), "{text}");
        assert_eq!(rig.include().read().unwrap(), before);
        assert_eq!(rig.resolver().resolve().await, Ok(rig.routes()[0].clone().into()));
        assert_eq!((rig.who().await.as_str(), rig.reloads()), ("real1", 0));
    }
}

#[tokio::test]
async fn a_reload_that_fails_puts_the_include_back() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let commands = rig.commands().with_reload(vec!["false".to_owned()]);
        let switcher = ReloadSwitcher::new(rig.include(), &rig.profiles, rig.master(), commands);
        let text = refused(switcher.switch_to(&rig.routes()[1]).await);
        assert!(text.contains("`false` failed"), "{text}");
        assert_eq!(rig.resolver().resolve().await, Ok(rig.routes()[0].clone().into()));
    }
}

/// `nginx -t` and `nginx -s reload` both return 0 here.
#[tokio::test]
async fn a_reload_that_nginx_refuses_without_a_word_is_undone() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
        rig.configure(&format!("server {{ listen {}; }}", taken.local_addr().unwrap()));
        let second = rig.routes()[1].clone();
        let text = refused(rig.switcher().switch_to(&second).await);
        assert!(text.contains("had no effect") && text.contains("bind() to"), "{text}");
        assert_eq!(rig.who().await, "real1");
        assert_eq!(rig.resolver().resolve().await, Ok(rig.routes()[0].clone().into()));
        drop(taken);
        rig.switcher().switch_to(&second).await.unwrap();
        assert_eq!(rig.who().await, "real2");
    }
}

/// Where the error log cannot be read, only the time that passes tells.
#[tokio::test]
async fn a_silent_refusal_is_undone_too() {
    for binary in binaries().into_iter().take(1) {
        let rig = Article::start(&binary).await;
        let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
        rig.configure(&format!("server {{ listen {}; }}", taken.local_addr().unwrap()));
        let switcher = rig.switcher().with_error_log("/nonexistent/error.log");
        let text = refused(switcher.switch_to(&rig.routes()[1]).await);
        assert!(text.contains("likely a listen port that another process holds"), "{text}");
        assert_eq!(rig.resolver().resolve().await, Ok(rig.routes()[0].clone().into()));
        assert_eq!(rig.who().await, "real1");
    }
}

#[tokio::test]
async fn a_third_port_is_unmanaged_until_the_first_switch() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let [first, second] = rig.profiles.both();
        let port = free_port();
        // the apps are the same, under other names: real1 is now a process that nobody manages
        let third = Profile::new("real3".parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(third, second.clone()).unwrap();
        let resolver = IncludeResolver::new(rig.include(), &profiles, rig.master());
        let Ok(Traffic::Elsewhere(text)) = resolver.resolve().await else { panic!() };
        assert!(text.ends_with(&format!("leads to port {}", first.port())), "{text}");
        rig.switcher().switch_to(&Route::solo(second.clone())).await.unwrap();
        assert_eq!(resolver.resolve().await, Ok(Route::solo(second.clone()).into()));
    }
}

#[tokio::test]
async fn a_file_that_nginx_has_not_read_is_not_a_route() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let second = rig.routes()[1].clone();
        tokio::time::sleep(Duration::from_millis(50)).await;
        rig.lead_to(second.active.port());
        assert!(unknown(rig.resolver().resolve().await).contains("a reload is pending"));
        rig.switcher().switch_to(&second).await.unwrap();
        assert_eq!((rig.resolver().resolve().await, rig.who().await), (Ok(second.into()), "real2".to_owned()));

        fs::write(rig.include().path(), "set $service_").unwrap();
        assert!(rig.resolver().resolve().await.is_err());
        let first = rig.routes()[0].clone();
        rig.switcher().switch_to(&first).await.unwrap();
        assert_eq!(rig.resolver().resolve().await, Ok(first.into()), "a half-written include is replaced");

        fs::remove_file(rig.include().path()).unwrap();
        assert!(matches!(rig.resolver().resolve().await, Ok(Traffic::NotSetUp(_))));
    }
}

#[tokio::test]
async fn a_stopped_nginx_is_said() {
    for binary in binaries() {
        let mut rig = Article::start(&binary).await;
        let second = rig.routes()[1].clone();
        rig.stop();
        let said = unknown(rig.resolver().resolve().await);
        assert!(said.contains("does not name a running nginx"), "{said}");
        let said = refused(rig.switcher().switch_to(&second).await);
        assert!(said.contains("does not name a running nginx"), "{said}");
        assert!(rig.run().await, "{}", rig.log());
        rig.switcher().switch_to(&second).await.unwrap();
        assert_eq!(rig.who().await, "real2");
    }
}

#[tokio::test]
async fn get_profile_must_agree_unless_nobody_listens_there() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let first = rig.routes()[0].clone();
        let resolver = rig.resolver().with_endpoint(rig.endpoint(&rig.profiles));
        assert_eq!(resolver.resolve().await, Ok(first.clone().into()));

        // names the wrong way round: the app on the first port calls itself real1, the configuration real2
        let [a, b] = rig.profiles.both();
        let swap = |name: &Profile, port: &Profile| Profile::new(name.name().clone(), port.port()).unwrap();
        let swapped = Profiles::new(swap(b, a), swap(a, b)).unwrap();
        let resolver =
            IncludeResolver::new(rig.include(), &swapped, rig.master()).with_endpoint(rig.endpoint(&swapped));
        assert!(unknown(resolver.resolve().await).contains("says real2, but real1 answers"));

        let nobody = Profile::new("real1".parse().unwrap(), free_port()).unwrap();
        rig.switcher().switch_to(&Route::solo(nobody.clone())).await.unwrap();
        let profiles = Profiles::new(nobody.clone(), b.clone()).unwrap();
        let resolver =
            IncludeResolver::new(rig.include(), &profiles, rig.master()).with_endpoint(rig.endpoint(&rig.profiles));
        assert_eq!(resolver.resolve().await, Ok(Route::solo(nobody).into()));
    }
}

#[tokio::test]
async fn drain_waits_for_requests_in_flight_and_for_old_workers() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let [first, second] = rig.profiles.both();
        let patient = Options { timeout: PATIENCE, ..Options::default() };
        let slow = rig.client("/slow", &patient);
        let slow = tokio::spawn(async move { slow.get().await.map(|answer| answer.text().into_owned()) });
        rig.apps[0].asked().await;
        rig.switcher().switch_to(&Route::solo(second.clone())).await.unwrap();
        let (switcher, first) = (rig.switcher(), first.clone());
        assert_ne!(switcher.drain(&first, Duration::from_millis(10)).await, Ok(0));
        assert!(!slow.is_finished(), "out of time is not an error");
        let drained = tokio::spawn(async move { switcher.drain(&first, Duration::from_mins(10)).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!drained.is_finished(), "it waits for what is in flight");
        rig.apps[0].let_go();
        assert_eq!(tokio::time::timeout(PATIENCE, slow).await.unwrap().unwrap(), Ok("real1".to_owned()));
        tokio::time::timeout(PATIENCE, drained).await.expect("longer than any test waits").unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_front_door_tells_who_answers() {
    for binary in binaries() {
        let rig = Article::start(&binary).await;
        let [first, second] = rig.profiles.both();
        let door = FrontDoor::new(&rig.url("/profile"), &rig.profiles, &Options::default()).unwrap();
        assert_eq!(door.ask(first).await, Answer::Release);
        let other = Answer::Beside { status: 200, says: "real1 did: 200 OK: real1".to_owned() };
        assert_eq!(door.ask(second).await, other);
        rig.switcher().switch_to(&Route::solo(second.clone())).await.unwrap();
        assert_eq!(door.ask(second).await, Answer::Release);

        let nobody = Profile::new("real3".parse().unwrap(), free_port()).unwrap();
        rig.switcher().switch_to(&Route::solo(nobody)).await.unwrap();
        let lost = door.ask(second).await;
        assert!(matches!(lost, Answer::Gateway { status: 502, .. }), "{lost:?}");
    }
}

#[tokio::test]
async fn finds_its_nginx_by_the_port_it_listens_on() {
    for binary in binaries() {
        let (rig, other) = (Article::start(&binary).await, Article::start(&binary).await);
        for rig in [&rig, &other] {
            let by_port = IncludeResolver::new(
                rig.include(),
                &rig.profiles,
                Master::new().with_front_door("127.0.0.1", rig.address.port()),
            );
            assert_eq!(by_port.resolve().await, Ok(rig.routes()[0].clone().into()));
        }
        let alone = IncludeResolver::new(rig.include(), &rig.profiles, Master::new().with_program(&binary));
        assert!(unknown(alone.resolve().await).contains("several nginx run here"));
        assert!(rig.master().version().await.unwrap() >= Version(1, 18, 0));
    }
}
