//! A4: whose words root obeys.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{CONFIG, STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "A4", what: "whose words root obeys", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("sudo-uid", "`sudo bluegreen deploy`: the toml is mallory's, the state is root's", |at| {
        obeyed(at, Who::Mallory, Who::Root, "deploy")
    })
    .quick(),
    Input::fault("sudo-uid-check", "the same, its reload mode names the command `test`: `check`", |at| {
        reload(at, "check")
    }),
    Input::fault("sudo-uid-user", "mallory's toml for the state of another user", |at| {
        obeyed(at, Who::Mallory, Who::Deploy, "deploy")
    }),
    Input::fault("sudo-uid-hook", "the same, by a hook", hooked),
    Input::fault("config-directory", "the toml is root's, in a directory of mallory's", directory).quick(),
    Input::fault("sudo-uid-deploy", "`sudo -u deploy bluegreen rollback` in her home: her toml, for deploy", |at| {
        reload_by(at, Who::Deploy, "rollback")
    }),
    Input::fault("config-list", "the toml is root's, with an access list that lets mallory write", |at| {
        written(at, "setfacl -m u:mallory:rw")
    })
    .quick(),
    Input::fault("config-group", "the same, by a group that mallory is in", |at| {
        written(at, "chmod 664 /etc/bluegreen/shop.toml; chgrp mallory")
    }),
    Input::fault("start-program", "the program of the app is mallory's: `check` says so", |at| {
        hers(at, "start.command", "runs /srv/hers/app: it belongs to another user")
    }),
    Input::fault("env-file-link", "env_file is reached by a link of mallory's: `check` says so", |at| {
        hers(at, "start.env_file", "user mallory can write to /srv/hers")
    }),
    Input::fault("same-name", "mallory's toml has the name of deploy's app: `sudo bluegreen setup --apply`", same_name),
    Input::control("sudo-uid-setup", "`sudo bluegreen setup --apply` with the deploy user's own toml", |at| {
        let shop = Shop::bare(at);
        at.must(Who::Root, "nginx");
        at.write(Who::Deploy, 0o644, "/home/deploy/bluegreen.toml", &shop.text());
        let ended = at.run(Who::Root, &format!("cd /home/deploy && {SUDO_DEPLOY} bluegreen --yes setup --apply"));
        let deployed = at.run(Who::Deploy, &format!("bluegreen deploy {} --version v1", shop.artifact("v1")));
        let fell = ended.code != 0 || deployed.code != 0;
        Verdict::fell_if(fell, format!("{}; {}", ended.brief(), deployed.brief()))
    }),
    Input::control(
        "root-for-deploy",
        "`sudo bluegreen deploy` with the deploy user's own toml goes on as deploy",
        |at| {
            let shop = Shop::marker(at);
            at.write(Who::Deploy, 0o644, "/home/deploy/bluegreen.toml", &shop.text());
            let artifact = shop.artifact("v1");
            let ended = at.run(Who::Root, &format!("cd /home/deploy && {SUDO_DEPLOY} bluegreen deploy {artifact}"));
            Verdict::fell_if(ended.code != 0 || !shop.front().starts_with("v1"), ended.brief())
        },
    ),
];

const SUDO: &str = "SUDO_UID=4002 SUDO_GID=4002 SUDO_USER=mallory";
const SUDO_DEPLOY: &str = "SUDO_UID=4001 SUDO_GID=4001 SUDO_USER=deploy";
const NOTES: &str = "id -u > /tmp/ran.$(id -u); exec sleep 1000";

/// Which of the two ran what mallory wrote.
fn verdict(at: &Place, told: &str) -> Verdict {
    at.comes(std::time::Duration::from_millis(300), || {
        ["0", "4001"].iter().any(|uid| !at.read(&format!("/tmp/ran.{uid}")).is_empty())
    });
    let ran: Vec<_> = [Who::Root, Who::Deploy]
        .into_iter()
        .filter(|w| !at.read(&format!("/tmp/ran.{}", w.uid())).is_empty())
        .collect();
    let who = ran.iter().map(|who| who.name()).collect::<Vec<_>>().join(", ");
    if ran.is_empty() { Verdict::Held(told.to_owned()) } else { Verdict::Fell(format!("{who} ran it; {told}")) }
}

/// A shop of `state`'s whose configuration is in mallory's home.
fn shop(at: &Place, state: Who) -> Shop<'_> {
    let mut shop = Shop::bare(at);
    at.must(Who::Root, "nginx");
    shop.set("user", state.name());
    shop.set("health.deadline", "2s");
    shop.root("--yes setup --apply");
    shop
}

