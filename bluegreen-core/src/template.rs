//! `{placeholders}` in commands, environments and URLs.

use std::fmt;

/// A text with `{placeholders}` of the form `{[a-z_]+}`. Anything else in braces (JSON, `${VAR}` of a shell, awk) is left
/// alone, so that no quoting is ever needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Text(String),
    Placeholder(&'static str),
}

/// The placeholders that bluegreen knows.
pub const PLACEHOLDERS: [&str; 9] =
    ["app", "profile", "port", "other_port", "artifact", "release", "release_dir", "shared_dir", "version"];

/// A placeholder that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown placeholder {{{name}}}")]
#[non_exhaustive]
pub struct UnknownPlaceholder {
    /// Its name, without braces.
    pub name: String,
    /// Where its opening brace stands, in bytes.
    pub at: usize,
}

impl Template {
    /// Parses `text`.
    ///
    /// # Errors
    /// The first placeholder that is not one of [`PLACEHOLDERS`], and where.
    pub fn parse(text: &str) -> Result<Self, UnknownPlaceholder> {
        let (mut pieces, mut plain, mut at) = (Vec::new(), String::new(), 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            // `${name}` belongs to a shell
            let word = rest.strip_prefix('{').filter(|_| !plain.ends_with('$')).and_then(word);
            if let Some(word) = word {
                let known = PLACEHOLDERS.into_iter().find(|p| *p == word);
                let known = known.ok_or_else(|| UnknownPlaceholder { name: word.to_owned(), at })?;
                pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
                pieces.push(Piece::Placeholder(known));
                at += word.len() + 2;
            } else {
                let c = rest.chars().next().unwrap_or_default();
                plain.push(c);
                at += c.len_utf8();
            }
        }
        pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
        Ok(Self(pieces))
    }

    /// The text with each placeholder replaced by what `value` gives for its name; those without a value stay as they are.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(name) => value(name).unwrap_or_else(|| format!("{{{name}}}")),
        };
        self.0.iter().map(part).collect()
    }

    /// Whether the text has this placeholder.
    pub fn mentions(&self, name: &str) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Placeholder(p) if *p == name))
    }
}

/// The word at the start of `text`, if a brace follows it. Looks no further than the word goes.
fn word(text: &str) -> Option<&str> {
    let (word, _) = text.split_at(text.bytes().position(|b| !(b.is_ascii_lowercase() || b == b'_'))?);
    (!word.is_empty() && text[word.len()..].starts_with('}')).then_some(word)
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(|_| None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let value = |name: &str| (name != "version").then(|| format!("<{name}>"));
        Template::parse(text).unwrap().render(value)
    }

    #[test]
    fn replaces_what_it_knows_and_leaves_other_braces_alone() {
        assert_eq!(rendered("-p={port}/{profile}"), "-p=<port>/<profile>");
        assert_eq!(rendered("{version}"), "{version}");
        for same in ["", "{", "}", "{}", "{ port }", r#"{"port":1}"#, "${port}", "{PORT}", "ä{ö}"] {
            assert_eq!(rendered(same), same);
            assert_eq!(Template::parse(same).unwrap().to_string(), same);
        }
        assert_eq!(rendered("{{port}}"), "{<port>}");
    }

    #[test]
    fn points_at_what_it_does_not_know() {
        let error = Template::parse("a {prot}").unwrap_err();
        assert_eq!((error.name.as_str(), error.at), ("prot", 2));
    }
}
