//! A1: who nginx is.

use super::Input;
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::Shop,
};

pub(super) const INPUTS: &[Input] = &[
    Input::fault("title-init", "a false title, nginx down; root types `init`", |at| {
        titled(at, "cd /root && bluegreen --yes init -- sleep 1", false)
    })
    .quick(),
    Input::fault("title-setup-check", "the same; `setup --check`", |at| {
        titled(at, "bluegreen --app shop setup --check", false)
    })
    .quick(),
    Input::fault("title-setup-apply", "the same; `setup --apply`", |at| {
        titled(at, "bluegreen --app shop --yes setup --apply", false)
    }),
    Input::fault("title-check", "the same; `check` where root deploys", |at| {
        titled(at, "bluegreen --app shop check", false)
    }),
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

/// A program of root's with a title that mallory gave it, as long as the machine lives.
fn false_title(at: &Place) {
    let title = format!("nginx: master process /usr/sbin/nginx -c {PAYLOAD} -p root -p --");
    let su = format!("sleep 1000 | script -qec \"exec -a '{title}' su\" /dev/null");
    drop(at.leave(Who::Mallory, &su));
    at.wait("the false title", || at.run(Who::Root, "pgrep -f '^nginx: master process'").code == 0);
}

fn titled(at: &Place, line: &str, nginx: bool) -> Verdict {
    let mut shop = Shop::bare(at);
    shop.unset("user");
    payload(at);
    if nginx {
        at.must(Who::Root, "nginx");
    }
    false_title(at);
    let ended = at.run(Who::Root, line);
    verdict(at, &ended.brief())
}
