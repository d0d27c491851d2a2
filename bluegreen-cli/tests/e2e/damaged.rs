//! A state file, or the record of a process, that is damaged, too new, or cannot be read: never a guess, and never as if nothing
//! had been deployed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use bluegreen_core::{FileStore, Holder, StateStore as _};
use bluegreen_rig::{Clients, Stage, below, kill, wait_for};
use serde_json::Value;

/// Empty, half of one, of another program, of the wrong types, and no text at all.
const DAMAGES: [&[u8]; 5] = [
    b"",
    b"{\"schema\": 1, \"number\": 2, \"conf",
    b"null",
    b"{\"schema\": 1, \"number\": \"two\"}",
    b"\x7fELF\xff\xfe\0",
];

fn damage(stage: &Stage, name: &str, with: &[u8]) {
    fs::write(stage.state_dir().join(name), with).unwrap();
}

fn two_releases() -> Option<Stage> {
    let stage = Stage::marker()?;
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    Some(stage)
}

#[test]
fn a_damaged_state_gives_way_to_the_one_before_it_in_words() {
    let Some(stage) = two_releases() else { return };
    let clients = Clients::at(&stage);
    for with in DAMAGES {
        damage(&stage, "state.json", with);
        stage.run(&["recover"], 0).says(&["is damaged", "the state before it is used"]);
        stage.run(&["status"], 0);
        assert_eq!(stage.front(), "v2 real2");
    }
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v1 real1");
    clients.lost_nothing();
    // what could not be read is kept for a person, and what is written now can be read
    assert_eq!(fs::read(stage.state_dir().join("state.json.damaged")).unwrap(), DAMAGES[4]);
    let ended = stage.run(&["recover"], 0);
    assert!(!ended.err.contains("damaged"), "{ended}");
}

#[test]
fn without_any_state_what_has_the_traffic_counts_as_good() {
    let Some(stage) = two_releases() else { return };
    for (name, with) in [("state.json", DAMAGES[1]), ("state.json.prev", DAMAGES[4])] {
        damage(&stage, name, with);
    }
    let clients = Clients::at(&stage);
    stage.run(&["status"], 0).says(&["is damaged", "bluegreen recover"]);
    stage.run(&["releases", "prune"], 3).says(&["is damaged", "bluegreen recover"]);
    stage.run(&["recover"], 0).says(&["is damaged", "counts as good"]);
    stage.run(&["recover"], 0);
    assert_eq!((stage.front(), stage.behind(0)), ("v2 real2".into(), "v1 real1".into()));
    // what runs beside it may only have been prepared: who knows better names it
    stage.run(&["rollback"], 3).says(&["there is no confirmed release to go back to"]);
    stage.run(&["rollback", "v1"], 0);
    stage.deploy("v3", 0);
    assert_eq!(stage.front(), "v3 real2");
    clients.lost_nothing();
}

#[test]
fn without_any_state_a_deploy_mends_it_itself() {
    let Some(stage) = two_releases() else { return };
    for name in ["state.json", "state.json.prev"] {
        damage(&stage, name, DAMAGES[0]);
    }
    stage.run(&["prepare", &stage.artifact("v3")], 0).says(&["counts as good"]);
    stage.run(&["promote"], 0);
    assert_eq!(stage.front(), "v3 real1");
}

#[test]
fn without_any_state_and_any_process_a_person_is_asked() {
    let Some(stage) = two_releases() else { return };
    below(stage.home()).into_iter().for_each(kill);
    wait_for("the end of all", || below(stage.home()).is_empty());
    for name in ["state.json", "state.json.prev"] {
        damage(&stage, name, DAMAGES[3]);
    }
    stage.run(&["recover"], 20).says(&["is damaged", "no release counts as good", "deploy what should run"]);
    assert!(below(stage.home()).is_empty(), "nothing is started on a guess");
    stage.deploy("v3", 0);
    assert!(stage.front().starts_with("v3 "), "{}", stage.front());
}

#[test]
fn a_state_of_a_newer_version_is_refused_and_left_as_it_is() {
    let Some(stage) = two_releases() else { return };
    let newer = br#"{"schema": 99, "number": 7, "plans": []}"#;
    damage(&stage, "state.json", newer);
    let refused = [stage.deploy("v3", 3), stage.run(&["recover"], 3), stage.run(&["status"], 3)];
    for ended in refused {
        ended.says(&["newer bluegreen", "schema 99"]);
    }
    assert_eq!(fs::read(stage.state_dir().join("state.json")).unwrap(), newer);
    assert_eq!(stage.front(), "v2 real2");
}

