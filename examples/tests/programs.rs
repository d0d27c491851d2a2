//! The programs do what they say.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The example programs stand beside the test programs; `cargo test` builds both.
fn program(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let path: PathBuf = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(path.is_file(), "cargo has not built the examples: run `cargo test -p bluegreen-examples`");
    Command::new(path)
}

#[test]
fn a_proxy_of_your_own_moves_the_traffic_and_leaves_nothing() {
    let output = program("in_process_proxy").output().unwrap();
    let (text, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{errors}");
    let answers: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("the proxy answers: ")).collect();
    assert_eq!(answers, ["v1 real1", "v2 real2", "v1 real1"], "{text}");
    // before the first deploy nobody answered: only the second can have lost nothing
    let second = text.split("deploy of v2").nth(1).unwrap();
    assert!(second.contains(" 0 lost"), "{text}");
}

#[test]
fn events_are_json_without_gaps() {
    let output = program("events_json").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert!(numbers.len() > 6, "{text}");
    assert_eq!(numbers, (0..).take(numbers.len()).collect::<Vec<_>>());
}

#[test]
fn a_probe_of_your_own_decides() {
    let output = program("custom_probe").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let [v1, v2] = text.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(v1.starts_with("v1: Some(Done") && v1.ends_with("the traffic goes to real1 solo"), "{text}");
    assert!(v2.starts_with("v2: Some(Undone") && v2.contains("cause: Unhealthy"), "{text}");
    assert!(v2.contains("the command ended with exit status: 1"), "the causes have the last answer: {text}");
    assert!(v2.ends_with("the traffic goes to real1 solo"), "{text}");
}

#[test]
fn a_signal_takes_the_deploy_back() {
    let mut child = program("cancel_on_signal").stdout(Stdio::piped()).spawn().unwrap();
    let mut text = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    text.read_line(&mut line).unwrap();
    assert!(line.contains("v2 has the traffic"), "{line}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    text.read_to_string(&mut line).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(line.contains("Undone") && line.contains("the traffic goes to real1"), "{line}");
}
