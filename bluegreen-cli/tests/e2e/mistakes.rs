//! Mistakes of people: exit 2, with what to do about it.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
};

use bluegreen_rig::{Running, Stage, below, skip};

#[test]
fn a_mistake_in_the_configuration_is_shown_with_its_line_and_the_nearest_name() {
    let Some(stage) = Stage::marker() else { return };
    let file = stage.path("bluegreen.toml");
    let right = fs::read_to_string(&file).unwrap();
    for (wrong, says) in [
        (right.replace("deadline =", "deadlin ="), ["deadlin = \"90s\"", "deadline"]),
        (right.replace("[after_switch]", "[after_swich]"), ["[after_swich]", "after_switch"]),
        (right.replace("\"300ms\"", "\"300 monkeys\""), ["300 monkeys", "bluegreen.toml"]),
        (right.replace("{artifact}", "{artefact}"), ["{artefact}", "artifact"]),
        (right.replace("real1 =", "Real1 ="), ["Real1", "bluegreen.toml"]),
        (right.replace("allow_temporary = true", "allow_temporary = false"), ["state_dir", "allow_temporary"]),
        (right.replace("app = ", "app = = "), ["app = = ", "bluegreen.toml"]),
    ] {
        assert_ne!(wrong, right);
        fs::write(&file, wrong).unwrap();
        for command in [["deploy"].as_slice(), &["config"], &["status"]] {
            let ended = stage.run(command, 2);
            ended.says(&says);
            assert_eq!(ended.out, "", "{ended}");
        }
    }
    assert!(below(stage.home()).is_empty());
}

#[test]
fn wrong_words_are_usage() {
    let Some(stage) = Stage::marker() else { return };
    stage.run(&["depoly"], 2).says(&["deploy"]);
    stage.run(&["deploy", "--untill", "health"], 2).says(&["--until"]);
    stage.run(&["setup"], 2);
    stage.run(&["--config", "nowhere.toml", "status"], 2);
}

/// Users of this machine that no test machine lacks: root and nobody.
#[test]
fn another_user_is_refused() {
    let Some(stage) = Stage::marker() else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("only root can be somebody else");
    }
    stage.deploy("v1", 0);
    let binary = stage.path("bluegreen");
    fs::copy(bluegreen_rig::bluegreen(), &binary).unwrap();
    let mut command = Command::new(&binary);
    command.arg("--config").arg(stage.path("bluegreen.toml")).arg("deploy").arg(stage.artifact("v2"));
    command.current_dir(stage.home()).uid(65534).gid(65534);
    let ended = Running::spawn(command).wait();
    assert_eq!(ended.code, Some(2), "{ended}");
    ended.says(&["belongs to root", "sudo chown -R nobody ", "else sudo ", "traffic  untouched"]);
    assert_eq!(stage.front(), "v1 real1");
}

#[test]
fn an_owner_without_a_name_is_not_in_the_group_of_root() {
    let Some(mut stage) = Stage::marker() else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("only root can be somebody else");
    }
    let binary = stage.path("bluegreen");
    fs::copy(bluegreen_rig::bluegreen(), &binary).unwrap();
    let script = format!("echo ids $(id -u) $(id -g) $(id -G) $HOME; exec {} __app --port {{port}}", binary.display());
    stage.set("start.command", vec!["sh", "-c", &format!("{script} --profile {{profile}} --artifact {{artifact}}")]);
    let changed = Command::new("chown").args(["-R", "4242"]).arg(stage.state_dir()).status().unwrap();
    assert!(changed.success());
    stage.deploy("v1", 0);
    assert_eq!(stage.front(), "v1 real1");
    stage.run(&["logs", "real1"], 0).says(&["ids 4242 4242 4242 /"]);
}

