//! The files that people copy, and the pages that they read, are right. `UPDATE=1 cargo test` writes the made ones anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bluegreen_cli::config::Config;
use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below `dir` with this ending.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let here = files.into_iter().filter(|file| file.to_str().is_some_and(|name| name.ends_with(ending)));
    here.chain(dirs.iter().flat_map(|dir| self::files(dir, ending))).collect()
}

fn pages() -> Vec<PathBuf> {
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    let top = top.map(|page| root().join(page)).into_iter();
    top.chain(files(&root().join("docs"), ".md")).chain(files(&root().join("examples"), ".md")).collect()
}

/// The blocks of `language` in a page.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

#[test]
fn what_is_made_is_as_the_program_makes_it() {
    let made = [
        ("docs/configuration.md", bluegreen_cli::config::reference()),
        ("docs/exit-codes.md", bluegreen_cli::exit::reference()),
    ];
    for (file, page) in made {
        if std::env::var_os("UPDATE").is_some() {
            fs::write(root().join(file), &page).unwrap();
        }
        assert_eq!(read(file), page, "run UPDATE=1 cargo test -p bluegreen-examples");
    }
}

/// The collection for Ansible has a copy of the boot unit, as a role brings along only what is below it.
#[test]
fn the_boot_unit_of_the_collection_is_that_of_the_packages() {
    let unit = "bluegreen-up@.service";
    assert_eq!(read(&format!("ansible/roles/host/files/{unit}")), read(&format!("examples/systemd/{unit}")));
}

/// Puts what is in `more` over `table`.
fn merge(table: &mut Table, more: Table) {
    for (key, value) in more {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(more)) => merge(inner, more),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

#[test]
fn every_configuration_is_valid() {
    let mut checked = 0;
    for file in files(&root().join("examples"), "bluegreen.toml") {
        Config::parse(&fs::read_to_string(&file).unwrap(), &file)
            .unwrap_or_else(|error| panic!("{}", error.render(false)));
        checked += 1;
    }
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for block in blocks(&text, "toml") {
            // some keys are shown alone, as one adds them to a configuration that works
            let mut whole: Table = bluegreen_cli::config::SMALLEST.parse().unwrap();
            merge(&mut whole, block.parse().unwrap_or_else(|error| panic!("{}: {error}", page.display())));
            let whole = if block.contains("app = ") { block.to_owned() } else { whole.to_string() };
            Config::parse(&whole, &page).unwrap_or_else(|error| panic!("{}", error.render(false)));
            checked += 1;
        }
    }
    assert!(checked >= 12, "only {checked} configurations were found");
}

#[test]
fn the_readme_shows_the_program_that_is_compiled() {
    let (readme, program) = (read("README.md"), read("examples/embed.rs"));
    let shown = blocks(&readme, "rust");
    assert_eq!(shown.len(), 1);
    assert!(program.contains(shown[0]), "the block of README.md is not in examples/embed.rs:\n{}", shown[0]);
}

#[test]
fn the_snippet_of_the_pages_is_the_one_of_the_set_up() {
    let page = read("docs/nginx.md");
    let made = read("examples/nginx/after/bluegreen/shop.server.inc");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&made).contains(&words(blocks(&page, "nginx")[0])), "docs/nginx.md shows something else");
}

/// The anchors of a page's headings, as mdBook and GitHub make them.
fn anchors(page: &str) -> Vec<String> {
    let mut code = false;
    let headings = page.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let (mut followed, mut anchored) = (0, 0);
    let docs = root().join("docs");
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            // the book has nothing else
            let inside = target.canonicalize().unwrap().starts_with(&docs);
            assert!(inside || !page.starts_with(&docs), "{}: {link} is not in the book", page.display());
            followed += 1;
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&target).unwrap());
                assert!(there.iter().any(|known| known == anchor), "{}: {link}: {there:?}", page.display());
                anchored += 1;
            }
        }
    }
    assert!(followed > 20 && anchored > 2, "only {followed} links, {anchored} of them with an anchor, were found");
}

#[test]
fn every_page_is_in_the_book() {
    let summary = read("docs/SUMMARY.md");
    let docs = root().join("docs");
    for page in files(&docs, ".md") {
        let name = page.strip_prefix(&docs).unwrap().display().to_string();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name} is not in docs/SUMMARY.md");
    }
}