fn obeyed(at: &Place, author: Who, state: Who, words: &str) -> Verdict {
    let mut shop = shop(at, state);
    shop.set_words("start.command", ["sh", "-c", NOTES]);
    at.write(author, 0o644, "/home/mallory/bluegreen.toml", &shop.text());
    let ended = at.run(Who::Root, &format!("cd /home/mallory && {SUDO} bluegreen {words}"));
    verdict(at, &ended.brief())
}

fn reload(at: &Place, words: &str) -> Verdict {
    reload_by(at, Who::Root, words)
}

fn reload_by(at: &Place, who: Who, words: &str) -> Verdict {
    let mut shop = shop(at, who);
    shop.set("proxy.nginx.mode", "reload");
    shop.set_words("proxy.nginx.test", ["sh", "-c", "id -u > /tmp/ran.$(id -u)"]);
    shop.set_words("proxy.nginx.reload", ["true"]);
    at.write(Who::Mallory, 0o644, "/home/mallory/bluegreen.toml", &shop.text());
    let ended = at.run(who, &format!("cd /home/mallory && {SUDO} bluegreen {words}"));
    verdict(at, &ended.brief())
}

/// Root's own file, which mallory may write.
fn written(at: &Place, grant: &str) -> Verdict {
    let shop = shop(at, Who::Root);
    at.must(Who::Root, &format!("{grant} {CONFIG}"));
    let hook = r#"[hooks]\nbefore_start = ["sh", "-c", "id -u > /tmp/ran.0"]\n"#;
    at.must(Who::Mallory, &format!("printf '{hook}' >> {CONFIG}"));
    let ended = shop.root(&format!("deploy {} --version v1", shop.artifact("v1")));
    verdict(at, &ended.brief())
}

/// What the app is started with is where mallory could put something else.
fn hers(at: &Place, key: &str, says: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    at.must(Who::Root, "mkdir -m 755 /srv/hers && chown mallory /srv/hers");
    at.write(Who::Mallory, 0o755, "/srv/hers/app", "#!/bin/sh\nexec sleep 9\n");
    at.write(Who::Deploy, 0o600, "/home/deploy/secrets", "A=1\n");
    at.must(Who::Mallory, "ln -s /home/deploy/secrets /srv/hers/env");
    match key {
        "start.command" => shop.set_words(key, ["/srv/hers/app", "{port}"]),
        _ => shop.set(key, "/srv/hers/env"),
    }
    let ended = shop.bg("check");
    Verdict::fell_if(!ended.has(says), ended.brief())
}

/// Whoever has a route of that name keeps it.
fn same_name(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let hers = "user = \"mallory\"\nstate_dir = \"/var/lib/bluegreen/hers\"";
    let text = shop.text().replace("user = \"deploy\"", hers);
    at.write(Who::Mallory, 0o644, "/home/mallory/bluegreen.toml", &text);
    let ended = at.run(Who::Root, &format!("cd /home/mallory && {SUDO} bluegreen --yes setup --apply"));
    let (front, status) = (shop.front(), shop.bg("status"));
    let fell = ended.code != 3 || !front.starts_with("v2") || status.code != 0;
    Verdict::fell_if(fell, format!("users get {front:?}; {}; deploy's status: {}", ended.brief(), status.brief()))
}

fn hooked(at: &Place) -> Verdict {
    let mut shop = shop(at, Who::Deploy);
    shop.set_words("hooks.before_start", ["sh", "-c", "id -u > /tmp/ran.$(id -u)"]);
    at.write(Who::Mallory, 0o644, "/home/mallory/bluegreen.toml", &shop.text());
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Root, &format!("cd /home/mallory && {SUDO} bluegreen deploy {artifact}"));
    verdict(at, &ended.brief())
}

/// Whoever may rename there decides which file has the name.
fn directory(at: &Place) -> Verdict {
    let mut shop = shop(at, Who::Root);
    shop.set_words("start.command", ["sh", "-c", NOTES]);
    at.write(Who::Root, 0o644, "/home/mallory/bluegreen.toml", &shop.text());
    let ended = at.run(Who::Root, "bluegreen --config /home/mallory/bluegreen.toml deploy");
    at.run(Who::Root, &format!("ls {STATE}"));
    verdict(at, &ended.brief())
}
