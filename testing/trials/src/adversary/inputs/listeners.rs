//! A6: listeners that nobody dials.

use std::net::TcpListener;

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{PORTS, Shop},
};

pub(super) const AREA: Area = Area { point: "A6", what: "listeners that nobody dials", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("beside-deploy", "mallory on 127.0.0.2:PORT before a deploy", |at| blocked(at, "127.0.0.2:8081"))
        .quick(),
    Input::fault("beside-deploy-v6", "mallory on [::1]:PORT before a deploy", |at| blocked(at, "[::1]:8081")).quick(),
    Input::fault("beside-deploy-mapped", "mallory on [::ffff:127.0.0.3]:PORT", |at| {
        blocked(at, "[::ffff:127.0.0.3]:8081")
    }),
    Input::fault("beside-bake", "mallory comes to 127.0.0.2:PORT in the bake", |at| baked(at, "127.0.0.2:8081"))
        .quick(),
    Input::fault("beside-bake-v6", "mallory comes to [::1]:PORT in the bake", |at| baked(at, "[::1]:8081")),
    Input::fault("beside-v6only", "mallory on [::]:PORT, v6 only", v6only),
    Input::fault(
        "bind-everywhere",
        "the app binds 0.0.0.0, mallory has 127.0.0.2: 10, and mallory is named",
        bind_everywhere,
    ),
    Input::fault("beside-idle", "mallory on 127.0.0.2:PORT of a warm release: rollback", rollback),
    Input::fault("beside-up", "mallory on [::1]:PORT after a reboot: `up`", up),
    Input::fault("beside-hidden", "the same, and nobody sees whose it is (hidepid)", |at| {
        at.must(Who::Root, "mount -o remount,hidepid=2 /proc");
        blocked(at, "127.0.0.2:8081")
    }),
    Input::fault("bound", "mallory has bound 127.0.0.1:PORT and does not listen: named, nothing touched", |at| {
        silent(at, "bind 127.0.0.1:PORT")
    })
    .quick(),
    Input::fault("near-end", "the same by a connection that he made from there", |at| {
        silent(at, "connect 127.0.0.1:PORT 127.0.0.1:80")
    }),
    Input::fault("bound-up", "the same with the active port after a reboot: `up` goes to the other side", bound_up),
    Input::control("on-the-port", "mallory on 127.0.0.1:PORT: the deploy says so, and nothing is touched", taken),
    Input::control("everywhere-dual", "mallory on [::]:PORT, v4 too: the same", dual),
    Input::control("everywhere", "mallory on 0.0.0.0:PORT: the same", everywhere),
];

fn blocked(at: &Place, address: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let idle = shop.idle_port();
    shop.squats(Who::Mallory, &address.replace("8081", &idle.to_string()), "mine");
    let ended = shop.deploy("v3");
    Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v3"), ended.brief())
}

fn baked(at: &Place, address: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    shop.set("after_switch.bake", "2s");
    let artifact = shop.artifact("v2");
    let idle = shop.idle_port();
    let mut deploy = at.leave(Who::Deploy, &format!("bluegreen --app shop deploy {artifact} > /tmp/deploy 2>&1"));
    at.wait("the switch", || shop.front().starts_with("v2"));
    shop.squats(Who::Mallory, &address.replace("8081", &idle.to_string()), "mine");
    let code = deploy.wait().unwrap().code().unwrap_or(-1);
    let last = at.read("/tmp/deploy").lines().next_back().unwrap_or_default().trim().to_owned();
    Verdict::fell_if(code != 0, format!("exit {code}: {last}"))
}

fn rollback(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let idle = shop.idle_port();
    shop.squats(Who::Mallory, &format!("127.0.0.2:{idle}"), "mine");
    let ended = shop.bg("rollback");
    Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v1"), ended.brief())
}

fn up(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let active = PORTS[shop.active()];
    shop.reboot();
    shop.squats(Who::Mallory, &format!("[::1]:{active}"), "mine");
    let ended = shop.bg("up");
    Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v1"), ended.brief())
}

fn silent(at: &Place, act: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    holds(&shop, act, shop.idle_port());
    let (check, ended) = (shop.bg("check"), shop.deploy("v2"));
    let named = check.has("mallory") && ended.has("mallory");
    let fell = !named || check.code != 3 || ended.code != 3 || ended.has("is free again");
    Verdict::fell_if(fell || !shop.front().starts_with("v1"), format!("named: {named}; {}", ended.brief()))
}

/// Mallory's, without a listener.
fn holds(shop: &Shop<'_>, act: &str, port: u16) {
    let act = act.replace("PORT", &port.to_string());
    drop(shop.at.leave(Who::Mallory, &format!("exec trials adversary --act {act}")));
    shop.at.wait("mallory", || TcpListener::bind(("127.0.0.1", port)).is_err());
}

fn bound_up(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let active = PORTS[shop.active()];
    shop.reboot();
    holds(&shop, "bind 127.0.0.1:PORT", active);
    let ended = shop.bg("up");
    let front = shop.front();
    // what cannot stand by there is said after it
    let told = ended.code == 0 || ended.code == 11 && ended.has("mallory");
    Verdict::fell_if(!told || !front.starts_with('v'), format!("users get {front:?}; {}", ended.brief()))
}

fn taken(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let idle = shop.idle_port();
    shop.squats(Who::Mallory, &format!("127.0.0.1:{idle}"), "mine");
    let ended = shop.deploy("v2");
    Verdict::fell_if(![3, 11].contains(&ended.code) || !shop.front().starts_with("v1"), ended.brief())
}

fn v6only(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let idle = shop.idle_port();
    drop(at.leave(Who::Mallory, &format!("exec trials adversary --act listen6 {idle} mine")));
    at.wait("a squatter", || shop.pid(1 - shop.active()).is_some());
    let ended = shop.deploy("v2");
    Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v2"), ended.brief())
}

fn bind_everywhere(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let idle = shop.idle_port();
    shop.squats(Who::Mallory, &format!("127.0.0.2:{idle}"), "mine");
    shop.set_words(
        "start.command",
        ["/usr/local/bin/trials", "adversary", "--act", "app", "0.0.0.0:{port}", "{profile}"],
    );
    let ended = shop.bg("deploy --version v2");
    let named = ended.has("mallory");
    Verdict::fell_if(
        ended.code != 10 || !named,
        format!("mallory is {}; {}", if named { "named" } else { "not named" }, ended.brief()),
    )
}

fn dual(at: &Place) -> Verdict {
    everywhere_on(at, "[::]")
}

fn everywhere(at: &Place) -> Verdict {
    everywhere_on(at, "0.0.0.0")
}

fn everywhere_on(at: &Place, address: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let idle = shop.idle_port();
    shop.squats(Who::Mallory, &format!("{address}:{idle}"), "mine");
    let ended = shop.deploy("v2");
    Verdict::fell_if(![3, 10, 11].contains(&ended.code) || !shop.front().starts_with("v1"), ended.brief())
}
