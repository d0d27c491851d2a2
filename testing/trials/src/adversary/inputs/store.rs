//! A7, A9, A10: what becomes of an artifact.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "A7, A9, A10", what: "what becomes of an artifact", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("closed-file", "a 0600 file of a 0700 artifact, read by mallory in the store", |at| {
        read_by_mallory(at, "mkdir -m 700 d && echo secret > d/key && chmod 600 d/key", "d")
    })
    .quick(),
    Input::fault("closed-group", "the same, 0640 in 0750", |at| {
        read_by_mallory(at, "mkdir -m 750 d && echo secret > d/key && chmod 640 d/key", "d")
    }),
    Input::fault("closed-inside", "the same, a closed directory in an open one", |at| {
        read_by_mallory(at, "mkdir d d/in && echo secret > d/in/key && chmod 700 d/in", "d")
    }),
    Input::fault("closed-artifact", "an artifact that is one file of mode 0600", |at| {
        read_by_mallory(at, "echo secret > key && chmod 600 key", "key")
    }),
    Input::control("setuid", "a setuid program of an artifact", |at| bits(at, "chmod 4755 d/p")),
    Input::control("setgid", "a setgid directory of an artifact", |at| bits(at, "mkdir d/in && chmod 2775 d/in")),
    Input::fault("sparse", "a sparse artifact fills the disk", sparse),
    Input::fault("closed-list", "the same, the store has a default list that lets mallory read", |at| {
        let list = format!("mkdir -p {STATE}/releases && setfacl -d -m u:mallory:rx {STATE}/releases");
        read_by_mallory(at, &format!("{list}; mkdir -m 750 d && echo secret > d/key && chmod 640 d/key"), "d")
    }),
    Input::fault("holds-state", "`deploy DIR`, where DIR holds the state directory", |at| {
        holds(at, "/var/lib/bluegreen", "true")
    })
    .quick(),
    Input::fault("holds-state-itself", "`deploy STATE_DIR`", |at| holds(at, STATE, "true")),
    Input::fault("holds-state-link", "the same, by a link to the parent", |at| {
        holds(at, "/home/all/", "ln -s /var/lib/bluegreen /home/all")
    }),
    Input::fault("holds-store", "`deploy STATE_DIR/releases`", |at| {
        holds(at, "/var/lib/bluegreen/shop/releases", "true")
    }),
    Input::fault("holds-overlay", "an artifact in which the state is seen through an overlay", |at| {
        let seen = format!("mount -t overlay -o ro,lowerdir={STATE}:/srv none d/ov");
        holds(at, "/home/deploy/d", &format!("cd /home/deploy && mkdir -p d/ov && chown -R deploy d && {seen}"))
    }),
    Input::fault("grows", "an artifact grows while it is copied", grows),
    Input::control("deep", "an artifact of 9000 directories in one another", deep),
    Input::fault("umask", "`umask 777` takes from the owner what he makes", umask),
    Input::control("closed-state", "mallory reads state, history, logs, records or secrets", |at| {
        let shop = Shop::marker(at);
        shop.deployed(&["v1", "v2"]);
        let files = at.must(Who::Root, &format!("find {STATE} -type f -not -path '*/route/*' -not -name 'app-*'")).out;
        let read = |file: &&str| at.run(Who::Mallory, &format!("cat {file}")).code == 0;
        let open: Vec<_> = files.lines().filter(read).collect();
        Verdict::fell_if(!open.is_empty(), format!("of {} files she reads {open:?}", files.lines().count()))
    }),
    Input::control("open-file", "an open file of an open artifact: a static server reads it as before", |at| {
        let verdict = read_by_mallory(at, "mkdir d && echo hello > d/key", "d");
        match verdict {
            Verdict::Fell(text) => Verdict::Held(text),
            Verdict::Held(text) => Verdict::Fell(text),
            other => other,
        }
    }),
];

