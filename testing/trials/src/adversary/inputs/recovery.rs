//! B9, B10: the way back.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{PORTS, Shop},
};

pub(super) const AREA: Area = Area { point: "B9, B10", what: "the way back, and hiccups", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault("rollback-crashed", "v2 crashed, `recover` went to v1: `rollback` must not go to v2", crashed).quick(),
    Input::fault("rollback-three", "v1, v2, v3; v3 crashed: `recover`, then `rollback` goes to v1", three),
    Input::fault(
        "recover-says",
        "the same: `recover` says that an older one serves, and how to get the newer back",
        recover_says,
    )
    .quick(),
    Input::fault("rollback-same", "v1, v2, and v2 again: `rollback` goes to v1", same).quick(),
    Input::fault("metric-same", "v1, then v1 again: bluegreen_warm_available is 0", metric).quick(),
    Input::fault("rollback-only", "v1, then v1 again: `rollback` has nowhere to go", only),
    Input::fault(
        "up-orphan",
        "the app was killed, and a child of it holds its socket: `up` goes to the warm one",
        orphan,
    ),
    Input::fault("blind-nginx", "nginx does not answer for four seconds in the bake, and once more", |at| {
        blind(at, "switch ", "for n in 1 2; do pkill -STOP nginx; sleep 4; pkill -CONT nginx; sleep 1; done")
    }),
    Input::fault("blind-proc", "/proc shows nothing for a second in the bake", |at| {
        blind(at, "switch ", "mount -t tmpfs t /proc; sleep 1; umount /proc")
    }),
    Input::fault("blind-proc-health", "the same, while the new release boots", |at| {
        blind(at, "start ", "mount -t tmpfs t /proc; sleep 1; umount /proc")
    }),
    Input::control("blind-short", "nginx does not answer for a moment in the bake", |at| {
        blind(at, "switch ", "pkill -STOP nginx; sleep 0.1; pkill -CONT nginx")
    }),
];

fn crashed(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    shop.kill(shop.active());
    let recovered = shop.bg("recover");
    let ended = shop.bg("rollback");
    let front = shop.front();
    let seen = format!("users get {front:?}; recover: {}; rollback: {}", recovered.brief(), ended.brief());
    Verdict::fell_if(front.starts_with("v2"), seen)
}

fn three(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2", "v3"]);
    shop.kill(shop.active());
    let recovered = shop.bg("recover");
    let ended = shop.bg("rollback");
    let front = shop.front();
    let seen = format!("users get {front:?}; recover: {}; rollback: {}", recovered.brief(), ended.brief());
    Verdict::fell_if(!front.starts_with("v1"), seen)
}

fn recover_says(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2"]);
    shop.kill(shop.active());
    let ended = shop.bg("recover");
    let fell = !ended.has("older") || !ended.has("deploy") && !ended.has("rollback");
    Verdict::fell_if(fell, ended.brief())
}

fn same(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v2", "v2"]);
    let ended = shop.bg("rollback");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with("v1"), format!("users get {front:?}; {}", ended.brief()))
}

fn metric(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v1"]);
    let ended = shop.bg("metrics");
    let line = ended.out.lines().find(|line| line.starts_with("bluegreen_warm_available{")).unwrap_or_default();
    Verdict::fell_if(!line.ends_with(" 0"), line)
}

fn only(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    shop.deployed(&["v1", "v1"]);
    let ended = shop.bg("rollback");
    Verdict::fell_if(ended.code == 0, ended.brief())
}

/// An app whose child has the socket, and hears nothing.
const PARENT: &str = r#"#!/usr/bin/perl
use IO::Socket::INET;
my ($port, $profile, $artifact) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 50, ReuseAddr => 1) or die;
if (!fork) { sleep 1000; exit }
open my $pid, ">", "/tmp/parent.$port"; print $pid $$; close $pid;
open my $file, "<", $artifact; my $version = <$file>;
while (my $user = $listener->accept) {
    my $asked = <$user>;
    while (my $line = <$user>) { last if $line eq "\r\n" }
    my $text = "$version $profile\n";
    print $user "HTTP/1.1 200 OK\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
    close $user;
}
"#;

fn orphan(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    at.write(Who::Deploy, 0o755, "/home/deploy/parent", PARENT);
    shop.set_words("start.command", ["/home/deploy/parent", "{port}", "{profile}", "{artifact}"]);
    shop.deployed(&["v1", "v2"]);
    let parent = at.read(&format!("/tmp/parent.{}", PORTS[shop.active()]));
    at.must(Who::Root, &format!("kill -9 {parent}"));
    let ended = shop.bg("up");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with('v'), format!("users get {front:?}; {}", ended.brief()))
}

/// What is looked at cannot be seen for a while, as on a busy machine.
fn blind(at: &Place, since: &str, what: &str) -> Verdict {
    let mut shop = Shop::marker(at);
    shop.deployed(&["v1"]);
    shop.set("after_switch.bake", "5s");
    shop.boots_in("2000");
    let artifact = shop.artifact("v2");
    let mut deploy = at.leave(Who::Deploy, &format!("bluegreen --app shop deploy {artifact} > /tmp/deploy 2>&1"));
    at.wait("the step", || at.read("/tmp/deploy").contains(since));
    at.must(Who::Root, what);
    let code = deploy.wait().unwrap().code().unwrap_or(-1);
    let told = at.read("/tmp/deploy");
    let cause = told.lines().find(|line| line.starts_with("error")).unwrap_or_default().to_owned();
    Verdict::fell_if(code != 0, format!("exit {code} {cause}"))
}
