//! Lines of code: those with a token, without comments, blank lines and tests.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::source::Module;

pub(crate) fn of_code(module: &Module) -> usize {
    let mut lines = BTreeSet::new();
    each_line(module.tokens(), &mut lines);
    let tested = module.tested_lines();
    let texts: Vec<&str> = module.text.lines().collect();
    // a doc comment is a token too
    lines.retain(|line| !tested.contains(line) && !texts[line - 1].trim_start().starts_with("//"));
    lines.len()
}

fn each_line(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                lines.insert(group.span_open().start().line);
                lines.insert(group.span_close().start().line);
                each_line(group.stream(), lines);
            }
            other => lines.extend(other.span().start().line..=other.span().end().line),
        }
    }
}
