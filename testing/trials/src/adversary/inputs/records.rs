//! B2: a damaged record of a process.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "B2", what: "a damaged record of a process", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("torn-idle", "the record of the idle side is torn: a deploy", |at| idle(at, TORN, "deploy")).quick(),
    Input::fault("torn-idle-rollback", "the same; `rollback`", |at| idle(at, TORN, "rollback")),
    Input::fault("empty-idle", "the same, empty", |at| idle(at, ": > FILE", "deploy")),
    Input::fault("types-idle", "the same, of other types", |at| {
        idle(at, "echo '{\"release\":1,\"boot\":[]}' > FILE", "deploy")
    }),
    Input::fault("link-idle", "the same, a link", |at| idle(at, "ln -sf /etc/passwd FILE", "deploy")).quick(),
    Input::fault("directory-idle", "the same, a directory", |at| idle(at, "rm -f FILE && mkdir FILE", "deploy"))
        .quick(),
    Input::fault("fifo-idle", "the same, a FIFO", |at| idle(at, "rm -f FILE && mkfifo FILE", "deploy")).quick(),
    Input::fault("writable-idle", "the same, writable for others", |at| idle(at, "chmod 666 FILE", "deploy")).quick(),
    Input::control("copied-record", "the record of the active side copied over that of the idle one: a deploy", copied),
    Input::fault("torn-active", "the record of the active side is torn, and it is dead: `up`", active).quick(),
    Input::control("torn-active-deploy", "the record of the active side is torn, and it runs: a deploy", running),
    Input::fault("torn-active-status", "the same, dead: `status`", status),
];

const TORN: &str = "head -c 20 FILE > t && cat t > FILE";

/// Spoils the record of profile 0 or 1.
fn spoil(shop: &Shop<'_>, profile: usize, how: &str) {
    let file = format!("real{}.json", profile + 1);
    shop.at.must(Who::Deploy, &format!("cd {STATE}/processes; {}", how.replace("FILE", &file)));
}

fn two(at: &Place) -> Shop<'_> {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    shop
}

fn idle(at: &Place, how: &str, words: &str) -> Verdict {
    let shop = two(at);
    spoil(&shop, 1 - shop.active(), how);
    let (ended, wanted) = if words == "deploy" { (shop.deploy("v3"), "v3") } else { (shop.bg(words), "v1") };
    let front = shop.front();
    Verdict::fell_if(ended.code != 0 || !front.starts_with(wanted), format!("users get {front:?}; {}", ended.brief()))
}

/// Whoever is stopped there is the one with the users.
fn copied(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set("after_switch.failover", "never");
    shop.deployed(&["v1", "v2"]);
    let (active, idle) = (shop.active() + 1, 2 - shop.active());
    at.must(Who::Deploy, &format!("cd {STATE}/processes; cat real{active}.json > real{idle}.json"));
    let pid = shop.pid(active - 1);
    shop.bg("stop");
    let ended = shop.bg("status");
    let fell = shop.pid(active - 1) != pid;
    Verdict::fell_if(fell, format!("the active one is {}; {}", if fell { "ended" } else { "as it was" }, ended.brief()))
}

fn active(at: &Place) -> Verdict {
    let shop = two(at);
    let active = shop.active();
    spoil(&shop, active, TORN);
    shop.kill(active);
    let ended = shop.bg("up");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with('v'), format!("users get {front:?}; {}", ended.brief()))
}

fn running(at: &Place) -> Verdict {
    let shop = two(at);
    spoil(&shop, shop.active(), TORN);
    let ended = shop.deploy("v3");
    let front = shop.front();
    Verdict::fell_if(ended.code != 0 || !front.starts_with("v3"), format!("users get {front:?}; {}", ended.brief()))
}

fn status(at: &Place) -> Verdict {
    let shop = two(at);
    let active = shop.active();
    spoil(&shop, active, TORN);
    shop.kill(active);
    let ended = shop.bg("status");
    Verdict::fell_if(ended.code != 20, ended.brief())
}
