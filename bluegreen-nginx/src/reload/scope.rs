//! Who uses our variable where the include file sets it, by the rules of nginx: what a server block sets comes first, then what
//! the location sets that answers, each in its order. A location inherits nothing of one around it.

use std::path::Path;

use super::address::{Scheme, VARIABLE, is_behind, sets, sets_somewhere};
use crate::setup::{Place, config::Directive, place, same, tree::Tree};

/// A `proxy_pass` with our variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) at: Place,
    pub(super) argument: String,
    /// What stands around the variable.
    pub(super) before: String,
    pub(super) behind: String,
    /// What sets it anew after the include.
    pub(super) overruled: Option<Place>,
}

/// Every use in a place where the file `include` has set the variable.
pub(super) fn uses(tree: &Tree, include: &Path) -> Vec<Use> {
    let mut scope = Scope { tree, include, found: Vec::new() };
    for server in tree.servers() {
        let inner = server.directive.inner();
        let state = scope.run(server.file, inner, State::default(), 0);
        scope.collect(server.file, inner, &state, &state, 0);
    }
    scope.found
}

/// An `include` in a circle ends here.
const DEPTH: usize = 8;

struct Scope<'a> {
    tree: &'a Tree,
    include: &'a Path,
    found: Vec<Use>,
}

/// What is known of the variable at some moment of a request.
#[derive(Debug, Clone, Default)]
struct State {
    /// The include file has set it.
    ours: bool,
    /// This has set it since, or may have.
    overruled: Option<Place>,
}

impl State {
    /// Right behind the include file.
    fn set() -> Self {
        Self { ours: true, overruled: None }
    }
}

impl Scope<'_> {
    /// After these directives.
    fn run(&self, file: usize, directives: &[Directive], mut state: State, depth: usize) -> State {
        for directive in directives {
            if sets(directive) {
                state.overruled = Some(place(self.tree, file, directive));
            } else if directive.name == "include" && depth < DEPTH {
                let mut is_read = false;
                for (n, included) in self.tree.included(directive.arg()) {
                    let is_ours = same(&included.path, self.include);
                    is_read |= is_ours;
                    state = if is_ours { State::set() } else { self.run(n, &included.directives, state, depth + 1) };
                }
                // a torn one is no file of the tree
                if !is_read && same(&self.tree.absolute(directive.arg()), self.include) {
                    state = State::set();
                }
            } else if directive.name == "if" {
                let then = self.run(file, directive.inner(), State::default(), depth + 1);
                if then.ours || sets_somewhere(directive) {
                    state = State { ours: state.ours || then.ours, overruled: Some(place(self.tree, file, directive)) };
                }
            }
        }
        state
    }

    /// The uses in these directives, which are run to `state`; `server` is what their server block has done before.
    fn collect(&mut self, file: usize, directives: &[Directive], state: &State, server: &State, depth: usize) {
        for directive in directives {
            match directive.name.as_str() {
                "proxy_pass" if state.ours => {
                    if let Some((before, behind)) = around(directive.arg()) {
                        self.found.push(Use {
                            at: place(self.tree, file, directive),
                            argument: directive.arg().to_owned(),
                            before: before.to_owned(),
                            behind: behind.to_owned(),
                            overruled: state.overruled.clone(),
                        });
                    }
                }
                "include" if depth < DEPTH => {
                    for (n, included) in self.tree.included(directive.arg()) {
                        self.collect(n, &included.directives, state, server, depth + 1);
                    }
                }
                "location" => {
                    let inner = self.run(file, directive.inner(), server.clone(), 0);
                    self.collect(file, directive.inner(), &inner, server, depth);
                }
                _ => {
                    let inner = self.run(file, directive.inner(), state.clone(), 0);
                    self.collect(file, directive.inner(), &inner, server, depth);
                }
            }
        }
    }
}

/// Whether this argument of `proxy_pass` sends requests where the include file says, with the path that was asked for.
pub fn follows(argument: &str) -> bool {
    around(argument).is_some_and(|(before, behind)| {
        Scheme::split(before).1.is_empty() && (behind.is_empty() || behind.starts_with('$') && is_behind(behind))
    })
}

/// Whether this argument of `proxy_pass` has the variable of the include file in it.
pub fn names(argument: &str) -> bool {
    around(argument).is_some()
}

