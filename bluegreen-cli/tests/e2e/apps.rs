//! Four real apps, each deployed under load.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use bluegreen_rig::{Clients, Stage, say, skip};

/// A JVM beside other tests takes its time.
const SLOW: Duration = Duration::from_secs(330);

/// What differs between the apps.
struct App {
    command: Vec<String>,
    /// Under load: those that boot slowly leave the CPU to their boot.
    clients: usize,
    env: Option<(&'static str, &'static str)>,
    /// Makes the artifact of a version.
    build: fn(&Stage, &str) -> PathBuf,
}

fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/apps").join(name)
}

fn have(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |program: &&&str| std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(|program| !there(program)).collect();
    if !missing.is_empty() {
        skip(&format!("there is no {missing:?}"));
    }
    missing.is_empty()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(ToOwned::to_owned).collect()
}

fn copied(stage: &Stage, name: &str, version: &str) -> PathBuf {
    let to = stage.path(&format!("{name}-{version}"));
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(sources(name)).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to
}

fn java() -> App {
    let command = "java -jar {artifact} --spring.profiles.active={profile} --server.port={port} --boot.ms=1200";
    let build = |stage: &Stage, version: &str| {
        let jar = stage.path(&format!("shop-{version}.jar"));
        let built = Command::new(sources("java").join("build.sh")).arg(version).arg(&jar).status().unwrap();
        assert!(built.success());
        jar
    };
    App { command: words(command), clients: Clients::COUNT, env: None, build }
}

fn node() -> App {
    let build = |stage: &Stage, version: &str| {
        let dir = copied(stage, "node", version);
        let package = fs::read_to_string(dir.join("package.json")).unwrap().replace("1.0.0", version);
        fs::write(dir.join("package.json"), package).unwrap();
        dir
    };
    App {
        command: words("node {artifact}/server.js --profile={profile} --port={port}"),
        clients: Clients::COUNT,
        env: None,
        build,
    }
}

fn gunicorn() -> App {
    let build = |stage: &Stage, version: &str| {
        let dir = copied(stage, "gunicorn", version);
        fs::write(dir.join("VERSION"), version).unwrap();
        dir
    };
    let command = "gunicorn --chdir {artifact} --workers 2 --bind 127.0.0.1:{port} app:app";
    App { command: words(command), clients: Clients::COUNT, env: Some(("PROFILE", "{profile}")), build }
}

/// The project as it is in `examples/`, with its own configuration; only the port is that of the test.
fn spring_boot() -> App {
    let build = |stage: &Stage, version: &str| {
        let project = stage.path("spring-boot");
        let copied = Command::new("cp").arg("-r").arg(sources("../spring-boot")).arg(&project).status().unwrap();
        assert!(copied.success());
        let words = ["-q", "-B", "-ntp", "clean", "package", &format!("-Drevision={version}")];
        let built = Command::new("mvn").args(words).current_dir(&project).output().unwrap();
        assert!(built.status.success(), "mvn: {}", String::from_utf8_lossy(&built.stdout));
        let jar = stage.path(&format!("shop-{version}.jar"));
        fs::rename(project.join("target/shop.jar"), &jar).unwrap();
        fs::remove_dir_all(project).unwrap();
        jar
    };
    let config = fs::read_to_string(sources("../spring-boot/bluegreen.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let command = config["start"]["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    let command = command.chain(["--server.port={port}".to_owned()]).collect();
    App { command, clients: 2, env: None, build }
}

fn configure(stage: &mut Stage, app: &App) {
    stage.set("start.command", app.command.clone());
    if let Some((name, value)) = app.env {
        stage.set(&format!("start.env.{name}"), value);
    }
    stage.set("health.deadline", "300s");
}

fn deploy(stage: &Stage, app: &App, version: &str) {
    let artifact = (app.build)(stage, version);
    let ended = stage.spawn(&["deploy", artifact.to_str().unwrap(), "--version", version]).wait_within(SLOW);
    assert_eq!(ended.code, Some(0), "{ended}");
}

/// A first deploy, then three under load, and back.
fn in_marker_mode(app: &App) {
    let Some(mut stage) = Stage::marker() else { return };
    configure(&mut stage, app);
    deploy(&stage, app, "v0");
    let clients = Clients::some(&stage, app.clients);
    for (version, profile) in [("v1", "real2"), ("v2", "real1"), ("v3", "real2")] {
        deploy(&stage, app, version);
        assert_eq!(stage.front(), format!("{version} {profile}"));
    }
    stage.run(&["rollback"], 0);
    assert_eq!(stage.front(), "v2 real1");
    let tally = clients.lost_nothing();
    let answered = tally.by_release();
    for label in ["v0 real1", "v1 real2", "v2 real1", "v3 real2"] {
        assert!(answered.contains_key(label), "{label} not in {answered:?}");
    }
}

/// nginx itself drops keep-alive requests at a reload: what is lost is counted and shown, not judged.
fn in_reload_mode(name: &str, app: &App) {
    let Some(mut stage) = Stage::reload() else { return };
    configure(&mut stage, app);
    deploy(&stage, app, "v0");
    let clients = Clients::at(&stage);
    deploy(&stage, app, "v1");
    assert_eq!(stage.front(), "v1 real2");
    let tally = clients.stop();
    say(&format!("{name} in reload mode: {tally}"));
    let answered = tally.by_release();
    assert!(answered.contains_key("v0 real1") && answered.contains_key("v1 real2"), "{answered:?}");
}

#[test]
fn java_in_marker_mode() {
    if have(&["java", "javac", "jar"]) {
        in_marker_mode(&java());
    }
}

#[test]
fn spring_boot_in_marker_mode() {
    if have(&["java", "mvn"]) {
        in_marker_mode(&spring_boot());
    }
}

#[test]
fn java_in_reload_mode() {
    if have(&["java", "javac", "jar"]) {
        in_reload_mode("java", &java());
    }
}

#[test]
fn node_in_marker_mode() {
    if have(&["node"]) {
        in_marker_mode(&node());
    }
}

#[test]
fn node_in_reload_mode() {
    if have(&["node"]) {
        in_reload_mode("node", &node());
    }
}

#[test]
fn gunicorn_in_marker_mode() {
    if have(&["gunicorn"]) {
        in_marker_mode(&gunicorn());
    }
}

#[test]
fn gunicorn_in_reload_mode() {
    if have(&["gunicorn"]) {
        in_reload_mode("gunicorn", &gunicorn());
    }
}
