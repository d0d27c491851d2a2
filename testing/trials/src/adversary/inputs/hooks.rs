//! A5: what a program gets from the one who starts it.

use std::fs;

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::Shop,
};

pub(super) const AREA: Area = Area { point: "A5", what: "what a program gets from who starts it", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("hook-types", "a hook types a line into root's terminal (TIOCSTI)", types),
    Input::fault("hook-descriptor", "a hook reads an open file of root's", |at| descriptor(at, "hooks.before_start"))
        .quick(),
    Input::fault("reload-descriptor", "the same, the command that tests nginx", reload_descriptor),
    Input::fault("hook-environment", "a hook reads root's environment", environment).quick(),
    Input::fault(
        "tool-descriptor",
        "a program of deploy's takes root's open file from the tool that became deploy",
        |at| tool(at, &TAKES.replace("FD", "9")),
    ),
    Input::fault("tool-input", "the same; root's standard input", |at| tool(at, &TAKES.replace("FD", "0"))),
    Input::fault("tool-directory", "the same; what is in root's working directory", |at| {
        tool(at, "cat /proc/$PPID/cwd/key")
    }),
    Input::fault("tool-environment", "the same; root's environment", |at| {
        tool(at, "tr '\\0' '\\n' < /proc/$PPID/environ | grep of-root")
    }),
    Input::fault(
        "hook-directory",
        "a hook's program is root's, in a directory of mallory's: she puts a link there",
        |at| {
            let link = "rm -f /srv/open/hook && ln -s /usr/bin/touch /srv/open/hook";
            program(at, Who::Root, "/srv/open/hook", "chown mallory /srv/open", link)
        },
    )
    .quick(),
    Input::fault("hook-list", "a hook's program is deploy's, with an access list that lets mallory write", |at| {
        let grant = "setfacl -m u:mallory:rw /home/deploy/hook";
        program(at, Who::Deploy, "/home/deploy/hook", grant, "echo 'echo hers > $1' >> /home/deploy/hook")
    }),
    Input::fault("hook-stops-tool", "a hook stops the tool (SIGSTOP); root types Ctrl-C", stops_tool),
    Input::control("hook-own-environment", "a hook keeps the environment where the user stays", own_environment),
    Input::control("app-descriptor", "the app reads an open file of root's", |at| descriptor(at, "start.command")),
];

/// Two bytes for the terminal of who started us, as a program of the deploy user's.
const TYPES: &str =
    "perl -e 'open(T, \"+<\", \"/dev/tty\") or exit 0; for (\"x\", \"\\n\") { my $c = $_; ioctl(T, 0x5412, $c) }'";

fn types(at: &Place) -> Verdict {
    // it is one for all machines of a kernel
    if fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").is_ok_and(|text| text.trim() == "0") {
        return Verdict::Skipped("this kernel has no TIOCSTI (dev.tty.legacy_tiocsti = 0)".to_owned());
    }
    let mut shop = Shop::marker(at);
    shop.set_words("hooks.before_start", ["sh", "-c", TYPES]);
    let artifact = shop.artifact("v1");
    let line = format!(
        "bluegreen --app shop deploy {artifact}; echo then; read -t 1 -r typed; echo \"typed=$typed.\" > /tmp/typed"
    );
    at.write(Who::Root, 0o755, "/root/terminal", &line);
    let ended = at.run(Who::Root, "sleep 15 | script -qec 'bash /root/terminal' /dev/null");
    let typed = at.read("/tmp/typed");
    Verdict::fell_if(
        typed.trim() != "typed=." || shop.front() != "v1 real2",
        format!("root's shell read {:?}; {}", typed.trim(), ended.brief()),
    )
}

fn descriptor(at: &Place, key: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    at.write(Who::Root, 0o600, "/root/key", "secret of root\n");
    let app = if key == "start.command" { "; exec sleep 1000" } else { "" };
    shop.set("health.deadline", "3s");
    shop.set_words(key, ["sh", "-c", &format!("cat <&9 > /tmp/leak{app}")]);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Root, &format!("bluegreen --app shop deploy {artifact} 9< /root/key"));
    let leak = at.read("/tmp/leak");
    // one that did not run has shown nothing; the app that only reads is no app
    let ran = ended.code == 0 || ended.code == 10;
    Verdict::fell_if(!leak.is_empty() || !ran, format!("it read {:?}; {}", leak.trim(), ended.brief()))
}

