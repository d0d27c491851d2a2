//! A2, A3: directories that root gives away.

use std::{path::Path, time::Duration};

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "A2, A3", what: "what root gives away, and by which path", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("route-dir-etc", "route_dir = \"/etc\"", |at| given(at, "route_dir", "/etc", "true")).quick(),
    Input::fault("route-dir-site", "route_dir = a directory with a site in it", |at| {
        given(at, "route_dir", "/srv/site", "mkdir /srv/site && echo hello > /srv/site/index.html")
    }),
    Input::fault("route-dir-closed", "route_dir = a closed directory of root's", |at| {
        given(at, "route_dir", "/srv/safe", "mkdir -m 711 /srv/safe && echo secret > /srv/safe/key")
    }),
    Input::fault("route-dir-empty", "route_dir = an empty directory of the system's", |at| {
        given(at, "route_dir", "/usr/local/games", "mkdir -p /usr/local/games")
    }),
    Input::fault("state-dir-sbin", "state_dir = \"/usr/local/sbin\"", |at| {
        given(at, "state_dir", "/usr/local/sbin", "rm -f /usr/local/sbin/*")
    })
    .quick(),
    Input::fault("state-dir-opt", "state_dir = \"/opt\", empty", |at| given(at, "state_dir", "/opt", "rm -rf /opt/*")),
    Input::fault("state-dir-cron", "state_dir = \"/etc/cron.d\", empty", |at| {
        given(at, "state_dir", "/etc/cron.d", "mkdir -p /etc/cron.d && rm -f /etc/cron.d/* /etc/cron.d/.p*")
    }),
    Input::fault("state-dir-missing", "state_dir = a directory of the system's that is not there yet", |at| {
        let path = "/etc/systemd/system/nginx.service.d";
        let mut shop = Shop::bare(at);
        at.must(Who::Root, &format!("nginx; rm -rf {path}"));
        shop.set("state_dir", path);
        let ended = shop.root("--yes setup --apply");
        Verdict::fell_if(Path::new(path).exists() || ended.code != 3, ended.brief())
    })
    .quick(),
    Input::control("state-dir-of-mallory", "state_dir = an empty directory of another user's", |at| {
        given(at, "state_dir", "/srv/hers", "mkdir /srv/hers && chown mallory /srv/hers")
    }),
    Input::fault("state-dir-mount", "state_dir = a disk that root has mounted for all apps", |at| {
        given(at, "state_dir", "/srv", "rm -rf /srv/*")
    }),
    Input::fault("link-of-deploy", "a link of the deploy user's on the way to state_dir", |at| {
        link_of_deploy(at, "state_dir")
    })
    .quick(),
    Input::fault("route-dir-link", "the same, on the way to route_dir", |at| link_of_deploy(at, "route_dir")),
    Input::fault("link-race", "a directory on the way is exchanged for a link, as fast as can be", link_race),
    Input::control("route-link", "state/route is a link of the deploy user's", route_link),
    Input::control("route-race", "state/route is exchanged for a link, as fast as can be", route_race),
    Input::fault("init-link", "root types `init --force` where bluegreen.toml is a link of mallory's", init_link),
    Input::control("link-of-root", "/var/lib/bluegreen is a link of root's to a larger disk", link_of_root).quick(),
    Input::control("again", "`setup --apply` a second time, over what it made itself", again),
    Input::fault("again-elsewhere", "the same with another state_dir, while both releases run: users stay", elsewhere),
    Input::fault("again-astray", "the same, the route's link leads nowhere: users stay", astray),
];

/// Owner and mode.
fn owner(at: &Place, path: &str) -> String {
    at.must(Who::Root, &format!("stat -c '%u %a' {path}")).out.trim().to_owned()
}

/// What root has, and may not lose to the one who deploys.
fn given(at: &Place, key: &str, path: &str, before: &str) -> Verdict {
    let mut shop = Shop::bare(at);
    at.must(Who::Root, "nginx");
    at.must(Who::Root, before);
    shop.set(key, path);
    let was = owner(at, path);
    let ended = shop.root("--yes setup --apply");
    let is = owner(at, path);
    let seen = format!("{path} was {was}, is {is}; {}", ended.brief());
    Verdict::fell_if(was != is || ended.code == 0, seen)
}

/// Root's, and of no concern to anybody else.
const SECRET: &str = "mkdir -p /srv/secret/shop && chmod 755 /srv/secret /srv/secret/shop";

fn link_of_deploy(at: &Place, key: &str) -> Verdict {
    let mut shop = Shop::bare(at);
    at.must(Who::Root, &format!("nginx; {SECRET}; mkdir /srv/deploy && chown deploy /srv/deploy"));
    at.must(Who::Deploy, "ln -s /srv/secret /srv/deploy/x");
    shop.set(key, "/srv/deploy/x/shop");
    let ended = shop.root("--yes setup --apply");
    let is = owner(at, "/srv/secret/shop");
    Verdict::fell_if(!is.starts_with("0 755"), format!("/srv/secret/shop is {is}; {}", ended.brief()))
}

