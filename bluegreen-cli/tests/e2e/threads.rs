//! A system that gives no threads.

use bluegreen_rig::{Running, Stage};

#[test]
fn without_threads_a_command_says_so_and_touches_nothing() {
    let Some(stage) = Stage::marker() else { return };
    stage.deploy("v1", 0);
    let artifact = stage.artifact("v2");
    let no_threads = |words: &[&str]| {
        let mut command = stage.command(words);
        // no such stack can be had, so no thread
        command.env("RUST_MIN_STACK", (1_u64 << 60).to_string());
        Running::spawn(command).wait()
    };
    for words in [&["deploy", &artifact][..], &["status"]] {
        let ended = no_threads(words);
        assert_eq!(ended.code, Some(1), "{ended}");
        ended.says(&["error: the system gives no thread", "  because: ", "traffic  untouched", "next  ulimit -u"]);
        assert!(!ended.err.contains("internal error") && !ended.err.contains("panicked"), "{ended}");
    }
    let ended = no_threads(&["deploy", &artifact, "--format", "json"]);
    let last = ended.events().pop().unwrap();
    assert_eq!((&last["outcome"], &last["exit_code"]), (&"failed".into(), &1.into()), "{ended}");
    assert_eq!(stage.front(), "v1 real1");
    stage.deploy("v2", 0);
}