fn reload_descriptor(at: &Place) -> Verdict {
    let mut shop = Shop::reload(at);
    at.write(Who::Root, 0o600, "/root/key", "secret of root\n");
    shop.set_words("proxy.nginx.test", ["sh", "-c", "cat <&9 > /tmp/leak; true"]);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Root, &format!("bluegreen --app shop deploy {artifact} 9< /root/key"));
    let leak = at.read("/tmp/leak");
    // one that did not run has shown nothing; the app that only reads is no app
    let ran = ended.code == 0 || ended.code == 10;
    Verdict::fell_if(!leak.is_empty() || !ran, format!("it read {:?}; {}", leak.trim(), ended.brief()))
}

/// Whoever is stopped hears nothing.
fn stops_tool(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    let artifact = shop.artifact("v1");
    shop.set_words("hooks.before_start", ["sh", "-c", "kill -STOP $PPID; touch /tmp/stopped; sleep 1000"]);
    at.write(Who::Root, 0o644, "/root/terminal", &format!("bluegreen --app shop deploy {artifact}; echo ended=$?\n"));
    let keys = "until [ -e /tmp/stopped ]; do sleep 0.1; done; sleep 1; printf '\\003'; sleep 10";
    let ended =
        at.run(Who::Root, &format!("({keys}) | timeout -s KILL 30 script -qec 'bash -m /root/terminal' /dev/null"));
    Verdict::fell_if(!ended.has("ended=130"), ended.brief())
}

/// `pidfd_open` and `pidfd_getfd`: whose process it is may have its descriptors.
const TAKES: &str = "perl -e '$p = syscall(434, $ARGV[0] + 0, 0); $f = syscall(438, $p, FD, 0); \
                     open(F, \"<&=$f\") and print <F>' $PPID";

/// A hook, which is nothing but any program of the deploy user's, looks at the tool while it runs.
fn tool(at: &Place, script: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    at.write(Who::Root, 0o600, "/root/key", "secret of root\n");
    // open, in a directory that nobody else can enter
    at.write(Who::Root, 0o644, "/root/here/key", "secret of root\n");
    at.must(Who::Root, "chmod 700 /root");
    shop.set_words("hooks.before_start", ["sh", "-c", &format!("{script} > /tmp/leak; true")]);
    let typed = format!("TOKEN=of-root bluegreen --app shop deploy {}", shop.artifact("v1"));
    let ended = at.run(Who::Root, &format!("cd here && {typed} < /root/key 9< /root/key"));
    let leak = at.read("/tmp/leak");
    // one that did not run has shown nothing; the app that only reads is no app
    let ran = ended.code == 0 || ended.code == 10;
    Verdict::fell_if(!leak.is_empty() || !ran, format!("it read {:?}; {}", leak.trim(), ended.brief()))
}

/// The hook writes down what it is given, when it is another one than was judged.
fn program(at: &Place, owner: Who, file: &str, grant: &str, replace: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    at.write(owner, 0o755, file, "#!/bin/sh\n");
    shop.set_words("hooks.before_start", [file, "/tmp/leak"]);
    at.must(Who::Root, grant);
    at.must(Who::Mallory, replace);
    let (checked, ended) = (shop.bg("check"), shop.deploy("v1"));
    let ran = fs::exists("/tmp/leak").unwrap();
    let seen = format!("check: {}; deploy: {}", checked.brief(), ended.brief());
    Verdict::fell_if(ran || checked.code == 0, format!("{}; {seen}", if ran { "hers ran" } else { "hers did not run" }))
}

fn environment(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set_words("hooks.before_start", ["sh", "-c", "env > /tmp/leak"]);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Root, &format!("TOKEN=of-root bluegreen --app shop deploy {artifact}"));
    let leaked = at.read("/tmp/leak").contains("of-root");
    Verdict::fell_if(
        leaked || ended.code != 0,
        format!("{}; {}", if leaked { "TOKEN was in it" } else { "TOKEN was not" }, ended.brief()),
    )
}

fn own_environment(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.set_words("hooks.before_start", ["sh", "-c", "env > /tmp/leak"]);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Deploy, &format!("AWS_PROFILE=mine bluegreen --app shop deploy {artifact}"));
    let kept = at.read("/tmp/leak").contains("AWS_PROFILE=mine");
    Verdict::fell_if(!kept || ended.code != 0, ended.brief())
}
