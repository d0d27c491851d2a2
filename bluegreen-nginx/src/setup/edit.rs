//! Changes of the owner's files, as ranges of bytes that get another text.

use std::ops::Range;

use super::{Edit, SetupError, config::Directive, tree::ConfigFile, tree::Tree};

/// One change: these bytes become this text.
#[derive(Debug)]
pub(super) struct Change {
    /// The file's place in the tree.
    pub(super) file: usize,
    range: Range<usize>,
    text: String,
}

impl Change {
    /// A new first line in the block of `directive`.
    pub(super) fn first_line(tree: &Tree, file: usize, directive: &Directive, line: &str) -> Self {
        let text = &tree.files[file].text;
        let start = directive.block.as_ref().map_or(directive.span.end, |block| block.start);
        let gap = directive.inner().first().map_or("", |first| &text[start..first.span.start]);
        let before = gap.rfind('\n').map_or_else(|| " ".to_owned(), |at| format!("\n{}", &gap[at + 1..]));
        Self { file, range: start..start, text: format!("{before}{line}") }
    }

    /// `directive` becomes these lines, as far in as it is now.
    pub(super) fn lines(tree: &Tree, file: usize, directive: &Directive, lines: &[String]) -> Self {
        let between = format!("\n{}", indent(&tree.files[file].text, directive).unwrap_or_default());
        Self { file, range: directive.span.clone(), text: lines.join(&between) }
    }

    /// `directive` goes, with its line when it begins it, and with `mark` if that is behind it.
    pub(super) fn gone(tree: &Tree, file: usize, directive: &Directive, mark: &str) -> Self {
        let text = &tree.files[file].text;
        let start = directive.span.start;
        let start = match indent(text, directive) {
            Some(indent) => start - indent.len() - usize::from(start > indent.len()),
            None => start - usize::from(text[..start].ends_with(' ')),
        };
        let mark = if is_marked(text, directive, mark) { mark } else { "" };
        Self { file, range: start..directive.span.end + mark.len(), text: String::new() }
    }
}

/// Whether `mark` is all that is behind `directive` on its line.
pub(super) fn is_marked(text: &str, directive: &Directive, mark: &str) -> bool {
    text[directive.span.end..].lines().next().is_some_and(|rest| rest.trim_end() == mark)
}

/// The edits that these changes make, in the order of the files: the main one first, as others may need what it includes.
pub(super) fn edits(tree: &Tree, mut changes: Vec<Change>) -> Result<Vec<Edit>, SetupError> {
    changes.sort_by_key(|change| change.file);
    let mut edits = Vec::new();
    for group in changes.chunk_by_mut(|a, b| a.file == b.file) {
        let ConfigFile { path, text, .. } = &tree.files[group[0].file];
        // the file itself, when `path` is a symlink as in sites-enabled
        let path =
            path.canonicalize().map_err(|source| SetupError::Io { action: "find", path: path.clone(), source })?;
        edits.push(Edit { path, before: Some(text.clone()), after: Some(changed(text, group)), foreign: true });
    }
    Ok(edits)
}

/// `text` with these changes.
pub(super) fn changed(text: &str, changes: &mut [Change]) -> String {
    changes.sort_by_key(|change| change.range.start);
    let mut after = text.to_owned();
    for change in changes.iter().rev() {
        after.replace_range(change.range.clone(), &change.text);
    }
    after
}

/// The white space before a directive that begins its line.
fn indent<'a>(text: &'a str, directive: &Directive) -> Option<&'a str> {
    let line = text[..directive.span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..directive.span.start];
    before.bytes().all(|b| b == b' ' || b == b'\t').then_some(before)
}
