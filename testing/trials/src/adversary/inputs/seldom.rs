//! A5, A6, A9: machines that are seldom, and are somebody's.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{PORTS, SITE, Shop},
};

pub(super) const AREA: Area = Area { point: "A5, A6, A9", what: "machines that are seldom", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::control("hidden-life", "/proc with hidepid=2: deploys, a crash, `recover`, a reboot, `up`", hidden_life),
    Input::control("hidden-reload", "the same in reload mode: what cannot be seen is said, nothing is touched", |at| {
        let shop = Shop::reload(at);
        shop.deployed(&["v1"]);
        hide(at);
        let ended = shop.deploy("v2");
        Verdict::fell_if(ended.code != 3 || !shop.front().starts_with("v1"), ended.brief())
    }),
    Input::fault("led-idle", "the firewall leads the idle port to a program of mallory's: a deploy", led_idle).quick(),
    Input::fault("led-active", "the same, the active port: `recover` goes to the warm release", led_active),
    Input::fault("led-door", "the firewall leads port 80 to nginx, which listens on 8080: set-up, a deploy", led_door)
        .quick(),
    Input::control("activated", "an app that is started by each connection (socket activation)", activated),
    Input::control("sudo-hook", "sudo's ticket is bound to the terminal: a hook has it", |at| {
        ticket(at, Shop::marker, |shop| shop.set_words("hooks.before_switch", ["sudo", "-n", "true"]))
    })
    .quick(),
    Input::control("sudo-reload", "the same: reload mode has it", |at| {
        ticket(at, Shop::reload, |shop| {
            shop.set_words("proxy.nginx.test", ["sudo", "-n", "nginx", "-t"]);
            shop.set_words("proxy.nginx.reload", ["sudo", "-n", "nginx", "-s", "reload"]);
        })
    }),
    Input::control(
        "proof-proxied",
        "the proof location behind a TLS proxy of the same host: what the world is told",
        proof,
    )
    .quick(),
];

fn hide(at: &Place) {
    at.must(Who::Root, "mount -o remount,hidepid=2 /proc");
}

fn hidden_life(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    hide(at);
    shop.deployed(&["v1", "v2", "v3"]);
    shop.kill(shop.active());
    let recovered = shop.bg("recover");
    let after = shop.front();
    shop.reboot();
    let up = shop.bg("up");
    let front = shop.front();
    let fell = !after.starts_with('v') || !front.starts_with('v');
    let seen = format!("recover: {}, then {after:?}; up: {}, then {front:?}", recovered.brief(), up.brief());
    Verdict::fell_if(fell, seen)
}

/// From one port of this machine to another.
fn lead(at: &Place, from: u16, to: u16) -> bool {
    let hook = |name: &str, hook: &str| {
        format!(
            "add chain ip lead {name} {{ type nat hook {hook} priority -100; }}; \
             add rule ip lead {name} tcp dport {from} redirect to :{to}"
        )
    };
    let rules = format!("add table ip lead; {}; {}", hook("near", "output"), hook("far", "prerouting"));
    at.run(Who::Root, &format!("nft '{rules}'")).code == 0
}

const NO_FIREWALL: &str = "there is no nft, or none that may";

fn led_idle(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    // it says what the health page of the new release would say
    shop.squats(Who::Mallory, "127.0.0.1:9000", "hers.real1.real2");
    if !lead(at, shop.idle_port(), 9000) {
        return Verdict::Skipped(NO_FIREWALL.to_owned());
    }
    let ended = shop.deploy("v2");
    let front = shop.front();
    let fell = ended.code == 0 || !front.starts_with("v1");
    Verdict::fell_if(fell, format!("users get {front:?}; {}", ended.brief()))
}

fn led_active(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    shop.squats(Who::Mallory, "127.0.0.1:9000", "hers");
    if !lead(at, PORTS[shop.active()], 9000) {
        return Verdict::Skipped(NO_FIREWALL.to_owned());
    }
    let ended = shop.bg("recover");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with("v1"), format!("users get {front:?}; {}", ended.brief()))
}

fn led_door(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, &format!("sed -i 's,listen 80;,listen 8080;,' {SITE} && nginx"));
    if !lead(at, 80, 8080) {
        return Verdict::Skipped(NO_FIREWALL.to_owned());
    }
    let ended = shop.root("--yes setup --apply");
    let deployed = shop.deploy("v1");
    let fell = ended.code != 0 || deployed.code != 0 || !shop.front().starts_with("v1");
    Verdict::fell_if(fell, format!("set-up: {}; deploy: {}", ended.brief(), deployed.brief()))
}