/// A shop whose app needs nothing of the artifact.
fn shop(at: &Place) -> Shop<'_> {
    let mut shop = Shop::marker(at);
    let words = ["/usr/local/bin/bluegreen", "__app", "--port", "{port}", "--profile", "{profile}"];
    shop.set_words("start.command", words);
    shop
}

fn read_by_mallory(at: &Place, make: &str, artifact: &str) -> Verdict {
    let shop = shop(at);
    at.must(Who::Deploy, make);
    let ended = shop.bg(&format!("deploy /home/deploy/{artifact} --version v1"));
    // who may enter a directory that they cannot list needs the name: it is in the arguments of every app, and in `ps`
    let files = at.must(Who::Root, &format!("grep -rl -e secret -e hello {STATE}/releases | head -1")).out;
    let read = at.run(Who::Mallory, &format!("cat {}", files.trim()));
    Verdict::fell_if(read.code == 0, format!("mallory reads {:?}; {}", read.text.trim(), ended.brief()))
}

fn bits(at: &Place, change: &str) -> Verdict {
    let shop = shop(at);
    at.must(Who::Deploy, &format!("mkdir d && cp /usr/bin/id d/p && {change}"));
    let ended = shop.bg("deploy /home/deploy/d --version v1");
    let found = at.must(Who::Root, &format!("find {STATE}/releases -perm /6000 -printf '%m %f '")).out;
    Verdict::fell_if(!found.is_empty() || ended.code != 0, format!("in the store: {found:?}; {}", ended.brief()))
}

fn sparse(at: &Place) -> Verdict {
    let shop = shop(at);
    at.must(Who::Deploy, "truncate -s 192M big && echo end >> big");
    let ended = shop.bg("deploy /home/deploy/big --version v1");
    let used = at.must(Who::Root, &format!("du -sm {STATE}/releases | cut -f1")).out;
    let used: u32 = used.trim().parse().unwrap();
    Verdict::fell_if(used > 48 || ended.code != 0, format!("192 MiB of nothing use {used} MiB; {}", ended.brief()))
}

/// What is stored is what was there when the copy began, or nothing.
fn grows(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    at.must(Who::Deploy, "head -c 64M /dev/zero > grows");
    drop(at.leave(Who::Deploy, "for n in $(seq 200); do head -c 1M /dev/zero >> grows; sleep 0.02; done"));
    let ended = shop.bg("deploy /home/deploy/grows");
    let stored = at.run(Who::Root, &format!("find {STATE}/releases -type f -size +90M")).out;
    Verdict::fell_if(!stored.is_empty(), ended.brief())
}

fn deep(at: &Place) -> Verdict {
    let shop = shop(at);
    // a shell looks at the whole path at each step
    at.must(Who::Deploy, "perl -e 'for (0..9000) { mkdir qq(d) or die; chdir qq(d) or die }'");
    let ended = shop.bg("deploy /home/deploy/d --version v1");
    // a refusal is one as well; an abort is none
    Verdict::fell_if(![0, 11].contains(&ended.code), ended.brief())
}

fn umask(at: &Place) -> Verdict {
    let shop = shop(at);
    at.must(Who::Deploy, "mkdir d && echo hello > d/page");
    let ended = at.run(Who::Deploy, "umask 777 && bluegreen --app shop deploy /home/deploy/d --version v1");
    Verdict::fell_if(ended.code != 0 || !shop.front().ends_with("real2"), ended.brief())
}

fn holds(at: &Place, dir: &str, before: &str) -> Verdict {
    let shop = shop(at);
    at.must(Who::Deploy, "head -c 1000000 /dev/urandom > big");
    assert_eq!(shop.bg("deploy /home/deploy/big --version v1").code, 0);
    at.must(Who::Root, before);
    let size = || at.must(Who::Root, &format!("du -sk {STATE}/releases | cut -f1")).out.trim().to_owned();
    let before = size();
    let ended = shop.bg(&format!("deploy {dir} --version v2"));
    let seen = format!("{before} KiB became {}; {}", size(), ended.brief());
    Verdict::fell_if(ended.code == 0 || before != size(), seen)
}
