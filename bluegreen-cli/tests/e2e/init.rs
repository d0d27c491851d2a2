//! `init` in a directory that has never seen bluegreen.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use bluegreen_lab::nginx::{Nginx, Site};
use bluegreen_rig::{Ended, Running, below, bluegreen, kill, skip};
use tempfile::TempDir;

/// A directory with files, and an nginx that leads to a port where nobody listens yet.
struct Fresh {
    home: TempDir,
    nginx: Nginx,
    port: u16,
}

impl Fresh {
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        let Some(binary) = Nginx::find() else {
            skip("there is no nginx");
            return None;
        };
        let home = tempfile::Builder::new().prefix("bluegreen-init.").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = two_ports();
        let site = Site { location: format!("proxy_pass http://127.0.0.1:{port};"), ..Site::default() };
        let nginx = (0..3).find_map(|_| Nginx::start(&binary, &site).ok()).expect("nginx starts");
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Some(Self { home, nginx, port })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(bluegreen());
        command.args(words).current_dir(self.home.path()).env_remove("BLUEGREEN_CONFIG").stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn run(&self, words: &[&str], code: i32) -> Ended {
        let ended = Running::spawn(self.command(words)).wait();
        assert_eq!(ended.code, Some(code), "`bluegreen {}`:\n{ended}", words.join(" "));
        ended
    }

    /// The options that keep a test in its own place.
    fn here(&self) -> Vec<String> {
        let state = self.path("state");
        let pid_file = self.nginx.prefix().join("nginx.pid");
        ["--state-dir", state.to_str().unwrap(), "--allow-temporary", "--pid-file", pid_file.to_str().unwrap()]
            .map(str::to_owned)
            .into()
    }

    #[track_caller]
    fn init(&self, words: &[&str], code: i32) -> Ended {
        let here = self.here();
        let all: Vec<&str> =
            ["init"].into_iter().chain(here.iter().map(String::as_str)).chain(words.iter().copied()).collect();
        self.run(&all, code)
    }

    fn written(&self) -> String {
        fs::read_to_string(self.path("bluegreen.toml")).unwrap()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        below(self.home.path()).into_iter().for_each(kill);
        let _ = Command::new("chmod").arg("-R").arg("u+w").arg(self.home.path()).status();
    }
}

/// The first of two in a row that no other test gets: `init` takes the next one for the second profile.
fn two_ports() -> u16 {
    let free = || bluegreen_process::free_port().unwrap();
    let mut first = free();
    loop {
        let next = free();
        if next == first + 1 {
            return first;
        }
        first = next;
    }
}

