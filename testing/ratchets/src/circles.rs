//! The circles of files that import each other.

use std::collections::BTreeMap;

use petgraph::{algo::tarjan_scc, graph::DiGraph};
use proc_macro2::{TokenStream, TokenTree};
use syn::{
    ItemUse, Macro, Path,
    visit::{self, Visit},
};

use crate::source::{Module, Package, Place, each_leaf};

/// The circles of more than one file, each by the paths of its files.
pub(crate) fn of(package: &Package) -> Vec<Vec<String>> {
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&Place, _> =
        package.modules.iter().map(|(place, module)| (place, graph.add_node(module.path.as_str()))).collect();
    for (place, module) in &package.modules {
        let mut imports = Imports { package, place: place.clone(), found: Vec::new() };
        imports.visit_file(&module.syntax);
        for found in imports.found {
            if found != *place {
                graph.update_edge(nodes[place], nodes[&found], ());
            }
        }
    }
    let circles = tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1);
    let mut circles: Vec<Vec<String>> =
        circles.map(|circle| circle.into_iter().map(|node| graph[node].to_owned()).collect()).collect();
    for circle in &mut circles {
        circle.sort();
    }
    circles
}

/// What one file takes from others of its package.
struct Imports<'a> {
    package: &'a Package,
    /// Where we are, with the inline modules that we are in.
    place: Place,
    found: Vec<Place>,
}

impl Imports<'_> {
    fn take(&mut self, path: &[String]) {
        if let Some(found) = self.package.file_of(&self.place, path, 0) {
            self.found.push(found);
        }
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !crate::source::is_tested(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.place.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.place.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut paths = Vec::new();
        each_leaf(&item.tree, &mut Vec::new(), &mut |path, _| paths.push(path.clone()));
        for path in paths {
            self.take(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Place = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.take(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        paths_in(item.tokens.clone(), &mut |path| self.take(path));
        visit::visit_macro(self, item);
    }
}

/// The paths with `::` among the words of a macro.
fn paths_in(tokens: TokenStream, take: &mut impl FnMut(&[String])) {
    let (mut path, mut colons) = (Vec::new(), 0);
    for token in tokens {
        match token {
            TokenTree::Ident(name) if path.is_empty() || colons == 2 => {
                path.push(name.to_string());
                colons = 0;
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                colons += 1;
                continue;
            }
            TokenTree::Group(group) => paths_in(group.stream(), take),
            TokenTree::Ident(name) => {
                end(&mut path, take);
                path.push(name.to_string());
                colons = 0;
                continue;
            }
            _ => {}
        }
        end(&mut path, take);
        colons = 0;
    }
    end(&mut path, take);
}

fn end(path: &mut Vec<String>, take: &mut impl FnMut(&[String])) {
    if path.len() > 1 {
        take(path);
    }
    path.clear();
}

impl Package {
    /// The module whose file defines what `path` names in `place`; `None` for what is of another package.
    fn file_of(&self, place: &Place, path: &[String], depth: usize) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        // two names that bring each other in lead nowhere
        if depth > 16 {
            return None;
        }
        match first.as_str() {
            "crate" => self.below(Vec::new(), rest, depth),
            "self" => self.below(place.clone(), rest, depth),
            "super" => self.below(place[..place.len().checked_sub(1)?].to_vec(), rest, depth),
            _ => {
                let known = self.defines(place, first) || self.brings(place, first);
                if known { self.below(place.clone(), path, depth) } else { None }
            }
        }
    }

    fn below(&self, mut place: Place, path: &[String], depth: usize) -> Option<Place> {
        for (at, name) in path.iter().enumerate() {
            if name == "super" {
                place.pop()?;
                continue;
            }
            let child = [place.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                place = child;
                continue;
            }
            let module = self.modules.get(&place)?;
            if module.defined.contains(name) {
                return Some(place);
            }
            if let Some(leads_to) = module.brought.get(name) {
                let on = [leads_to.as_slice(), &path[at + 1..]].concat();
                return self.file_of(&place, &on, depth + 1);
            }
            let on = [std::slice::from_ref(name), &path[at + 1..]].concat();
            let by_star = module.all_of.iter().find_map(|all| {
                let other = self.file_of(&place, all, depth + 1)?;
                self.defines(&other, name).then(|| self.below(other, &on, depth + 1))?
            });
            return by_star.or(Some(place));
        }
        self.modules.contains_key(&place).then_some(place)
    }

    fn defines(&self, place: &Place, name: &str) -> bool {
        let child = [place.as_slice(), &[name.to_owned()]].concat();
        self.modules.contains_key(&child) || self.module(place).is_some_and(|module| module.defined.contains(name))
    }

    fn brings(&self, place: &Place, name: &str) -> bool {
        self.module(place).is_some_and(|module| module.brought.contains_key(name))
    }

    fn module(&self, place: &Place) -> Option<&Module> {
        self.modules.get(place)
    }
}