/// Who listens is one program, who answers another that it starts.
const ANSWERS: &str = r#"#!/bin/bash
while read -r line && [ "$line" != $'\r' ]; do :; done
text="$1 of $2"
printf 'HTTP/1.1 200 OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s\n' $((${#text} + 1)) "$text"
"#;

fn activated(at: &Place) -> Verdict {
    if at.run(Who::Root, "systemd-socket-activate --version").code != 0 {
        return Verdict::Skipped("there is no systemd-socket-activate".to_owned());
    }
    let mut shop = Shop::marker(at);
    at.write(Who::Deploy, 0o755, "/home/deploy/answers", ANSWERS);
    let listens = ["systemd-socket-activate", "-l", "127.0.0.1:{port}", "--accept", "--inetd"];
    shop.set_words("start.command", listens.into_iter().chain(["/home/deploy/answers", "{profile}", "{version}"]));
    let codes = ["v1", "v2", "v3"].map(|version| shop.deploy(version).code);
    let ended = shop.bg("rollback");
    let front = shop.front();
    let fell = codes != [0; 3] || ended.code != 0 || !front.ends_with("v2");
    Verdict::fell_if(fell, format!("exits {codes:?}; users get {front:?}; {}", ended.brief()))
}

/// Whoever has typed a password at this terminal need not do so again at it, and at no other.
fn ticket<'a>(at: &'a Place, shop: impl FnOnce(&'a Place) -> Shop<'a>, with: impl FnOnce(&mut Shop<'_>)) -> Verdict {
    if at.run(Who::Root, "sudo -V").code != 0 {
        return Verdict::Skipped("there is no sudo".to_owned());
    }
    let mut shop = shop(at);
    let rules = "Defaults timestamp_type=tty\\ndeploy ALL=(ALL) ALL\\n";
    at.must(Who::Root, &format!("printf '{rules}' > /etc/sudoers.d/deploy && echo deploy:secret | chpasswd"));
    with(&mut shop);
    let artifact = shop.artifact("v1");
    let none = at.run(Who::Deploy, "script -qec 'sudo -n true' /dev/null");
    assert_ne!(none.code, 0, "a ticket without a password");
    let typed = format!("sudo -S -v <<< secret && sudo -n true && bluegreen --app shop deploy {artifact}");
    let ended = at.run(Who::Deploy, &format!("script -qec \"bash -c '{typed}'\" /dev/null"));
    let front = shop.front();
    Verdict::fell_if(ended.code != 0 || !front.starts_with("v1"), format!("users get {front:?}; {}", ended.brief()))
}

/// What is no secret: the app, which one must know to ask, the two profiles with their ports, which is active, and that it is alone.
const HARMLESS: [&str; 9] = ["bluegreen", "1", "2", "shop", "real1", "real2", "8081", "8082", "solo"];

fn proof(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    at.must(
        Who::Root,
        "ip addr add 192.0.2.1/32 dev lo; cd /tmp && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 1 \
         -subj /CN=shop 2> /dev/null",
    );
    let text = "events {} pid /run/tls.pid; http { access_log off; server { listen 192.0.2.1:443 ssl; \
                ssl_certificate /tmp/c; ssl_certificate_key /tmp/k; location / { proxy_pass http://127.0.0.1:80; } } }";
    at.write(Who::Root, 0o600, "/etc/nginx/tls.conf", text);
    at.must(Who::Root, "nginx -c /etc/nginx/tls.conf");
    let ask = |url: &str| {
        let path = "/.well-known/bluegreen/shop";
        at.run(Who::Mallory, &format!("curl -sk --interface 192.0.2.1 -w ' %{{http_code}}' {url}{path}")).out
    };
    let (direct, proxied) = (ask("http://192.0.2.1"), ask("https://192.0.2.1"));
    let told: Vec<&str> = proxied.trim_end_matches(" 200").split(|c: char| !c.is_alphanumeric()).collect();
    let more: Vec<&&str> = told.iter().filter(|word| !word.is_empty() && !HARMLESS.contains(word)).collect();
    let fell = direct.ends_with(" 200") || !more.is_empty();
    Verdict::fell_if(fell, format!("directly {direct:?}; by the proxy {proxied:?}; beyond what is no secret: {more:?}"))
}
