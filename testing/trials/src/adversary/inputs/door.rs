//! B5, B6, B8: what users get.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Ended, Place, Who},
    shop::{PORTS, SITE, Shop},
};

pub(super) const AREA: Area = Area { point: "B5, B6, B8", what: "what users get", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::control("bake-silent", "the new release answers its health page, and users nothing", |at| {
        pages(at, "", "000", 13)
    }),
    Input::control("bake-502", "the same; 502", |at| pages(at, "", "502", 13)),
    Input::control("bake-504", "the same; 504", |at| pages(at, "", "504", 13)),
    Input::fault("bake-later", "the same; it begins in the bake", |at| later(at, "000", "never")).quick(),
    Input::fault("bake-later-502", "the same; 502", |at| later(at, "502", "never")),
    Input::fault("bake-half", "the same; every other request is lost", |at| later(at, "half", "never")),
    Input::fault("bake-sick-before", "the page was sick before: it is no reason to go back", |at| {
        pages(at, "502", "502", 0)
    }),
    Input::fault("bake-failover", "the same, and the standby answers in its place", |at| later(at, "000", "bake")),
    Input::control("bake-cure", "the page was sick before, the new release cures it", |at| pages(at, "502", "200", 0)),
    Input::control("bake-429", "nginx itself refuses most of what is asked (429): no reason to go back", |at| {
        limited(at, "429", "1r/s")
    }),
    Input::control("bake-503", "the same, with nginx's own 503", |at| limited(at, "503", "1r/s")),
    Input::fault("limit-users", "our probes eat what users may ask (limit_req)", users),
    Input::fault("limit-check", "`check` names the limit, its file and line", limit_check),
    Input::fault("door-redirect", "the front door redirects: a deploy", |at| {
        door(at, "return 301 http://elsewhere.example/;")
    }),
    Input::fault("door-cached", "the front door keeps its page (proxy_cache): a deploy goes through", cached),
    Input::fault(
        "door-of-mallory",
        "mallory listens where the front door is dialled, and asks nginx: `status`, a deploy",
        hers,
    ),
    Input::fault("door-password", "the front door wants a password: a deploy", |at| door(at, "return 401;")),
    Input::fault("door-other-page", "the front door is another site: a deploy", |at| door(at, "return 200 parked;")),
    Input::fault("door-forbidden", "the front door says 403: a deploy", |at| door(at, "return 403;")),
    Input::control("door-check", "the front door redirects: `check` says 3", |at| {
        let shop = behind(at, "return 301 http://elsewhere.example/;");
        let ended = shop.bg("check");
        Verdict::fell_if(ended.code != 3, ended.brief())
    }),
    Input::fault("door-plan", "the same; `plan` says so", |at| {
        let shop = behind(at, "return 301 http://elsewhere.example/;");
        let ended = shop.bg(&format!("plan {}", shop.artifact("v2")));
        Verdict::fell_if(!ended.has("redirect") && !ended.has("301"), ended.brief())
    }),
    Input::control("door-dead", "nobody serves behind the front door: a deploy is the cure", |at| {
        let shop = Shop::marker(at);
        shop.deployed(&["v1"]);
        shop.kill(shop.active());
        let ended = shop.deploy("v2");
        Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v2"), ended.brief())
    }),
];

/// An app of which each page answers as it is told; users get `/page`.
fn release(shop: &mut Shop<'_>, version: &str, page: &str) {
    let page = if page.is_empty() { String::new() } else { format!("/page={page}") };
    let words =
        ["/usr/local/bin/trials", "adversary", "--act", "app", "127.0.0.1:{port}", "{profile}", &page, "/v=VERSION"];
    let words: Vec<toml::Value> =
        words.iter().filter(|w| !w.is_empty()).map(|w| w.replace("VERSION", version).into()).collect();
    shop.set("start.command", words);
}

fn shop(at: &Place) -> Shop<'_> {
    let mut shop = Shop::marker(at);
    shop.set("proxy.nginx.url", "http://127.0.0.1/page");
    shop.set("after_switch.bake", "2s");
    shop
}

fn pages(at: &Place, before: &str, after: &str, code: i32) -> Verdict {
    let mut shop = shop(at);
    release(&mut shop, "1", "");
    let first = shop.bg("deploy --version v1");
    assert_eq!(first.code, 0, "{}", first.text);
    if !before.is_empty() {
        sicken(&shop, before);
    }
    release(&mut shop, "3", after);
    let ended = shop.bg("deploy --version v3");
    Verdict::fell_if(ended.code != code, ended.brief())
}

/// The page of the active release says this from now on.
fn sicken(shop: &Shop<'_>, status: &str) {
    let port = PORTS[shop.active()];
    shop.at.must(Who::Deploy, &format!("echo {status} > /tmp/sick.{port}"));
}

