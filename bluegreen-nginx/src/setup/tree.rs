//! The configuration that nginx reads, as a whole.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use super::{
    SetupError,
    config::{self, Directive},
    write,
};

/// One file of it.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// As nginx names it; it may be a symlink.
    pub(crate) path: PathBuf,
    pub(super) text: String,
    pub(crate) directives: Vec<Directive>,
}

/// All files, the main one first.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) files: Vec<ConfigFile>,
}

/// A `server` block of the http level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server<'a> {
    /// Its file's place among the files.
    pub(crate) file: usize,
    pub(crate) directive: &'a Directive,
}

/// A `proxy_pass`, and the blocks around it from the server block inwards.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) file: usize,
    pub(super) blocks: Vec<&'a Directive>,
    pub(super) directive: &'a Directive,
}

/// A setting and, where it is one of many, the header that it sets.
pub(super) type Setting = (String, Option<String>);

impl Tree {
    /// Reads these files. One that makes no sense to us is left out, unless it is the main one or `site`.
    pub(crate) fn read(paths: Vec<PathBuf>, site: Option<&Path>) -> Result<Self, SetupError> {
        let mut files = Vec::new();
        for path in paths {
            let Ok(Some(text)) = write::read(&path) else { continue };
            match config::parse(&text) {
                Ok(directives) => files.push(ConfigFile { path, text, directives }),
                Err(e) if files.is_empty() || site.is_some_and(|site| same(site, &path)) => {
                    return Err(SetupError::Syntax { line: config::line_of(&text, e.at), path, reason: e.reason });
                }
                Err(_) => {}
            }
        }
        Ok(Self { files })
    }

    /// The directives of the http block of the main file, and where it is.
    pub(super) fn http(&self) -> Option<&Directive> {
        self.files.first()?.directives.iter().find(|d| d.name == "http")
    }