#[test]
fn nothing_is_pruned_while_another_command_has_the_lock() {
    let Some(mut stage) = two_releases() else { return };
    stage.set("releases.keep", 1);
    stage.deploy("v3", 0);
    let kept = |stage: &Stage| fs::read_dir(stage.state_dir().join("releases")).unwrap().count();
    let before = kept(&stage);
    let deploy = Holder { command: "deploy".into(), pid: std::process::id(), ..Holder::default() };
    let lease = FileStore::open(stage.state_dir()).unwrap().lock(&deploy).unwrap();
    stage.run(&["releases", "prune"], 75).says(&["locked"]);
    assert_eq!(kept(&stage), before);
    drop(lease);
    stage.run(&["releases", "prune"], 0);
}

#[test]
fn a_state_that_cannot_be_read_is_not_replaced_by_an_older_one() {
    let Some(stage) = two_releases() else { return };
    // what every user sees of a bad sector: the file is there, and reading it fails
    let file = stage.state_dir().join("state.json");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    stage.run(&["recover"], 3).says(&["state.json"]);
    stage.deploy("v3", 3);
    assert_eq!(stage.front(), "v2 real2");
}

#[test]
fn a_damaged_record_of_the_idle_side_stops_no_deploy() {
    let Some(stage) = two_releases() else { return };
    let clients = Clients::at(&stage);
    let old = stage.pid("idle");
    damage(&stage, "processes/real1.json", DAMAGES[1]);
    stage.run(&["check"], 0).says(&["processes/real1.json is damaged", "bluegreen recover"]);
    stage.deploy("v3", 0).says(&["processes/real1.json is damaged", "was found by what its processes carry"]);
    assert_eq!(stage.front(), "v3 real1");
    wait_for("the end of the first one", || !bluegreen_rig::lives(old));
    // and nothing is said of it any more; a warm rollback finds its process
    damage(&stage, "processes/real2.json", DAMAGES[0]);
    stage.run(&["rollback"], 0).says(&["processes/real2.json is damaged"]);
    assert_eq!(stage.front(), "v2 real2");
    let ended = stage.run(&["recover"], 0);
    assert!(!ended.err.contains("damaged"), "{ended}");
    assert_eq!(fs::read(stage.state_dir().join("processes/real1.json.damaged")).unwrap(), DAMAGES[1]);
    clients.lost_nothing();
}

#[test]
fn a_damaged_record_of_the_active_side_is_mended_or_the_release_started_anew() {
    let Some(stage) = two_releases() else { return };
    let clients = Clients::at(&stage);
    let pid = stage.pid("active");
    for command in ["recover", "up"] {
        damage(&stage, "processes/real2.json", DAMAGES[4]);
        assert_eq!(stage.pid("active"), pid);
        stage.run(&["status"], 0).says(&["processes/real2.json is damaged", "bluegreen recover"]);
        stage.run(&[command], 0).says(&["was found by what its processes carry"]);
        assert_eq!((stage.pid("active"), stage.front()), (pid, "v2 real2".into()));
    }
    clients.lost_nothing();

    // after a reboot nothing is there that could be found
    below(stage.home()).into_iter().for_each(kill);
    wait_for("the end of all", || below(stage.home()).is_empty());
    damage(&stage, "processes/real2.json", DAMAGES[3]);
    stage.run(&["up"], 0).says(&["nothing that bluegreen started was found on real2"]);
    assert_eq!(stage.front(), "v2 real2");
}

/// Puts something in the place of a record.
type Hand<'a> = &'a dyn Fn(&Path);

