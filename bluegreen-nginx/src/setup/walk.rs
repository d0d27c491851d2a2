//! The files of a configuration, found without nginx: where `nginx -T` wants to be root.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    config::{self, Directive},
    tree::matches,
    write,
};

/// More than any configuration has; an `include` in a circle ends here.
const FILES: usize = 2000;

/// A configuration as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// In the order in which nginx reads them, the main one first.
    pub(crate) files: Vec<PathBuf>,
    /// What this user may not read, and patterns that are not understood here.
    pub(crate) closed: Vec<PathBuf>,
}

/// `main` and what it includes, in the order in which nginx reads it. What cannot be read is left out.
pub(super) fn files(main: &Path) -> Vec<PathBuf> {
    walk(main).files
}

/// The same, and what was left out.
pub(crate) fn walk(main: &Path) -> Walked {
    let base = main.parent().unwrap_or(Path::new("/"));
    let mut walked = Walked { files: vec![main.to_owned()], closed: Vec::new() };
    let mut next = 0;
    while next < walked.files.len() && walked.files.len() < FILES {
        let path = walked.files[next].clone();
        next += 1;
        let text = write::read(&path).map(Option::unwrap_or_default);
        let Some(directives) = text.ok().and_then(|text| config::parse(&text).ok()) else {
            walked.closed.push(path);
            continue;
        };
        let mut patterns = Vec::new();
        includes(&directives, &mut patterns);
        for pattern in patterns.into_iter().map(|pattern| base.join(pattern)) {
            match named(&pattern) {
                Some(files) => {
                    for file in files {
                        if !walked.files.contains(&file) {
                            walked.files.push(file);
                        }
                    }
                }
                None => walked.closed.push(pattern),
            }
        }
    }
    walked
}

fn includes<'a>(directives: &'a [Directive], found: &mut Vec<&'a str>) {
    for directive in directives {
        if directive.name == "include" {
            found.push(directive.arg());
        }
        includes(directive.inner(), found);
    }
}

/// The files that this pattern names, sorted as nginx does; `None` when that cannot be told.
fn named(pattern: &Path) -> Option<Vec<PathBuf>> {
    let unless_missing = |error: io::Error| (error.kind() == io::ErrorKind::NotFound).then(Vec::new);
    let (dir, name) = (pattern.parent()?, pattern.file_name()?.to_string_lossy());
    let has_marks = |text: &str| text.contains(['?', '[', '*']);
    if !has_marks(&pattern.to_string_lossy()) {
        let meta = pattern.metadata();
        return meta.map_or_else(unless_missing, |meta| {
            Some(meta.is_file().then(|| pattern.to_owned()).into_iter().collect())
        });
    }
    if has_marks(&name.replacen('*', "", 1)) || has_marks(&dir.to_string_lossy()) {
        return None;
    }
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) => return unless_missing(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.ok()?.path();
        if matches(pattern, &path)
            && path.metadata().map_or_else(|e| unless_missing(e).map(|_| false), |m| Some(m.is_file()))?
        {
            files.push(path);
        }
    }
    files.sort();
    Some(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn follows_includes_and_ends_in_a_circle() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("conf.d")).unwrap();
        fs::write(at("nginx.conf"), "http { include conf.d/*.conf; server { include url.inc; include gone; } }")
            .unwrap();
        fs::write(at("conf.d/b.conf"), "include conf.d/a.conf;").unwrap();
        fs::write(at("conf.d/a.conf"), format!("include {};", at("nginx.conf").display())).unwrap();
        fs::write(at("conf.d/c.txt"), "").unwrap();
        fs::write(at("url.inc"), "this is { broken").unwrap();
        let names = ["nginx.conf", "conf.d/a.conf", "conf.d/b.conf", "url.inc"].map(at);
        assert_eq!(files(&at("nginx.conf")), names);
        assert_eq!(walk(&at("nginx.conf")).closed, [at("url.inc")], "what makes no sense is not known");
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::write(at("a.conf"), "").unwrap();
        fs::create_dir(at("dir.conf")).unwrap();
        let text =
            "include a.conf; include ?.conf; include */x; include [ab].conf; include none/*.conf; include *.conf;";
        fs::write(at("nginx.conf"), text).unwrap();
        let walked = walk(&at("nginx.conf"));
        assert_eq!(walked.files, ["nginx.conf", "a.conf"].map(at));
        assert_eq!(walked.closed, ["?.conf", "*/x", "[ab].conf"].map(at));
    }
}
