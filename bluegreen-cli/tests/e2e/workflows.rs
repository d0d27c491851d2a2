//! GitHub's workflows, played step by step: the one of `examples/github-actions/` against a stage, and the release of this
//! project, with programs in place of those that compile or publish.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bluegreen_rig::{Clients, Ended, Running, Stage, bluegreen};
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().canonicalize().unwrap()
}

fn workflow(file: &str) -> Yaml {
    YamlLoader::load_from_str(&fs::read_to_string(root().join(file)).unwrap()).unwrap().remove(0)
}

fn program(file: PathBuf, text: &str) {
    fs::write(&file, format!("#!/bin/bash\nset -euo pipefail\n{text}")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A machine of GitHub's: an empty home, the checkout, and programs in `bin` that come before those of the system.
struct Runner {
    dir: TempDir,
    /// What stands for `${{ ... }}`.
    contexts: Vec<(&'static str, &'static str)>,
    /// The variables that GitHub sets.
    env: Vec<(&'static str, String)>,
}

impl Runner {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for part in ["home", "checkout", "bin"] {
            fs::create_dir(dir.path().join(part)).unwrap();
        }
        Self { dir, contexts: Vec::new(), env: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the steps as GitHub does, up to the first that fails; those that use an action are given back by its name.
    fn job(&self, steps: &Yaml) -> (Vec<String>, Option<Ended>) {
        let (mut done, mut failed) = (Vec::new(), None);
        for step in steps.as_vec().unwrap() {
            if let Some(action) = step["uses"].as_str() {
                done.push(action.to_owned());
                continue;
            }
            let script = step["run"].as_str().unwrap();
            done.push(step["name"].as_str().unwrap_or(script).to_owned());
            let ended = self.step(script, &step["env"]);
            if ended.code != Some(0) {
                failed = Some(ended);
                break;
            }
        }
        (done, failed)
    }

    fn step(&self, script: &str, env: &Yaml) -> Ended {
        let file = self.path("step.sh");
        fs::write(&file, script).unwrap();
        let mut shell = Command::new("bash");
        shell.arg("-e").arg(file).current_dir(self.path("checkout")).stdin(Stdio::null()).env_clear();
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        shell.env("PATH", path).env("HOME", self.path("home")).envs(self.env.iter().cloned());
        for (name, value) in env.as_hash().into_iter().flatten() {
            let (name, value) = (name.as_str().unwrap(), value.as_str().unwrap());
            let known = self.contexts.iter().find(|(context, _)| value == format!("${{{{ {context} }}}}"));
            shell.env(name, known.unwrap_or_else(|| panic!("nobody sets {name}: {value}")).1);
        }
        Running::spawn(shell).wait()
    }
}

const SHA: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

/// A runner with a project that Gradle builds, and a `stage` behind ssh.
fn runner_before(stage: &Stage) -> Runner {
    let runner = Runner {
        contexts: vec![
            ("secrets.DEPLOY_HOST", "shop.example"),
            ("secrets.DEPLOY_KEY", "the key"),
            ("secrets.DEPLOY_KNOWN_HOSTS", "shop.example ssh-ed25519 AAAA"),
        ],
        env: vec![("GITHUB_SHA", SHA.to_owned())],
        ..Runner::new()
    };
    fs::create_dir(runner.path("remote")).unwrap();
    fs::create_dir(runner.path("remote-bin")).unwrap();
    let remote = runner.path("remote");
    // who comes without the key, or to a machine that nobody knows, does not get in
    let gets_in = "[ \"$1\" = -i ] && [ \"$(cat \"$2\")\" = 'the key' ] && [ \"$(stat -c %a \"$2\")\" = 600 ]\n\
                   grep -q '^shop.example ' ~/.ssh/known_hosts\n";
    let copy = format!("[ \"${{4%%:*}}\" = deploy@shop.example ]\ncp \"$3\" \"{}/${{4#*:}}\"\n", remote.display());
    program(runner.path("bin/scp"), &format!("{gets_in}{copy}"));
    let run = format!(
        "[ \"$3\" = deploy@shop.example ]\ncd {}\nshift 3\nexec env PATH={}:/usr/bin:/bin sh -c \"$*\"\n",
        remote.display(),
        runner.path("remote-bin").display(),
    );
    program(runner.path("bin/ssh"), &format!("{gets_in}{run}"));
    // as if /etc/bluegreen/shop.toml were the stage's configuration
    let config = stage.path("bluegreen.toml");
    let named = "[ \"$1 $2\" = '--app shop' ]\nshift 2\n";
    let exec = format!("exec {} --config {} \"$@\"\n", bluegreen().display(), config.display());
    program(runner.path("remote-bin/bluegreen"), &format!("{named}{exec}"));
    runner
}

/// What the next `./gradlew bootJar` makes: as Spring Boot's plugin does, a plain one too.
fn builds(runner: &Runner, app: &str) {
    let made = format!("cd build/libs\nprintf '%s' '{app}' >admin.jar\necho plain >admin-plain.jar\n");
    program(
        runner.path("checkout/gradlew"),
        &format!("[ \"$*\" = '--no-daemon bootJar' ]\nmkdir -p build/libs\n{made}"),
    );
}

#[test]
fn the_workflow_of_the_examples_deploys() {
    let Some(stage) = Stage::marker() else { return };
    let runner = runner_before(&stage);
    let workflow = workflow("examples/github-actions/deploy.yml");
    assert_eq!(workflow["concurrency"]["cancel-in-progress"].as_bool(), Some(false));
    let job = &workflow["jobs"]["deploy"];
    let deploy = |app: &str| {
        builds(&runner, app);
        runner.job(&job["steps"])
    };

    let (done, failed) = deploy("v1");
    assert!(failed.is_none(), "{done:?}: {}", failed.unwrap());
    let order = ["actions/checkout@", "actions/setup-java@", "./gradlew", "Copy and deploy"];
    assert!(done.len() == order.len() && done.iter().zip(order).all(|(is, wanted)| is.starts_with(wanted)), "{done:?}");
    let clients = Clients::at(&stage);
    assert!(deploy("v2").1.is_none());
    assert_eq!((stage.front(), stage.status()["active"]["version"].as_str()), ("v2 real2".into(), Some(SHA)));

    // what went wrong there ends the job here, with the same code and all that was said
    let failed = deploy("v3 errors").1.unwrap();
    assert_eq!((failed.code, stage.front()), (Some(10), "v2 real2".into()), "{failed}");
    failed.says(&["was not healthy", "next"]);
    clients.lost_nothing();
    let left: Vec<_> = fs::read_dir(runner.path("remote")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    // bluegreen gives up before GitHub ends the job
    let script = job["steps"].as_vec().unwrap().last().unwrap()["run"].as_str().unwrap();
    let deadline: i64 = script.split("--deadline ").nth(1).unwrap().split('m').next().unwrap().parse().unwrap();
    assert!(deadline < job["timeout-minutes"].as_i64().unwrap());
}

#[test]
fn a_build_that_leaves_two_jars_deploys_none() {
    let Some(stage) = Stage::marker() else { return };
    let runner = runner_before(&stage);
    builds(&runner, "v1");
    fs::create_dir_all(runner.path("checkout/build/libs")).unwrap();
    fs::write(runner.path("checkout/build/libs/shop-0.9.jar"), "old").unwrap();
    let (_, failed) = runner.job(&workflow("examples/github-actions/deploy.yml")["jobs"]["deploy"]["steps"]);
    let failed = failed.expect("it may have been the wrong one");
    failed.says(&["::error::", "admin.jar", "shop-0.9.jar"]);
    assert_eq!(stage.step(), None);
}

/// What `python3 -m venv` makes there: an Ansible that reaches the `stages` as the machines of the inventory. Of the playbooks it does
/// what they do when nothing is in the way; that they do more is tried with the real one, in `testing/fleet`.
fn ansible(runner: &Runner, stages: [&Stage; 2]) {
    let [one, two] =
        stages.map(|stage| format!("{} --config {}", bluegreen().display(), stage.path("bluegreen.toml").display()));
    let playbook = format!(
        "[ \"$1 $2 $3\" = \"-i hosts.ini --private-key\" ] && [ \"$(cat \"$4\")\" = 'the key' ] && grep -q web2 hosts.ini\n\
         played=$5\nshift 5\nfor word; do case $word in -e) ;; *=*) export \"$word\" ;; *) exit 98 ;; esac; done\n\
         [ \"$bluegreen_app\" = shop ]\n\
         on_all() {{ for it in '{one}' '{two}'; do $it \"$@\" || return; done; }}\n\
         case $played in\n\
         bluegreen_rs.bluegreen.prepare) on_all prepare \"$bluegreen_artifact\" --version \"$bluegreen_version\" --if-changed --replace ;;\n\
         bluegreen_rs.bluegreen.promote) on_all promote \"$bluegreen_release\" ;;\n\
         bluegreen_rs.bluegreen.abort) on_all abort ;;\n\
         *) exit 99 ;;\nesac\n"
    );
    program(runner.path("playbook"), &playbook);
    let make = format!(
        "[ \"$1 $2 $3\" = \"-m venv $HOME/venv\" ]\nmkdir -p ~/venv/bin\ncp '{}' ~/venv/bin/ansible-playbook\n\
         printf '#!/bin/sh\\n[ \"$*\" = \"install --quiet ansible-core>=2.15\" ]\\n' >~/venv/bin/pip\n\
         printf '#!/bin/sh\\n[ \"$1 $2\" = \"collection install\" ] && [ -f \"$3\" ]\\n' >~/venv/bin/ansible-galaxy\n\
         chmod +x ~/venv/bin/*\n",
        runner.path("playbook").display()
    );
    program(runner.path("bin/python3"), &make);
}

#[test]
fn the_workflow_of_a_fleet_builds_once_and_moves_no_traffic_before_somebody_agrees() {
    let (Some(one), Some(two)) = (Stage::marker(), Stage::marker()) else { return };
    let secrets = vec![("secrets.DEPLOY_KEY", "the key"), ("secrets.DEPLOY_KNOWN_HOSTS", "web1 ssh-ed25519 AAAA")];
    let runner = Runner { contexts: secrets, env: vec![("GITHUB_SHA", SHA.to_owned())], ..Runner::new() };
    ansible(&runner, [&one, &two]);
    let workflow = workflow("examples/github-actions/fleet.yml");
    assert_eq!(workflow["concurrency"]["cancel-in-progress"].as_bool(), Some(false));
    let fronts = || [one.front(), two.front()];
    let is = |version: &str| fronts().iter().all(|front| front.starts_with(&format!("{version} ")));
    let play = |job: &str| {
        let steps = &workflow["jobs"][job]["steps"];
        // each job has a machine of its own, with nothing but what was handed on
        if job != "build" {
            let (checkout, built) = (runner.path("checkout"), runner.path("built"));
            if checkout.join("handed-on").exists() {
                fs::rename(&checkout, &built).unwrap();
                fs::rename(built.join("handed-on"), &checkout).unwrap();
                fs::remove_dir_all(&built).unwrap();
            }
        }
        runner.job(steps).1
    };
    let build = |app: &str| {
        fs::remove_dir_all(runner.path("checkout")).unwrap();
        fs::create_dir_all(runner.path("checkout/deploy")).unwrap();
        fs::write(runner.path("checkout/deploy/hosts.ini"), "[bluegreen]\nweb1\nweb2\n").unwrap();
        fs::write(runner.path("checkout/deploy/bluegreen_rs-bluegreen-0.1.0.tar.gz"), "").unwrap();
        builds(&runner, app);
        assert!(play("build").is_none());
    };

    // somebody agrees
    build("v1");
    assert!(play("prepare").is_none() && play("promote").is_none() && is("v1"), "{:?}", fronts());
    let clients = [Clients::at(&one), Clients::at(&two)];
    // nobody does: it waits on both, and is ended
    let second = Runner { env: vec![("GITHUB_SHA", SHA.replace('0', "2"))], ..runner };
    let runner = &second;
    let play = |job: &str| runner.job(&workflow["jobs"][job]["steps"]).1;
    fs::write(runner.path("checkout/shop.jar"), "v2").unwrap();
    assert!(play("prepare").is_none() && is("v1"), "{:?}", fronts());
    assert_eq!((one.step().as_deref(), two.step().as_deref()), (Some("health"), Some("health")));
    assert!(play("abort").is_none() && is("v1") && one.step().is_none() && two.step().is_none());
    // it is sick: the job fails, and there is no other one
    fs::write(runner.path("checkout/shop.jar"), "v3 errors").unwrap();
    let failed = play("prepare").expect("a sick release is not prepared");
    assert!(failed.code == Some(10) && is("v1"), "{failed}");
    // what was never prepared is not promoted
    let failed = play("promote").expect("nothing waits");
    assert!(failed.code == Some(3) && is("v1"), "{failed}");
    for client in clients {
        client.lost_nothing();
    }

    let job = |name: &str| &workflow["jobs"][name];
    assert_eq!((job("prepare")["needs"].as_str(), job("promote")["needs"].as_str()), (Some("build"), Some("prepare")));
    assert_eq!(
        (job("prepare")["environment"].as_str(), job("promote")["environment"].as_str()),
        (None, Some("production"))
    );
    assert!(job("abort")["if"].as_str().unwrap().contains("needs.promote.result != 'success'"));
}

/// The files that the release is made from; what else a script asks for is not there, and it fails.
const SOURCES: &str =
    "Cargo.toml CHANGELOG.md README.md LICENSE-MIT LICENSE-APACHE packaging examples/systemd .ci/lib.sh";

/// A runner with these sources, and with programs that compile nothing and publish nothing.
fn runner_of_a_release() -> Runner {
    let runner = Runner {
        contexts: vec![("github.token", "a token"), ("github.repository", "shop/bluegreen")],
        env: vec![("GITHUB_REF_NAME", "v0.1.0".into()), ("SOURCE_DATE_EPOCH", "1700000000".into())],
        ..Runner::new()
    };
    let checkout = runner.path("checkout");
    let mut copy = Command::new("cp");
    copy.args(["-r", "--parents"]).args(SOURCES.split(' ')).arg(&checkout).current_dir(root());
    assert!(copy.status().unwrap().success());
    let changes = fs::read_to_string(checkout.join("CHANGELOG.md")).unwrap();
    assert!(changes.contains("## [Unreleased]\n"), "the release of this one is played");
    let changes = changes.replace("## [Unreleased]\n", "## [0.1.0]\n\nNEWS\n") + "\n## [0.0.9]\n\nSTALE\n";
    fs::write(checkout.join("CHANGELOG.md"), changes).unwrap();

    let bin = |name: &str, text: &str| program(runner.path("bin").join(name), text);
    for name in ["musl-gcc", "aarch64-linux-gnu-gcc", "rustup"] {
        bin(name, "");
    }
    bin("rustc", "echo /\n");
    bin(
        "cargo",
        "while [ $# -gt 0 ] && [ \"$1\" != --target ]; do shift; done\n[ $# -gt 0 ] || exit 0\n\
         mkdir -p \"target/$2/release\"\necho '#!/bin/sh' >\"target/$2/release/bluegreen\"\n",
    );
    // names the packages as nfpm does, of files that are there
    bin(
        "nfpm",
        "sed -n 's/^ *- src: //p' packaging/nfpm.yaml | while read -r file; do ls \"$file\" >&2; done\n\
         case $5 in\n    deb) touch \"dist/bluegreen_${VERSION}_$ARCH.deb\" ;;\n\
         \x20   rpm) [ $ARCH = amd64 ] && m=x86_64 || m=aarch64; touch \"dist/bluegreen-$VERSION-1.$m.rpm\" ;;\nesac\n",
    );
    let home = runner.dir.path().display();
    bin("gh", &format!("printf '%s\\n' \"$@\" >{home}/released\ncat notes.md >{home}/notes\n"));
    // these two take many minutes; the first one also builds the book
    program(checkout.join(".ci/run"), "mkdir -p target/book\necho book >target/book/index.html\n");
    program(checkout.join("packaging/try"), "(cd dist && sha256sum --quiet --check SHA256SUMS)\n");
    runner
}

#[test]
fn a_tag_becomes_a_release_with_all_that_was_built() {
    let runner = runner_of_a_release();
    let workflow = workflow(".github/workflows/release.yml");
    let steps = |job: &str| workflow["jobs"][job]["steps"].clone();
    let (done, failed) = runner.job(&steps("build"));
    assert!(failed.is_none(), "{done:?}: {}", failed.unwrap());
    assert!(done.last().unwrap().starts_with("actions/upload-artifact@"), "{done:?}");
    // what publishes has nothing but what was handed on
    fs::rename(runner.path("checkout"), runner.path("built")).unwrap();
    fs::create_dir(runner.path("checkout")).unwrap();
    let handed_on = Command::new("cp").arg("-r").arg(runner.path("built/dist")).arg(runner.path("checkout")).status();
    assert!(handed_on.unwrap().success());
    let (done, failed) = runner.job(&steps("publish"));
    assert!(failed.is_none(), "{done:?}: {}", failed.unwrap());
    assert!(done[0].starts_with("actions/download-artifact@"), "{done:?}");

    let released = fs::read_to_string(runner.path("released")).unwrap();
    let words: Vec<&str> = released.lines().collect();
    assert_eq!(words[..3], ["release", "create", "v0.1.0"]);
    assert!(words.contains(&"--verify-tag"), "{words:?}");
    let is_file = |word: &&str| *word == "SHA256SUMS" || word.starts_with("./");
    let files: BTreeSet<_> =
        words.iter().filter(|word| is_file(word)).map(|word| word.trim_start_matches("./")).collect();
    let expected = [
        "SHA256SUMS",
        "bluegreen-0.1.0-1.aarch64.rpm",
        "bluegreen-0.1.0-1.x86_64.rpm",
        "bluegreen-0.1.0-aarch64.tar.gz",
        "bluegreen-0.1.0-x86_64.tar.gz",
        "bluegreen-book.tar.gz",
        "bluegreen_0.1.0_amd64.deb",
        "bluegreen_0.1.0_arm64.deb",
    ];
    assert_eq!(files, BTreeSet::from(expected));
    let dist = runner.path("checkout/dist");
    let sums = fs::read_to_string(dist.join("SHA256SUMS")).unwrap();
    let summed: BTreeSet<_> = sums.lines().filter_map(|line| line.split("  ").nth(1)).chain(["SHA256SUMS"]).collect();
    assert_eq!(files, summed);
    let checked = Command::new("sha256sum").args(["--quiet", "--check", "SHA256SUMS"]).current_dir(&dist).status();
    assert!(checked.unwrap().success());
    let notes = fs::read_to_string(runner.path("notes")).unwrap();
    assert!(notes.contains("NEWS") && !notes.contains("STALE") && !notes.contains("## ["), "{notes}");

    // a file that was exchanged on the way is not published
    fs::remove_file(runner.path("released")).unwrap();
    fs::write(runner.path("checkout/dist/bluegreen_0.1.0_amd64.deb"), "another").unwrap();
    assert!(runner.job(&steps("publish")).1.is_some() && !runner.path("released").exists());

    // another version than that of the sources is no release
    fs::remove_dir_all(runner.path("checkout")).unwrap();
    fs::rename(runner.path("built"), runner.path("checkout")).unwrap();
    let runner = Runner { env: vec![("GITHUB_REF_NAME", "v0.2.0".into())], ..runner };
    let (done, failed) = runner.job(&steps("build"));
    assert!(failed.is_some() && done.last().unwrap() == "The tag is the version", "{done:?}");
}

/// A tag of an action may lead elsewhere tomorrow, and a job that only builds could publish.
#[test]
fn actions_are_named_by_digest_and_each_job_has_its_own_few_rights() {
    let mut writes = Vec::new();
    for file in [
        ".github/workflows/ci.yml",
        ".github/workflows/release.yml",
        "examples/github-actions/deploy.yml",
        "examples/github-actions/fleet.yml",
    ] {
        let workflow = workflow(file);
        let by_default = workflow["permissions"].as_hash().unwrap_or_else(|| panic!("{file}: GitHub's default rights"));
        assert!(by_default.is_empty(), "{file}: none by default");
        for (name, job) in workflow["jobs"].as_hash().unwrap() {
            let name = name.as_str().unwrap();
            for step in job["steps"].as_vec().unwrap() {
                let Some(action) = step["uses"].as_str() else { continue };
                let digest = action.split_once('@').unwrap().1;
                let is_digest = digest.len() == 40 && digest.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(is_digest, "{file}: {name}: {action}");
                if action.starts_with("actions/checkout@") {
                    assert_eq!(step["with"]["persist-credentials"].as_bool(), Some(false), "{file}: {name}");
                }
            }
            let rights =
                job["permissions"].as_hash().unwrap_or_else(|| panic!("{file}: {name} has no rights of its own"));
            let may_write = rights.iter().any(|(_, right)| right.as_str() != Some("read"));
            writes.extend(may_write.then(|| format!("{file}: {name}")));
        }
    }
    assert_eq!(writes, [".github/workflows/release.yml: publish"]);
}

#[test]
fn every_script_of_the_workflows_is_there() {
    for file in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let workflow = workflow(file);
        for (_, job) in workflow["jobs"].as_hash().unwrap() {
            for script in job["steps"].as_vec().unwrap().iter().filter_map(|step| step["run"].as_str()) {
                let program = script.split(' ').next().unwrap();
                if program.contains('/') && !script.contains('\n') {
                    let mode = fs::metadata(root().join(program)).unwrap_or_else(|e| panic!("{file}: {program}: {e}"));
                    assert_eq!(mode.permissions().mode() & 0o111, 0o111, "{file}: {program} is no program");
                }
            }
        }
    }
}
