use super::*;
use bluegreen_http::{Body, StatusRanges};
use bluegreen_process::{SignalTo, StopSignal};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "bluegreen.toml".as_ref())
}

/// Each block of the file: a change to the smallest configuration, and the whole text that a person then sees.
#[test]
fn mistakes_are_shown_where_they_are() {
    let mut seen = String::new();
    for block in include_str!("mistakes.txt").split("=== ").skip(1) {
        let (change, _) = block.split_once('\n').unwrap();
        let (from, to) = change.split_once(" => ").unwrap();
        assert!(SMALLEST.contains(from), "{from}");
        // what is wrong only for a deploy is shown in the same way
        let objections = |config: Config| config.objections().expect(to);
        let error = parse(&SMALLEST.replace(from, &to.replace("\\n", "\n"))).map_or_else(|error| error, objections);
        seen.extend(["=== ", change, "\n", &error.render(false), "\n\n"]);
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write("src/config/mistakes.txt", &seen).unwrap();
    }
    assert_eq!(seen, include_str!("mistakes.txt"));
}

/// The example of the contract, every key.
const FULL: &str = r#"
app = "shop"
user = "deploy"
state_dir = "/var/lib/bluegreen/shop"
route_dir = "/var/lib/bluegreen/shop/route"
[profiles]
real2 = 8082
real1 = 8081
[start]
command = ["java", "-jar", "{artifact}", "--spring.profiles.active={profile}", "--server.port={port}"]
env = { SPRING_PROFILES_INCLUDE = "oauth", PORT = "{port}" }
env_file = "/etc/shop/env"
pass_env = ["JAVA_HOME"]
workdir = "{shared_dir}"
[stop]
signal = "INT"
to = "main"
grace = "1m30s"
[health]
url = "http://127.0.0.1:{port}/profile"
status = "200-204, 301"
body = { json = { "status" = "UP", "db" = { "ok" = true } } }
healthy_threshold = 3
timeout = "500ms"
deadline = "60s"
interval = "2s"
[proxy.nginx]
mode = "reload"
url = "https://shop.example/health"
connect = "127.0.0.1:443"
service_url_file = "/etc/nginx/conf.d/service-url.inc"
install = ["sudo", "-n", "cp"]
reload = ["sudo", "-n", "nginx", "-s", "reload"]
test = ["sudo", "-n", "nginx", "-t"]
[resolve]
kind = "http"
url = "http://127.0.0.1/profile"
[after_switch]
bake = "0s"
failover = "never"
previous = "stop"
settle = "0s"
drain = "5s"
[hook]
artifact = "build/libs/*.jar"
[hooks]
before_switch = ["./warm-up", "{port}"]
[releases]
keep = 9
"#;

fn seconds(n: u64) -> std::time::Duration {
    std::time::Duration::from_secs(n)
}

#[test]
fn the_smallest_one_has_the_defaults_of_the_engine() {
    let config = parse(SMALLEST).unwrap();
    assert_eq!(config.policy(), Policy::default());
    assert_eq!(config.app.as_str(), "shop");
    assert_eq!(config.state_dir, Path::new("/var/lib/bluegreen/shop"));
    assert_eq!(config.route_dir, Path::new("/var/lib/bluegreen/shop/route"));
    assert_eq!(config.health.url.to_string(), "http://127.0.0.1:{port}/");
    assert_eq!(config.health.status, StatusRanges::default());
    assert!(matches!(config.health.body, Body::Any));
    assert_eq!((config.nginx.mode, config.nginx.install), (ProxyMode::Marker, None));
    assert_eq!(config.resolve.kind, ResolveKind::Proxy);
    assert_eq!((config.stop.signal, config.stop.to), (StopSignal::Term, SignalTo::Group));
}

