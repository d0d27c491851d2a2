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
        |at| tool(at, TAKES),
    ),
    Input::fault("tool-environment", "the same; root's environment", |at| {
        tool(at, "tr '\\0' '\\n' < /proc/$PPID/environ | grep of-root")
    }),
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

/// `pidfd_open` and `pidfd_getfd`: whose process it is may have its descriptors.
const TAKES: &str = "perl -e '$p = syscall(434, $ARGV[0] + 0, 0); $f = syscall(438, $p, 9, 0); \
                     open(F, \"<&=$f\") and print <F>' $PPID";

/// A hook, which is nothing but any program of the deploy user's, looks at the tool while it runs.
fn tool(at: &Place, script: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    at.write(Who::Root, 0o600, "/root/key", "secret of root\n");
    shop.set_words("hooks.before_start", ["sh", "-c", &format!("{script} > /tmp/leak; true")]);
    let artifact = shop.artifact("v1");
    let ended = at.run(Who::Root, &format!("TOKEN=of-root bluegreen --app shop deploy {artifact} 9< /root/key"));
    let leak = at.read("/tmp/leak");
    // one that did not run has shown nothing; the app that only reads is no app
    let ran = ended.code == 0 || ended.code == 10;
    Verdict::fell_if(!leak.is_empty() || !ran, format!("it read {:?}; {}", leak.trim(), ended.brief()))
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