/// Until it has hit, for a bounded number of tries.
fn race(at: &Place, shop: &Shop<'_>, victim: &str, between: &str) -> Verdict {
    let was = owner(at, victim);
    for n in 1..=30 {
        let ended = shop.root("--yes setup --apply");
        let is = owner(at, victim);
        if is != was {
            return Verdict::Fell(format!("at try {n} {victim} was {was}, is {is}; {}", ended.brief()));
        }
        at.run(Who::Root, between);
    }
    Verdict::Held(format!("30 tries, {victim} is {was}"))
}

fn link_race(at: &Place) -> Verdict {
    let mut shop = Shop::bare(at);
    at.must(Who::Root, &format!("nginx; {SECRET}; mkdir /srv/deploy && chown deploy /srv/deploy"));
    at.must(Who::Deploy, "cd /srv/deploy && mkdir x && ln -s /srv/secret y");
    shop.set("state_dir", "/srv/deploy/x/shop");
    drop(at.leave(Who::Deploy, "exec trials adversary --act exchange /srv/deploy/x /srv/deploy/y"));
    race(at, &shop, "/srv/secret/shop", "rmdir /srv/deploy/x/shop /srv/deploy/y/shop; mkdir -p /srv/secret/shop")
}

fn route_link(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, &format!("nginx; {SECRET}; mkdir -p -m 711 {STATE} && chown deploy {STATE}"));
    at.must(Who::Deploy, &format!("ln -s /srv/secret/shop {STATE}/route"));
    let ended = shop.root("--yes setup --apply");
    let is = owner(at, "/srv/secret/shop");
    let inside = at.run(Who::Root, "ls /srv/secret/shop | wc -l").out;
    let seen = format!("/srv/secret/shop is {is}, files in it: {}; {}", inside.trim(), ended.brief());
    Verdict::fell_if(is != "0 755" || inside.trim() != "0", seen)
}

fn route_race(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, &format!("nginx; {SECRET}; mkdir -p -m 711 {STATE} && chown deploy {STATE}"));
    at.must(Who::Deploy, &format!("cd {STATE} && mkdir route && ln -s /srv/secret/shop other"));
    drop(at.leave(Who::Deploy, &format!("exec trials adversary --act exchange {STATE}/route {STATE}/other")));
    race(at, &shop, "/srv/secret/shop", "true")
}

fn init_link(at: &Place) -> Verdict {
    at.users();
    at.write(Who::Root, 0o600, "/etc/important", "of root\n");
    at.must(Who::Mallory, "ln -s /etc/important bluegreen.toml");
    let ended = at.run(Who::Root, "cd /home/mallory && bluegreen --yes init --force -- sleep 1");
    let is = at.read("/etc/important");
    let seen = format!("/etc/important begins {:?}; {}", is.lines().next().unwrap_or_default(), ended.brief());
    Verdict::fell_if(is != "of root\n", seen)
}

fn link_of_root(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, "nginx; rm -rf /var/lib/bluegreen; mkdir -p /data/bluegreen && ln -s /data/bluegreen /var/lib/");
    let ended = shop.root("--yes setup --apply");
    let deployed = shop.deploy("v1");
    let there = Path::new("/data/bluegreen/shop/route").is_dir();
    let fell = ended.code != 0 || deployed.code != 0 || !there;
    Verdict::fell_if(fell, format!("{}; {}", ended.brief(), deployed.brief()))
}

fn again(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    let ended = shop.root("--yes setup --apply");
    let serves = at.comes(Duration::from_secs(5), || shop.front().starts_with("v1"));
    Verdict::fell_if(ended.code != 0 || !serves, ended.brief())
}

/// Users get this, whatever the set-up had to say.
fn stay(shop: &Shop<'_>, version: &str) -> Option<Verdict> {
    let ended = shop.root("--yes setup --apply");
    let front = shop.front();
    let moved = format!("users got {version}, and get {front:?}; {}", ended.brief());
    (!front.starts_with(version)).then_some(Verdict::Fell(moved))
}

fn elsewhere(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    for version in ["v2", "v3"] {
        shop.deployed(&[version]);
        for dir in [format!("/var/lib/bluegreen/{version}"), STATE.to_owned()] {
            shop.set("state_dir", dir);
            if let Some(fell) = stay(&shop, version) {
                return fell;
            }
        }
    }
    Verdict::Held("users stay, from either profile".to_owned())
}

fn astray(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    at.must(Who::Deploy, &format!("ln -sfn nowhere {STATE}/route/live"));
    // it takes nginx no reload to look at it
    assert!(shop.front().starts_with("v2"), "users get {}", shop.front());
    stay(&shop, "v2").unwrap_or_else(|| Verdict::Held("users get v2".to_owned()))
}
