//! `docs/runbook.md` has an entry for each exit code, and for each text with which the program says that something is wrong
//! with a machine; and it has no entry for what the program never says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bluegreen_cli::exit::Exit;

/// Where the core has the texts of failures, refusals and degraded states. `begin.rs` is not here: what it says of itself is
/// that all is well.
const SOURCES: [&str; 15] = [
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
    "engine/bake.rs",
    "engine/sight.rs",
    "blind.rs",
    "resolver.rs",
    "switcher.rs",
];

/// What they say while all is well.
const PROGRESS: [&str; 9] = [
    "{profile} lost its traffic only just now",
    "healthy, {attempts} attempts",
    "stopped {}",
    "{profile} answers, {good} of {}",
    "stayed healthy",
    "stayed healthy, as far as it says itself: the front door's answers tell nothing of it",
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

/// Mistakes in a configuration or of who writes a program: they are shown with their place and what to write instead.
const MISTAKES: [&str; 9] = [
    "bluegreen-cli/src/config/problem.rs",
    "bluegreen-core/src/name.rs",
    "bluegreen-core/src/profile.rs",
    "bluegreen-core/src/release.rs",
    "bluegreen-core/src/template.rs",
    "bluegreen-http/src/",
    "bluegreen-nginx/src/reload/version.rs",
    "bluegreen-process/src/launch.rs",
    "bluegreen-core/src/testing/",
];

/// The sources of the program, without their tests, with their names; each literal on one line.
fn sources() -> Vec<(String, String)> {
    fn below(dir: &Path, found: &mut Vec<PathBuf>) {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => below(&path, found),
                false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
                false => {}
            }
        }
    }
    let mut files = Vec::new();
    for room in ["linux", "core", "http", "nginx", "process", "cli"] {
        below(&root().join(format!("bluegreen-{room}/src")), &mut files);
    }
    files.retain(|file| !file.ends_with("tests.rs"));
    let text = |file: &Path| {
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        // a literal goes on below behind a backslash
        let mut joined = String::new();
        for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            joined.push_str(line.strip_suffix('\\').unwrap_or(&format!("{line}\n")));
        }
        joined.replace("\\\"", "'")
    };
    files.iter().map(|file| (file.strip_prefix(root()).unwrap().display().to_string(), text(file))).collect()
}

/// The texts of the errors in a source, and those with which a command ends without one. What comes behind the first colon is
/// advice, unless there is nothing to recognise in front of it.
fn errors(source: &str) -> Vec<&str> {
    let literal = |rest: &'_ str| rest.split('"').nth(1).map(str::len);
    let begins = ["#[error(\"", "Halt::new("];
    let all = begins.into_iter().flat_map(|begin| source.match_indices(begin).map(move |(at, _)| (begin, at)));
    let texts = all.filter_map(|(begin, at)| {
        let rest = &source[at + begin.len() - usize::from(begin.ends_with('"'))..];
        let (before, from) = rest.split_once('"')?;
        // a text that is no literal is found where it is made; exit 2 is a mistake of who typed it
        let made_here = before.len() < 60 && !before.contains("Exit::Usage") && !before.contains([';', ')']);
        made_here.then(|| &from[..literal(rest).unwrap_or_default()])
    });
    let head =
        |text: &'_ str| [": ", "; ", " ("].into_iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    texts.map(|text| if fragments(&text[..head(text)]).next().is_some() { &text[..head(text)] } else { text }).collect()
}

#[test]
fn every_error_has_its_entry() {
    let page = fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'");
    let (mut missing, mut found) = (Vec::new(), 0);
    for (file, source) in sources() {
        if MISTAKES.iter().any(|mistakes| file.starts_with(mistakes)) {
            continue;
        }
        for text in errors(&source) {
            found += 1;
            if !fragments(text).all(|part| page.contains(part)) {
                missing.push(format!("{file}: {text}"));
            }
        }
    }
    assert!(found > 70, "only {found} errors were found");
    assert!(missing.is_empty(), "docs/runbook.md does not say what to do about:\n{}", missing.join("\n"));
}

#[test]
fn every_entry_is_something_that_the_program_says() {
    let page = fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    let code = sources().into_iter().map(|(_, source)| source).collect::<Vec<_>>().join("\n");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let (mut strange, mut found) = (Vec::new(), 0);
    for (says, _) in rows.filter(|(says, _)| !["it says", "seen"].contains(says)) {
        let says = says.replace('"', "'").replace("(or: ", "; ").replace(')', "");
        for part in says.split(['…', ';']).map(|part| part.trim_matches([' ', ',', ':'])).filter(|part| part.len() > 3)
        {
            found += 1;
            if !code.contains(part) && !code.contains(&format!("{part})")) {
                strange.push(part.to_owned());
            }
        }
    }
    assert!(found > 100, "only {found} texts were found");
    assert!(strange.is_empty(), "the program does not say:\n{}", strange.join("\n"));
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
