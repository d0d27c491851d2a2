//! A8: locks, files and loops that somebody else makes last.

use std::time::Duration;

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Ended, Place, Who},
    shop::{STATE, Shop},
};

pub(super) const AREA: Area = Area { point: "A8", what: "locks, files and loops of others", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault(
        "flock",
        "a state directory of mode 0755: `setup --apply`, then mallory's flock, then a deploy",
        flock,
    )
    .quick(),
    Input::fault("flock-before", "mallory has the lock already: a deploy says whose it is, and not 75", flock_before),
    Input::fault("fifo-env-file", "env_file is a FIFO: `deploy --deadline 2s`", env_file).quick(),
    Input::fault("hung-env-file", "env_file is on a disk that does not answer: `deploy --deadline 1s`", hung),
    Input::fault("fifo-textfile", "[metrics] textfile is a FIFO", textfile_fifo),
    Input::fault("fifo-release", "release.json is a FIFO", |at| fifo(at, "releases/*/release.json", "releases").ends())
        .quick(),
    Input::fault("fifo-release-rollback", "the same; `rollback`", |at| {
        fifo(at, "releases/*/release.json", "rollback").ends()
    }),
    Input::fault("fifo-log", "the log of the app is a FIFO: `logs`", |at| fifo(at, "logs/*/*", "logs").ends()),
    Input::fault("fifo-history", "the history is a FIFO: `history`", |at| {
        fifo(at, "history.jsonl", "history").says_not("nothing was deployed")
    }),
    Input::fault("fifo-state", "state.json is a FIFO: `status` must not take it for an older one in silence", |at| {
        fifo(at, "state.json", "status").names("state.json")
    }),
    Input::control("fifo-lock", "the note about the lock is a FIFO: a deploy", |at| {
        fifo(at, "lock", "deploy /home/deploy/app-v1").ends()
    }),
    Input::control("fifo-both-states", "state.json and the one before it are FIFOs: `status`", |at| {
        fifo(at, "state.json state.json.prev", "status").names("state.json")
    }),
    Input::control("fifo-hook-log", "the log of a hook is a FIFO: a deploy", hook_log),
    Input::fault("fifo-init", "root types `init` where every file is a FIFO", fifo_init),
    Input::control("fifo-inside", "a FIFO inside an artifact", fifo_inside),
    Input::fault("fifo-config", "the toml is a FIFO", fifo_config),
    Input::control("fifo-artifact", "the artifact is a FIFO", fifo_artifact),
    Input::fault("fifo-include", "the include file of reload mode is a FIFO: `status`", fifo_include),
    Input::fault("log-link", "the log is a link to another file: `logs`", log_link).quick(),
    Input::fault("log-elsewhere", "the record of the app names another file as its log: `logs`", log_elsewhere),
    Input::fault(
        "setup-interrupted",
        "root breaks `setup` off while nginx reads a FIFO: nothing is left of it",
        interrupted,
    ),
    Input::fault("sparse-history", "a history of 200 GB of nothing: `history`", |at| {
        huge(at, "history.jsonl", "history").ends()
    }),
    Input::control("sparse-log", "the same, the log: `logs`", |at| huge(at, "logs/real*/current", "logs").ends()),
    Input::control("sparse-state", "the same, state.json: `status`", |at| huge(at, "state.json", "status").ends()),
    Input::fault("copy-int", "SIGINT while a large artifact is copied", |at| copied(at, Some("INT"), "")),
    Input::fault("copy-term", "SIGTERM while a large artifact is copied", |at| copied(at, Some("TERM"), "")),
    Input::fault("copy-deadline", "--deadline while a large artifact is copied", |at| {
        copied(at, None, "--deadline 100ms")
    }),
    Input::fault("textfile-device", "root deploys, textfile = \"/dev/null\"", |at| textfile_device(at, "/dev/null"))
        .quick(),
    Input::fault("textfile-link", "the same, by a link to the device", |at| {
        at.must(Who::Root, "ln -s /dev/null /srv/out.prom");
        textfile_device(at, "/srv/out.prom")
    }),
];

/// How a command ended by itself, or did not.
struct Asked(Ended);

/// Asks it to end after 2 s by INT, after 4 s by TERM, and kills it then.
fn asked(at: &Place, who: Who, line: &str) -> Asked {
    let line = format!("timeout -s KILL 6 timeout -s TERM 4 timeout -s INT 2 {line}");
    Asked(at.run_within(who, &line, Duration::from_secs(14)))
}

impl Asked {
    /// 134 is an abort for want of memory.
    fn ends(&self) -> Verdict {
        match self.0.code {
            137 => Verdict::Fell("past INT and TERM".to_owned()),
            124 | 130 | 134 | 143 => Verdict::Fell(format!("not by itself: {}", self.0.brief())),
            _ => Verdict::Held(self.0.brief()),
        }
    }

    /// It ends, and does not say what nobody has seen.
    fn says_not(&self, text: &str) -> Verdict {
        if self.0.has(text) { Verdict::Fell(self.0.brief()) } else { self.ends() }
    }