#[test]
fn every_key_can_be_set() {
    use bluegreen_core::{Failover, Gates, Previous};
    let config = parse(FULL).unwrap();
    let policy = Policy {
        healthy_threshold: 3,
        health_deadline: seconds(60),
        health_interval: seconds(2),
        bake: seconds(0),
        failover: Failover::Never,
        previous: Previous::Stop,
        settle: seconds(0),
        drain: seconds(5),
        grace: seconds(90),
        // the ten minutes of the hook, and a second in which its last words are heard
        gates: Gates { before_stop: None, before_switch: Some(seconds(601)) },
        ..Policy::default()
    };
    assert_eq!(config.policy(), policy);
    // the order of the file, not of the alphabet
    assert_eq!(config.profiles.first().name().as_str(), "real2");
    assert_eq!(config.user.as_deref(), Some("deploy"));
    assert_eq!(config.start.command[4].to_string(), "--server.port={port}");
    assert_eq!(config.start.env["PORT"].to_string(), "{port}");
    assert_eq!(config.start.env_file.as_deref(), Some(Path::new("/etc/shop/env")));
    assert_eq!(config.start.pass_env, ["JAVA_HOME"]);
    assert_eq!((config.stop.signal, config.stop.to), (StopSignal::Int, SignalTo::Main));
    assert_eq!(config.health.status.to_string(), "200-204,301");
    let json = serde_json::json!({ "status": "UP", "db": { "ok": true } });
    assert!(matches!(config.health.body, Body::Json(wanted) if wanted == json));
    assert_eq!(config.health.timeout.as_millis(), 500);
    assert_eq!(config.nginx.mode, ProxyMode::Reload);
    assert_eq!(config.nginx.connect, Some(([127, 0, 0, 1], 443).into()));
    assert_eq!(config.nginx.install.as_deref().map(<[_]>::len), Some(3));
    assert_eq!(config.resolve.kind, ResolveKind::Http);
    assert_eq!(config.hook.artifact.as_deref(), Some("build/libs/*.jar"));
    assert_eq!(config.hooks.before_switch.map(|hook| hook.command.len()), Some(2));
    assert_eq!(config.releases.keep, 9);
}

#[test]
fn the_effective_configuration_says_where_values_come_from_and_means_the_same() {
    let config = parse(SMALLEST).unwrap();
    let text = config.to_toml();
    let line = |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap().to_owned();
    assert_eq!(line("real2"), "real2 = 8082                                     # bluegreen.toml:5");
    assert_eq!(line("grace"), r#"grace = "30s"                                    # default"#);
    let again = parse(&text).unwrap();
    assert_eq!(again.policy(), config.policy());
    let real1 = config.entries().find(|(key, ..)| key == "profiles.real1").unwrap();
    assert_eq!((real1.1, real1.2.as_str()), (8081.into(), "bluegreen.toml:4"));
    // and so for the one where everything is set
    let full = parse(FULL).unwrap();
    let again = parse(&full.to_toml()).unwrap();
    let values = |c: &Config| c.settings().iter().map(|s| (s.key.clone(), s.value.clone())).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&full));
}

#[test]
fn the_table_and_the_reader_know_the_same_keys() {
    let read: Vec<String> = parse(SMALLEST).unwrap().settings().iter().map(|s| s.key.clone()).collect();
    for key in keys::KEYS.iter().filter(|key| key.name != "profiles") {
        let is_read = read.iter().any(|r| r == key.name);
        assert_eq!(is_read, !matches!(key.absent, keys::Absent::Unset(_)), "{}", key.name);
        assert!(reference().contains(&format!("**`{}`**", key.name.rsplit('.').next().unwrap())), "{}", key.name);
    }
}

#[test]
fn a_file_is_read_from_disk_and_belongs_to_its_app() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bluegreen.toml");
    std::fs::write(&file, SMALLEST).unwrap();
    let load =
        |app: &str| Config::load(&Lookup { config: Some(file.clone()), app: app.parse().ok(), ..Lookup::default() });
    assert_eq!(load("shop").unwrap().file(), file);
    let error = load("blog").unwrap_err().render(false);
    assert!(error.contains("is for app `shop`, and --app says `blog`"), "{error}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let error = load("shop").unwrap_err().render(false);
    assert!(error.contains("everybody may write to it"), "{error}");
    assert!(error.contains(&format!("chmod go-w {}", file.display())), "{error}");
}

#[test]
fn without_a_file_the_person_gets_one_to_copy() {
    let error = ConfigError::NotFound { looked: vec!["bluegreen.toml".into(), "/etc/bluegreen/shop.toml".into()] };
    let text = error.render(false);
    assert!(text.contains("looked at bluegreen.toml, /etc/bluegreen/shop.toml"), "{text}");
    assert!(text.contains("    app = \"shop\"\n"), "{text}");
}
