//! Marker mode on real nginx.

mod rig;

use std::{
    io::{Read as _, Write as _},
    net::UdpSocket,
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use bluegreen_core::{Blind, ProfileResolver, ProxySwitcher, testing::conformance};
use bluegreen_http::Options;
use bluegreen_nginx::{MarkerResolver, MarkerSwitcher, ProofLocation};
use rig::{Load, Nginx, Shop, binaries, get, home, is_root, open_request};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contracts_of_the_traits() {
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        let nginx = Nginx::start(&binary, home.path(), &shop.http()).await;
        let (resolver, switcher) = (shop.resolver(&nginx), MarkerSwitcher::new(shop.route.clone()));
        let by_hand = async |route: &_| shop.lead_to(route);
        conformance::resolver(&resolver, &switcher, &shop.routes(), by_hand).await;
        let request = async || open_request(nginx.address, shop.first.as_ref().unwrap()).await;
        conformance::switcher(&switcher, &resolver, &shop.routes(), request).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_in_one_server_block_are_told_apart() {
    for binary in binaries() {
        let home = home();
        let shops = [
            Shop::start("my-shop", home.path()).await,
            // the longest name: nginx's hash of variables must take it
            Shop::start("a-name-of-thirty-two-characters-", home.path()).await,
            // the beginning of nginx's own variables
            Shop::start("http", home.path()).await,
            Shop::start("arg", home.path()).await,
        ];
        let mut http = String::new();
        let mut server = "listen 127.0.0.1:{port};".to_owned();
        for (shop, first) in shops.iter().zip([true, false, false, false]) {
            let snippet = shop.snippet();
            http += &snippet.http();
            server = snippet.server(first) + &server;
            server = format!("{server} location /{}/ {{ {} }}\n", shop.app, snippet.location());
        }
        let nginx = Nginx::start(&binary, home.path(), &format!("{http}server {{ {server} }}")).await;
        for turn in 0..4 {
            let wanted = [0, 1, 2, 3].map(|i| shops[i].routes()[(turn + i) % 4].clone());
            for (shop, route) in shops.iter().zip(&wanted) {
                MarkerSwitcher::new(shop.route.clone()).switch_to(route).await.unwrap();
            }
            for (shop, route) in shops.iter().zip(wanted) {
                assert_eq!(shop.resolver(&nginx).resolve().await.unwrap(), route.clone().into());
                let (status, body) = get(nginx.address, &format!("/{}/", shop.app)).await.unwrap();
                assert_eq!((status, body), (200, format!("{} Host: shop.example", route.active)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renames_through_all_routes_under_load_lose_nothing() {
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        shop.route.point(&shop.routes()[0]).unwrap();
        let nginx = Nginx::start(&binary, home.path(), &shop.http()).await;
        let load = Load::start(nginx.address, 20);
        let switcher = MarkerSwitcher::new(shop.route.clone());
        for route in shop.routes().iter().cycle().take(300) {
            switcher.switch_to(route).await.unwrap();
            let (_, body) = get(nginx.address, "/").await.unwrap();
            assert!(body.starts_with(route.active.name().as_str()), "the first request after the switch: {body}");
        }
        let (sent, lost) = load.stop().await;
        assert_eq!(lost, 0, "of {sent}");
        assert!(sent > 300, "no load to speak of: {sent}");
        // nginx lets go of the profile by itself
        let left = shop.routes()[2].active.clone();
        switcher.switch_to(&shop.routes()[0]).await.unwrap();
        assert_eq!(switcher.drain(&left, Duration::from_secs(60)).await, Ok(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_answers_for_a_dead_active_and_a_lost_route_means_the_first() {
    for binary in binaries() {
        let home = home();
        let mut shop = Shop::start("my-shop", home.path()).await;
        let [_, first_with_standby, second_solo, second_with_standby] = shop.routes();
        let nginx = Nginx::start(&binary, home.path(), &shop.http()).await;

        // nothing there yet: the first, the other as failover; both read it so
        assert_eq!(shop.resolver(&nginx).resolve().await.unwrap(), first_with_standby.clone().into());
        shop.route.point(&second_solo).unwrap();
        assert_eq!(get(nginx.address, "/").await.unwrap().1.split(' ').next(), Some("real2"));
        std::fs::remove_file(shop.route.path().join("live")).unwrap();
        assert_eq!(get(nginx.address, "/").await.unwrap().1.split(' ').next(), Some("real1"));
        assert_eq!(shop.resolver(&nginx).resolve().await.unwrap(), first_with_standby.clone().into());

        shop.route.point(&second_with_standby).unwrap();
        let gone = shop.second.take().unwrap().port;
        while TcpStream::connect(("127.0.0.1", gone)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..20 {
            assert_eq!(get(nginx.address, "/").await.unwrap().1.split(' ').next(), Some("real1"));
        }
        shop.route.point(&second_solo).unwrap();
        assert_eq!(get(nginx.address, "/").await.unwrap().0, 502);
        // the flip heals at once: no ban is left behind
        shop.route.point(&first_with_standby).unwrap();
        assert_eq!(get(nginx.address, "/").await.unwrap().0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_cannot_see_the_route_are_found_out() {
    if !is_root() {
        eprintln!("SKIPPED: not root, so nginx's workers are no other user");
        return;
    }
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        shop.route.point(&shop.routes()[2]).unwrap();
        let nginx = Nginx::start(&binary, home.path(), &shop.http()).await;
        assert_eq!(shop.resolver(&nginx).resolve().await.unwrap(), shop.routes()[2].clone().into());
        let parent = shop.route.path().parent().unwrap();
        std::fs::set_permissions(parent, PermissionsExt::from_mode(0o700)).unwrap();
        let error = shop.resolver(&nginx).resolve().await.unwrap_err();
        assert!(matches!(&error, Blind::Route(text) if text.contains("cannot enter")), "{error}");
        let error = bluegreen_nginx::check_place(shop.route.path(), 0, true).unwrap_err();
        assert!(error.to_string().ends_with(&format!("chmod o+x {}", parent.display())), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_of_file_tests_is_found_out() {
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        shop.route.point(&shop.routes()[0]).unwrap();
        let http = shop.http().replace("open_file_cache off", "open_file_cache max=100; open_file_cache_errors on");
        let nginx = Nginx::start_small(&binary, home.path(), &http).await;
        // its worker gets to know the old route
        get(nginx.address, "/").await.unwrap();
        shop.route.point(&shop.routes()[2]).unwrap();
        assert!(matches!(shop.resolver(&nginx).resolve().await, Err(Blind::Route(_))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_is_for_this_machine_only() {
    // names the address that packets would leave from; sends none
    let own = UdpSocket::bind("0.0.0.0:0").and_then(|s| s.connect("192.0.2.1:9").and_then(|()| s.local_addr()));
    let Ok(own) = own else {
        eprintln!("SKIPPED: no address but loopback");
        return;
    };
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        let nginx = Nginx::start(&binary, home.path(), &shop.http().replace("127.0.0.1:{port}", "{port}")).await;
        let path = "/.well-known/bluegreen/my-shop";
        assert_eq!(get(nginx.address, path).await.unwrap().0, 200);
        let outside = (own.ip(), nginx.address.port()).into();
        assert_eq!(get(outside, path).await.unwrap().0, 404);
        assert_eq!(get(outside, "/").await.unwrap().0, 200);
    }
}

/// The name and the certificate from the URL, the address from `connect`.
/// Behind a TLS proxy or a tunnel of the same machine everybody is a local client: so it tells nothing but this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_tells_names_two_ports_and_the_route_and_nothing_else() {
    const HEADERS: [&str; 6] = ["server", "date", "content-type", "content-length", "connection", "cache-control"];
    for binary in binaries() {
        let home = home();
        let shop = Shop::start("my-shop", home.path()).await;
        shop.route.point(&shop.routes()[0]).unwrap();
        let nginx = Nginx::start(&binary, home.path(), &shop.http()).await;
        let ask = |path: String| {
            let mut stream = std::net::TcpStream::connect(nginx.address).unwrap();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        // what somebody adds to the question is not in the answer
        for path in ["/.well-known/bluegreen/my-shop", "/.well-known/bluegreen/my-shop?x=$hostname"] {
            let answer = ask(path.to_owned());
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let [first, second] = shop.route.profiles().both().map(bluegreen_core::Profile::port);
            assert_eq!(body, format!("bluegreen 1 my-shop real1={first} real2={second} my-shop.real1.solo\n"));
            for line in head.lines().skip(1) {
                let name = line.split(':').next().unwrap().to_lowercase();
                assert!(HEADERS.contains(&name.as_str()), "{line}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_is_asked_for_over_https() {
    for binary in binaries() {
        let home = home();
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["shop.example".into()]).unwrap();
        let [cert_file, key_file] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
        std::fs::write(&cert_file, cert.pem()).unwrap();
        std::fs::write(&key_file, signing_key.serialize_pem()).unwrap();
        let shop = Shop::start("my-shop", home.path()).await;
        let tls = format!(
            "listen 127.0.0.1:{{port}} ssl; ssl_certificate {}; ssl_certificate_key {};",
            cert_file.display(),
            key_file.display()
        );
        let nginx = Nginx::start(&binary, home.path(), &shop.http().replace("listen 127.0.0.1:{port};", &tls)).await;
        let resolve = async |ca_file| {
            let options = Options { connect: Some(nginx.address), ca_file, ..Options::default() };
            let proof = ProofLocation::new("https://shop.example/", &shop.app, &options).unwrap();
            MarkerResolver::new(shop.app.clone(), shop.route.clone(), proof).resolve().await
        };
        for route in shop.routes() {
            shop.route.point(&route).unwrap();
            assert_eq!(resolve(Some(cert_file.clone())).await, Ok(route.into()));
        }
        let error = resolve(None).await.unwrap_err();
        assert!(matches!(&error, Blind::Route(text) if text.contains("certificate")), "{error}");
    }
}
