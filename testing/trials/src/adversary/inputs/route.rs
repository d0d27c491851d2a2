//! B3: reload mode, and where it leads.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{INCLUDE, PORTS, Shop},
};

pub(super) const AREA: Area = Area { point: "B3", what: "reload mode, and where it leads", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("groups", "`upstream blue`, `set $service_url blue;`, `proxy_pass http://$service_url;`", |at| {
        leads(at, GROUPS, "set $service_url GROUP;", "proxy_pass http://$service_url;")
    })
    .quick(),
    Input::fault("groups-url", "the same, `set $service_url http://blue;`", |at| {
        leads(at, GROUPS, "set $service_url http://GROUP;", "proxy_pass $service_url;")
    }),
    Input::fault("groups-include", "the groups are in a file that is included", |at| {
        at.write(Who::Root, 0o644, "/etc/nginx/groups.inc", GROUPS);
        leads(at, "include /etc/nginx/groups.inc;", "set $service_url GROUP;", "proxy_pass http://$service_url;")
    }),
    Input::fault("address-bare", "`set $service_url 127.0.0.1:8081;`, `proxy_pass http://$service_url;`", |at| {
        leads(at, "", "set $service_url 127.0.0.1:PORT;", "proxy_pass http://$service_url;")
    })
    .quick(),
    Input::fault("port-only", "`set $service_url 8081;`, `proxy_pass http://127.0.0.1:$service_url;`", |at| {
        leads(at, "", "set $service_url PORT;", "proxy_pass http://127.0.0.1:$service_url;")
    }),
    Input::fault("groups-quoted", "the same, quoted, and the group by the name of the host", |at| {
        let groups = GROUPS.replace("127.0.0.1", "localhost").replace("};", "weight=5; }");
        leads(at, &groups, "set $service_url \"GROUP\";", "proxy_pass \"http://$service_url\";")
    }),
    Input::fault("groups-both", "a group with both ports: nothing is touched", |at| {
        both(at, "upstream blue { server 127.0.0.1:8081; server 127.0.0.1:8082 backup; }")
    }),
    Input::fault("groups-third", "a group with one of ours and a third: nothing is touched", |at| {
        both(at, "upstream blue { server 127.0.0.1:8081; server 127.0.0.1:9000; }")
    })
    .quick(),
    Input::fault("unresolvable", "the value is a variable of a map: nothing is touched", unresolvable),
    Input::fault("unknown-group", "the value is a group that nobody has read: nothing is touched", unknown_group),
    Input::control("third-port", "the include file leads to a third port: the first cutover", third_port),
];

const GROUPS: &str = "upstream blue { server 127.0.0.1:8081; } upstream green { server 127.0.0.1:8082; }";

/// A site that leads to the release on the first profile, in a form of its own.
fn site<'a>(at: &'a Place, http: &str, set: &str, pass: &str) -> Shop<'a> {
    let mut shop = Shop::reload(at);
    // who is stopped while users are with it is missed
    shop.boots_in("500");
    shop.deployed(&["v1"]);
    let active = shop.active();
    let text = set.replace("GROUP", ["blue", "green"][active]).replace("PORT", &PORTS[active].to_string());
    at.write(Who::Deploy, 0o644, INCLUDE, &format!("{text}\n"));
    shop.serves_with(http, &format!("include {INCLUDE}; {pass}"));
    shop.take();
    shop
}

/// A deploy that goes through without a loss, or touches nothing.
fn verdict(shop: &Shop<'_>) -> Verdict {
    let at = shop.at;
    let asks = "while :; do curl -so /dev/null -w '%{http_code} ' http://127.0.0.1/ >> /tmp/codes; sleep 0.01; done";
    drop(at.leave(Who::Mallory, asks));
    let ended = shop.deploy("v2");
    let front = shop.front();
    let codes = at.read("/tmp/codes");
    let lost = codes.split_whitespace().filter(|code| *code != "200").count();
    let good = ended.code == 0 && front.starts_with("v2") || ended.code == 3 && front.starts_with("v1");
    let seen = format!("users get {front:?}, {lost} of {} lost; {}", codes.split_whitespace().count(), ended.brief());
    Verdict::fell_if(!good || lost > 0, seen)
}

fn leads(at: &Place, http: &str, set: &str, pass: &str) -> Verdict {
    let shop = site(at, http, set, pass);
    at.comes(std::time::Duration::from_secs(2), || shop.front().starts_with("v1"));
    verdict(&shop)
}

fn untouched(shop: &Shop<'_>) -> Verdict {
    let pid = shop.pid(shop.active());
    let ended = shop.deploy("v2");
    let front = shop.front();
    let good = ended.code == 3 && front.starts_with("v1") && shop.pid(shop.active()) == pid;
    Verdict::fell_if(!good, format!("users get {front:?}; {}", ended.brief()))
}

fn unresolvable(at: &Place) -> Verdict {
    let map = format!("{GROUPS} map $host $colour {{ default GREEN; }}");
    let shop = Shop::reload(at);
    shop.deployed(&["v1"]);
    let name = ["blue", "green"][shop.active()];
    at.write(Who::Deploy, 0o644, INCLUDE, "set $service_url http://$colour;\n");
    shop.serves_with(&map.replace("GREEN", name), &format!("include {INCLUDE}; proxy_pass $service_url;"));
    shop.take();
    at.wait("the site", || shop.front().starts_with("v1"));
    untouched(&shop)
}

fn both(at: &Place, groups: &str) -> Verdict {
    let shop = site(at, groups, "set $service_url blue;", "proxy_pass http://$service_url;");
    untouched(&shop)
}

/// The file with the groups can be read by root only.
fn unknown_group(at: &Place) -> Verdict {
    at.write(Who::Root, 0o600, "/etc/nginx/groups.inc", GROUPS);
    let shop = site(at, "include /etc/nginx/groups.inc;", "set $service_url http://GROUP;", "proxy_pass $service_url;");
    at.wait("the site", || shop.front().starts_with("v1"));
    untouched(&shop)
}

fn third_port(at: &Place) -> Verdict {
    let shop = Shop::reload(at);
    shop.squats(Who::Deploy, "127.0.0.1:9000", "old");
    at.write(Who::Deploy, 0o644, INCLUDE, "set $service_url http://127.0.0.1:9000;\n");
    shop.take();
    at.wait("the old one", || shop.front() == "old");
    let ended = shop.deploy("v1");
    let front = shop.front();
    Verdict::fell_if(ended.code != 0 || !front.starts_with("v1"), format!("users get {front:?}; {}", ended.brief()))
}
