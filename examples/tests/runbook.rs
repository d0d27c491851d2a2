//! `docs/runbook.md` has an entry for each exit code, and for each text with which the core says that something is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bluegreen_cli::exit::Exit;

/// Where the core has the texts of failures, refusals and degraded states. `begin.rs` is not here: what it says of itself is
/// that all is well.
const SOURCES: [&str; 12] = [
    "machine/command.rs",
    "machine/forward.rs",
    "machine/recover.rs",
    "machine/seen.rs",
    "machine/step.rs",
    "machine/undo.rs",
    "engine/act.rs",
    "engine/health.rs",
    "engine/prove.rs",
    "engine/run.rs",
    "resolver.rs",
    "switcher.rs",
];

/// What they say while all is well.
const PROGRESS: [&str; 8] = [
    "{profile} lost its traffic only just now",
    "healthy, {attempts} attempts",
    "stopped {}",
    "{profile} answers, {good} of {}",
    "stayed healthy",
    "answered through the front door",
    "no front door to ask",
    "another process",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sentences among the string literals of a source: those with a blank, outside of comments, attributes and tests.
fn sentences(source: &str) -> Vec<&str> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = source.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.contains("reason = "));
    let literals = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    literals.filter(|text| text.contains(' ')).collect()
}

/// The words between the placeholders.
fn fragments(text: &str) -> impl Iterator<Item = &str> {
    text.split(['{', '}']).step_by(2).map(|part| part.trim_matches([' ', ',', ';', ':'])).filter(|part| part.len() > 3)
}

#[test]
fn every_text_of_the_core_has_its_entry() {
    let page = fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut missing, mut found) = (Vec::new(), 0);
    for file in SOURCES {
        let source = fs::read_to_string(root().join("bluegreen-core/src").join(file)).unwrap();
        for text in sentences(&source).into_iter().filter(|text| !PROGRESS.contains(text)) {
            if !fragments(text).all(|part| page.contains(part)) {
                missing.push(format!("{file}: {text}"));
            }
            found += 1;
        }
    }
    assert!(found > 50, "only {found} texts were found");
    assert!(missing.is_empty(), "docs/runbook.md does not say what to do about:\n{}", missing.join("\n"));
}

#[test]
fn every_exit_code_has_its_entry() {
    let page = fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    for exit in Exit::ALL.into_iter().filter(|exit| *exit != Exit::Done) {
        let code = exit.code().to_string();
        let titles = page.lines().filter_map(|line| line.strip_prefix("## ")?.split_once(": "));
        assert!(titles.into_iter().any(|(codes, _)| codes.split(", ").any(|c| c == code)), "no entry for {code}");
    }
}