    /// It ends, and names what is wrong.
    fn names(&self, text: &str) -> Verdict {
        if self.0.has(text) { self.ends() } else { Verdict::Fell(format!("not a word of {text}: {}", self.0.brief())) }
    }
}

fn flock(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.must(Who::Deploy, &format!("chmod 755 {STATE}"));
    let applied = shop.root("--yes setup --apply");
    drop(at.leave(Who::Mallory, &format!("flock {STATE} -c 'touch /tmp/got; sleep 1000'")));
    at.comes(Duration::from_secs(1), || std::path::Path::new("/tmp/got").exists());
    let ended = shop.deploy("v2");
    Verdict::fell_if(ended.code != 0, format!("setup: exit {}; {}", applied.code, ended.brief()))
}

fn flock_before(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    at.must(Who::Deploy, &format!("chmod 755 {STATE}"));
    drop(at.leave(Who::Mallory, &format!("flock {STATE} -c 'touch /tmp/got; sleep 1000'")));
    at.wait("the lock", || std::path::Path::new("/tmp/got").exists());
    at.must(Who::Deploy, &format!("chmod 711 {STATE}"));
    let ended = shop.deploy("v1");
    Verdict::fell_if(ended.code != 0 && ended.code != 3, ended.brief())
}

fn env_file(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    at.must(Who::Deploy, "mkfifo -m 600 env");
    shop.set("start.env_file", "/home/deploy/env");
    let artifact = shop.artifact("v1");
    asked(at, Who::Deploy, &format!("bluegreen --app shop deploy {artifact} --deadline 2s")).ends()
}

/// Nobody reads what the kernel asks this disk.
fn hung(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    at.must(Who::Root, "mkdir -p /mnt/hung && mknod /dev/fuse c 10 229");
    let mount = "mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other none /mnt/hung";
    drop(at.leave(Who::Root, &format!("exec 3<>/dev/fuse && {mount} && touch /tmp/mounted && sleep 1000")));
    if !at.comes(Duration::from_secs(5), || std::path::Path::new("/tmp/mounted").exists()) {
        return Verdict::Skipped("this kernel has no FUSE".to_owned());
    }
    shop.set("start.env_file", "/mnt/hung/env");
    let artifact = shop.artifact("v1");
    let ended =
        at.run(Who::Deploy, &format!("timeout -s KILL 12 bluegreen --app shop deploy {artifact} --deadline 1s"));
    Verdict::fell_if(ended.code != 10, ended.brief())
}

fn textfile_fifo(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    at.must(Who::Deploy, "mkdir m && mkfifo -m 600 m/out.prom");
    shop.set("metrics.textfile", "/home/deploy/m/out.prom");
    let artifact = shop.artifact("v1");
    let asked = asked(at, Who::Deploy, &format!("bluegreen --app shop deploy {artifact} --deadline 5s"));
    let replaced = at.run(Who::Root, "test -p /home/deploy/m/out.prom").code != 0;
    if replaced { Verdict::Fell(format!("a FIFO was replaced; {}", asked.0.brief())) } else { asked.ends() }
}

/// Puts a FIFO in the place of a file of the state, as the app could, and types `words`.
fn fifo(at: &Place, file: &str, words: &str) -> Asked {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    let replace = "d=$(dirname $f); chmod u+w $d; rm -f $f; mkfifo -m 600 $f";
    at.must(Who::Deploy, &format!("cd {STATE}; for f in {file}; do {replace}; done"));
    asked(at, Who::Deploy, &format!("bluegreen --app shop {words}"))
}

fn fifo_config(at: &Place) -> Verdict {
    at.users();
    at.must(Who::Deploy, "mkfifo -m 600 bluegreen.toml");
    asked(at, Who::Deploy, "bluegreen check").ends()
}

fn hook_log(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set_words("hooks.before_start", ["true"]);
    at.must(Who::Deploy, &format!("mkdir -p {STATE}/logs/hooks && mkfifo {STATE}/logs/hooks/before_start.log"));
    let artifact = shop.artifact("v1");
    asked(at, Who::Deploy, &format!("bluegreen --app shop deploy {artifact} --deadline 2s")).ends()
}

fn fifo_init(at: &Place) -> Verdict {
    at.users();
    let files = "package.json app.jar pom.xml build.gradle requirements.txt app.py manage.py wsgi.py Procfile appspec.yml stop.sh \
                 start.sh health.sh switch.sh profile.sh pyproject.toml .nvmrc Dockerfile";
    at.must(Who::Mallory, &format!("mkfifo {files}; chmod 755 *"));
    asked(at, Who::Root, "bash -c 'cd /home/mallory && exec bluegreen --yes init -- sleep 1'").ends()
}

fn fifo_inside(at: &Place) -> Verdict {
    drop(Shop::marker(at));
    at.must(Who::Deploy, "mkdir d && mkfifo d/pipe && echo x > d/x");
    asked(at, Who::Deploy, "bluegreen --app shop deploy d --deadline 2s").ends()
}

