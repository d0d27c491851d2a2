//! `docs/faults.md` has every fault of the study, and what it names as its proof is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of all Rust files of the workspace.
fn sources(dir: &Path, text: &mut String) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let skipped = path.file_name().is_some_and(|name| name == "target" || name == ".git" || name == "corpus");
        if path.is_dir() && !skipped {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_fault_has_a_test_or_a_reason() {
    let page = fs::read_to_string(root().join("docs/faults.md")).unwrap();
    let mut code = String::new();
    sources(&root(), &mut code);
    let mut numbers = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, does, shown] = cells[..] else { panic!("not four columns: {row}") };
        assert!(numbers.insert(number.parse::<u32>().unwrap()), "twice: {row}");
        let proofs: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!proofs.is_empty() || does.contains("*why not:*"), "neither a test nor a reason: {row}");
        for proof in proofs {
            let there = match proof.strip_prefix("testing/trials/run ") {
                Some(trial) => {
                    root().join(format!("testing/trials/src/{trial}.rs")).exists()
                        || root().join(format!("testing/trials/src/traced/{trial}.rs")).exists()
                }
                None => root().join(proof).is_file() || code.contains(&format!("fn {proof}(")),
            };
            assert!(there, "there is no {proof}: {row}");
        }
    }
    assert!(numbers.into_iter().eq(1..=168), "a fault is missing");
}