fn later(at: &Place, status: &str, failover: &str) -> Verdict {
    let mut shop = shop(at);
    release(&mut shop, "1", "");
    assert_eq!(shop.bg("deploy --version v1").code, 0);
    shop.set("after_switch.bake", "4s");
    shop.set("after_switch.failover", failover);
    release(&mut shop, "2", "");
    let mut deploy = at.leave(Who::Deploy, "bluegreen --app shop deploy --version v2 > /tmp/deploy 2>&1");
    at.wait("the bake", || at.read("/tmp/deploy").contains("switch "));
    sicken(&shop, status);
    let code = deploy.wait().unwrap().code().unwrap_or(-1);
    let last = at.read("/tmp/deploy").lines().next_back().unwrap_or_default().trim().to_owned();
    Verdict::fell_if(code != 13, format!("exit {code}: {last}"))
}

const ZONE: &str = "limit_req_zone $binary_remote_addr zone=z:1m rate=RATE; limit_req_status STATUS;";

fn limit(shop: &Shop<'_>, status: &str, rate: &str) {
    let at = shop.at;
    let text = at.read(SITE);
    let zone = ZONE.replace("RATE", rate).replace("STATUS", status);
    let text =
        format!("{zone}\n{}", text.replacen("location / {", "location / {\n    limit_req zone=z burst=4 nodelay;", 1));
    at.write(Who::Root, 0o644, SITE, &text);
    shop.take();
}

fn limited(at: &Place, status: &str, rate: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    shop.set("after_switch.bake", "1s");
    limit(&shop, status, rate);
    let ended = shop.deploy("v2");
    Verdict::fell_if(ended.code != 0, ended.brief())
}

/// A user who asks eight times a second, where ten are allowed.
fn users(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    shop.set("after_switch.bake", "3s");
    limit(&shop, "429", "10r/s");
    let asks = "for i in $(seq 28); do curl -so /dev/null -w '%{http_code}\\n' http://127.0.0.1/; sleep 0.125; done";
    let refused = |text: &str| text.matches("429").count();
    let before = at.run(Who::Mallory, asks);
    let artifact = shop.artifact("v2");
    let mut deploy = at.leave(Who::Deploy, &format!("bluegreen --app shop deploy {artifact}"));
    let during = at.run(Who::Mallory, asks);
    let code = deploy.wait().unwrap().code().unwrap_or(-1);
    let (before, during) = (refused(&before.out), refused(&during.out));
    Verdict::fell_if(
        during > 2 || code != 0,
        format!("of 28 users {before} were refused before, {during} in a deploy; exit {code}"),
    )
}

fn limit_check(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    limit(&shop, "429", "10r/s");
    let ended: Ended = shop.root("check");
    Verdict::fell_if(!ended.has("limit_req") || !ended.has("shop.conf:"), ended.brief())
}

/// A release serves, and the page of the front door is this.
fn behind<'a>(at: &'a Place, page: &str) -> Shop<'a> {
    behind_with(at, "", page)
}

/// The same, and a line for the http level.
fn behind_with<'a>(at: &'a Place, http: &str, page: &str) -> Shop<'a> {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let site = SITE;
    let text = at.read(site).replacen("location / {", &format!("location = /profile {{ {page} }}\n  location / {{"), 1);
    at.write(Who::Root, 0o644, site, &format!("{http}\n{text}"));
    shop.take();
    shop
}

fn door(at: &Place, page: &str) -> Verdict {
    let shop = behind(at, page);
    let pid = shop.pid(shop.active());
    let ended = shop.deploy("v2");
    let same = shop.front().starts_with("v1") && shop.pid(shop.active()) == pid;
    Verdict::fell_if(ended.code != 3 || !same, ended.brief())
}

/// The page of whoever was asked first, whatever serves now.
fn cached(at: &Place) -> Verdict {
    let page = "proxy_cache c; proxy_cache_key $uri; proxy_cache_valid 200 1h; include bluegreen/shop.location.inc;";
    let shop = behind_with(at, "proxy_cache_path /var/cache/shop keys_zone=c:1m;", page);
    at.must(Who::Mallory, "curl -sf http://127.0.0.1/profile");
    let ended = shop.deploy("v2");
    Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v2"), ended.brief())
}

/// nginx is on the address of the world, and she on the one that is dialled here: what she answers proves nothing.
fn hers(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Root, &format!("sed -i 's,listen 80;,listen 127.0.0.9:8080;,' {SITE}"));
    shop.take();
    let temp: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|t| format!("{t}_temp_path n/{t};")).concat();
    let text = format!(
        "pid n/pid; events {{}} http {{ access_log off; {temp} server {{ listen 127.0.0.1:8080; \
         location = / {{ return 200 hers; }} location / {{ proxy_pass http://127.0.0.9:8080; }} }} }}\n"
    );
    at.write(Who::Mallory, 0o644, "/home/mallory/n.conf", &text);
    at.must(Who::Mallory, "mkdir n && nginx -e n/e -p /home/mallory -c n.conf");
    shop.set("proxy.nginx.url", "http://127.0.0.1:8080/profile");
    let (asked, ended) = (shop.bg("status"), shop.deploy("v2"));
    let fell = asked.code == 0 || ended.code == 0;
    Verdict::fell_if(fell, format!("status: {}; deploy: {}", asked.brief(), ended.brief()))
}
