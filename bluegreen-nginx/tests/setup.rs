//! The set-up on real nginx: what is written, what happens when nginx refuses, and the way back.

mod rig;

use std::{net::TcpListener, path::PathBuf};

use bluegreen_core::{Profile, ProfileResolver, Profiles, Route};
use bluegreen_http::Options;
use bluegreen_nginx::{
    ProofLocation, RouteDir,
    setup::{Difference, Plan, Repair, Setup, SetupError},
};
use rig::{App, Load, Machine, SITE, Shop, binaries, free_port, get, home};

fn paths(plan: &Plan) -> Vec<String> {
    plan.edits.iter().map(|e| e.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_again_under_load() {
    for binary in binaries() {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        let (before, site) = (machine.files(), machine.site());
        assert!(!machine.setup.check().await.is_empty());

        let plan = machine.setup.plan(None).await.unwrap();
        // no file for the location: its lines go beside the owner's own
        assert_eq!(paths(&plan), ["my-shop.server.inc", "bluegreen-my-shop.conf", "nginx.conf", "shop"]);
        assert_eq!(plan.start, Some(machine.second()), "what serves now stays served");
        assert_eq!(machine.files(), before, "a plan changes nothing");
        assert!(
            matches!(machine.setup.apply(&plan, false).await, Err(SetupError::NotAgreed(paths)) if paths.len() == 2)
        );
        assert_eq!(machine.files(), before);

        let applied = machine.setup.apply(&plan, true).await.unwrap();
        assert!(applied.reloaded);
        assert_eq!(std::fs::read_to_string(&applied.backups[1]).unwrap(), site);
        assert_eq!(machine.shop.resolver(&machine.nginx).resolve().await.unwrap(), machine.second().into());
        assert_eq!(machine.who().await, "real2 Host: shop.example", "one Host, and the app that served before");
        assert!(machine.setup.check().await.is_empty());
        assert!(home.path().join("sites/shop").is_symlink());
        let text = machine.site();
        assert!(
            text.starts_with(&format!("server {{\n    include {};\n", machine.setup.server_file().display())),
            "{text}"
        );
        assert!(text.contains("server_name shop.example; # ours\n"));
        assert_eq!(text.matches("proxy_set_header Host").count(), 1, "{text}");

        let again = machine.setup.plan(None).await.unwrap();
        assert_eq!((again.edits.len(), &again.start), (0, &None));
        assert!(!machine.setup.apply(&again, false).await.unwrap().reloaded);

        let load = Load::start(machine.nginx.address, 5);
        let first = Route::solo(machine.shop.route.profiles().first().clone());
        machine.shop.route.point(&first).unwrap();
        assert!(machine.who().await.starts_with("real1"));
        assert_eq!(load.stop().await.1, 0);

        let plan = machine.setup.plan_removal().await.unwrap();
        machine.setup.apply(&plan, true).await.unwrap();
        assert!(machine.who().await.starts_with("real1"), "the active one, without the route");
        machine.shop.route.point(&machine.second()).unwrap();
        assert!(machine.who().await.starts_with("real1"), "nothing looks at the route any more");
        let back = format!("proxy_pass http://127.0.0.1:{};", first.active.port());
        let theirs = format!("proxy_pass http://localhost:{};", machine.second().active.port());
        assert_eq!(machine.site(), site.replace(&theirs, &back), "nothing of ours is left");
        let main = before.iter().find(|(path, _)| path.ends_with("nginx.conf")).unwrap();
        assert!(machine.files().contains(main), "nginx.conf is as it was");
        assert_eq!(machine.files().len(), before.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_could_start_after_a_kill_between_any_two_files() {
    for binary in binaries() {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        let plan = machine.setup.plan(None).await.unwrap();
        for edit in &plan.edits {
            std::fs::create_dir_all(edit.path.parent().unwrap()).unwrap();
            std::fs::write(&edit.path, edit.after.as_ref().unwrap()).unwrap();
            assert!(machine.nginx.tests(), "after {}", edit.path.display());
            // and the next set-up carries on from there
            assert_eq!(machine.setup.plan(None).await.unwrap().edits.last(), plan.edits.last().filter(|e| *e != edit));
        }
        let rest = machine.setup.plan(None).await.unwrap();
        machine.setup.route.point(&machine.second()).unwrap();
        assert!(machine.setup.apply(&rest, false).await.unwrap().reloaded);
        assert!(machine.who().await.starts_with("real2"));
        for edit in machine.setup.plan_removal().await.unwrap().edits {
            match edit.after {
                Some(text) => std::fs::write(&edit.path, text).unwrap(),
                None => std::fs::remove_file(&edit.path).unwrap(),
            }
            assert!(machine.nginx.tests(), "after {}", edit.path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_put_back_when_nginx_refuses_or_does_not_prove() {
    for binary in binaries() {
        let home = home();
        let mut machine = Machine::start(&binary, home.path(), SITE, None).await;
        let before = machine.files();
        let plan = machine.setup.plan(None).await.unwrap();

        // a test that always fails, as if somebody broke the configuration at this moment
        let commands = machine.nginx.commands();
        machine.setup.commands = commands.clone().with_test(vec!["false".into()]);
        let error = machine.setup.apply(&plan, true).await.unwrap_err();
        assert!(matches!(error, SetupError::Nginx(_)), "{error}");
        assert_eq!(machine.files(), before);

        // a reload that returns 0 and does nothing
        machine.setup.commands = commands.clone().with_reload(vec!["true".into()]);
        let error = machine.setup.apply(&plan, true).await.unwrap_err();
        assert!(matches!(error, SetupError::NotReloaded), "{error}");
        assert_eq!(machine.files(), before);

        // a proof that is asked for where no server block of the app is
        let nobody = App::start("nobody").await;
        let elsewhere = format!("http://127.0.0.1:{}/", nobody.port);
        let elsewhere = ProofLocation::new(&elsewhere, &machine.setup.app, &Options::default()).unwrap();
        let proof = std::mem::replace(&mut machine.setup.proof, elsewhere);
        machine.setup.commands = commands.clone();
        let error = machine.setup.apply(&plan, true).await.unwrap_err();
        assert!(matches!(error, SetupError::NotProven(_)) && error.to_string().contains("has no proof of"), "{error}");
        assert_eq!(machine.files(), before);
        machine.setup.proof = proof;

        // a configuration that was broken before
        std::fs::write(machine.nginx.prefix.join("sites/broken"), "server { listen }").unwrap();
        let error = machine.setup.plan(None).await.unwrap_err();
        assert!(matches!(&error, SetupError::Nginx(said) if said.contains("sites/broken")), "{error}");
        assert!(matches!(machine.setup.apply(&plan, true).await, Err(SetupError::Nginx(_))));
        std::fs::remove_file(machine.nginx.prefix.join("sites/broken")).unwrap();
        assert_eq!(machine.files(), before);

        // a file that changed after the plan was made
        std::fs::write(&machine.site, machine.site() + "\n").unwrap();
        assert!(
            matches!(machine.setup.apply(&plan, true).await, Err(SetupError::Changed(path)) if path == machine.site)
        );
        assert!(machine.who().await.starts_with("real2"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_ours_that_somebody_deleted_is_put_back() {
    for binary in binaries() {
        let home = home();
        let site = "server {\n listen 127.0.0.1:{port};\n location / {\n proxy_pass http://127.0.0.1:{app};\n }\n}\n";
        let machine = Machine::start(&binary, home.path(), site, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();
        let before = machine.files();
        for file in [machine.setup.http_file(), machine.setup.server_file(), machine.setup.location_file()] {
            std::fs::remove_file(&file).unwrap();
            assert!(!machine.nginx.tests(), "nginx misses {}", file.display());
            let found = machine.setup.check().await;
            assert!(found.iter().all(is_applied) && !found.is_empty(), "{found:?}");
            let plan = machine.setup.plan(None).await.unwrap();
            assert_eq!(paths(&plan), [file.file_name().unwrap().to_string_lossy()]);
            assert!(machine.setup.apply(&plan, false).await.unwrap().reloaded);
            assert_eq!(machine.files(), before);
        }
        // and so is one that somebody damaged
        for file in [machine.setup.http_file(), machine.setup.server_file(), machine.setup.location_file()] {
            std::fs::write(&file, "this is { no nginx").unwrap();
            assert!(!machine.nginx.tests(), "nginx reads {}", file.display());
            let found = machine.setup.check().await;
            assert!(found.iter().all(is_applied) && found.len() == 1, "{found:?}");
            let plan = machine.setup.plan(None).await.unwrap();
            assert!(machine.setup.apply(&plan, false).await.unwrap().reloaded);
            assert_eq!(machine.files(), before);
        }
        assert!(machine.who().await.starts_with("real2"));

        // when that is not all that is wrong, nothing is written
        std::fs::remove_file(machine.setup.http_file()).unwrap();
        std::fs::write(machine.nginx.prefix.join("sites/broken"), "server { listen }").unwrap();
        let (before, plan) = (machine.files(), machine.setup.plan(None).await.unwrap());
        let error = machine.setup.apply(&plan, false).await.unwrap_err();
        assert!(matches!(&error, SetupError::Nginx(said) if said.contains("sites/broken")), "{error}");
        assert_eq!(machine.files(), before);
    }
}

/// The ports are the same, so the configuration of before would prove the change too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_nginx_refuses_is_seen_when_the_old_one_proves_the_same() {
    for binary in binaries() {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();

        // as an older bluegreen wrote it; and nginx would have to listen where somebody else does
        std::fs::write(machine.setup.server_file(), machine.shop.snippet().server(true) + "# old\n").unwrap();
        let plan = machine.setup.plan(None).await.unwrap();
        assert_eq!(paths(&plan), ["my-shop.server.inc"]);
        let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
        let more = machine.nginx.prefix.join("sites/more");
        std::fs::write(&more, format!("server {{ listen {}; }}", taken.local_addr().unwrap())).unwrap();
        let before = machine.files();
        let error = machine.setup.apply(&plan, false).await.unwrap_err();
        assert!(matches!(error, SetupError::NotReloaded), "{error}");
        assert_eq!(machine.files(), before);

        // the same files, which nginx has not read: a set-up that was killed before its reload
        drop(taken);
        std::fs::write(machine.setup.server_file(), plan.edits[0].after.as_ref().unwrap()).unwrap();
        let plan = machine.setup.plan(None).await.unwrap();
        assert_eq!(plan.edits, []);
        assert!(machine.setup.apply(&plan, false).await.unwrap().reloaded);
        assert!(!machine.setup.apply(&plan, false).await.unwrap().reloaded);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_route_begins_where_the_traffic_is() {
    for binary in binaries().into_iter().take(1) {
        // on a third port: refused until a profile is prepared
        let home = home();
        let old = App::start("real").await;
        let mut machine = Machine::start(&binary, home.path(), SITE, Some(old.port)).await;
        let unknown = machine.setup.plan(None).await.unwrap_err();
        assert!(matches!(unknown, SetupError::NoLocation { .. }), "it could be anybody's: {unknown}");
        machine.setup.site = Some(machine.site.clone());
        let refused = machine.setup.plan(None).await.unwrap_err();
        assert!(matches!(refused, SetupError::NeedsPrepared { port } if port == old.port));
        let first = machine.shop.route.profiles().first().clone();
        let plan = machine.setup.plan(Some(&first)).await.unwrap();
        assert_eq!(plan.start, Some(Route::solo(first)));
        machine.setup.apply(&plan, true).await.unwrap();
        assert!(machine.who().await.starts_with("real1"));

        // nothing runs at this moment: where nginx leads, and back to the same
        let home = rig::home();
        let mut machine = Machine::start(&binary, home.path(), SITE, None).await;
        (machine.shop.first, machine.shop.second) = (None, None);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(machine.setup.plan(None).await.unwrap().start, Some(machine.second()));
        let profiles = machine.shop.route.profiles();
        let [first, second] = [profiles.first(), profiles.second()].map(|profile| profile.port().to_string());
        let led_to_the_first = machine.site().replace(&second, &first);
        std::fs::write(&machine.site, &led_to_the_first).unwrap();
        let plan = machine.setup.plan(None).await.unwrap();
        assert_eq!(plan.start, Some(Route::solo(profiles.first().clone())));
        machine.setup.apply(&plan, true).await.unwrap();
        machine.setup.apply(&machine.setup.plan_removal().await.unwrap(), true).await.unwrap();
        assert_eq!(machine.site(), led_to_the_first);

        // nothing goes to the app
        std::fs::write(&machine.site, "").unwrap();
        assert!(matches!(machine.setup.plan(None).await, Err(SetupError::NoLocation { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_up_over_one_that_serves_moves_nobody() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();
        let profiles = machine.shop.route.profiles();
        let (first, second) = (profiles.first(), profiles.second());
        let with = |path: &str, ports: [u16; 2]| {
            let [one, two] = [(first, ports[0]), (second, ports[1])]
                .map(|(profile, port)| Profile::new(profile.name().clone(), port).unwrap());
            let route = RouteDir::new(home.path().join(path), Profiles::new(one, two).unwrap()).unwrap();
            Setup { route, ..machine.setup.clone() }
        };
        let here = machine.shop.route.path().to_str().unwrap();
        let serves = second.port();

        // the same directory with another meaning: nginx would take it by its ports of before
        for ports in [[serves, first.port()], [first.port(), free_port()], [serves, free_port()]] {
            let setup = with(here, ports);
            let refused = setup.plan(None).await;
            assert!(matches!(refused, Err(SetupError::Ports { port }) if port == serves), "{ports:?}: {refused:?}");
            let removal = setup.plan_removal().await.unwrap();
            let plain = removal.edits.iter().find(|edit| edit.path == machine.site).unwrap();
            assert!(plain.after.as_ref().unwrap().contains(&format!(":{serves};")), "{plain:?}");
        }
        assert!(machine.who().await.starts_with("real2"));

        // another directory, in which a route of long ago leads to the other one
        for (path, ports) in [("a", [first.port(), serves]), ("b", [serves, first.port()])] {
            let setup = with(path, ports);
            setup.route.create().unwrap();
            let there = setup.route.profiles();
            setup
                .route
                .point(&Route::solo(there.both().into_iter().find(|p| p.port() != serves).unwrap().clone()))
                .unwrap();
            let plan = setup.plan(None).await.unwrap();
            assert_eq!(plan.start, there.on_port(serves).cloned().map(Route::solo));
            setup.apply(&plan, true).await.unwrap();
            assert!(machine.who().await.starts_with("real2"));
        }

        // nobody can say where it leads: an address that never answers
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let proof = |address: std::net::SocketAddr| {
            ProofLocation::new(&format!("http://{address}/"), &machine.shop.app, &Options::default()).unwrap()
        };
        let blind = Setup { proof: proof(silent.local_addr().unwrap()), ..with("c", [first.port(), serves]) };
        let refused = blind.plan(None).await;
        assert!(matches!(refused, Err(SetupError::Unseen(_))), "{refused:?}");
        // it leads nobody by that set-up: then it matters who was last, when both run
        let other = App::start("other").await;
        let elsewhere =
            Setup { proof: proof(([127, 0, 0, 1], other.port).into()), ..with("c", [first.port(), serves]) };
        let known = Setup { last: Ok(Some(first.clone())), ..elsewhere.clone() };
        assert_eq!(known.plan(None).await.unwrap().start, Some(Route::solo(first.clone())));
        let forgotten = Setup { last: Err("it is not safe".to_owned()), ..elsewhere };
        let refused = forgotten.plan(None).await;
        assert!(matches!(refused, Err(SetupError::Forgotten(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_own_settings_stay_and_are_not_said_twice() {
    let cases = [
        // (what is around and in the location, what the app sees as Host)
        ("", "location / { proxy_pass http://127.0.0.1:{app}; }", Ok("real2 Host: shop.example")),
        (
            "",
            "location / { proxy_set_header Host $server_name; proxy_pass http://127.0.0.1:{app}/; }",
            Ok("real2 Host: given"),
        ),
        ("proxy_set_header Host fixed;", "location / { proxy_pass http://127.0.0.1:{app}; }", Ok("real2 Host: fixed")),
        (
            "set $service_url http://127.0.0.1:{app};",
            "location / { proxy_pass $service_url; }",
            Ok("real2 Host: shop.example"),
        ),
        ("proxy_set_header X-A b;", "location / { proxy_pass http://127.0.0.1:{app}; }", Err("Host $http_host")),
        ("", "location /api/ { proxy_pass http://127.0.0.1:{app}/; }", Err("rewrite ^/api/(.*)$ /$1 break;")),
        ("open_file_cache max=9;", "location / { proxy_pass http://127.0.0.1:{app}; }", Err("open_file_cache off")),
        ("open_file_cache off;", "location / { proxy_pass http://127.0.0.1:{app}; }", Ok("real2 Host: shop.example")),
    ];
    for binary in binaries().into_iter().take(1) {
        for (around, location, wanted) in cases {
            let home = home();
            let site = format!("server {{ listen 127.0.0.1:{{port}}; server_name given; {around} {location} }}");
            let machine = Machine::start(&binary, home.path(), &site, None).await;
            let before = machine.site();
            match (machine.setup.plan(None).await, wanted) {
                (Ok(plan), Ok(wanted)) => {
                    assert_eq!(plan.unused, Vec::<PathBuf>::new());
                    machine.setup.apply(&plan, true).await.unwrap();
                    assert_eq!(machine.who().await, wanted, "{site}");
                    assert!(machine.setup.check().await.is_empty(), "{}", machine.site());
                    let inline = !machine.site().contains(".location.inc");
                    assert_eq!(machine.setup.location_file().exists(), !inline, "only where it is included");
                    machine.setup.apply(&machine.setup.plan_removal().await.unwrap(), true).await.unwrap();
                    assert!(machine.who().await.starts_with("real2"));
                    assert_eq!(machine.site(), before, "byte for byte: it leads to the active port as it is");
                }
                (Err(error), Err(wanted)) => assert!(error.to_string().contains(wanted), "{error}"),
                (plan, _) => panic!("{site}: {plan:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_keeps_what_the_owner_changed_meanwhile() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();
        let changed = machine.site().replace("return 204;", "return 205;");
        std::fs::write(&machine.site, changed).unwrap();
        machine.setup.apply(&machine.setup.plan_removal().await.unwrap(), true).await.unwrap();
        let site = machine.site();
        assert!(site.contains("return 205;") && !site.contains("bluegreen"), "{site}");
        assert!(machine.who().await.starts_with("real2"));
    }
}

/// Two apps share a server block, in a directory that nginx reads anyway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_app_in_the_same_server_block() {
    for binary in binaries() {
        let home = home();
        let other = Shop::start("other", home.path()).await;
        let include = format!("include {}/conf.d/*.conf;", home.path().display());
        let site = format!(
            "{include} server {{ listen 127.0.0.1:{{port}};
                location / {{ proxy_pass http://127.0.0.1:{{app}}; }}
                location /other {{ proxy_pass http://127.0.0.1:{}; }} }}",
            other.first.as_ref().unwrap().port
        );
        let machine = Machine::start(&binary, home.path(), &site, None).await;
        let main = std::fs::read_to_string(home.path().join("nginx.conf")).unwrap();
        // as on Debian: conf.d is read by the main file
        std::fs::write(home.path().join("nginx.conf"), main.replace("http {", &format!("http {{ {include}"))).unwrap();
        std::fs::write(&machine.site, machine.site().replace(&include, "")).unwrap();
        let second = Setup {
            app: other.app.clone(),
            route: other.route.clone(),
            proof: machine.nginx.proof(&other.app),
            ..machine.setup.clone()
        };
        for setup in [&machine.setup, &second] {
            let plan = setup.plan(None).await.unwrap();
            assert_eq!(paths(&plan).len(), 4, "three of ours and the site: {:?}", paths(&plan));
            setup.apply(&plan, true).await.unwrap();
        }
        assert!(machine.setup.check().await.is_empty() && second.check().await.is_empty());
        other.route.point(&Route::solo(other.route.profiles().second().clone())).unwrap();
        assert!(machine.who().await.starts_with("real2"));
        assert!(get(machine.nginx.address, "/other").await.unwrap().1.starts_with("real2"));

        // the first goes, the second stays, and says that a line is missing now
        machine.setup.apply(&machine.setup.plan_removal().await.unwrap(), true).await.unwrap();
        assert!(machine.who().await.starts_with("real2"));
        let repair = second.plan(None).await.unwrap();
        assert_eq!((paths(&repair), &repair.start), (vec!["other.server.inc".to_owned()], &None));
        assert!(second.apply(&repair, false).await.unwrap().reloaded);
        assert!(second.check().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snippet_that_was_put_in_by_hand_is_taken_as_it_is() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine =
            Machine::start(&binary, home.path(), "server { listen 127.0.0.1:{port}; return 404; }", None).await;
        let text = machine.shop.http().replace("{port}", &machine.nginx.address.port().to_string());
        std::fs::write(&machine.site, text).unwrap();
        let plan = machine.setup.plan(None).await.unwrap();
        assert_eq!((paths(&plan).len(), &plan.start), (0, &Some(machine.second())));
        assert!(machine.setup.apply(&plan, false).await.unwrap().reloaded);
        assert!(machine.who().await.starts_with("real2"));
        assert!(machine.setup.check().await.is_empty());
        assert!(
            matches!(machine.setup.plan_removal().await, Err(SetupError::ByHand { path }) if path.ends_with("sites/shop"))
        );
    }
}

fn is_applied(difference: &Difference) -> bool {
    difference.fix.as_ref().is_some_and(Repair::is_applied)
}
