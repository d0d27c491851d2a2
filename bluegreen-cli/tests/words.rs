//! Whatever names a command or an option of ours, a page, a file to copy or the program itself, names one that there is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use bluegreen_cli::args::Args;
use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files below `dir` with one of these endings, without what is built.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "corpus", "dist", "tests"].contains(&name.as_str()) {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found
}

fn read(file: &Path) -> (String, String) {
    (file.strip_prefix(root()).unwrap().display().to_string(), fs::read_to_string(file).unwrap())
}

/// The code in the running text of a page, and the lines of its blocks.
fn code(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, part) in page.split("```").enumerate() {
        if n % 2 == 1 {
            found.extend(part.lines().skip(1).map(|line| line.split("  # ").next().unwrap().trim().to_owned()));
        } else {
            for paragraph in part.split("\n\n") {
                found.extend(paragraph.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
            }
        }
    }
    found
}

/// The literals of a source, and the code in them between backticks.
fn said(source: &str) -> Vec<String> {
    let source = source.replace("\\\n", "\n").replace("\\\"", "'");
    let mut found = Vec::new();
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        for literal in line.split('"').skip(1).step_by(2) {
            found.push(literal.to_owned());
            found.extend(literal.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// The commands of ours in a line, without what is around them: `$(bluegreen profile)`, `sudo bluegreen check, then ...`.
fn commands(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("exec ").unwrap_or(line);
    let line = line.strip_prefix("sudo ").unwrap_or(line);
    let rest = match line.split_once("$(bluegreen ") {
        Some((_, inner)) => inner.split(')').next().unwrap(),
        None => line.strip_prefix("bluegreen ")?,
    };
    // what follows is advice, another command or a shell's
    let end = [", ", " (", "; ", " or ", " && ", " | ", " > "].into_iter().filter_map(|end| rest.find(end)).min();
    let rest = &rest[..end.unwrap_or(rest.len())];
    Some(rest.split_whitespace().map(|word| word.trim_matches(['"', '\'', '.']).to_owned()).collect())
}

/// Words that stand for something.
fn filled(word: &str) -> &str {
    match word {
        "N" | "ID" => "1",
        "COMMAND" => "status",
        "SHELL" => "bash",
        "http|server|location" => "http",
        // a piece that is put in when it is said
        other => other.split('{').next().filter(|word| !word.is_empty()).unwrap_or(other),
    }
}

fn parses(words: &[String]) -> Result<(), String> {
    let ends_here = |word: &&String| !["...", "…", ""].contains(&word.as_str());
    let words = words.iter().take_while(ends_here).map(|word| filled(word)).collect::<Vec<_>>();
    // the program by its name, and a command that is only known when it is said
    if words.first().is_none_or(|first| first.starts_with('{') || *first == "is" || *first == "--config") {
        return Ok(());
    }
    match Args::try_parse_from(["bluegreen"].into_iter().chain(words)) {
        Ok(_) => Ok(()),
        // by its name, without its arguments
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        Err(error) => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

#[test]
fn every_command_that_is_named_is_one() {
    let (mut found, mut wrong) = (0, Vec::new());
    let mut look = |file: &str, texts: Vec<String>| {
        for words in texts.iter().filter_map(|text| commands(text)) {
            found += 1;
            if let Err(error) = parses(&words) {
                wrong.push(format!("{file}: `bluegreen {}`: {error}", words.join(" ")));
            }
        }
    };
    for (file, text) in files(&root(), &[".md"]).iter().map(|file| read(file)) {
        look(&file, code(&text));
    }
    for (file, text) in files(&root().join("examples"), &[".service", ".sh", ".yml"]).iter().map(|file| read(file)) {
        let lines = text.lines().map(|line| line.trim().replace("ExecStart=/usr/bin/", ""));
        look(&file, lines.collect());
    }
    for room in ["bluegreen-cli/src", "bluegreen-nginx/src/setup", "bluegreen-core/src", "bluegreen-process/src"] {
        for (file, text) in files(&root().join(room), &[".rs"]).iter().map(|file| read(file)) {
            // takes such texts apart
            if file.ends_with("report/command.rs") {
                continue;
            }
            look(&file, said(text.split("#[cfg(test)]\nmod tests {").next().unwrap()));
        }
    }
    assert!(found > 200, "only {found} were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Options of other programs that the pages name.
const OTHERS: [&str; 9] = [
    "--boot.ms",
    "--collector.textfile.directory",
    "--daemon",
    "--graceful-timeout",
    "--no-daemon",
    "--preload",
    "--preserve",
    "--reload",
    "--server.address",
];
/// Pages about `testing/bench/run` and `testing/trials/run`, which have options of their own.
const RUNS: [&str; 2] = ["docs/benchmarks.md", "docs/reliability.md"];

#[test]
fn every_option_that_is_named_is_one() {
    let mut program = Args::command();
    program.build();
    let all = [&program].into_iter().chain(program.get_subcommands()).flat_map(|command| {
        [command].into_iter().chain(command.get_subcommands()).flat_map(clap::Command::get_arguments)
    });
    let known: Vec<String> = all.filter_map(|option| Some(format!("--{}", option.get_long()?))).collect();
    let (mut found, mut named, mut wrong) = (0, BTreeSet::new(), Vec::new());
    let pages = ["docs", "examples"].map(|dir| files(&root().join(dir), &[".md"])).concat();
    for (file, text) in pages.iter().map(|file| read(file)).filter(|(file, _)| !RUNS.contains(&file.as_str())) {
        for option in code(&text).iter().filter(|span| span.starts_with("--")) {
            let name = option.split([' ', '=']).next().unwrap();
            found += 1;
            let other = OTHERS.into_iter().find(|other| *other == name);
            named.extend(other);
            if other.is_none() && name != "--" && !known.iter().any(|known| known == name) {
                wrong.push(format!("{file}: `{option}`"));
            }
        }
    }
    assert!(found > 40, "only {found} were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(named.len(), OTHERS.len(), "some are in no page any more: only {named:?}");
}
