//! What differs from the set-up, on real nginx: each thing once, with its place and its fix.

mod rig;

use std::os::unix::fs::PermissionsExt;

use bluegreen_core::{Profile, ProfileResolver};
use bluegreen_nginx::setup::{Difference, Repair, SetupError};
use rig::{Machine, SITE, binaries, home, is_root};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_what_differs() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let site = "server {\n listen 127.0.0.1:{port};\n location / {\n proxy_pass http://127.0.0.1:{app};\n }\n}\n";
        let machine = Machine::start(&binary, home.path(), site, None).await;
        let plan = machine.setup.plan(None).await.unwrap();
        machine.setup.apply(&plan, true).await.unwrap();
        let seen = async |part: &str| {
            let found = machine.setup.check().await;
            let line = |d: &Difference| format!("{}: {}", d.place.as_deref().unwrap_or_default(), d.what);
            assert!(found.iter().any(|d| line(d).contains(part)), "{part}: {found:?}");
            assert!(!found.iter().any(|d| d.what.contains("bluegreen setup")), "the fix says what to do: {found:?}");
            let text = format!("{found:?}");
            assert!(
                !text.contains("sudo nginx -t") && !text.contains("sudo nginx -s"),
                "another nginx is meant: {text}"
            );
            found
        };
        std::fs::write(machine.setup.location_file(), "").unwrap();
        seen("my-shop.location.inc has another text").await;
        let site = machine.site();
        std::fs::write(&machine.site, site.replacen("server {", "server { rewrite ^/old /new;", 1)).unwrap();
        seen("1: `rewrite` stands before").await;
        let bypass = format!("location /b {{ proxy_pass http://127.0.0.1:{}; }}", machine.second().active.port());
        std::fs::write(&machine.site, site.replacen("location", &format!("{bypass} location"), 1)).unwrap();
        let port = machine.second().active.port();
        let found = seen(&format!("`proxy_pass http://127.0.0.1:{port}` does not follow the route")).await;
        let applied = found.iter().filter(|d| d.fix.as_ref().is_some_and(Repair::is_applied)).count();
        assert_eq!(applied, 2, "the pass and the location file");
        let other = machine.shop.route.profiles().first().port();
        let both = format!("{bypass} location /c {{ proxy_pass http://127.0.0.1:{other}/x; }}");
        std::fs::write(&machine.site, site.replacen("location", &format!("{both} location"), 1)).unwrap();
        seen(&format!("`proxy_pass http://127.0.0.1:{port}` does not follow the route")).await;
        let found = seen(&format!("`proxy_pass http://127.0.0.1:{other}/x` does not follow the route")).await;
        let first = |d: &Difference| matches!(&d.fix, Some(Repair::First(what)) if what.contains("write `rewrite ^/c(.*)$ /x$1 break;` before it"));
        assert!(found.iter().any(first), "{found:?}");
        let wrong = site.replace("location.inc;", "location.inc; proxy_pass http://$my_shop_upstream/x;");
        std::fs::write(&machine.site, &wrong).unwrap();
        let line = 1 + wrong.lines().position(|line| line.contains("_upstream/x")).unwrap();
        seen(&format!("{line}: `proxy_pass http://$my_shop_upstream/x` has a path behind the variable")).await;
        let include = format!("include {};", machine.setup.server_file().display());
        std::fs::write(
            &machine.site,
            site.replace(&include, "").replace("location / {", &format!("location / {{ {include}")),
        )
        .unwrap();
        seen("stands outside of a server block, or inside a location").await;
        assert_eq!(machine.setup.check().await.len(), 1, "and the location is the app's all the same");
        let nowhere = "server { return 404; }";
        std::fs::write(&machine.site, nowhere).unwrap();
        let found = seen("no location of nginx goes to this app").await;
        let first = machine.shop.route.profiles().first().port();
        let names = |d: &Difference| matches!(d.fix, Some(Repair::Against(SetupError::NoLocation { port, .. })) if port == first);
        assert!(found.iter().any(names), "{found:?}");
        std::fs::write(&machine.site, "server {").unwrap();
        seen("sites/shop").await;
        std::fs::remove_file(machine.shop.route.path().join("real1/solo")).unwrap();
        seen("lacks a marker file").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refusal_of_nginx_is_one_difference() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();
        let main = machine.nginx.prefix.join("nginx.conf");
        let text = std::fs::read_to_string(&main).unwrap();
        // what we can read all the same, and what we cannot
        for broken in ["nonsense on;", "nonsense"] {
            std::fs::write(&main, format!("{text}\n{broken}\n")).unwrap();
            let found = machine.setup.check().await;
            assert!(found.len() == 1 && found[0].what.contains("[emerg]"), "{found:?}");
            assert!(matches!(&found[0].fix, Some(Repair::Do(command)) if command.ends_with(" -t")), "{found:?}");
            assert!(machine.setup.differences().await.is_empty(), "the doctor asks nginx itself");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_directory_is_one_difference() {
    if !is_root() {
        eprintln!("SKIPPED: only root's nginx has workers of another user");
        return;
    }
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        machine.setup.apply(&machine.setup.plan(None).await.unwrap(), true).await.unwrap();
        let mode = |mode| std::fs::set_permissions(machine.shop.route.path(), PermissionsExt::from_mode(mode)).unwrap();
        mode(0o700);
        assert!(machine.shop.resolver(&machine.nginx).resolve().await.is_err(), "nginx reads another route");
        let found = machine.setup.check().await;
        assert!(found.len() == 1 && found[0].what.contains("nginx's workers cannot enter"), "{found:?}");
        mode(0o755);
        assert!(machine.setup.check().await.is_empty());
    }
}

