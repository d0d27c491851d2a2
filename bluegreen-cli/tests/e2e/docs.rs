//! Every `bluegreen` command of the pages is run, as a reader would type it; a comment as `# 10` says with which code it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bluegreen_cli::args::Args;
use bluegreen_lab::nginx::Site;
use bluegreen_rig::{Ended, Running, Stage, bluegreen, wait_for};
use clap::CommandFactory as _;
use rustix::process::Signal;

/// Lines of `sh` blocks that are not run here, by their beginning, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("./demo", "builds, and then the next one"),
    ("bluegreen demo", "half a minute: .ci/run and packaging/try run it"),
    ("./test", "runs this"),
    ("apt install", "needs a package and root: packaging/try installs it into a copy of the machine"),
    ("cargo install", "compiles for minutes"),
    ("install ~/.cargo/bin/bluegreen", "root's /usr/bin"),
    ("testing/bench/run", "minutes; its numbers are in docs/benchmarks.md"),
    ("cargo run -p bluegreen-examples", "examples/tests/programs.rs runs the same program"),
    ("packaging/", "compiles for minutes"),
    ("mvn package", "needs Maven and its downloads: `./test --apps`"),
    ("./build.sh", "needs a JDK: apps.rs runs it"),
    ("cp bluegreen-up@.service", "root's systemd: examples/systemd/try.sh does it"),
    ("mv bluegreen.toml /etc/bluegreen/", "root's /etc"),
    ("systemctl", "root's systemd: examples/systemd/try.sh does it"),
];

/// What a page leaves to the reader, word by word; the shell fills in the variables.
const FILL: &[(&str, &str)] = &[
    (".", "shop.jar"),
    ("ARTIFACT", "shop.jar"),
    ("COMMAND", "status"),
    ("D", "$DIGEST"),
    ("ID", "1"),
    ("PROFILE", "$IDLE"),
    ("RELEASE", "$RELEASE"),
    ("SHELL", "bash"),
    ("V", "v1"),
    ("/etc/nginx/sites-enabled/shop", "$SITE"),
];

/// What a test adds to the end of a line: nobody is there to be asked, and several nginx run.
const MORE: &[(&str, &str)] =
    &[("bluegreen init", " --force --pid-file $PID_FILE"), ("setup --apply", " --yes"), ("setup --remove", " --yes")];

const NAMES: [&str; 2] = ["real1", "real2"];

/// A command that somebody may type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Typed {
    line: String,
    code: i32,
    page: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The pages that people read, with their names.
fn pages() -> Vec<(String, String)> {
    let markdown = |dir: &str| {
        let files = fs::read_dir(root().join(dir)).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|e| e == "md")).collect::<Vec<_>>()
    };
    let examples = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path().join("README.md"));
    let mut files = [markdown("docs"), markdown("docs/adr"), markdown("packaging"), examples.collect()].concat();
    files.push(root().join("README.md"));
    files.retain(|file| file.is_file());
    files.sort();
    let name = |file: &Path| file.strip_prefix(root()).unwrap().display().to_string();
    files.iter().map(|file| (name(file), fs::read_to_string(file).unwrap())).collect()
}

/// The `sh` blocks of a page, line by line, and its code in running text.
fn read(page: &str, text: &str) -> (Vec<Vec<Typed>>, Vec<Typed>) {
    let typed = |line: &str, code| Typed { line: line.trim().replace("sudo ", ""), code, page: page.to_owned() };
    let (mut blocks, mut inline) = (Vec::new(), Vec::new());
    for (n, part) in text.split("```").enumerate() {
        if n % 2 == 1 {
            let Some(block) = part.strip_prefix("sh\n") else { continue };
            let lines = block.lines().map(|line| line.split_once("# ").unwrap_or((line, "")));
            let lines = lines.filter(|(line, _)| !line.trim().is_empty());
            let code = |comment: &str| comment.split([':', ' ']).next().unwrap().parse().unwrap_or(0);
            blocks.push(lines.map(|(line, comment)| typed(line, code(comment))).collect());
        } else {
            for paragraph in part.split("\n\n") {
                let spans = paragraph.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "));
                inline.extend(spans.map(|span| typed(&span, 0)));
            }
        }
    }
    (blocks, inline)
}

fn is_ours(line: &str) -> bool {
    // what the program says, with something left out, is not for typing
    (line.starts_with("bluegreen ") && !line.contains('…')) || line.contains("$(bluegreen ")
}

/// The files that the pages deploy, and the digest of each.
const ARTIFACTS: [&str; 4] = ["shop.jar", "build/libs/shop.jar", "build/libs/webservice.jar", "target/shop.jar"];
const DIGEST: &str = "0163f1eea7894350060624d315234d40c508ab251ba121714e234503045faadd"; // of "jar"

/// Where the reader is: a machine, and a directory with the files that the pages name.
struct Desk {
    stage: Stage,
    versions: u32,
}

impl Desk {
    fn new() -> Option<Self> {
        Stage::marker().map(Self::on)
    }

