//! The complete examples, each deployed under load as it is in `examples/`, with its own `bluegreen.toml`.

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
    /// Its directory in `examples/`.
    name: &'static str,
    /// What it cannot be built or started without.
    needs: &'static [&'static str],
    /// Under load: those that boot slowly leave the CPU to their boot.
    clients: usize,
    /// Makes the artifact of a version.
    build: fn(&Stage, &str) -> PathBuf,
}

const JAVA: App = App { name: "java", needs: &["java", "javac", "jar"], clients: Clients::COUNT, build: java };
const NODE: App = App { name: "node", needs: &["node"], clients: Clients::COUNT, build: node };
const GUNICORN: App = App { name: "gunicorn", needs: &["gunicorn"], clients: Clients::COUNT, build: gunicorn };
const SPRING_BOOT: App = App { name: "spring-boot", needs: &["java", "mvn"], clients: 2, build: spring_boot };

fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
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

/// A copy of the example; `place` is the file that names its version.
fn copied(stage: &Stage, name: &str, place: &str, version: &str) -> PathBuf {
    let to = stage.path(&format!("{name}-{version}"));
    let copied = Command::new("cp").arg("-r").arg(sources(name)).arg(&to).status().unwrap();
    assert!(copied.success());
    let text = fs::read_to_string(to.join(place)).unwrap();
    assert!(text.contains("1.0.0"), "{place} of {name} names another version");
    fs::write(to.join(place), text.replace("1.0.0", version)).unwrap();
    to
}

fn node(stage: &Stage, version: &str) -> PathBuf {
    copied(stage, "node", "package.json", version)
}

fn gunicorn(stage: &Stage, version: &str) -> PathBuf {
    copied(stage, "gunicorn", "app.py", version)
}

fn java(stage: &Stage, version: &str) -> PathBuf {
    let jar = stage.path(&format!("shop-{version}.jar"));
    let built = Command::new(sources("java").join("build.sh")).arg(version).arg(&jar).status().unwrap();
    assert!(built.success());
    jar
}

fn spring_boot(stage: &Stage, version: &str) -> PathBuf {
    let project = stage.path("spring-boot");
    let copied = Command::new("cp").arg("-r").arg(sources("spring-boot")).arg(&project).status().unwrap();
    assert!(copied.success());
    let words = ["-q", "-B", "-ntp", "clean", "package", &format!("-Drevision={version}")];
    let built = Command::new("mvn").args(words).current_dir(&project).output().unwrap();
    assert!(built.status.success(), "mvn: {}", String::from_utf8_lossy(&built.stdout));
    let jar = stage.path(&format!("shop-{version}.jar"));
    fs::rename(project.join("target/shop.jar"), &jar).unwrap();
    fs::remove_dir_all(project).unwrap();
    jar
}

fn deploy(stage: &Stage, app: &App, version: &str) {
    let artifact = (app.build)(stage, version);
    let ended = stage.spawn(&["deploy", artifact.to_str().unwrap(), "--version", version]).wait_within(SLOW);
    assert_eq!(ended.code, Some(0), "{ended}");
}

/// The example's own file, with time for a machine that does other things.
fn configure(stage: &mut Stage, app: &App) {
    stage.configure(&sources(app.name).join("bluegreen.toml"));
    stage.set("health.deadline", "300s");
}

/// A first deploy, then three under load, and back.
fn in_marker_mode(app: &App) {
    let Some(mut stage) = have(app.needs).then(Stage::marker).flatten() else { return };
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
fn in_reload_mode(app: &App) {
    let Some(mut stage) = have(app.needs).then(Stage::reload).flatten() else { return };
    configure(&mut stage, app);
    deploy(&stage, app, "v0");
    let clients = Clients::at(&stage);
    deploy(&stage, app, "v1");
    assert_eq!(stage.front(), "v1 real2");
    let tally = clients.stop();
    say(&format!("{} in reload mode: {tally}", app.name));
    let answered = tally.by_release();
    assert!(answered.contains_key("v0 real1") && answered.contains_key("v1 real2"), "{answered:?}");
}

#[test]
fn java_in_marker_mode() {
    in_marker_mode(&JAVA);
}

#[test]
fn spring_boot_in_marker_mode() {
    in_marker_mode(&SPRING_BOOT);
}

#[test]
fn java_in_reload_mode() {
    in_reload_mode(&JAVA);
}

#[test]
fn node_in_marker_mode() {
    in_marker_mode(&NODE);
}

#[test]
fn node_in_reload_mode() {
    in_reload_mode(&NODE);
}

#[test]
fn gunicorn_in_marker_mode() {
    in_marker_mode(&GUNICORN);
}

#[test]
fn gunicorn_in_reload_mode() {
    in_reload_mode(&GUNICORN);
}
