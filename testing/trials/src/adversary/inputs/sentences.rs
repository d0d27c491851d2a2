//! B4, B11: sentences that nobody has looked at, and words that nobody could read.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::Shop,
};

pub(super) const AREA: Area =
    Area { point: "B4, B11", what: "sentences that nobody looked at, words that nobody could read", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("says-no-profile", "`adopt` where nginx is down: \"no profile has traffic\"", adopt).quick(),
    Input::fault(
        "says-straight",
        "`setup --remove` where nothing is set up: \"nginx sends the traffic straight\"",
        remove,
    )
    .quick(),
    Input::fault(
        "says-follows",
        "`setup --remove`, its proof is not reached: \"nginx still follows the route\"",
        follows,
    )
    .quick(),
    Input::fault(
        "says-did-not-stop",
        "the disk becomes read-only in a deploy, before the stop: \"what runs on real2 did not stop\"",
        read_only,
    ),
    Input::fault("says-tls", "https:// to a plain port: \"TLS failed\"", tls).quick(),
    Input::fault("unread-history", "the history cannot be read: `history`", |at| {
        unread(at, "history.jsonl", "history")
    })
    .quick(),
    Input::control("unread-releases", "the releases cannot be read: `releases`", |at| {
        unread(at, "releases", "releases")
    }),
    Input::control("unread-logs", "the logs cannot be read: `logs`", |at| unread(at, "logs", "logs")),
    Input::control("unread-state", "the state cannot be read: `status`", |at| unread(at, "state.json", "status")),
    Input::control("unread-processes", "the records cannot be read: `status`", |at| unread(at, "processes", "status")),
    Input::fault("unread-metrics", "the state cannot be read: `metrics`", |at| unread(at, "state.json", "metrics"))
        .quick(),
    Input::fault("full-status", "`status > /dev/full`", |at| full(at, "status")).quick(),
    Input::fault("full-history", "`history > /dev/full`", |at| full(at, "history")),
    Input::fault("full-show", "`history show > /dev/full`", |at| full(at, "history show")),
    Input::fault("full-releases", "`releases > /dev/full`", |at| full(at, "releases")),
    Input::fault("full-logs", "`logs > /dev/full`", |at| full(at, "logs")),
    Input::fault("full-profile", "`profile > /dev/full`", |at| full(at, "profile")),
    Input::fault("full-config", "`config > /dev/full`", |at| full(at, "config")),
    Input::fault("full-metrics", "`metrics > /dev/full`", |at| full(at, "metrics")),
    Input::fault("full-check", "`check > /dev/full`", |at| full(at, "check")),
    Input::fault("full-plan", "`plan > /dev/full`", |at| full(at, "plan /home/deploy/app-v1")),
    Input::fault("full-json", "`--format json status > /dev/full`", |at| full(at, "--format json status")),
    Input::fault("full-print", "`setup --print server > /dev/full`", |at| full(at, "setup --print server")),
    Input::fault("full-man", "`man > /dev/full`", |at| full(at, "man")),
    Input::fault("full-completions", "`completions bash > /dev/full`", |at| full(at, "completions bash")),
    Input::fault("full-init", "`init --print > /dev/full`", |at| full(at, "init --print -- sleep 1")),
    Input::fault("full-help", "`--help > /dev/full`", |at| full(at, "--help")),
    Input::fault("full-version", "`--version > /dev/full`", |at| full(at, "--version")),
    Input::fault("file-limit", "a limit of the size of files (SIGXFSZ) in a deploy", file_limit),
    Input::control("full-deploy", "`deploy > /dev/full`: it is done all the same", full_deploy),
];

fn silent(text: &str, ended: &crate::adversary::place::Ended) -> Verdict {
    Verdict::fell_if(ended.has(text), ended.brief())
}

fn adopt(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.squats(Who::Deploy, "127.0.0.1:8081", "real1");
    at.must(Who::Root, "nginx -s stop");
    silent("no profile has traffic", &shop.bg("adopt real1"))
}

fn remove(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, "nginx && mkdir -p -m 711 /var/lib/bluegreen/shop && chown deploy /var/lib/bluegreen/shop");
    silent("straight to the active port again", &shop.root("--yes setup --remove"))
}

fn follows(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set("proxy.nginx.url", "http://127.0.0.1:81/profile");
    shop.set("proxy.nginx.pid_file", "/run/nginx.pid");
    silent("still follows the route", &shop.root("--yes setup --remove"))
}

/// Before the deploy begins the disk is well, or it would be refused.
fn read_only(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let dir = format!("{}/processes", crate::adversary::shop::STATE);
    let mount = format!("mount --bind {dir} {dir} && mount -o remount,bind,ro {dir}");
    at.must(Who::Root, "mkfifo -m 666 /run/asks /run/says");
    drop(at.leave(Who::Root, &format!("read -r _ < /run/asks; {mount}; echo > /run/says")));
    shop.set_words("hooks.before_start", ["sh", "-c", "echo > /run/asks; read -r _ < /run/says"]);
    let ended = shop.deploy("v3");
    let named = ended.has("ead-only");
    let fell = !named || ended.has("did not stop") || !shop.front().starts_with("v2");
    Verdict::fell_if(fell, format!("the disk is {}; {}", if named { "named" } else { "not named" }, ended.brief()))
}

fn tls(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set("proxy.nginx.url", "https://127.0.0.1:80/profile");
    silent("TLS failed", &shop.bg("check"))
}

/// A right that is missing is named: nothing was seen, and nothing is said to be none.
fn unread(at: &Place, file: &str, words: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    at.must(Who::Deploy, &format!("chmod 000 {}/{file}", crate::adversary::shop::STATE));
    let ended = shop.bg(words);
    let named = ended.has("ermission denied");
    Verdict::fell_if(!named, format!("the reason is {}; {}", if named { "named" } else { "not named" }, ended.brief()))
}

fn full(at: &Place, words: &str) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let ended = at.run(Who::Deploy, &format!("cd /tmp; bluegreen --app shop {words} > /dev/full"));
    Verdict::fell_if(ended.code == 0, ended.brief())
}

fn file_limit(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Deploy, "head -c 3000000 /dev/urandom > big");
    let ended = at.run(Who::Deploy, "ulimit -f 1000; bluegreen --app shop deploy big --version v2");
    let front = shop.front();
    let fell = ended.code >= 128 || !front.starts_with("v1");
    Verdict::fell_if(fell, format!("users get {front:?}; {}", ended.brief()))
}

fn full_deploy(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Deploy, &format!("bluegreen --app shop deploy {artifact} > /dev/full"));
    Verdict::fell_if(!shop.front().starts_with("v1"), ended.brief())
}