/// A jar of these files, which nobody runs.
fn jar(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn from_an_empty_directory_to_the_first_deploy() {
    let Some(fresh) = Fresh::new(&[("shop-1", "v1")]) else { return };
    let binary = bluegreen();
    let app =
        [binary.to_str().unwrap(), "__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}"];
    let ended = fresh.init(&[&["--artifact", "shop-1", "--app", "shop", "--"][..], &app].concat(), 0);
    let port = fresh.port.to_string();
    ended.says(&[
        "nginx ",
        &format!("goes to port {port}"),
        "nginx.conf:",
        "wrote bluegreen.toml",
        "setup --apply",
        "deploy shop-1",
    ]);
    assert!(fresh.written().contains(&format!("real1 = {port}")), "{}", fresh.written());
    // what is left to do is the set-up, and check says so
    fresh.run(&["check"], 3).says(&["setup --apply"]);
    let begun = format!("follows the route: real1 (port {port}), where nothing runs yet");
    fresh.run(&["setup", "--apply", "--yes"], 0).says(&[&begun]);
    fresh.run(&["check"], 0);
    fresh.run(&["deploy", "shop-1"], 0);
    fresh.run(&["check"], 0);
}

#[test]
fn root_sets_up_for_the_user_who_deploys() {
    let Some(fresh) = Fresh::new(&[("shop-1", "v1")]) else { return };
    let reached = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x"])
        .arg(bluegreen())
        .status();
    if !rustix::process::geteuid().is_root() || !reached.is_ok_and(|status| status.success()) {
        return skip("only root sets up for others, and they must reach the program");
    }
    let binary = bluegreen();
    let app =
        [binary.to_str().unwrap(), "__app", "--port", "{port}", "--profile", "{profile}", "--artifact", "{artifact}"];
    fresh.init(&[&["--artifact", "shop-1", "--app", "shop", "--user", "nobody", "--"][..], &app].concat(), 0);
    fresh.run(&["setup", "--apply", "--yes"], 0).says(&["follows the route"]);
    fresh.run(&["setup", "--apply", "--yes"], 0).says(&["already"]);
    let owner = |name: &str| fresh.path(name).symlink_metadata().unwrap().uid();
    assert_eq!((owner("state"), owner("state/route"), owner("state/route/real1")), (65534, 65534, 65534));
    // root goes on as the user, whoever types it
    fresh.run(&["deploy", "shop-1"], 0);
    fresh.run(&["check"], 0);
    let [app] = below(fresh.home.path())[..] else { panic!("one app runs") };
    assert_eq!(fs::metadata(format!("/proc/{app}")).unwrap().uid(), 65534);
    assert_eq!(owner("state/route/live"), 65534);
}

#[test]
fn when_nobody_says_who_deploys_root_is_told_that_it_is_root() {
    let Some(fresh) = Fresh::new(&[("package.json", r#"{ "name": "shop", "main": "s.js" }"#)]) else { return };
    if !rustix::process::geteuid().is_root() {
        fresh.init(&[], 0);
        assert!(fresh.written().contains("\nuser = \""), "{}", fresh.written());
        return;
    }
    fresh.init(&[], 0);
    fresh.run(&["setup", "--apply", "--yes"], 0).says(&["runs as root too", "user = \"deploy\""]);
    let again = fresh.run(&["setup", "--apply", "--yes"], 0);
    assert!(!again.out.contains("runs as root"), "{again}");
    // and what is another user's is not taken from them
    let text = fresh.written().replacen("# user = \"deploy\"", "user = \"nobody\"", 1);
    fs::write(fresh.path("bluegreen.toml"), text).unwrap();
    fresh
        .run(&["setup", "--apply", "--yes"], 3)
        .says(&["belongs to user root, not to nobody", "sudo chown -R nobody "]);
}

#[test]
fn what_is_there_is_never_overwritten_unless_forced() {
    let Some(fresh) = Fresh::new(&[("package.json", r#"{ "name": "shop", "main": "s.js" }"#)]) else { return };
    fresh.init(&["--print"], 0).says(&["node", "{artifact}/s.js"]);
    assert!(!fresh.path("bluegreen.toml").exists());
    fs::write(fresh.path("bluegreen.toml"), "mine").unwrap();
    fresh.init(&[], 2).says(&["is there already", "--force"]);
    assert_eq!(fresh.written(), "mine");
    fresh.init(&["--print"], 0);
    assert_eq!(fresh.written(), "mine");
    fresh.init(&["--force"], 0);
    assert!(fresh.written().contains("app = \"shop\""));
    std::os::unix::fs::symlink("nowhere", fresh.path("other.toml")).unwrap();
    fresh.init(&["--config", "other.toml"], 2);
    fs::write(fresh.path("secret"), "as it was").unwrap();
    std::os::unix::fs::symlink("secret", fresh.path("link.toml")).unwrap();
    fresh.init(&["--config", "link.toml", "--force"], 2).says(&["symbolic link"]);
    assert_eq!(fs::read_to_string(fresh.path("secret")).unwrap(), "as it was");
}

#[test]
fn node_python_and_a_jar() {
    let Some(node) = Fresh::new(&[("package.json", r#"{ "name": "shop", "scripts": { "start": "node server.js" } }"#)])
    else {
        return;
    };
    node.init(&[], 0).says(&["package.json", "start: node server.js"]);
    assert!(node.written().contains(r#"command = ["node", "{artifact}/server.js"]"#), "{}", node.written());
    assert!(node.written().contains(r#"PORT = "{port}""#), "{}", node.written());
    node.run(&["config"], 0);

    let files = [
        ("pyproject.toml", "[project]\nname = 'shop'\ndependencies = ['flask', 'gunicorn']\n"),
        ("wsgi.py", "app = 1\n"),
    ];
    let Some(python) = Fresh::new(&files) else { return };
    python.init(&[], 0).says(&["pyproject.toml", "wsgi:app in wsgi.py"]);
    assert!(python.written().contains(r#""gunicorn", "--bind", "127.0.0.1:{port}""#), "{}", python.written());

    let Some(java) = Fresh::new(&[("build/libs/shop-2-plain.jar", "")]) else { return };
    let entries = [
        ("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nSpring-Boot-Version: 3.4.0\nImplementation-Title: shop\n"),
        ("BOOT-INF/lib/spring-boot-actuator-3.4.0.jar", ""),
    ];
    fs::write(java.path("build/libs/shop-2.jar"), jar(&entries)).unwrap();
    java.init(&[], 0).says(&["Spring Boot 3.4.0", "build/libs/shop-2.jar"]);
    assert!(java.written().contains(r#"url = "http://127.0.0.1:{port}/actuator/health""#), "{}", java.written());
}

#[test]
fn the_articles_layout() {
    const SPEC: &str = "version: 0.0\nos: linux\nfiles:\n- source:  /\n    destination: /srv/step3/zip/\nhooks:\nAfterInstall:\n    \
                        - location: stop.sh\n    timeout: 60\n    runas: ec2-user\nApplicationStart:\n    - location: start.sh\n    timeout: 60\n    \
                        runas: ec2-user\nValidateService:\n    - location: health.sh\n    timeout: 60\n";
    const PROFILE: &str = "if [ ${X} -ge 400 ]\nthen\n CURRENT_PROFILE=real2\nfi\nif [ ${IDLE_PROFILE} == real1 ]\nthen\n  echo \"8081\"\n\
                           else\n  echo \"8082\"\nfi\n";
    let files = [
        ("appspec.yml", SPEC),
        ("profile.sh", PROFILE),
        (
            "start.sh",
            "nohup java -jar \\\n    -Dspring.profiles.active=$IDLE_PROFILE \\\n    $JAR_NAME > nohup.out 2>&1 &\n",
        ),
        ("health.sh", "curl -s http://localhost:${IDLE_PORT}/profile\n"),
        ("stop.sh", ""),
        ("switch.sh", ""),
    ];
    let Some(fresh) = Fresh::new(&files) else { return };
    let include = fresh.path("service-url.inc");
    fs::write(&include, "set $service_url http://127.0.0.1:8082;\n").unwrap();
    fresh.nginx.write(&Site::article(&include)).unwrap();
    let url = format!("$service_url is http://127.0.0.1:8082  {}:1", include.display());
    fresh.init(&[], 0).says(&["appspec.yml", "stop.sh", &url]);
    let text = fresh.written();
    for line in [
        "user = \"ec2-user\"",
        "real1 = 8081",
        "real2 = 8082",
        r#"command = ["java", "-jar", "-Dspring.profiles.active={profile}", "{artifact}"]"#,
        r#"url = "http://127.0.0.1:{port}/profile""#,
        r#"body = "{profile}""#,
        &format!("url = \"{}\"", fresh.nginx.url("/profile")),
        "artifact = \"/srv/step3/zip/*.jar\"",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn nothing_to_deploy_is_said() {
    let Some(fresh) = Fresh::new(&[]) else { return };
    fresh.init(&[], 2).says(&["nothing to deploy was found here", "init --artifact FILE"]);
    fresh.init(&["--url", "nonsense", "--", "./run"], 2).says(&["nonsense"]);
    assert!(!fresh.path("bluegreen.toml").exists());
}

#[test]
fn on_a_terminal_it_asks_and_enter_takes_the_default() {
    let Some(fresh) = Fresh::new(&[("package.json", r#"{ "name": "shop", "main": "s.js" }"#)]) else { return };
    if !Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("there is no script(1) to make a terminal");
    }
    let here = fresh.here().join(" ");
    let line = format!("{} init {here}", bluegreen().display());
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(fresh.home.path()).env("TERM", "xterm");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"My Shop\nmy-shop\n99999\n\nabc\n9002\nhealth\nshop.example\n\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}");
    let text = fresh.written();
    for line in ["app = \"my-shop\"", &format!("real1 = {}", fresh.port), "real2 = 9002", "{port}/health\""] {
        assert!(text.contains(line), "{line}\n{text}\n{said}");
    }
    for line in
        ["name of the app [shop]", "is not a name", "a port is a number from 1 to 65535", "an address as http://"]
    {
        assert!(said.contains(line), "{line}\n{said}");
    }
}