/// The article's include file has no use any more: it stays, and is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_include_file_that_nothing_uses_any_more_is_named() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let include = home.path().canonicalize().unwrap().join("service-url.inc");
        let site = format!(
            "server {{ listen 127.0.0.1:{{port}};\ninclude {};\nlocation / {{ proxy_pass $service_url; }} }}",
            include.display()
        );
        let lead_to = |port| std::fs::write(&include, format!("set $service_url http://127.0.0.1:{port};\n")).unwrap();
        lead_to(9);
        let machine = Machine::start(&binary, home.path(), &site, None).await;
        lead_to(machine.second().active.port());
        let plan = machine.setup.plan(None).await.unwrap();
        assert_eq!(plan.unused, std::slice::from_ref(&include));
        machine.setup.apply(&plan, true).await.unwrap();
        assert!(include.exists());
        assert!(machine.setup.check().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_nginx_that_leads_to_both_profiles_is_asked_for_the_one_that_serves() {
    for binary in binaries().into_iter().take(1) {
        let home = home();
        let machine = Machine::start(&binary, home.path(), SITE, None).await;
        let [a, b] = machine.shop.route.profiles().both().map(Profile::port);
        let listen = format!("listen {};", machine.nginx.address);
        let pass = |port: u16| format!("proxy_pass http://127.0.0.1:{port};");
        let two = format!("server {{ {listen}\nlocation / {{ {} }}\nlocation /b {{ {} }} }}", pass(a), pass(b));
        std::fs::write(&machine.site, two).unwrap();
        let error = machine.setup.plan(None).await.unwrap_err();
        assert!(matches!(&error, SetupError::BothProfiles(at) if at[0].line == 2 && at[1].line == 3), "{error}");
        let members = format!("server 127.0.0.1:{a}; server 127.0.0.1:{b} backup;");
        let group =
            format!("upstream app {{ {members} }}\nserver {{ {listen} location / {{ proxy_pass http://app/; }} }}");
        std::fs::write(&machine.site, group).unwrap();
        let error = machine.setup.plan(None).await.unwrap_err();
        assert!(matches!(&error, SetupError::Location { line: 2, reason, .. } if reason.contains(&pass(a))), "{error}");
    }
}
