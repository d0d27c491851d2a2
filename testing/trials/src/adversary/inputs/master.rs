//! A1: who nginx is.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::Shop,
};

pub(super) const AREA: Area = Area { point: "A1", what: "who nginx is", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("title-init", "a false title, nginx down; root types `init`", |at| {
        titled(at, "cd /root && bluegreen --yes init -- sleep 1", TITLED)
    })
    .quick(),
    Input::fault("title-setup-check", "a false title, and its owner at the front door; `setup --check`", |at| {
        titled(at, "bluegreen --app shop setup --check", TITLED)
    })
    .quick(),
    Input::fault("title-setup-apply", "the same; `setup --apply`", |at| {
        titled(at, "bluegreen --app shop --yes setup --apply", TITLED)
    }),
    Input::fault("title-setup-remove", "the same; `setup --remove`", |at| {
        titled(at, "bluegreen --app shop --yes setup --remove", TITLED)
    }),
    Input::fault("title-check", "the same; `check` where root deploys", |at| {
        titled(at, "mkdir -p -m 711 /var/lib/bluegreen/shop && bluegreen --app shop check", TITLED)
    }),
    Input::fault("title-descriptor", "the false title holds the front door's socket itself", |at| {
        titled(at, "bluegreen --app shop setup --check", HOLDING)
    }),
    Input::fault("title-namespace", "uid 0 in a container, with a false title and programs of its own", |at| {
        titled(at, "bluegreen --app shop setup --check", CONTAINED)
    })
    .quick(),
    Input::fault("title-bash", "the same, its program is bash", |at| {
        titled(at, "cd /root && bluegreen --yes init -- sleep 1", BASH)
    }),
    Input::fault("title-root", "a process of root's, no nginx, with that title", |at| {
        titled(at, "bluegreen --app shop setup --check", ROOTS)
    }),
    Input::fault("pid-file", "the pid file is mallory's, and names the false title", |at| {
        let pid = "pgrep -f '^nginx: master process' | head -1 > /home/mallory/pid";
        titled(at, &format!("{pid}; bluegreen --app shop setup --check"), PID_FILE)
    }),
    Input::fault("path", "root's PATH begins with a directory of mallory's", path),
    Input::fault("config-of-deploy", "nginx was started by root with a file that others may write", config_of_deploy),
    Input::fault("config-in-home", "the same, the file is root's and its directory is not", config_in_home),
    Input::fault("title-reload", "reload mode, a false title beside nginx: a deploy", reload),
    Input::fault("title-reload-workers", "the same, and the false title has workers, too", reload_workers).quick(),
    Input::fault("several-reload", "reload mode, and another nginx of root's runs: a deploy", |at| {
        let shop = Shop::reload(at);
        another(at);
        deployed(&shop, "check")
    }),
    Input::control("several-marker", "another nginx of root's, no pid file: set-up by root, `check`, a deploy", |at| {
        let shop = Shop::bare(at);
        at.must(Who::Root, "sed -i 's,^pid .*,pid /run/other.pid;,' /etc/nginx/nginx.conf && nginx");
        another(at);
        at.must(Who::Root, "bluegreen --app shop --yes setup --apply");
        deployed(&shop, "check")
    })
    .quick(),
    Input::control("stopped-contained", "nginx is stopped, one in a container runs: what to type", contained).quick(),
    Input::control("third-uid", "nginx of a third user at the front door: root runs nothing of it", third_uid),
    Input::control("upgraded", "the package of nginx was renewed while it runs: `setup --apply`, a deploy", upgraded)
        .quick(),
];

const PAYLOAD: &str = "/home/mallory/pwn.sh";

/// Writes down as whom it runs.
fn payload(at: &Place) {
    let script = "#!/bin/sh\nid -u >> /tmp/pwned.$(id -u)\n";
    at.write(Who::Mallory, 0o755, PAYLOAD, script);
}

/// Whether root ran it.
fn verdict(at: &Place, told: &str) -> Verdict {
    let ran = !at.read("/tmp/pwned.0").is_empty();
    Verdict::fell_if(ran, if ran { format!("root ran {PAYLOAD}; {told}") } else { format!("not run; {told}") })
}