    fn on(mut stage: Stage) -> Self {
        let pid_file = stage.nginx.prefix().join("nginx.pid");
        stage.set("proxy.nginx.pid_file", pid_file.to_str().unwrap());
        stage.set("metrics.textfile", stage.path("shop.prom").to_str().unwrap());
        stage.set("hook.artifact", "shop.jar");
        for dir in ["new", "build/libs", "target"] {
            fs::create_dir_all(stage.path(dir)).unwrap();
        }
        for file in ARTIFACTS {
            fs::write(stage.path(file), "jar").unwrap();
        }
        fs::write(stage.path("new/package.json"), r#"{ "name": "shop", "main": "server.js" }"#).unwrap();
        Self { stage, versions: 0 }
    }

    /// nginx as it is before anybody sets it up: it leads to this port.
    fn leads_to(&self, port: u16) {
        let location = format!("proxy_pass http://127.0.0.1:{port};");
        self.stage.nginx.write(&Site { location, ..Site::default() }).unwrap();
        self.stage.nginx.reload().unwrap();
    }

    fn deploy(&mut self) {
        self.versions += 1;
        self.stage.deploy(&format!("v{}", self.versions), 0);
    }

    /// The idle profile, 0 or 1; the first one as long as nginx is not set up.
    fn idle(&self) -> usize {
        usize::from(self.stage.spawn(&["profile"]).wait().out.trim() == "real2")
    }

    /// What somebody who types this has done before.
    fn before(&mut self, line: &str) {
        let has = |words: &[&str]| words.iter().any(|word| line.contains(&format!("bluegreen {word}")));
        if line.ends_with("setup --apply") {
            self.leads_to(self.stage.ports[1 - self.idle()]);
        } else if has(&["rollback", "recover", "up"]) {
            self.deploy();
        } else if has(&["promote", "abort", "switch", "health", "start"]) {
            self.stage.run(&["prepare", "shop.jar", "--version", "waits"], 0);
        } else if has(&["adopt"]) {
            self.stage.run(&["stop"], 0);
            self.stage.run(&["abort"], 0);
            super::adopt::start_by_hand(&self.stage, self.idle());
        }
    }

    /// Types it, with everything filled in.
    fn types(&self, line: &str) -> Ended {
        // of one that waits
        let line = &line.replace("promote RELEASE", "promote waits").replace("abort RELEASE", "abort waits");
        let words = line.split(' ').map(|word| FILL.iter().find(|(name, _)| *name == word).map_or(word, |&(_, is)| is));
        let words: Vec<&str> = words.collect();
        let more = MORE.iter().filter(|(what, _)| line.contains(what)).map(|(_, more)| *more);
        // running text names a command without its artifact
        let artifact = if line == "bluegreen deploy" { " shop.jar" } else { "" };
        let line = format!("exec {}{artifact}{}", words.join(" "), more.collect::<String>());
        let idle = self.idle();
        let dir = if line.contains("bluegreen init") { "new" } else { "" };
        let path = format!("{}:{}", bluegreen().parent().unwrap().display(), env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell.args(["-c", &line]).current_dir(self.stage.path(dir)).stdin(Stdio::null()).env("PATH", path);
        shell
            .env_remove("BLUEGREEN_CONFIG")
            .env("RELEASE", format!("v{}", self.versions.max(2) - 1))
            .env("LIFECYCLE_EVENT", "AfterInstall")
            .env("DIGEST", DIGEST);
        shell.env("IDLE", NAMES[idle]).env("BLUEGREEN_PROFILE", NAMES[1 - idle]);
        let nginx = self.stage.nginx.prefix();
        shell.env("PID_FILE", nginx.join("nginx.pid")).env("SITE", nginx.join("nginx.conf"));
        let running = Running::spawn(shell);
        if line.contains(" --watch") || line.contains(" -f") {
            // these go on until somebody has seen enough
            running.wait_for_word("\n");
            running.signal(Signal::INT);
        }
        running.wait()
    }

    /// Types what a page says, which must end as it says.
    fn follows(&self, typed: &Typed) {
        let Typed { line, code, page } = typed;
        let ended = self.types(line);
        assert_eq!(ended.code, Some(*code), "{page}: `{line}`\n{ended}");
    }
}

/// Blocks that tell a story of a machine that is not set up yet begin with what is refused there.
fn is_story(block: &[Typed]) -> bool {
    block.first().is_some_and(|first| first.code == 3)
}

#[test]
fn every_command_of_the_pages_does_what_they_say() {
    let Some(mut desk) = Desk::new() else { return };
    desk.deploy();
    desk.leads_to(desk.stage.ports[0]);
    desk.stage.run(&["setup", "--apply", "--yes"], 0);
    desk.deploy();

    let (mut all, mut elsewhere) = (BTreeMap::new(), BTreeSet::new());
    for (page, text) in pages() {
        let (blocks, inline) = read(&page, &text);
        let lines = blocks.into_iter().filter(|block| !is_story(block)).flatten();
        for typed in lines.chain(inline.into_iter().filter(|typed| is_ours(&typed.line))) {
            if let Some((start, _)) = ELSEWHERE.iter().find(|(start, _)| typed.line.starts_with(start)) {
                elsewhere.insert(*start);
            } else {
                assert!(is_ours(&typed.line), "neither run nor in ELSEWHERE: {typed:?}");
                all.entry(typed.line.clone()).or_insert(typed);
            }
        }
    }
    assert!(all.len() > 30, "{all:#?}");
    for typed in all.values() {
        desk.before(&typed.line);
        desk.follows(typed);
        desk.stage.run(&["abort"], 0);
        assert!(desk.stage.front().ends_with(NAMES[1 - desk.idle()]), "{typed:?}: {}", desk.stage.front());
        if typed.line.ends_with("setup --remove") {
            desk.stage.run(&["setup", "--apply", "--yes"], 0);
        }
    }
    assert_eq!(elsewhere.len(), ELSEWHERE.len(), "some are in no page any more: only {elsewhere:?}");
}

#[test]
fn an_app_on_a_third_port_moves_as_the_page_says() {
    let Some(mut desk) = Desk::new() else { return };
    fs::remove_dir_all(desk.stage.path("state")).unwrap();
    let stories = pages().into_iter().flat_map(|(page, text)| read(&page, &text).0).filter(|block| is_story(block));
    let [story]: [_; 1] = stories.collect::<Vec<_>>().try_into().unwrap();
    // the app of before, as the article has it on 8080
    let third = bluegreen_process::free_port().unwrap();
    let old = format!("exec {} __app --port {third} --profile old --release old > old.log 2>&1", bluegreen().display());
    let mut shell = Command::new("bash");
    shell.args(["-c", &old]).current_dir(desk.stage.home()).stdin(Stdio::null());
    let running = Running::spawn(shell);
    desk.leads_to(third);
    wait_for("the app of before", || desk.stage.front() == "old old");
    for typed in &story {
        desk.follows(typed);
        assert!(["old old", "jar real1"].contains(&desk.stage.front().as_str()), "{typed:?}: {}", desk.stage.front());
    }
    assert_eq!(desk.stage.front(), "jar real1");
    running.signal(Signal::TERM);
    running.wait();
    desk.deploy();
}

/// The block of a page that has this line.
fn block_with(page: &str, line: &str) -> Vec<Typed> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let found = read(page, &text).0.into_iter().find(|block| block.iter().any(|typed| typed.line == line));
    found.unwrap_or_else(|| panic!("{page} has no `{line}`"))
}

#[test]
fn the_machine_of_the_scripts_is_taken_over_in_reload_mode_and_moves_to_marker_mode() {
    let Some(stage) = Stage::reload() else { return };
    let mut desk = Desk::on(stage);
    let include = desk.stage.path("service-url.inc");
    let lead_to = |port: u16| format!("set $service_url http://127.0.0.1:{port};\n");
    // what the scripts left: their second profile runs, and the include says so
    super::adopt::start_by_hand(&desk.stage, 1);
    assert_eq!(fs::read_to_string(&include).unwrap(), lead_to(desk.stage.ports[1]));
    desk.stage.set("proxy.nginx.install", vec!["cp", "--preserve=timestamps"]);
    let site = fs::read_to_string(desk.stage.nginx.prefix().join("nginx.conf")).unwrap();
    for typed in &block_with("docs/migrating.md", "bluegreen adopt") {
        desk.follows(typed);
    }
    assert_eq!(desk.stage.front(), "jar real1");
    assert_eq!(fs::read_to_string(&include).unwrap(), lead_to(desk.stage.ports[0]));

    // the page: take `mode` and `install` out, then set up; the whole way back is there too
    for key in ["mode", "install", "service_url_file", "test", "reload"] {
        desk.stage.unset(&format!("proxy.nginx.{key}"));
    }
    let apply = Typed { line: "bluegreen setup --apply".into(), code: 0, page: "docs/migrating.md".into() };
    desk.follows(&apply);
    assert_eq!(desk.stage.front(), "jar real1");
    desk.deploy();
    assert_eq!(desk.stage.front(), "v1 real2");
    desk.stage.run(&["rollback"], 0);
    desk.follows(&Typed { line: "bluegreen setup --remove".into(), ..apply });
    assert_eq!(desk.stage.front(), "jar real1");
    let after = fs::read_to_string(desk.stage.nginx.prefix().join("nginx.conf")).unwrap();
    assert_eq!(after, site, "byte for byte what it was");
}

/// What the program can do is in the pages.
#[test]
fn every_command_and_option_is_on_the_page_of_commands() {
    let page = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let mut program = Args::command();
    program.build();
    for command in program.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        let name = command.get_name();
        let alone = page.contains(&format!("`{name}`")) || page.contains(&format!("`{name} "));
        assert!(alone, "docs/commands.md does not have `{name}`");
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            let Some(long) = option.get_long().filter(|long| !["help", "version"].contains(long)) else { continue };
            let short = option.get_short().is_some_and(|short| page.contains(&format!("`-{short}`")));
            assert!(short || page.contains(&format!("--{long}")), "docs/commands.md does not have --{long} of {name}");
        }
    }
}
