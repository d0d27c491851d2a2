//! A number that belongs to somebody else now.

use std::process::Command;

use bluegreen_rig::{Running, Stage, bluegreen, skip};

/// The app dies, and its pid is given to a stranger. `$0` is bluegreen, `$1` the program of the zoo.
const STORY: &str = r#"
"$0" --config bluegreen.toml deploy --version v1 || exit 90
pid=$("$0" --config bluegreen.toml status --format json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
kill -9 "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
for try in $(seq 200); do
    echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
    "$1" bystander foreign 1 real1 foreign &
    [ $! = "$pid" ] && break
    kill -9 $!
done
[ $! = "$pid" ] || exit 91
echo "pid $pid is a stranger's"
"$0" --config bluegreen.toml status
"$0" --config bluegreen.toml deploy --version v2 || exit 92
"$0" --config bluegreen.toml deploy --version v3 || exit 93
kill -0 "$pid" || exit 94
"#;

#[test]
fn a_pid_that_was_given_to_a_stranger_is_not_ours() {
    let namespace = ["--pid", "--fork", "--mount-proc"];
    let own = Command::new("unshare").args(namespace).arg("true").output();
    if !own.is_ok_and(|ran| ran.status.success()) {
        return skip("no right to a pid namespace");
    }
    let Some(mut stage) = Stage::marker() else { return };
    let zoo = super::program();
    let book = stage.path("book");
    let command =
        [zoo.to_str().unwrap(), "good", book.to_str().unwrap(), "{port}", "{profile}", "{version}"].map(str::to_owned);
    stage.set("start.command", command.to_vec());
    let mut story = Command::new("unshare");
    story.args(namespace).args(["bash", "-c", STORY]).arg(bluegreen()).arg(zoo).current_dir(stage.home());
    // all that lives in there ends with it
    let ended = Running::spawn(story).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    ended.says(&["is a stranger's", "nothing runs here", "real2 serves"]);
}