/// What stands before and behind our variable, written as `$service_url` or `${service_url}`.
pub(super) fn around(argument: &str) -> Option<(&str, &str)> {
    let name = VARIABLE.trim_start_matches('$');
    if let Some(found) = argument.split_once(&format!("${{{name}}}")) {
        return Some(found);
    }
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut places = argument.match_indices(VARIABLE);
    let (at, _) = places.find(|(at, _)| !argument[at + VARIABLE.len()..].starts_with(of_a_name))?;
    Some((&argument[..at], &argument[at + VARIABLE.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Argument and line of each use; with the line of what overrules it.
    fn found(http: &str) -> Vec<(String, usize, Option<usize>)> {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("url.inc"), "set $service_url blue;").unwrap();
        std::fs::write(at("other.inc"), "set $service_url green;").unwrap();
        std::fs::write(at("pass.inc"), "\n\nproxy_pass http://$service_url;").unwrap();
        std::fs::write(at("nginx.conf"), format!("http {{\n{http}\n}}")).unwrap();
        let files = ["nginx.conf", "url.inc", "other.inc", "pass.inc"].map(at);
        let tree = Tree::read(files.into(), None).unwrap();
        let line = |place: Place| place.line;
        uses(&tree, &at("url.inc")).into_iter().map(|it| (it.argument, it.at.line, it.overruled.map(line))).collect()
    }

    fn one(argument: &str, line: usize, overruled: Option<usize>) -> Vec<(String, usize, Option<usize>)> {
        vec![(argument.to_owned(), line, overruled)]
    }

    #[test]
    fn a_use_is_where_the_include_is_in_force() {
        let pass = "proxy_pass $service_url;";
        assert_eq!(
            found(&format!("server {{ include url.inc;\nlocation / {{ {pass} }} }}")),
            one("$service_url", 3, None)
        );
        assert_eq!(
            found(&format!("server {{ location / {{ {pass}\ninclude url.inc; }} }}")),
            one("$service_url", 2, None)
        );
        assert_eq!(
            found("server { include url.inc; location / { include pass.inc; } }"),
            one("http://$service_url", 3, None)
        );
        assert_eq!(found(&format!("server {{ location / {{ include url.inc; if ($x) {{ {pass} }} }} }}")).len(), 1);
        let nested = format!("server {{ location / {{ include url.inc; location /x {{ {pass} }} }} }}");
        assert_eq!(found(&nested), [], "nothing is inherited from a location");
        assert_eq!(found(&format!("server {{ include other.inc; location / {{ {pass} }} }}")), [], "of another app");
        assert_eq!(found("server { include url.inc; location / { proxy_pass http://$service_url_2; } }"), []);
    }

    #[test]
    fn what_is_set_afterwards_overrules() {
        let pass = "proxy_pass $service_url;";
        let overruled = |server: &str| found(server).into_iter().map(|(_, _, by)| by).collect::<Vec<_>>();
        let default = format!("server {{ set $service_url x; include url.inc; location / {{ {pass} }} }}");
        assert_eq!(overruled(&default), [None], "a default comes before");
        assert_eq!(
            overruled(&format!("server {{ include url.inc;\nset $service_url x; location / {{ {pass} }} }}")),
            [Some(3)]
        );
        assert_eq!(
            overruled(&format!("server {{ include url.inc;\nlocation / {{ {pass} include other.inc; }} }}")),
            [Some(1)]
        );
        assert_eq!(
            overruled(&format!(
                "server {{ include url.inc; location / {{\nif ($x) {{ set $service_url x; }} {pass} }} }}"
            )),
            [Some(3)]
        );
        assert_eq!(
            overruled(&format!("server {{ if ($x) {{ include url.inc; }} location / {{ {pass} }} }}")),
            [Some(2)]
        );
    }

    #[test]
    fn the_variable_has_neighbours() {
        assert_eq!(around("http://$service_url/x"), Some(("http://", "/x")));
        assert_eq!(around("${service_url}_x"), Some(("", "_x")));
        assert_eq!(around("$service_url$request_uri"), Some(("", "$request_uri")));
        assert_eq!(around("$service_urls"), None);
        for argument in ["$service_url", "http://$service_url", "https://${service_url}$request_uri"] {
            assert!(follows(argument) && names(argument), "{argument}");
        }
        assert!(!follows("$service_url/x") && names("$service_url/x"));
        assert_eq!(around("http://127.0.0.1:8081"), None);
    }
}
