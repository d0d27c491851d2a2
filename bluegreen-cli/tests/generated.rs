//! What packages install beside the binary is what the binary prints. `UPDATE=1 cargo test` writes it anew.

use std::{fs, path::Path, process::Command};

#[track_caller]
fn holds(name: &str, words: &[&str]) {
    let printed = Command::new(env!("CARGO_BIN_EXE_bluegreen")).args(words).output().unwrap();
    assert!(printed.status.success(), "bluegreen {}: {printed:?}", words.join(" "));
    let text = String::from_utf8(printed.stdout).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    // not assert_eq: the two are long
    let same = fs::read_to_string(&file).is_ok_and(|kept| kept == text);
    assert!(same, "packaging/{name} is old: run UPDATE=1 cargo test -p bluegreen-cli --test generated");
}

#[test]
fn the_manual_page_is_as_printed() {
    holds("bluegreen.1", &["man"]);
}

#[test]
fn the_completions_are_as_printed() {
    for shell in ["bash", "zsh", "fish"] {
        holds(&format!("completions/bluegreen.{shell}"), &["completions", shell]);
    }
}
