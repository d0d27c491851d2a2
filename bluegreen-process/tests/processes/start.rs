//! What `start`, `inspect` and `autopsy` promise.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use bluegreen_core::{
    Occupant, ProcessError, ProcessManager, Profile, Profiles, ReleaseId, Template, testing::conformance,
};

use crate::{
    app,
    rig::{GRACE, Rig, file},
};

#[tokio::test]
async fn what_was_started_is_seen_by_everybody() {
    let rig = Rig::new();
    assert_eq!(rig.inspect().await, Occupant::Nobody);
    let process = rig.listening("listen").await;
    let there = Occupant::Ours { process: process.clone(), listening: true };
    assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there);
    let second = rig.config.profiles.second();
    assert_eq!(rig.processes.inspect(second).await.unwrap(), Occupant::Nobody);

    // the same again does nothing, another one is an error
    rig.processes.start(rig.profile(), &process.release).await.unwrap();
    assert_eq!(rig.inspect().await, there);
    let other = rig.processes.start(rig.profile(), &rig.release("quiet")).await.unwrap_err();
    assert!(other.to_string().contains("still runs there"), "{other}");
    assert_eq!(rig.inspect().await, there);

    // the same release again is another process
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    let again = rig.listening("listen").await;
    assert_eq!(again.release, process.release);
    assert_ne!(again.start, process.start);
}

#[tokio::test]
async fn a_process_without_its_port_is_not_listening() {
    let rig = Rig::new();
    let process = rig.start("quiet").await;
    assert_eq!(rig.inspect().await, Occupant::Ours { process: process.clone(), listening: false });
    // nor does the port count when somebody else has it
    let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    let Occupant::Stranger { who, .. } = rig.inspect().await else { panic!("that is not ours") };
    assert_eq!(who.pid, Some(std::process::id()), "{who}");
    // ours ends, and who has the port is named by the next look
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    assert!(matches!(rig.inspect().await, Occupant::Stranger { beside: None, .. }));
}

#[tokio::test]
async fn a_stranger_is_named_and_left_alone() {
    let rig = Rig::new();
    let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, rig.profile().port())).unwrap();
    let Occupant::Stranger { who, .. } = rig.inspect().await else { panic!("that is not ours") };
    assert_eq!(who.pid, Some(std::process::id()), "{who}");
    let error = rig.processes.start(rig.profile(), &rig.release("listen")).await.unwrap_err();
    assert!(error.to_string().contains(&format!("port {} is held by {who}", rig.profile().port())), "{error}");
    assert!(matches!(error, ProcessError::Start { unstartable: false, .. }), "the port may be free later: {error:?}");
}