    /// All server blocks of the http level.
    pub(crate) fn servers(&self) -> Vec<Server<'_>> {
        let mut found = Vec::new();
        for (file, config) in self.files.iter().enumerate() {
            let top = config.directives.iter();
            let all = top.clone().chain(top.filter(|d| d.name == "http").flat_map(Directive::inner));
            let servers = all.filter(|d| d.name == "server" && d.block.is_some());
            found.extend(servers.map(|directive| Server { file, directive }));
        }
        found
    }

    /// All `proxy_pass` of all server blocks.
    pub(super) fn passes(&self) -> Vec<Pass<'_>> {
        let mut found = Vec::new();
        for server in self.servers() {
            collect_passes(server.file, &[server.directive], &mut found);
        }
        found
    }

    /// The same, and those in the files that stand in a server block by `include`: what nginx does, and not what can be edited.
    pub(super) fn passes_in_effect(&self) -> Vec<Pass<'_>> {
        let mut found = Vec::new();
        for server in self.servers() {
            self.collect_in_effect(server.file, server.directive.inner(), &[server.directive], 0, &mut found);
        }
        found
    }

    fn collect_in_effect<'a>(
        &'a self,
        file: usize,
        directives: &'a [Directive],
        blocks: &[&'a Directive],
        depth: usize,
        found: &mut Vec<Pass<'a>>,
    ) {
        for directive in directives {
            if directive.name == "proxy_pass" {
                found.push(Pass { file, blocks: blocks.to_vec(), directive });
            } else if directive.name == "include" && depth < 8 {
                for (n, included) in self.included(directive.arg()) {
                    self.collect_in_effect(n, &included.directives, blocks, depth + 1, found);
                }
            } else if directive.block.is_some() {
                let deeper = [blocks, &[directive]].concat();
                self.collect_in_effect(file, directive.inner(), &deeper, depth, found);
            }
        }
    }

    /// What stands in `block`, also by `include`, each with its file.
    pub(super) fn inside<'a>(&'a self, block: &'a Directive) -> Vec<(usize, &'a Directive)> {
        let holds = |directives: &[Directive]| holds(directives, block);
        let mut found = Vec::new();
        if let Some(file) = self.files.iter().position(|file| holds(&file.directives)) {
            self.expand(file, block.inner(), 0, &mut found);
        }
        found
    }

    /// What stands at the http level.
    pub(super) fn at_http(&self) -> Vec<(usize, &Directive)> {
        let mut found = Vec::new();
        if let Some(http) = self.http() {
            self.expand(0, http.inner(), 0, &mut found);
        }
        found
    }

    fn expand<'a>(
        &'a self,
        file: usize,
        directives: &'a [Directive],
        depth: usize,
        found: &mut Vec<(usize, &'a Directive)>,
    ) {
        for directive in directives {
            if directive.name == "include" && depth < 8 {
                let pattern = self.absolute(directive.arg());
                for (n, included) in self.files.iter().enumerate().filter(|(_, file)| matches(&pattern, &file.path)) {
                    self.expand(n, &included.directives, depth + 1, found);
                }
            } else {
                found.push((file, directive));
            }
        }
    }

    /// The files that an `include` of this argument reads.
    pub(crate) fn included(&self, argument: &str) -> impl Iterator<Item = (usize, &ConfigFile)> {
        let pattern = self.absolute(argument);
        self.files.iter().enumerate().filter(move |(_, file)| matches(&pattern, &file.path))
    }

    /// The path that nginx means: relative ones start at the main file's directory.
    pub(crate) fn absolute(&self, argument: &str) -> PathBuf {
        let base = self.files.first().and_then(|main| main.path.parent()).unwrap_or(Path::new("/"));
        base.join(argument)
    }

    /// The `include` of exactly this file among `directives`.
    pub(super) fn include_of<'a>(&self, directives: &'a [Directive], path: &Path) -> Option<&'a Directive> {
        directives.iter().find(|d| d.name == "include" && self.absolute(d.arg()) == path)
    }

    /// Whether an `include` of exactly this file stands anywhere.
    pub(super) fn includes(&self, path: &Path) -> bool {
        self.all().any(|d| d.name == "include" && self.absolute(d.arg()) == path)
    }

    /// The files that hold nothing but `set $variable`, when `uses` are all that use it.
    pub(super) fn only_for(&self, variable: &str, uses: usize) -> Vec<PathBuf> {
        let braced = format!("${{{}}}", variable.trim_start_matches('$'));
        let names = |arg: &String| arg.contains(variable) || arg.contains(&braced);
        let sets = |d: &Directive| d.name == "set" && d.arg() == variable;
        if self.all().filter(|d| !sets(d) && d.args.iter().any(names)).count() > uses {
            return Vec::new();
        }
        let only = self.files.iter().filter(|f| !f.directives.is_empty() && f.directives.iter().all(sets));
        only.map(|file| file.path.clone()).collect()
    }

    /// Every directive of every file, at every level.
    fn all(&self) -> impl Iterator<Item = &Directive> {
        let mut waiting: Vec<&Directive> = self.files.iter().flat_map(|file| &file.directives).collect();
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.inner());
            Some(next)
        })
    }

    /// What these directives set, includes and all.
    pub(super) fn settings(&self, directives: &[Directive]) -> HashSet<Setting> {
        let mut found = HashSet::new();
        self.collect_settings(directives, 0, &mut found);
        found
    }

    fn collect_settings(&self, directives: &[Directive], depth: usize, found: &mut HashSet<Setting>) {
        for directive in directives {
            if directive.name == "include" && depth < 8 {
                for (_, file) in self.included(directive.arg()) {
                    self.collect_settings(&file.directives, depth + 1, found);
                }
            }
            let header = (directive.name == "proxy_set_header").then(|| directive.arg().to_ascii_lowercase());
            found.insert((directive.name.clone(), header));
        }
    }

    /// The port on loopback that a `proxy_pass` goes to, and the path behind it. `None`: to somewhere else, or it cannot be
    /// told.
    pub(super) fn target(&self, argument: &str) -> Option<(u16, String)> {
        let scheme = argument.find('$').map(|at| &argument[..at]).filter(|before| ["", "http://"].contains(before));
        if let Some(scheme) = scheme {
            // the article's way: `set $service_url http://127.0.0.1:8081;` in an included file
            let values = self.values_of(&argument[scheme.len()..]);
            let only = values.first().filter(|value| values.len() == 1 && !value.contains('$'))?;
            return self.target(&format!("{scheme}{only}"));
        }
        let rest = argument.strip_prefix("http://")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let port = loopback_port(authority).or_else(|| self.port_of_group(authority))?;
        Some((port, path.to_owned()))
    }

    fn values_of(&self, variable: &str) -> BTreeSet<String> {
        let value = |d: &Directive| match (d.name.as_str(), &d.args[..]) {
            ("set", [name, value]) if name == variable => Some(value.clone()),
            _ => None,
        };
        self.all().filter_map(value).collect()
    }

    /// The only server of an `upstream` group, if that is on loopback.
    fn port_of_group(&self, name: &str) -> Option<u16> {
        let group = self.upstreams().find(|(_, d)| d.arg() == name)?.1;
        let servers: Vec<&Directive> = group.inner().iter().filter(|d| d.name == "server").collect();
        if let [only] = servers[..] { loopback_port(only.arg()) } else { None }
    }

    /// All `upstream` groups, with their files.
    pub(crate) fn upstreams(&self) -> impl Iterator<Item = (&ConfigFile, &Directive)> {
        self.files.iter().flat_map(|file| {
            let top = file.directives.iter();
            let all = top.clone().chain(top.filter(|d| d.name == "http").flat_map(Directive::inner));
            all.filter(|d| d.name == "upstream").map(move |d| (file, d))
        })
    }
}

/// Whether `wanted` is one of `directives`, or stands in one.
fn holds(directives: &[Directive], wanted: &Directive) -> bool {
    directives.iter().any(|d| std::ptr::eq(d, wanted) || holds(d.inner(), wanted))
}

fn collect_passes<'a>(file: usize, blocks: &[&'a Directive], found: &mut Vec<Pass<'a>>) {
    let Some(innermost) = blocks.last() else { return };
    for directive in innermost.inner() {
        if directive.name == "proxy_pass" {
            found.push(Pass { file, blocks: blocks.to_vec(), directive });
        }
        if directive.block.is_some() {
            let mut deeper = blocks.to_vec();
            deeper.push(directive);
            collect_passes(file, &deeper, found);
        }
    }
}

/// Whether two paths are one file.
pub(crate) fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Whether `pattern`, which may have one `*` in its last part, names `path`.
pub(super) fn matches(pattern: &Path, path: &Path) -> bool {
    let (Some(wanted), Some(name)) = (pattern.file_name(), path.file_name()) else { return false };
    let (wanted, name) = (wanted.to_string_lossy(), name.to_string_lossy());
    let hidden = name.starts_with('.') && !wanted.starts_with('.');
    let is_named = match wanted.split_once('*') {
        None => wanted == name,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    };
    let dirs = || pattern.parent().zip(path.parent());
    // one of the two may lead there by a link: what is read already must not be included again
    is_named && !hidden && dirs().is_some_and(|(a, b)| same(a, b))
}

pub(super) fn loopback_port(authority: &str) -> Option<u16> {
    let (host, port) = authority.rsplit_once(':')?;
    if host == "127.0.0.1" || host == "localhost" { port.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
