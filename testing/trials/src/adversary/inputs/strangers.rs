//! B1: a stranger where the active release should be.

use std::time::Duration;

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{PORTS, STATE, Shop},
};

pub(super) const AREA: Area =
    Area { point: "B1", what: "a stranger where the active release should be", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("stranger-up", "mallory on the active port after a reboot: `up`", |at| rebooted(at, "up")).quick(),
    Input::fault("stranger-recover", "the same; `recover`", |at| rebooted(at, "recover")),
    Input::fault("stranger-killed", "mallory takes the active port when the app dies: `recover`", killed),
    Input::fault("stranger-first", "the same after a reboot, and no other release was ever deployed: `up`", first),
    Input::fault("stranger-status", "mallory on the active port: `status`", |at| judged(at, "status", 20)),
    Input::fault("stranger-status-json", "the same; `status --format json`", |at| {
        judged(at, "--format json status", 20)
    }),
    Input::control("stranger-check", "the same; `check`", check),
    Input::fault("stranger-own", "a program of the deploy user's own on the active port after a reboot: `up`", own),
    Input::fault("stranger-everywhere", "mallory on 0.0.0.0 of the active port after a reboot: `up`", everywhere),
    Input::fault(
        "stranger-standby",
        "failover = \"always\": mallory takes the standby's port, then the app dies",
        |at| {
            let mut shop = Shop::marker(at);
            shop.set("after_switch.failover", "always");
            shop.deployed(&["v1", "v2"]);
            stands_by(&shop, 1 - shop.active());
            let (asked, ended) = (shop.bg("status"), shop.bg("recover"));
            shop.kill(shop.active());
            let front = shop.front();
            let seen = format!("users get {front:?}; status: {}; recover: {}", asked.brief(), ended.brief());
            Verdict::fell_if(front == "hers" || asked.code != 20, seen)
        },
    )
    .quick(),
    Input::fault("stranger-bake", "the same in a bake, failover = \"bake\"", baked),
    Input::control("stranger-idle", "mallory on the idle port after a reboot: `up` starts the active one", idle),
];

/// Two releases, then mallory where the second one was.
fn taken<'a>(at: &'a Place, address: &str, who: Who) -> Shop<'a> {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let active = shop.active();
    shop.reboot();
    shop.squats(who, &format!("{address}:{}", PORTS[active]), "hers");
    shop
}

/// Users get one of ours, or a person is called.
fn cured(shop: &Shop<'_>, words: &str) -> Verdict {
    let ended = shop.bg(words);
    let front = shop.front();
    let fell = !(front.starts_with('v') && ended.code == 0 || ended.code == 20);
    Verdict::fell_if(fell, format!("users get {front:?}; {}", ended.brief()))
}

fn rebooted(at: &Place, words: &str) -> Verdict {
    let shop = taken(at, "127.0.0.1", Who::Mallory);
    let ended = shop.bg(words);
    // both releases are proven, and the port of the other side is free
    let front = shop.front();
    let served = front.starts_with('v') && ended.code == 0;
    Verdict::fell_if(!served, format!("users get {front:?}; {}", ended.brief()))
}

/// Mallory in the place of the one that the proxy may fail over to.
fn stands_by(shop: &Shop<'_>, profile: usize) {
    shop.kill(profile);
    shop.squats(Who::Mallory, &format!("127.0.0.1:{}", PORTS[profile]), "hers");
}

fn baked(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let old = shop.active();
    shop.set("after_switch.failover", "bake");
    shop.set("after_switch.bake", "8s");
    let artifact = shop.artifact("v2");
    let mut deploy = at.leave(Who::Deploy, &format!("bluegreen --app shop deploy {artifact} > /tmp/deploy 2>&1"));
    let live = || std::fs::read_link(format!("{STATE}/route/live")).unwrap().display().to_string();
    at.wait("the standby", || shop.front().starts_with("v2") && live().contains("standby"));
    stands_by(&shop, old);
    let taken_out = at.comes(Duration::from_secs(4), || !live().contains("standby"));
    shop.kill(1 - old);
    let front = shop.front();
    let code = deploy.wait().unwrap().code();
    Verdict::fell_if(
        !taken_out || front == "hers",
        format!("taken out: {taken_out}; users get {front:?}; exit {code:?}"),
    )
}

fn killed(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let active = shop.active();
    shop.kill(active);
    shop.squats(Who::Mallory, &format!("127.0.0.1:{}", PORTS[active]), "hers");
    let ended = shop.bg("recover");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with("v1"), format!("users get {front:?}; {}", ended.brief()))
}

fn first(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let active = shop.active();
    shop.reboot();
    shop.squats(Who::Mallory, &format!("127.0.0.1:{}", PORTS[active]), "hers");
    cured(&shop, "up")
}

fn judged(at: &Place, words: &str, code: i32) -> Verdict {
    let ended = taken(at, "127.0.0.1", Who::Mallory).bg(words);
    Verdict::fell_if(ended.code != code, ended.brief())
}

/// A dead active profile refuses no deploy, but is a finding.
fn check(at: &Place) -> Verdict {
    let ended = taken(at, "127.0.0.1", Who::Mallory).bg("check");
    Verdict::fell_if(
        !ended.has("mallory"),
        format!("mallory is {}; {}", if ended.has("mallory") { "named" } else { "not named" }, ended.brief()),
    )
}

fn own(at: &Place) -> Verdict {
    cured(&taken(at, "127.0.0.1", Who::Deploy), "up")
}

fn everywhere(at: &Place) -> Verdict {
    cured(&taken(at, "0.0.0.0", Who::Mallory), "up")
}

fn idle(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let idle = shop.idle_port();
    shop.reboot();
    shop.squats(Who::Mallory, &format!("127.0.0.1:{idle}"), "hers");
    let ended = shop.bg("up");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with("v2"), format!("users get {front:?}; {}", ended.brief()))
}