#[tokio::test]
async fn a_death_is_seen_at_once_with_its_reason() {
    let rig = Rig::new();
    for (kind, reason) in [("die", "exited with code 3"), ("abort", "killed by SIGABRT")] {
        rig.processes.start(rig.profile(), &rig.release(kind)).await.unwrap();
        rig.until("it is gone", |o| *o == Occupant::Nobody).await;
        let autopsy = rig.processes.autopsy(rig.profile()).await;
        assert_eq!(autopsy.exit.as_deref(), Some(reason));
        if kind == "die" {
            assert_eq!(autopsy.log.last().unwrap(), "cannot connect to the database");
            // who is not its parent says nothing rather than something wrong
            assert_eq!(rig.stranger().autopsy(rig.profile()).await.exit, None);
        }
    }

    let process = rig.listening("listen").await;
    let pid = rig.processes.main_pid(rig.profile()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid.cast_signed()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    rig.until("a zombie is gone", |o| *o == Occupant::Nobody).await;
    let exit = rig.processes.autopsy(rig.profile()).await.exit.unwrap();
    assert!(exit.starts_with("killed by SIGKILL"), "{exit}");
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
}

#[tokio::test]
async fn a_program_that_cannot_run_is_named() {
    let rig = Rig::new();
    let plain = rig.dir.path().join("plain");
    fs::write(&plain, "text").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    for (program, why) in [("no-such-program", "no such program"), (plain.to_str().unwrap(), "not executable")] {
        let error = unstartable(&rig, &rig.command(&[program])).await;
        assert!(error.contains(program) && error.contains(why), "{error}");
        assert_eq!(rig.inspect().await, Occupant::Nobody);
    }
    let error = unstartable(&rig, &rig.command(&["sh", "{artifact}"])).await;
    assert!(error.contains("{artifact}"), "{error}");
    unstartable(&rig, &"0123".parse().unwrap()).await;
}

/// Why there is nothing that could be started.
async fn unstartable(rig: &Rig, release: &ReleaseId) -> String {
    let error = rig.processes.start(rig.profile(), release).await.unwrap_err();
    assert!(matches!(error, ProcessError::Start { unstartable: true, .. }), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn nothing_of_the_caller_is_inherited_but_what_was_asked_for() {
    let rig = Rig::with(|config| {
        let secrets = config.state_dir.parent().unwrap().join("env");
        fs::write(&secrets, "SECRET='s3cret'\n").unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        config.launch.env_file = Some(secrets);
        config.launch.pass_env = vec!["CARGO_PKG_NAME".into()];
        let template = |text| Template::parse(text).unwrap();
        config.launch.env.insert("WHERE".into(), template("{profile}:{port}/{other_port} {app} {version} {{}}"));
    });
    rig.start("report").await;
    let report = file(&rig.shared().join("report")).await;
    let fds: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("fd ")).collect();
    let log = rig.processes.log(rig.profile()).unwrap().unwrap();
    assert_eq!(fds[..3], ["0 /dev/null", &format!("1 {}", log.display()), &format!("2 {}", log.display())]);
    // the fourth is the directory that it reads to make this list
    assert!(fds.len() == 4 && fds[3].contains("/proc/"), "{fds:?}");
    let has = |line: &str| assert!(report.lines().any(|l| l == line), "{line:?} is not in\n{report}");
    has("session true");
    has("Umask 0027");
    has("SigBlk 0000000000000000");
    has(&format!("cwd {}", rig.shared().display()));
    has("env SECRET=s3cret");
    has("env CARGO_PKG_NAME=bluegreen-process");
    let ports = rig.config.profiles.both().map(Profile::port);
    has(&format!("env WHERE=real1:{}/{} shop report {{{{}}}}", ports[0], ports[1]));
    has("env BLUEGREEN_PROFILE=real1");
    has("env BLUEGREEN_VERSION=report");
    assert!(!report.contains("CARGO_MANIFEST_DIR"), "{report}");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::metadata(rig.record()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(rig.record()).unwrap().contains("s3cret"));
}

/// Started from a script that ignores signals (nohup, `&`) or blocks them, holds a lock and writes to a pipe, the app heeds the signals,
/// holds neither, and outlives the script.
#[tokio::test]
async fn it_outlives_its_parent_and_inherits_neither_lock_nor_pipe_nor_ignored_signals() {
    let rig = Rig::new();
    let release = rig.release("report");
    let exe = &app::command()[0];
    let lock = rig.dir.path().join("lock");
    let script = format!(
        "trap '' HUP INT QUIT XFSZ; exec 7>&1 9>{}; flock -n 9 || exit; exec env --block-signal=TERM,CHLD {exe} start::deploys --exact --nocapture",
        lock.display()
    );
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", &script]).stderr(Stdio::inherit());
    command.env("DEPLOY", format!("{} {release:?}", rig.dir.path().display()).replace('"', ""));
    command.env("DEPLOY_PORTS", rig.config.profiles.both().map(|p| p.port().to_string()).join(" "));
    // returns when nobody holds the pipe any more, on 7 neither
    assert!(command.output().unwrap().status.success());
    File::open(lock).unwrap().try_lock().expect("the lock of the script went with it");

    let report = file(&rig.shared().join("report")).await;
    assert!(matches!(rig.inspect().await, Occupant::Ours { listening: false, .. }));
    let ignored = report.lines().find_map(|line| line.strip_prefix("SigIgn ")).unwrap();
    // the Rust runtime of the app itself ignores SIGPIPE (13); signals from 32 on belong to the C library
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff & !(1 << 12), 0, "{ignored}");
    assert_eq!(report.lines().find_map(|line| line.strip_prefix("SigBlk ")), Some("0000000000000000"));
}

/// Not a test of its own: the command of the test above.
#[tokio::test]
async fn deploys() {
    let (Ok(deploy), Ok(ports)) = (std::env::var("DEPLOY"), std::env::var("DEPLOY_PORTS")) else { return };
    let (dir, release) = deploy.split_once(' ').unwrap();
    let (first, second) = ports.split_once(' ').unwrap();
    let rig = Rig::with(|config| {
        let profile = |name: &str, port: &str| Profile::new(name.parse().unwrap(), port.parse().unwrap()).unwrap();
        config.state_dir = format!("{dir}/state").into();
        config.profiles = Profiles::new(profile("real1", first), profile("real2", second)).unwrap();
    });
    rig.processes.start(rig.profile(), &release.parse().unwrap()).await.unwrap();
    // no destructor: the app stays
    std::process::exit(0);
}

#[tokio::test]
async fn a_kill_between_start_and_record_loses_nothing() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    // the record as it was just before the start
    let text = fs::read_to_string(rig.record()).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["leader"] = serde_json::Value::Null;
    fs::write(rig.record(), record.to_string()).unwrap();
    let later = rig.stranger();
    let there = Occupant::Ours { process: process.clone(), listening: true };
    assert_eq!(later.inspect(rig.profile()).await.unwrap(), there);
    assert_eq!(later.main_pid(rig.profile()), rig.processes.main_pid(rig.profile()));
    later.stop(rig.profile(), &process, GRACE).await.unwrap();
    assert_eq!(later.inspect(rig.profile()).await.unwrap(), Occupant::Nobody);
}

