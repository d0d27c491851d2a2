//! Reads keys out of a TOML document, and remembers what it saw.
//!
//! By hand and not with serde: this way the file's order of the profiles, the line of every value, the defaults and all
//! mistakes at once come from one walk over one table of keys.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    effective::{Origin, Setting},
    keys::{Absent, KEYS, key},
    problem::{Problem, line_of, nearest},
};

/// A value and where it stands.
pub(super) type At<'a> = Spanned<DeValue<'a>>;

/// Makes a domain value of a TOML value, or says what is wrong with it.
pub(super) type Parse<T> = fn(&At<'_>) -> Result<T, Problem>;

/// A document being read.
pub(super) struct Reader<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    known: BTreeMap<&'static str, String>,
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Parses `text`. Mistakes of syntax become problems.
    pub(super) fn new(text: &'a str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let problem = |e: &toml::de::Error| {
            let end = text.trim_end().len();
            let span = e.span().unwrap_or(end..end);
            Problem::new(e.message().lines().collect::<Vec<_>>().join(", "), span)
        };
        let problems = errors.iter().map(problem).collect();
        Self { text, root, known: BTreeMap::new(), settings: Vec::new(), problems }
    }

    /// Replaces `<word>` in the defaults from now on.
    pub(super) fn define(&mut self, word: &'static str, value: impl Into<String>) {
        self.known.insert(word, value.into());
    }

    /// The value of a key that must be written, or that has none when it is not.
    pub(super) fn read<T>(&mut self, name: &'static str, parse: Parse<T>) -> Option<T> {
        let Some(value) = self.find(name) else {
            if key(name).absent == Absent::Required {
                self.missing(name);
            }
            return None;
        };
        self.note(name, &value, Origin::Line(line_of(self.text, value.span().start)));
        parse(&value).map_err(|p| self.problems.push(p)).ok()
    }

    /// The value of a key that has a default. A bad value becomes a problem, and the default stands for it.
    pub(super) fn or_default<T>(&mut self, name: &'static str, parse: Parse<T>) -> T {
        let Absent::Default(default) = key(name).absent else { unreachable!("`{name}` has no default") };
        if self.find(name).is_some()
            && let Some(value) = self.read(name, parse)
        {
            return value;
        }
        let text =
            self.known.iter().fold(default.to_owned(), |text, (word, with)| text.replace(&format!("<{word}>"), with));
        let value = DeValue::parse(&text).unwrap_or_else(|e| unreachable!("the default of `{name}`: {e}"));
        if self.find(name).is_none() {
            self.note(name, &value, Origin::Default);
        }
        parse(&value).unwrap_or_else(|p| unreachable!("the default of `{name}`: {}", p.title))
    }

    /// Adds a problem with the value of `name`, if that is written in the file.
    pub(super) fn complain(&mut self, name: &str, problem: impl FnOnce(Range<usize>) -> Problem) {
        let value = self.find(name);
        self.problems.extend(value.map(|value| problem(value.span())));
    }

    /// Adds a problem for every key in the file that is not in the table.
    pub(super) fn report_unknown(&mut self) {
        let mut unknown = Vec::new();
        walk("", self.root.get_ref(), &mut unknown);
        self.problems.extend(unknown);
    }

    fn missing(&mut self, name: &str) {
        if self.is_misspelt(name) {
            return;
        }
        let (section, leaf) = name.rsplit_once('.').unwrap_or(("", name));
        let example = key(name).example;
        let (title, help) = match section {
            "" if name == "profiles" => {
                ("the section `[profiles]` is missing".into(), "add\n[profiles]\nreal1 = 8081\nreal2 = 8082".into())
            }
            "" => (format!("the key `{name}` is missing"), format!("add `{leaf} = {example}` at the top")),
            _ => (format!("the key `{name}` is missing"), format!("add\n[{section}]\n{leaf} = {example}")),
        };
        let problem = match self.find(section).filter(|_| !section.is_empty()) {
            Some(table) => {
                Problem::new(title, table.span()).label("in this section").help(format!("add `{leaf} = {example}`"))
            }
            None => Problem::nowhere(title).help(help),
        };
        self.problems.push(problem);
    }

    /// Whether a stray key on the way to `name` looks like it: one problem is enough then.
    fn is_misspelt(&self, name: &str) -> bool {
        let mut table = Some(self.root.get_ref());
        name.split('.').any(|part| {
            let here = table;
            table = here.and_then(|t| t.get(part)?.get_ref().as_table());
            let stray = |entry: &str| nearest(entry, &[part]).is_some();
            here.is_some_and(|t| !t.contains_key(part) && t.keys().any(|entry| stray(entry.get_ref())))
        })
    }

    fn find(&self, name: &str) -> Option<At<'a>> {
        let mut parts = name.split('.');
        let first = self.root.get_ref().get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get_ref().get(part)).cloned()
    }

    fn note(&mut self, name: &str, value: &At<'_>, origin: Origin) {
        // the profiles are two settings in the file's order, which a `Value` would lose
        if let (DeValue::Table(table), "profiles") = (value.get_ref(), name) {
            for (entry, port) in in_order(table) {
                let line = Origin::Line(line_of(self.text, entry.span().start));
                self.note(&format!("profiles.{}", entry.get_ref()), port, line);
            }
            return;
        }
        // a value that parsed as TOML is a `Value`, apart from integers beyond 64 bits, which have their own problem
        if let Ok(value) = Value::deserialize(ValueDeserializer::from(value.clone())) {
            self.settings.push(Setting { key: name.to_owned(), value, origin });
        }
    }
}

/// The entries of a table in the order of the file.
pub(super) fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<std::borrow::Cow<'a, str>>, &'t At<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn walk(path: &str, table: &DeTable<'_>, unknown: &mut Vec<Problem>) {
    for (entry, value) in in_order(table) {
        let name = format!("{path}{}", entry.get_ref());
        let inside = format!("{name}.");
        if KEYS.iter().any(|key| key.name == name) {
            continue;
        }
        match value.get_ref() {
            _ if !KEYS.iter().any(|key| key.name.starts_with(&inside)) => {
                unknown.push(stray(path, entry.get_ref(), entry.span()));
            }
            DeValue::Table(table) => walk(&inside, table, unknown),
            other => unknown.push(
                Problem::new(format!("`{name}` is a section, not a value"), value.span())
                    .label(format!("this is {}", a(other.type_str())))
                    .help(format!("write `[{name}]` on a line of its own, and its keys below")),
            ),
        }
    }
}

/// `word` with its article.
pub(super) fn a(word: &str) -> String {
    format!("{} {word}", if word.starts_with(['a', 'i']) { "an" } else { "a" })
}

/// A key that does not exist at `path`, with the nearest one that does.
fn stray(path: &str, leaf: &str, span: Range<usize>) -> Problem {
    let problem = Problem::new(format!("unknown key `{path}{leaf}`"), span);
    let here = KEYS.iter().filter_map(|key| key.name.strip_prefix(path)?.split('.').next());
    let mut here: Vec<&str> = here.collect();
    here.dedup();
    let elsewhere = KEYS.iter().filter_map(|key| key.name.rsplit_once('.')).find(|(_, last)| *last == leaf);
    match (nearest(leaf, &here), elsewhere) {
        (None, Some((section, _))) => problem.help(format!("`{leaf}` belongs in the section `[{section}]`")),
        _ => problem.suggest(leaf, here),
    }
}
