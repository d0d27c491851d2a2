//! B8, B13: what a deploy will say, said before.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "B8, B13", what: "what a deploy will say, said before", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("check-read-only", "the disk is read-only: `check` says 3", |at| {
        checks(at, &format!("mount --bind {STATE} {STATE} && mount -o remount,bind,ro {STATE}"), 3)
    })
    .quick(),
    Input::fault("check-chattr", "chattr +i on the state directory: `check` says 3", |at| {
        checks(at, &format!("chattr +i {STATE}"), 3)
    }),
    Input::fault("check-chattr-releases", "chattr +i on its releases: `check` says 3", |at| {
        checks(at, &format!("chattr +i {STATE}/releases"), 3)
    }),
    Input::fault("check-chattr-route", "chattr +i on its route: `check` says 3", |at| {
        checks(at, &format!("chattr +i {STATE}/route"), 3)
    }),
    Input::fault("check-include", "reload mode, chattr +i on the include file: `check` says 3", |at| {
        let shop = Shop::reload(at);
        shop.deployed(&["v1"]);
        at.must(Who::Root, &format!("chattr +i {} /etc/nginx", crate::adversary::shop::INCLUDE));
        let ended = shop.bg("check");
        Verdict::fell_if(ended.code != 3, ended.brief())
    })
    .quick(),
    Input::fault("check-lock", "a bluegreen command has the lock: `check` says 75", |at| locked(at, "check")).quick(),
    Input::fault("check-lock-foreign", "somebody else has the lock: `check` says 3", |at| {
        let shop = Shop::marker(at);
        shop.deployed(&["v1"]);
        drop(at.leave(Who::Deploy, &format!("flock {STATE} -c 'touch /tmp/got; sleep 1000'")));
        at.wait("the lock", || std::path::Path::new("/tmp/got").exists());
        let ended = shop.bg("check");
        Verdict::fell_if(ended.code != 3, ended.brief())
    }),
    Input::fault("check-hidepid", "/proc with hidepid=2: a deploy works, and `check` says so", |at| {
        agrees(at, "mount -o remount,hidepid=2 /proc")
    }),
    Input::fault("check-orphans", "nginx's master was killed, its workers serve: `check` and a deploy agree", |at| {
        agrees(at, "kill -9 $(cat /run/nginx.pid)")
    }),
    Input::fault("promote-not-set-up", "`promote` when nginx is not set up any more: 3, and what waits stays", |at| {
        waiting(at, "promote", 3)
    })
    .quick(),
    Input::control("switch-not-set-up", "the same; `switch`", |at| {
        waiting(at, "switch /home/deploy/app-v2 --version v2", 3)
    }),
    Input::fault("promote-nginx-down", "`promote` when nginx is down: 3, and what waits stays", |at| {
        blind(at, "nginx -s stop", "promote")
    }),
    Input::fault("promote-route-fixed", "`promote` when the route cannot be written: 3, and what waits stays", |at| {
        blind(at, &format!("chattr +i {STATE}/route"), "promote")
    }),
    Input::fault("abort-nginx-down", "`abort` when nginx is down: 3, and what waits stays", |at| {
        blind(at, "nginx -s stop", "abort")
    }),
];

fn checks(at: &Place, before: &str, code: i32) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Root, before);
    let ended = shop.bg("check");
    Verdict::fell_if(ended.code != code, ended.brief())
}

fn locked(at: &Place, words: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    shop.set("after_switch.bake", "30s");
    let artifact = shop.artifact("v2");
    drop(at.leave(Who::Deploy, &format!("bluegreen --app shop deploy {artifact}")));
    at.wait("the bake", || shop.front().starts_with("v2"));
    let ended = shop.bg(words);
    Verdict::fell_if(ended.code != 75, ended.brief())
}

/// `check` says 3 when a deploy would fail, and only then.
fn agrees(at: &Place, before: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Root, before);
    at.comes(std::time::Duration::from_millis(200), || false);
    let (checked, deployed) = (shop.bg("check"), shop.deploy("v2"));
    let seen = format!("check: {}; deploy: {}", checked.brief(), deployed.brief());
    Verdict::fell_if((checked.code == 0) != (deployed.code == 0), seen)
}

/// A release waits, and nginx follows the route no more.
fn waiting(at: &Place, words: &str, code: i32) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let active = shop.active();
    let artifact = shop.artifact("v2");
    assert_eq!(shop.bg(&format!("prepare {artifact} --version v2")).code, 0);
    shop.serves(&format!("proxy_pass http://127.0.0.1:{};", crate::adversary::shop::PORTS[active]));
    at.must(Who::Root, "rm /etc/nginx/conf.d/bluegreen-shop.conf");
    shop.take();
    let waits = shop.pid(1 - active);
    let ended = shop.bg(words);
    let stays = shop.pid(1 - active) == waits && waits.is_some();
    let seen = format!("what waits {}; {}", if stays { "stays" } else { "is gone" }, ended.brief());
    Verdict::fell_if(ended.code != code || !stays, seen)
}

fn blind(at: &Place, before: &str, words: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let idle = 1 - shop.active();
    let artifact = shop.artifact("v2");
    assert_eq!(shop.bg(&format!("prepare {artifact} --version v2")).code, 0);
    at.must(Who::Root, before);
    let waits = shop.pid(idle);
    let ended = shop.bg(words);
    let stays = shop.pid(idle) == waits && waits.is_some();
    let seen = format!("what waits {}; {}", if stays { "stays" } else { "is gone" }, ended.brief());
    Verdict::fell_if(ended.code != 3 || !stays, seen)
}