fn fifo_artifact(at: &Place) -> Verdict {
    drop(Shop::marker(at));
    at.must(Who::Deploy, "mkfifo -m 600 app");
    asked(at, Who::Deploy, "bluegreen --app shop deploy app --deadline 2s").ends()
}

fn fifo_include(at: &Place) -> Verdict {
    let shop = Shop::reload(at);
    shop.deployed(&["v1"]);
    at.must(Who::Deploy, "rm /etc/nginx/service-url.inc && mkfifo -m 644 /etc/nginx/service-url.inc");
    asked(at, Who::Deploy, "bluegreen --app shop status").ends()
}

fn log_link(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    // a group of the deploy user's lets it read this, and who asks root for the logs does not expect it
    at.write(Who::Deploy, 0o600, "/home/deploy/key", "secret of deploy\n");
    at.must(
        Who::Deploy,
        &format!("cd {STATE}/logs; for d in real*; do ln -sfn /home/deploy/key $d/$(readlink $d/current); done"),
    );
    let ended = shop.bg("logs");
    Verdict::fell_if(ended.has("secret of deploy"), ended.brief())
}

fn log_elsewhere(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    at.write(Who::Deploy, 0o600, "/home/deploy/key", "secret of deploy\n");
    let name = r#"s,"log":"[^"]*","log":"/home/deploy/key",;"#;
    at.must(Who::Deploy, &format!("cd {STATE}/processes && sed -i '{name}' *.json && grep -q deploy/key *.json"));
    let ended = shop.bg("logs");
    Verdict::fell_if(ended.has("secret of deploy"), ended.brief())
}

/// Four times: whether the signal finds the set-up before or behind its own look at nginx is chance.
fn interrupted(at: &Place) -> Verdict {
    drop(Shop::bare(at));
    at.must(Who::Root, "nginx && mkfifo /etc/nginx/conf.d/a.conf");
    let reads = || at.run(Who::Root, "pgrep -f '^[^ ]*nginx -[tT]'");
    let mut seen = String::new();
    for _ in 0..4 {
        let mut setup = at.leave(Who::Root, "exec bluegreen --app shop setup --check");
        at.wait("nginx, which reads", || reads().code == 0);
        at.must(Who::Root, &format!("kill -INT {}", setup.id()));
        let code = setup.wait().unwrap().code();
        let gone = at.comes(Duration::from_secs(5), || reads().code != 0);
        seen = format!("exit {code:?}; nginx {}", if gone { "is gone" } else { "reads on" });
        if !gone {
            return Verdict::Fell(seen);
        }
    }
    Verdict::Held(seen)
}

/// A file without an end, and a limit of memory, as it must not take the machine with it.
fn huge(at: &Place, file: &str, words: &str) -> Asked {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    at.must(Who::Deploy, &format!("cd {STATE}; for f in {file}; do truncate -s 200G $f; done"));
    asked(at, Who::Deploy, &format!("bash -c 'ulimit -v 3000000; exec bluegreen --app shop {words}'"))
}

/// A large file, which is no hole: whether the copy is broken off, or goes to its end first.
fn copied(at: &Place, signal: Option<&str>, option: &str) -> Verdict {
    drop(Shop::marker(at));
    at.must(Who::Deploy, "head -c 400000000 /dev/zero > big");
    let line = format!("exec bluegreen --app shop --format json deploy big {option} > /tmp/events");
    let mut deploy = at.leave(Who::Deploy, &line);
    if let Some(signal) = signal {
        at.wait("the copy", || at.read("/tmp/events").contains("\"copying\""));
        at.must(Who::Root, &format!("kill -{signal} {}", deploy.id()));
    }
    let code = deploy.wait().unwrap().code();
    let events = at.read("/tmp/events");
    let last = events.lines().rfind(|line| line.contains("\"copying\"")).unwrap_or_default();
    let event: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
    let (done, total) = (event["done"].as_u64(), event["total"].as_u64());
    let left = at.must(Who::Root, &format!("du -sm {STATE}/releases | cut -f1")).out;
    let seen = format!("copied {} of 400000000 bytes, {} MB stay; exit {code:?}", done.unwrap_or(0), left.trim());
    Verdict::fell_if(total.is_some() && done == total || left.trim().len() > 1, seen)
}

fn textfile_device(at: &Place, file: &str) -> Verdict {
    let mut shop = Shop::bare(at);
    at.must(Who::Root, "nginx");
    shop.set("user", "root");
    shop.set("metrics.textfile", file);
    shop.root("--yes setup --apply");
    let artifact = shop.artifact("v1");
    at.must(Who::Root, &format!("chown root {artifact}"));
    let ended = shop.root(&format!("deploy {artifact}"));
    let is = at.run(Who::Root, &format!("stat -Lc %F {file}")).out;
    Verdict::fell_if(is.trim() != "character special file", format!("{file} is: {}; {}", is.trim(), ended.brief()))
}
