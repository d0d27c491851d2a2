//! B7: what a monitor is told.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "B7", what: "what a monitor is told", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("status-down", "the active app was killed, alone: `status` says DOWN, 20", |at| {
        says(at, &["v1"], |shop| shop.kill(shop.active()), 20, "DOWN")
    })
    .quick(),
    Input::fault("status-down-json", "the same, as JSON", |at| {
        let shop = Shop::marker(at);
        shop.deployed(&["v1"]);
        shop.kill(shop.active());
        let ended = shop.bg("--format json status");
        Verdict::fell_if(ended.code != 20, ended.brief())
    }),
    Input::fault("status-down-both", "both were killed: DOWN, 20", |at| {
        says(at, &["v1", "v2"], |shop| [0, 1].into_iter().for_each(|n| shop.kill(n)), 20, "DOWN")
    }),
    Input::fault("status-frozen", "the active app hangs (SIGSTOP): 20", |at| {
        says(
            at,
            &["v1"],
            |shop| drop(shop.at.must(Who::Root, &format!("kill -STOP {}", shop.pid(shop.active()).unwrap()))),
            20,
            "DOWN",
        )
    }),
    Input::fault("status-reboot", "after a reboot: DOWN, 20", |at| says(at, &["v1"], reboot, 20, "DOWN")),
    Input::fault("status-state", "after a reboot, and the state is lost: 20", |at| {
        says(
            at,
            &["v1"],
            |shop| {
                shop.reboot();
                shop.at.must(Who::Deploy, &format!("rm {STATE}/state.json*"));
            },
            20,
            "",
        )
    })
    .quick(),
    Input::control("status-nginx", "nginx is down: 20", |at| {
        says(at, &["v1"], |shop| drop(shop.at.must(Who::Root, "nginx -s stop")), 20, "")
    }),
    Input::control("status-empty", "never deployed: 0", |at| says(at, &[], |_| (), 0, "")),
    Input::control("status-well", "all is well: 0", |at| says(at, &["v1", "v2"], |_| (), 0, "")),
];

fn says(at: &Place, versions: &[&str], accident: fn(&Shop<'_>), code: i32, word: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(versions);
    accident(&shop);
    let ended = shop.bg("status");
    let first = ended.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let fell = ended.code != code || !ended.has(word);
    Verdict::fell_if(fell, format!("exit {}, first line {first:?}", ended.code))
}

fn reboot(shop: &Shop<'_>) {
    shop.reboot();
}
