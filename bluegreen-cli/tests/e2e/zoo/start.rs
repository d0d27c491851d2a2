//! Those that end too early, come too late, or go where they should not.

use std::fs;

use bluegreen_rig::{skip, wait_for};

use super::Zoo;

#[test]
fn what_ends_at_once_is_noticed_at_once_with_its_reason() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("health.deadline", "10m");
    for (kind, says) in [
        ("exits-0", "exited with code 0"),
        ("exits-1", "exited with code 1"),
        // what a shell says of a child that was killed
        ("exits-137", "exited with code 137, which in a shell means SIGKILL"),
        ("segfaults", "killed by SIGSEGV"),
        ("aborts", "killed by SIGABRT"),
        ("is-killed", "killed by SIGKILL"),
        ("greedy", "memory allocation of "),
    ] {
        // no test waits as long as that deadline
        zoo.refuses(kind, 10, &[says, "next  bluegreen logs real2"]);
    }
    zoo.closes();
}

#[test]
fn a_program_that_goes_to_the_background_at_once_is_told_to_stay() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.refuses("exits-0", 10, &["a program that goes to the background must be told to stay in the foreground"]);
    zoo.closes();
}

/// The kernel's own killer, in a cgroup of 48 MB.
#[test]
fn what_the_kernel_kills_for_want_of_memory_is_called_so() {
    let Some(mut zoo) = Zoo::open() else { return };
    let Some(group) = Cgroup::new(&zoo) else { return skip("no right to make a memory cgroup") };
    let enter = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", group.0);
    let command = zoo.command(&["sh", "-c", &enter, "sh"], "hungry");
    zoo.refuses_command(command, 10, &["for want of memory"]);
    zoo.closes();
}

struct Cgroup(String);

impl Cgroup {
    fn new(zoo: &Zoo) -> Option<Self> {
        let name = zoo.stage.home().file_name()?.to_str()?;
        [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")].iter().find_map(
            |(root, limit)| {
                let group = Self(format!("{root}/{name}"));
                fs::create_dir(&group.0).ok()?;
                fs::write(format!("{}/{limit}", group.0), "50331648").is_ok().then_some(group)
            },
        )
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn what_takes_its_time_or_reads_its_input_or_wanders_off_is_served() {
    let Some(mut zoo) = Zoo::open() else { return };
    for (kind, profile) in [("late", "real2"), ("reads-input", "real1"), ("renamed", "real2")] {
        zoo.deploy(kind, kind, 0);
        assert_eq!(zoo.stage.front(), format!("{kind} {profile}"));
    }
    zoo.closes();
}

#[test]
fn what_leaves_its_directory_and_removes_its_program_is_still_ours() {
    let Some(mut zoo) = Zoo::open() else { return };
    let copy = zoo.stage.path("app");
    let mut command = zoo.command(&[], "wanders");
    command[0] = copy.to_str().unwrap().to_owned();
    for (version, profile) in [("v2", "real2"), ("v3", "real1")] {
        fs::copy(super::program(), &copy).unwrap();
        zoo.deploy_command(command.clone(), version, 0);
        assert_eq!(zoo.stage.front(), format!("{version} {profile}"));
    }
    // gone now
    zoo.deploy_command(command, "v4", 3).says(&["there is no ", "traffic  untouched"]);
    assert_eq!(zoo.stage.front(), "v3 real1");
    zoo.closes();
}

#[test]
fn what_goes_to_the_background_is_followed() {
    let Some(mut zoo) = Zoo::open() else { return };
    for (kind, profile) in [("forks", "real2"), ("daemonises", "real1"), ("forks", "real2")] {
        zoo.deploy(kind, kind, 0);
        assert_eq!(zoo.stage.front(), format!("{kind} {profile}"));
        assert!(zoo.living().contains(&zoo.stage.pid("active")));
    }
    zoo.closes();
}

/// What hides cannot be told from a stranger: it is named, and left alone, until somebody says whose it is.
#[test]
fn what_hides_is_a_stranger_until_it_is_adopted() {
    let Some(mut zoo) = Zoo::open() else { return };
    let ended = zoo.deploy("hides", "v2", 11);
    ended.says(&[
        "port ",
        " of real2 is taken by pid ",
        "zoo",
        "next  bluegreen adopt real2",
        "traffic  real1 has it, as before",
    ]);
    assert_eq!(zoo.stage.front(), "v1 real1");
    wait_for("the rest to be gone", || zoo.living().len() == 2);
    zoo.deploy("good", "v3", 11).says(&["next  bluegreen adopt real2"]);
    assert_eq!(zoo.living().len(), 2, "nobody touched it");
    zoo.stage.run(&["adopt", "real2"], 0);
    zoo.closes();
}

#[test]
fn what_stops_itself_never_gets_the_traffic_and_is_ended() {
    let Some(mut zoo) = Zoo::open() else { return };
    zoo.stage.set("stop.grace", "300ms");
    zoo.refuses_in_time("stops-itself", &["it runs, and does not listen on port"]);
    zoo.closes();
}