#[test]
fn root_becomes_the_owner_with_all_their_groups() {
    let Some(mut stage) = Stage::marker() else { return };
    let binary = stage.path("bluegreen");
    fs::copy(bluegreen_rig::bluegreen(), &binary).unwrap();
    let app =
        [binary.to_str().unwrap(), "__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}"];
    stage.set("start.command", app.to_vec());
    stage.set("hooks.before_start", vec!["sh", "-c", "echo $(id -u) $(id -g) $(id -G) > ids"]);
    // nobody is in another group here: a view of the files in which they are
    let view = "mount --bind $0 /etc/group && exec \"$@\"";
    let groups = stage.path("group");
    fs::write(&groups, fs::read_to_string("/etc/group").unwrap() + "helpers:x:4711:nobody\n").unwrap();
    let with_groups = |words: &Command| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", view]).arg(&groups).arg(words.get_program()).args(words.get_args());
        command.current_dir(stage.home()).env_remove("BLUEGREEN_CONFIG");
        Running::spawn(command).wait()
    };
    if with_groups(&Command::new("true")).code != Some(0) {
        return skip("only root, with mounts of its own, can show other groups");
    }
    let changed = Command::new("chown").args(["-R", "65534:65534"]).arg(stage.home()).status().unwrap();
    assert!(changed.success());
    let artifact = stage.artifact("v1");
    let mut deploy = Command::new(&binary);
    deploy.args(stage.command(&["deploy", &artifact]).get_args());
    let ended = with_groups(&deploy);
    assert_eq!(ended.code, Some(0), "{ended}");
    let ids = fs::read_to_string(stage.path("ids")).unwrap();
    assert_eq!(ids, "65534 65534 65534 4711\n");
}

#[test]
fn a_setuid_program_is_refused() {
    let Some(stage) = Stage::marker() else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("only root can make a program of root");
    }
    let binary = stage.path("bluegreen");
    fs::copy(bluegreen_rig::bluegreen(), &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o4755)).unwrap();
    let mut command = Command::new(&binary);
    command.arg("status").current_dir(stage.home()).uid(65534).gid(65534);
    let ended = Running::spawn(command).wait();
    assert_eq!(ended.code, Some(2), "{ended}");
    ended.says(&["setuid", "chmod ug-s"]);
}

#[test]
fn who_may_not_make_the_home_of_the_state_is_told_who_may() {
    let Some(mut stage) = Stage::marker() else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("only root can be somebody else");
    }
    // as below /var/lib
    fs::create_dir(stage.path("lib")).unwrap();
    stage.set("state_dir", stage.path("lib/shop").to_str().unwrap());
    let binary = stage.path("bluegreen");
    fs::copy(bluegreen_rig::bluegreen(), &binary).unwrap();
    let setup = |stage: &Stage| {
        let mut command = Command::new(&binary);
        command.args(["setup", "--apply", "--yes"]).current_dir(stage.home()).uid(65534).gid(65534);
        let ended = Running::spawn(command).wait();
        assert_eq!(ended.code, Some(3), "{ended}");
        assert!(!ended.err.contains("chown"), "{ended}");
        ended
    };
    // who may not look cannot tell the nginx of this test from those of others, and root can
    setup(&stage).says(&["     next  sudo ", "bluegreen setup --apply"]);
    let pid_file = stage.nginx.prefix().join("nginx.pid");
    stage.set("proxy.nginx.pid_file", pid_file.to_str().unwrap());
    setup(&stage).says(&["takes root", "bluegreen setup --apply"]);
}

/// An installed 0.1.0 took it: no deploy begins with it any more, and what runs is kept running.
#[test]
fn one_health_address_for_both_profiles_refuses_a_deploy_and_nothing_else() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    stage.deploy("v2", 0);
    stage.unset("health.body");
    // the front door is answered by whoever is active
    stage.set("health.url", stage.nginx.url("/profile"));
    let says = ["bluegreen.toml:", "`health.url` does not tell the profiles apart", "put {port} into it"];
    for words in [&["deploy", "app"][..], &["prepare", "app"], &["promote"], &["plan"], &["hook"]] {
        stage.run(words, 2).says(&says);
    }
    stage.run(&["check"], 3).says(&says);
    for command in ["status", "recover", "up", "rollback"] {
        stage.run(&[command], 0);
    }
    assert_eq!(stage.front(), "v1 real1");
}
