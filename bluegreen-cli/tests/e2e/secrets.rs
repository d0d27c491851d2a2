//! A value of `env_file` is in the environment of the app, and nowhere else.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use bluegreen_rig::{Stage, below};

const SECRET: &str = "xyzzy-s3cr3t-4711";

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() && !path.is_symlink() { files(&path) } else { vec![path] }).collect()
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode()
}

fn write(stage: &Stage, text: &str, mode: u32) {
    let file = stage.path("env");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn nothing_of_it_is_written_or_said() {
    let Some(mut stage) = Stage::marker() else { return };
    stage.set("start.env_file", stage.path("env").to_str().unwrap());
    let mut said = Vec::new();
    let mut run = |stage: &Stage, words: &[&str], code| {
        let ended = stage.run(words, code);
        said.push(format!("{words:?} {ended}"));
    };
    let [v1, v2, exits, errors] = ["v1", "v2", "v3 exits", "v4 errors"].map(|text| stage.artifact(text));
    write(&stage, &format!("PASSWORD={SECRET}\n"), 0o600);
    // as people do, though they are told not to
    stage.set("start.env.DB_PASSWORD", SECRET);
    run(&stage, &["plan", &v1], 0);
    run(&stage, &["deploy", &v1, "-v"], 0);
    let environment = fs::read(format!("/proc/{}/environ", stage.pid("active"))).unwrap();
    assert!(String::from_utf8_lossy(&environment).contains(SECRET), "the app has it");
    run(&stage, &["deploy", &exits, "-v"], 10);
    stage.set("health.deadline", "600ms");
    run(&stage, &["deploy", &errors, "--format", "json"], 10);
    stage.set("health.deadline", "90s");
    run(&stage, &["prepare", &v2], 0);
    for pid in below(stage.home()) {
        let argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(!String::from_utf8_lossy(&argv).contains(SECRET));
    }
    // another value: what differs is told by its name
    stage.set("start.env.DB_PASSWORD", format!("{SECRET}-2"));
    run(&stage, &["plan", &exits, "--replace"], 0);
    // a deploy would have to wait for what is prepared
    for (command, code) in
        [("status", 0), ("history", 0), ("releases", 0), ("check", 75), ("config", 0), ("profile", 0)]
    {
        run(&stage, &[command], code);
        run(&stage, &[command, "--format", "json"], code);
    }
    for words in [["logs", "real1"].as_slice(), &["logs", "real2"], &["metrics"]] {
        run(&stage, words, 0);
    }
    run(&stage, &["abort", "--format", "json"], 0);
    for more in [&[][..], &["--format", "json"], &["--html", "-"]] {
        for deploy in ["1", "2", "3"] {
            run(&stage, &[&["history", "show", deploy], more].concat(), 0);
        }
        if !more.contains(&"--html") {
            run(&stage, &[&["plan", &v2], more].concat(), 0);
        }
    }
    // broken files
    write(&stage, &format!("PASSWORD={SECRET}\n{SECRET} without a sign\n"), 0o600);
    run(&stage, &["deploy", &v2], 3);
    write(&stage, &format!("PASSWORD={SECRET}\n"), 0o644);
    run(&stage, &["deploy", &v2], 3);
    run(&stage, &["history"], 0);
    for text in said {
        assert!(!text.contains(SECRET), "{text}");
    }
    for file in files(&stage.state_dir()) {
        let text = fs::read(&file).unwrap_or_default();
        // the environment of `[start] env` is a part of the release, which only the owner may read
        let kept = file.ends_with("release.json") && mode(&file).trailing_zeros() >= 6;
        assert!(kept || !String::from_utf8_lossy(&text).contains(SECRET), "{}", file.display());
    }
    assert_eq!(stage.front(), "v1 real1");
}