/// `su` of mallory's, which waits for a password for as long as the machine lives.
const TITLED: &str = "sleep 1000 | script -qec \"exec -a 'TITLE' su\" /dev/null";
/// The same, which also listens where users come in.
const HOLDING: &str = "sleep 1000 | script -qec \"perl -MIO::Socket::INET -e '\\$^F = 99; \
     \\$s = IO::Socket::INET->new(Listen => 9, LocalAddr => qq(127.0.0.1:8080), ReuseAddr => 1) or die; \
     exec { qq(/usr/bin/su) } qq(TITLE)'\" /dev/null";
/// A container of root's, whose programs are not those of the machine.
const CONTAINED: &str = "exec unshare --mount --pid --fork --mount-proc bash -c 'mount -t tmpfs t /mnt && \
     cp /usr/bin/sleep /mnt/nginx && mount --bind /mnt/nginx /usr/bin/su && exec -a \"TITLE\" /usr/bin/su 1000'";
const BASH: &str = "exec unshare --mount --pid --fork --mount-proc bash -c \
     'exec -a \"TITLE\" bash -c \"while :; do sleep 9; done\"'";
const ROOTS: &str = "exec -a \"TITLE\" bash -c \"while :; do sleep 9; done\"";
const PID_FILE: &str = TITLED;

/// A process of a false title, and root's `line` beside it.
fn titled(at: &Place, line: &str, how: &str) -> Verdict {
    let mut shop = Shop::bare(at);
    shop.unset("user");
    shop.set("proxy.nginx.url", "http://127.0.0.1:8080/profile");
    if line.contains("/pid;") {
        shop.set("proxy.nginx.pid_file", "/home/mallory/pid");
    }
    payload(at);
    let who = if [CONTAINED, BASH, ROOTS].contains(&how) { Who::Root } else { Who::Mallory };
    let title = format!("nginx: master process /usr/sbin/nginx -c {PAYLOAD} -p root -p --");
    drop(at.leave(who, &how.replace("TITLE", &title)));
    if how != HOLDING {
        shop.squats(Who::Mallory, "127.0.0.1:8080", "mine");
    }
    at.wait("the false title", || at.run(Who::Root, "pgrep -f '^nginx: master process'").code == 0);
    let ended = at.run(Who::Root, line);
    verdict(at, &ended.brief())
}

fn path(at: &Place) -> Verdict {
    drop(Shop::bare(at));
    payload(at);
    at.must(Who::Mallory, "cp pwn.sh nginx");
    let ended = at.run(Who::Root, "PATH=/home/mallory:$PATH bluegreen --app shop setup --check");
    verdict(at, &ended.brief())
}

/// What it reads may have been changed since, and `nginx -T` opens every log that it names.
fn config_of_deploy(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, "cp /etc/nginx/nginx.conf /home/deploy/n.conf && chown deploy /home/deploy/n.conf");
    at.must(Who::Root, "nginx -c /home/deploy/n.conf");
    at.must(Who::Deploy, "sed -i 's,/var/log/nginx/error.log,/etc/pwned,' n.conf");
    let ended = shop.root("setup --check");
    let ran = std::path::Path::new("/etc/pwned").exists();
    Verdict::fell_if(
        ran,
        format!("{}; {}", if ran { "root's nginx made /etc/pwned" } else { "not run" }, ended.brief()),
    )
}

fn config_in_home(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, "cp /etc/nginx/nginx.conf /home/deploy/n.conf && nginx -c /home/deploy/n.conf");
    at.must(Who::Deploy, "sed 's,/var/log/nginx/error.log,/etc/pwned,' n.conf > other && mv -f other n.conf");
    let ended = shop.root("setup --check");
    let ran = std::path::Path::new("/etc/pwned").exists();
    Verdict::fell_if(
        ran,
        format!("{}; {}", if ran { "root's nginx made /etc/pwned" } else { "not run" }, ended.brief()),
    )
}