#[tokio::test]
async fn a_record_is_verified_and_never_trusted() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let text = fs::read_to_string(rig.record()).unwrap();
    let with = |change: fn(&mut serde_json::Value)| {
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut record);
        fs::write(rig.record(), record.to_string()).unwrap();
    };
    // another boot: the pid means nothing, whoever has the port now is not known
    with(|record| record["boot"] = "another".into());
    assert!(matches!(rig.stranger().inspect(rig.profile()).await.unwrap(), Occupant::Stranger { .. }));
    rig.stranger().stop(rig.profile(), &process, GRACE).await.unwrap();
    // the pid was given to somebody else
    with(|record| {
        record["leader"]["start"] = 1.into();
        record["token"] = "another".into();
    });
    let other = bluegreen_core::Process::new(process.release.clone(), "another");
    assert!(matches!(rig.stranger().inspect(rig.profile()).await.unwrap(), Occupant::Stranger { .. }));
    rig.stranger().stop(rig.profile(), &other, GRACE).await.unwrap();
    fs::write(rig.record(), &text).unwrap();
    let there = Occupant::Ours { process, listening: true };
    assert_eq!(rig.stranger().inspect(rig.profile()).await.unwrap(), there, "nobody signalled it");
}

#[tokio::test]
async fn each_start_has_its_own_log() {
    let rig = Rig::new();
    let process = rig.listening("listen").await;
    let first = rig.processes.log(rig.profile()).unwrap().unwrap();
    assert!(rig.log().contains("listening"));
    rig.processes.stop(rig.profile(), &process, GRACE).await.unwrap();
    rig.listening("listen").await;
    let second = rig.processes.log(rig.profile()).unwrap().unwrap();
    assert_ne!(first, second);
    let current = rig.config.state_dir.join("logs/real1/current");
    assert_eq!(current.canonicalize().unwrap(), second.canonicalize().unwrap());
}

#[tokio::test]
async fn the_suite_of_the_core_passes() {
    let rig = Rig::new();
    let [listens, other, dies, stubborn] = ["listen", "quiet", "die", "stubborn"].map(|kind| rig.release(kind));
    let releases = conformance::Releases { listens, other, dies, stubborn };
    conformance::processes(&rig.processes, rig.profile(), &releases, conformance::hold).await;
    conformance::ports(&rig.processes, &rig.config.profiles, &releases.listens, None).await;
}

/// What the child of the test below is told by: the state directory, the two ports, and the release.
const CUT_OFF: &str = "BLUEGREEN_TEST_CUT_OFF";

/// The program that is killed is this test in a process of its own, which begins a start and says so.
#[tokio::test]
async fn what_a_killed_start_has_left_is_found() {
    if let Ok(told) = std::env::var(CUT_OFF) {
        let told: Vec<&str> = told.split(' ').collect();
        let rig = Rig::with(|config| {
            let profile = |name: &str, port: &str| Profile::new(name.parse().unwrap(), port.parse().unwrap()).unwrap();
            config.state_dir = told[0].into();
            config.profiles = Profiles::new(profile("real1", told[1]), profile("real2", told[2])).unwrap();
        });
        println!("\nit begins");
        rig.processes.start(rig.profile(), &told[3].parse().unwrap()).await.unwrap();
        return;
    }
    let rig = Rig::new();
    let release = rig.release("listen");
    let [first, second] = rig.config.profiles.both().map(Profile::port);
    let begin = async |_: &Profile, release: &ReleaseId, within| {
        let told = format!("{} {first} {second} {}", rig.config.state_dir.display(), release.as_str());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "start::what_a_killed_start_has_left_is_found", "--nocapture"])
            .env(CUT_OFF, told)
            // where it leaves nothing behind
            .env("TMPDIR", rig.dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "it begins"));
        std::thread::sleep(within);
        child.kill().unwrap();
        child.wait().unwrap();
    };
    conformance::cut_off(&rig.stranger(), rig.profile(), &release, begin).await;
}