/// A link, a pipe, a directory, and what others could have written: on both sides at once, it blocks no command and is said by each.
#[test]
fn what_is_no_file_of_ours_alone_in_the_place_of_a_record_is_set_aside() {
    let Some(stage) = two_releases() else { return };
    let clients = Clients::at(&stage);
    let open = |mode| move |at: &Path| fs::set_permissions(at, fs::Permissions::from_mode(mode)).unwrap();
    let instead = |put: fn(&Path)| {
        move |at: &Path| {
            fs::remove_file(at).unwrap();
            put(at);
        }
    };
    let hands: [(&str, Hand<'_>); 5] = [
        ("it is a symbolic link", &instead(|at| symlink("/dev/zero", at).unwrap())),
        ("it is a pipe", &instead(|at| assert!(Command::new("mkfifo").arg(at).status().unwrap().success()))),
        ("it is a directory", &instead(|at| fs::create_dir_all(at.join("deep")).unwrap())),
        ("a group may write to it", &open(0o660)),
        ("everybody may write to it", &open(0o666)),
    ];
    let v3 = stage.artifact("v3");
    let commands: [(&[&str], &str); 5] = [
        (&["up"], "v2 real2"),
        (&["deploy", &v3], "v3 real1"),
        (&["rollback"], "v2 real2"),
        (&["recover"], "v2 real2"),
        (&["prepare", &v3], "v2 real2"),
    ];
    for ((why, put), (command, front)) in hands.into_iter().zip(commands) {
        let records = ["real1.json", "real2.json"].map(|name| stage.state_dir().join("processes").join(name));
        for record in &records {
            put(record);
        }
        let pid = stage.pid("active");
        let damaged = ["real1.json", "real2.json"].map(|name| format!("processes/{name} is damaged: {why}"));
        let all: Vec<&str> = damaged.iter().map(String::as_str).collect();
        stage.run(&["status"], 0).says(&all);
        stage.run(&["check"], 0).says(&all);
        stage.run(command, 0).says(&all).says(&["was found by what its processes carry"]);
        assert_eq!(stage.front(), front, "{command:?}");
        assert!(front != "v2 real2" || command[0] == "rollback" || stage.pid("active") == pid, "it is the very same");
        assert!(!stage.run(&["status"], 0).out.contains("damaged"), "{command:?}");
    }
    clients.lost_nothing();
}

/// It is there, and so are what it takes on the disk and the way out.
#[test]
fn a_release_that_cannot_be_read_is_listed() {
    let Some(stage) = two_releases() else { return };
    for release in fs::read_dir(stage.state_dir().join("releases")).unwrap() {
        let file = release.unwrap().path().join("release.json");
        fs::remove_file(&file).unwrap();
        symlink("/dev/zero", &file).unwrap();
    }
    let ended = stage.run(&["releases"], 0);
    ended.says(&["release.json: it is a symbolic link", "and deploy it again"]);
    assert!(!ended.has("no releases yet"), "{ended}");
    let listed: Value = serde_json::from_str(&stage.run(&["releases", "--format", "json"], 0).out).unwrap();
    assert_eq!((listed["releases"].as_array().unwrap().len(), listed["unreadable"].as_array().unwrap().len()), (0, 2));
    stage.run(&["rollback", "v1"], 11).says(&["is damaged", "rm -r"]);
    stage.run(&["releases", "prune"], 0);
    assert_eq!(fs::read_dir(stage.state_dir().join("releases")).unwrap().count(), 2, "nobody knows what they are");
    assert_eq!(stage.front(), "v2 real2");
}

/// The advice is `adopt`, and it works.
#[test]
fn beside_a_damaged_record_a_stranger_is_named_and_can_be_adopted() {
    let Some(stage) = two_releases() else { return };
    let pid = stage.pid("idle");
    kill(pid);
    wait_for("its end", || stage.is_free(0));
    damage(&stage, "processes/real1.json", DAMAGES[2]);
    let binary = bluegreen_rig::bluegreen();
    let mut left = Command::new(binary);
    left.args(["__app", "--port", &stage.ports[0].to_string(), "--profile", "real1", "--artifact"])
        .arg(stage.artifact("v0"));
    let mut left = left.current_dir(stage.home()).spawn().unwrap();
    wait_for("it listens", || !stage.is_free(0));
    stage.deploy("v3", 11).says(&[&format!("pid {} ", left.id()), "bluegreen adopt real1"]);
    stage.run(&["adopt", "real1"], 0);
    stage.deploy("v3", 0);
    assert_eq!(stage.front(), "v3 real1");
    left.wait().unwrap();
}

#[test]
fn a_record_that_cannot_be_read_is_not_known_and_nothing_is_touched() {
    let Some(stage) = two_releases() else { return };
    let pids = ["active", "idle"].map(|side| stage.pid(side));
    let (records, away) = (stage.state_dir().join("processes"), stage.state_dir().join("away"));
    fs::rename(&records, &away).unwrap();
    fs::write(&records, "").unwrap();
    stage.deploy("v3", 3).says(&["state/processes"]);
    let ended = stage.run(&["rollback"], 3);
    ended.says(&["cannot see what runs on real1", "processes/real1.json", &format!("mv {}", records.display())]);
    assert!(pids.into_iter().all(bluegreen_rig::lives));
    fs::remove_file(&records).unwrap();
    fs::rename(&away, &records).unwrap();
    assert_eq!((stage.pid("idle"), stage.front()), (pids[1], "v2 real2".into()));
}

/// What `status` cannot read it says, and calls nobody healthy who may be anybody.
#[test]
fn a_record_that_cannot_be_read_is_told_by_status() {
    let Some(stage) = two_releases() else { return };
    let (records, aside) = (stage.state_dir().join("processes"), stage.path("aside"));
    fs::rename(&records, &aside).unwrap();
    fs::write(&records, "").unwrap();
    stage.run(&["status"], 20).says(&[
        "UNKNOWN",
        "the record of real1 cannot be read",
        "the record of real2 cannot be read",
    ]);
    let active = &serde_json::from_str::<Value>(&stage.run(&["--format", "json", "status"], 20).out).unwrap()["active"];
    assert_eq!((&active["profile"], &active["healthy"]), (&"real2".into(), &Value::Null));
    fs::remove_file(&records).unwrap();
    fs::rename(&aside, &records).unwrap();
    assert_eq!(stage.status()["active"]["healthy"], true);
}
