//! The files of a package as modules, without what is compiled for tests alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path as File,
};

use anyhow::{Context as _, Result};
use proc_macro2::TokenStream;
use syn::{Attribute, Item, UseTree, spanned::Spanned as _};
use walkdir::WalkDir;

/// The names that lead to a module, from the root of its package.
pub(crate) type Place = Vec<String>;

/// One package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) modules: BTreeMap<Place, Module>,
}

/// One file, which is one module: what stands in `mod x { }` belongs to the file that it stands in.
#[derive(Debug)]
pub(crate) struct Module {
    /// From the root of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    /// Where each name leads that a `use` brings in.
    pub(crate) brought: BTreeMap<String, Place>,
    /// What other modules all of whose names a `use` brings in.
    pub(crate) all_of: Vec<Place>,
    /// What is defined here.
    pub(crate) defined: BTreeSet<String>,
}

impl Package {
    pub(crate) fn read(root: &File, name: String) -> Result<Self> {
        let src = root.join(&name).join("src");
        let mut modules = BTreeMap::new();
        for entry in WalkDir::new(&src).sort_by_file_name() {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let place = place(entry.path().strip_prefix(&src)?);
                let path = entry.path().strip_prefix(root)?.display().to_string();
                let module = Module::read(entry.path(), path)?;
                modules.insert(place, module);
            }
        }
        let tests: Vec<Place> = modules.iter().flat_map(|(place, module)| module.only_tested(place)).collect();
        modules.retain(|place, _| !tests.iter().any(|test| place.starts_with(test)));
        Ok(Self { name, modules })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Module> {
        self.modules.values()
    }
}

impl Module {
    fn read(file: &File, path: String) -> Result<Self> {
        let text = fs::read_to_string(file)?;
        let syntax = syn::parse_file(&text).with_context(|| path.clone())?;
        let (mut brought, mut all_of, mut defined) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        for item in &syntax.items {
            match item {
                Item::Use(item) => each_leaf(&item.tree, &mut Vec::new(), &mut |place, name| match name {
                    Some(name) => {
                        brought.insert(name, place.clone());
                    }
                    None => all_of.push(place.clone()),
                }),
                other => defined.extend(name_of(other)),
            }
        }
        Ok(Self { path, text, syntax, brought, all_of, defined })
    }

    /// The tokens of the file.
    pub(crate) fn tokens(&self) -> TokenStream {
        self.text.parse().expect("it was parsed before")
    }

    /// The lines, from 1, of what is compiled for tests alone.
    pub(crate) fn tested_lines(&self) -> BTreeSet<usize> {
        let tested = self.syntax.items.iter().filter(|item| is_tested(item));
        tested.flat_map(|item| item.span().start().line..=item.span().end().line).collect()
    }

    fn only_tested(&self, place: &Place) -> Vec<Place> {
        let only = self.syntax.items.iter().filter_map(|item| match item {
            Item::Mod(item) if item.content.is_none() && is_test(&item.attrs) => Some(item.ident.to_string()),
            _ => None,
        });
        only.map(|name| [place.as_slice(), &[name]].concat()).collect()
    }
}

/// `engine/run.rs` is `engine::run`; `lib.rs` is the root.
fn place(path: &File) -> Place {
    let mut place: Place = path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if place.last().is_some_and(|last| last == "mod" || last == "lib") {
        place.pop();
    }
    place
}

/// Whether it is compiled for tests alone.
pub(crate) fn is_tested(item: &Item) -> bool {
    is_test(attributes(item))
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test"))
    })
}

/// The path that each leaf of a `use` leads to, and the name that it has here; `None` for `*`.
pub(crate) fn each_leaf(tree: &UseTree, way: &mut Place, leaf: &mut impl FnMut(&Place, Option<String>)) {
    match tree {
        UseTree::Path(path) => {
            way.push(path.ident.to_string());
            each_leaf(&path.tree, way, leaf);
            way.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| each_leaf(tree, way, leaf)),
        UseTree::Glob(_) => leaf(way, None),
        UseTree::Name(name) if name.ident == "self" => leaf(way, way.last().cloned()),
        UseTree::Rename(name) if name.ident == "self" => leaf(way, Some(name.rename.to_string())),
        UseTree::Name(name) => named(way, &name.ident, &name.ident, leaf),
        UseTree::Rename(name) => named(way, &name.ident, &name.rename, leaf),
    }
}

fn named(way: &mut Place, leads_to: &syn::Ident, name: &syn::Ident, leaf: &mut impl FnMut(&Place, Option<String>)) {
    way.push(leads_to.to_string());
    leaf(way, Some(name.to_string()));
    way.pop();
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}
