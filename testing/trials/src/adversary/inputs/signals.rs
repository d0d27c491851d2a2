//! B12: who is signalled, and who answers.

use super::{Area, Input};
use crate::adversary::{
    Verdict,
    place::{Place, Who},
    shop::{PORTS, Shop},
};

pub(super) const AREA: Area = Area { point: "B12", what: "who is signalled, and who answers", inputs: INPUTS };

const INPUTS: &[Input] = &[
    Input::fault(
        "one-daemon",
        "one daemon runs both profiles, as pm2 does: a deploy ends the active one with the idle",
        daemon,
    )
    .quick(),
    Input::fault("one-daemon-retire", "the same, in the retire of a deploy (previous = \"stop\")", retire),
    Input::fault("one-daemon-stop", "the same; `stop`", stop),
    Input::fault("adopted-group", "two adopted processes in one group, which the idle one leads: a deploy", adopted),
    Input::fault("shared-health", "a fixed health address, which the old release answers", shared).quick(),
];

/// Hands over to a daemon, which the first of them starts; its children have the environment of who asked.
const PM: &str = r#"#!/bin/bash
# pm PORT PROFILE VERSION
dir=/home/deploy/pm
mkdir -p $dir
if ! [ -e $dir/pid ]; then
    setsid bash -c '
        children=()
        trap "kill \${children[@]}; exit 0" TERM
        echo $$ > '$dir'/pid
        while :; do
            for job in '$dir'/*.job; do
                [ -e "$job" ] || continue
                text=$(cat "$job"); rm "$job"
                bash -c "$text" & children+=($!)
            done
            sleep 0.05
        done' < /dev/null > /dev/null 2>&1 &
fi
{ export -p; echo exec /usr/local/bin/bluegreen __app --port "$1" --profile "$2" --artifact "$3"; } > $dir/$2.new
mv $dir/$2.new $dir/$2.job
sleep 0.5
"#;

fn managed(at: &Place) -> Shop<'_> {
    let mut shop = Shop::marker(at);
    at.write(Who::Deploy, 0o755, "/home/deploy/pm.sh", PM);
    shop.set_words("start.command", ["/home/deploy/pm.sh", "{port}", "{profile}", "{artifact}"]);
    shop
}

fn daemon(at: &Place) -> Verdict {
    let shop = managed(at);
    let first = shop.deploy("v1");
    let second = shop.deploy("v2");
    let third = shop.deploy("v3");
    let front = shop.front();
    let codes = [first.code, second.code, third.code];
    Verdict::fell_if(!front.starts_with('v'), format!("exits {codes:?}; users get {front:?}; {}", third.brief()))
}

fn retire(at: &Place) -> Verdict {
    let mut shop = managed(at);
    shop.set("after_switch.previous", "stop");
    let first = shop.deploy("v1");
    let second = shop.deploy("v2");
    let front = shop.front();
    let codes = [first.code, second.code];
    Verdict::fell_if(!front.starts_with('v'), format!("exits {codes:?}; users get {front:?}; {}", second.brief()))
}

fn stop(at: &Place) -> Verdict {
    let shop = managed(at);
    let codes = ["v1", "v2"].map(|version| shop.deploy(version).code);
    let ended = shop.bg("stop");
    let front = shop.front();
    Verdict::fell_if(!front.starts_with('v'), format!("exits {codes:?}; users get {front:?}; {}", ended.brief()))
}

/// As a script leaves them that starts one in the background and becomes the other.
fn adopted(at: &Place) -> Verdict {
    let shop = Shop::marker(at);
    let app = |n: usize| format!("/usr/local/bin/bluegreen __app --port {} --profile real{n}", PORTS[n - 1]);
    // nginx leads to the first
    drop(at.leave(Who::Deploy, &format!("{} & exec {}", app(1), app(2))));
    at.wait("both", || [0, 1].into_iter().all(|n| shop.pid(n).is_some()));
    let adopted = ["real1", "real2"].map(|name| shop.bg(&format!("adopt {name}")).code);
    let pid = shop.pid(0);
    let ended = shop.bg("stop");
    let seen = format!(
        "adopt: {adopted:?}; the active one is {}; {}",
        if shop.pid(0) == pid { "as it was" } else { "ended" },
        ended.brief()
    );
    Verdict::fell_if(shop.pid(0) != pid, seen)
}

/// Where both have their health page: the first process that comes there. The new one is deaf on its own port.
fn shared(at: &Place) -> Verdict {
    let mut shop = Shop::marker(at);
    let script = "trials adversary --act listen 127.0.0.1:9000 well & exec /usr/local/bin/bluegreen __app --port {port} \
                  --profile {profile} --artifact {artifact}";
    shop.set_words("start.command", ["sh", "-c", script]);
    shop.set("health.url", "http://127.0.0.1:9000/");
    shop.set("health.body", "well");
    shop.set("health.deadline", "3s");
    let first = shop.deploy("v1");
    if first.code == 2 {
        return Verdict::Held(format!("refused before the first deploy; {}", first.brief()));
    }
    let ended = shop.deploy("v2 errors");
    let front = shop.front();
    let fell = ![3, 10].contains(&ended.code) || !front.starts_with("v1");
    Verdict::fell_if(fell, format!("users get {front:?}; {}", ended.brief()))
}
