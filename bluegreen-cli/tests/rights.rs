//! Whoever gives something away, replaces, runs or ends something has a right to it, which `docs/rights.md` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// The calls by which somebody else's thing becomes another's, another, or nothing; and those by which we become another.
const CALLS: [&str; 4] = [
    // who owns it, and who may do what with it
    r"\w*chown\w*|\w*chmod\w*|set_permissions",
    // what stands in its place
    r"rename\w*|persist\w*",
    // what runs, and what ends
    r"Command::new|CommandWrap::from|Program::new|pre_exec|f?exec(?:v\w*)?|(?:start_)?kill(?:pg|_\w+)?|pidfd_send_signal",
    // who we are
    r"set(?:re|res|e|fs)?[ug]id|setgroups|initgroups|set_thread_(?:res|groups)\w*|turn_into",
];

/// As whom a call is made.
const AS: [&str; 3] = ["root", "owner", "caller"];

/// A call, as the table names it: file, function and call. Lines move, these do not.
type Site = [String; 3];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sources of what is installed.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "testing" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !["tests.rs", "properties.rs"].contains(&name)
        {
            found.push(path);
        }
    }
}

/// Every call, with the lines on which it is.
fn sites() -> BTreeMap<Site, Vec<usize>> {
    let name = Regex::new(r"\bfn (\w+)").unwrap();
    let call = Regex::new(&format!(r"(?:^|[^\w])({})\b[();]|\.([ug]id|signal)\([^)]", CALLS.join("|"))).unwrap();
    let text = Regex::new(r#""(?:[^"\\]|\\.)*""#).unwrap();
    let mut files = Vec::new();
    for room in fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()) {
        if room.file_name().unwrap().to_str().unwrap().starts_with("bluegreen-") {
            sources(&room.join("src"), &mut files);
        }
    }
    let mut sites = BTreeMap::<Site, Vec<usize>>::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let shipped = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        let mut function = String::from("-");
        for (number, line) in shipped.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let code = text.replace_all(line, "\"\"");
            if let Some(found) = name.captures(&code) {
                found[1].clone_into(&mut function);
            }
            let called = |found: &regex::Captures<'_>| found.get(1).or(found.get(2)).unwrap().as_str().to_owned();
            let calls = call.captures_iter(&code).map(|found| called(&found));
            for called in calls.filter(|called| !code.contains(&format!("fn {called}"))) {
                let site = [shown.clone(), function.clone(), called];
                sites.entry(site).or_default().push(number + 1);
            }
        }
    }
    sites
}

/// The rows of the table: site, as whom, and the right.
fn table() -> Vec<(Site, String, String)> {
    let page = fs::read_to_string(root().join("docs/rights.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.trim_matches(['|', ' ']).split(" | ").map(|cell| cell.trim_matches('`').to_owned()));
    cells
        .map(|cells| {
            let cells: Vec<String> = cells.collect();
            let [file, function, call, who, right] = &cells[..] else { panic!("not five cells: {cells:?}") };
            ([file.clone(), function.clone(), call.clone()], who.clone(), right.clone())
        })
        .collect()
}

#[test]
fn every_chown_chmod_rename_exec_and_kill_has_a_right() {
    let (sites, table) = (sites(), table());
    let known: BTreeSet<&Site> = table.iter().map(|(site, ..)| site).collect();
    assert_eq!(known.len(), table.len(), "a row is there twice");
    let mut wrong = Vec::new();
    for (site, lines) in sites.iter().filter(|(site, _)| !known.contains(site)) {
        let [file, function, call] = site;
        let at: Vec<String> = lines.iter().map(|line| format!("{file}:{line}")).collect();
        wrong.push(format!("no right: {}: | `{file}` | `{function}` | `{call}` | as whom | why |", at.join(" ")));
    }
    for (site, who, right) in &table {
        match sites.get(site) {
            None => wrong.push(format!("no such call: {}", site.join(" "))),
            Some(_) if !AS.contains(&who.as_str()) || right.len() < 10 => {
                wrong.push(format!("as whom, and why: {}: {who}, {right}", site.join(" ")));
            }
            Some(lines) => lines.iter().for_each(|line| println!("{}:{line} -> {who}: {right}", site[0])),
        }
    }
    assert!(wrong.is_empty(), "docs/rights.md:\n{}", wrong.join("\n"));
    assert!(sites.len() > 30, "only {} calls were found", sites.len());
}
