//! The files of a configuration, found without nginx: where `nginx -T` wants to be root.

use std::path::{Path, PathBuf};

use super::{
    config::{self, Directive},
    tree::matches,
    write,
};

/// More than any configuration has; an `include` in a circle ends here.
const FILES: usize = 2000;

/// `main` and what it includes, in the order in which nginx reads it. What cannot be read is left out.
pub(super) fn files(main: &Path) -> Vec<PathBuf> {
    let base = main.parent().unwrap_or(Path::new("/"));
    let mut found = vec![main.to_owned()];
    let mut next = 0;
    while next < found.len() && found.len() < FILES {
        let text = write::read(&found[next]).ok().flatten().unwrap_or_default();
        let (directives, mut patterns) = (config::parse(&text).unwrap_or_default(), Vec::new());
        includes(&directives, &mut patterns);
        for pattern in patterns {
            let new = named(&base.join(pattern)).into_iter().filter(|file| !found.contains(file)).collect::<Vec<_>>();
            found.extend(new);
        }
        next += 1;
    }
    found
}

fn includes<'a>(directives: &'a [Directive], found: &mut Vec<&'a str>) {
    for directive in directives {
        if directive.name == "include" {
            found.push(directive.arg());
        }
        includes(directive.inner(), found);
    }
}

/// The files that this pattern names, sorted as nginx does.
fn named(pattern: &Path) -> Vec<PathBuf> {
    let entries = pattern.parent().and_then(|dir| dir.read_dir().ok()).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| matches(pattern, path) && path.is_file()).collect();
    files.sort();
    files
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
    }
}