fn reload(at: &Place) -> Verdict {
    beside(at, TITLED)
}

/// `su` has root's uids, and the children that mallory gave it before it was `su`.
const WORKERS: &str = "sleep 1000 | script -qec \"bash -c '(exec -a \\\"nginx: worker process\\\" sleep 1000) & \
     exec -a \\\"TITLE\\\" su'\" /dev/null";

fn reload_workers(at: &Place) -> Verdict {
    beside(at, WORKERS)
}

/// Another one of root's, which has nothing to do with the app.
fn another(at: &Place) {
    let conf = "sed 's,/run/[a-z]*.pid,/run/another.pid,; s,include.*,server { listen 8888; },' /etc/nginx/nginx.conf";
    at.must(Who::Root, &format!("{conf} > /etc/nginx/another.conf && nginx -c /etc/nginx/another.conf"));
    at.wait("another nginx", || at.run(Who::Root, "pgrep -f '^nginx: master process'").out.lines().count() == 2);
}

/// The deploy user says this, and deploys.
fn deployed(shop: &Shop<'_>, words: &str) -> Verdict {
    let (said, ended) = (shop.bg(words), shop.deploy("v1"));
    Verdict::fell_if(said.code != 0 || ended.code != 0, format!("{words}: {}; deploy: {}", said.brief(), ended.brief()))
}

fn contained(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Root, "nginx -s stop");
    drop(at.leave(Who::Root, "exec unshare --mount --pid --net --fork --mount-proc nginx -g 'daemon off;'"));
    at.wait("a container", || at.run(Who::Root, "pgrep -f '^nginx: worker process'").code == 0);
    let (ended, asked) = (shop.deploy("v2"), shop.bg("status"));
    let told = ended.has("systemctl start nginx") && asked.has("systemctl start nginx");
    Verdict::fell_if(!told || ended.code != 3, format!("{}; {}", ended.brief(), asked.brief()))
}

fn beside(at: &Place, how: &str) -> Verdict {
    let shop = Shop::reload(at);
    let title = "nginx: master process /usr/sbin/nginx";
    drop(at.leave(Who::Mallory, &how.replace("TITLE", title)));
    at.wait("the false title", || {
        at.run(Who::Root, "pgrep -u root -f '^nginx: master process' | wc -l").out.trim() == "2"
    });
    let ended = shop.deploy("v1");
    Verdict::fell_if(ended.code != 0, ended.brief())
}

fn third_uid(at: &Place) -> Verdict {
    let mut shop = Shop::bare(at);
    shop.set("proxy.nginx.url", "http://127.0.0.1:8080/profile");
    at.must(
        Who::Mallory,
        "mkdir n; sed 's,/run/,/home/mallory/n/,; s,/var/log/nginx,/home/mallory/n,; s,^user.*,,' /etc/nginx/nginx.conf > n.conf; \
         sed -i 's,include.*,server { listen 8080; },' n.conf; \
         for t in client_body proxy fastcgi uwsgi scgi; do sed -i \"s,access_log off;,& ${t}_temp_path /home/mallory/n/$t;,\" n.conf; done; \
         nginx -e n/e -c /home/mallory/n.conf",
    );
    at.must(Who::Mallory, "sed -i 's,/home/mallory/n/error.log,/etc/pwned,' n.conf");
    let ended = shop.root("setup --check");
    let ran = std::path::Path::new("/etc/pwned").exists();
    Verdict::fell_if(ran, ended.brief())
}

fn upgraded(at: &Place) -> Verdict {
    let shop = Shop::bare(at);
    at.must(Who::Root, "nginx && cp /usr/sbin/nginx /usr/sbin/n && mv /usr/sbin/n /usr/sbin/nginx");
    let ended = shop.root("--yes setup --apply");
    let deployed = shop.deploy("v1");
    let lies = ended.has("(deleted)") || deployed.has("(deleted)");
    let fell = ended.code != 0 || deployed.code != 0 || lies;
    Verdict::fell_if(fell, format!("{}; {}", ended.brief(), deployed.brief()))
}
