//! Secrets that are where they should not be: not shown at least.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// In a name that says so.
const WORDS: &str = "(?i:passw|secret|token|credential|api_?key|private_?key)";
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(WORDS).expect("a regular expression"));
/// `NAME = "..."`, and the user in front of the host of a URL.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    let name = format!(r#"[A-Za-z0-9_.-]*{WORDS}[A-Za-z0-9_.-]*["']?[ \t]*=[ \t]*"#);
    let value = r#""(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?"#;
    Regex::new(&format!(r#"({name})({value})|://([^/@\s"']+)@"#)).expect("a regular expression")
});

/// Whether a variable of this name has a secret, by its name.
pub(super) fn is_secret(name: &str) -> bool {
    NAME.is_match(name)
}

/// The text of a configuration with stars in place of secrets; places stay where they are.
pub(super) fn hidden(text: &str) -> String {
    let stars = |found: &str| "*".repeat(found.len());
    let replace = |found: &Captures<'_>| match (found.get(1), found.get(2), found.get(3)) {
        (Some(name), Some(value), _) => format!("{}{}", name.as_str(), stars(value.as_str())),
        (_, _, Some(user)) => format!("://{}@", stars(user.as_str())),
        _ => found[0].to_owned(),
    };
    PLACE.replace_all(text, replace).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_moves() {
        for (text, shown) in [
            ("env = { DB_PASSWORD = \"x\\\"y\", A = \"b\" }", "env = { DB_PASSWORD = ******, A = \"b\" }"),
            ("\"api_key\" = 'abc'\nport = 1", "\"api_key\" = *****\nport = 1"),
            ("TOKEN = \"never ends\nnext", "TOKEN = ***********\nnext"),
            ("url = \"http://me:pw@host/\"", "url = \"http://*****@host/\""),
            ("env_file = \"/etc/secret/env\"", "env_file = \"/etc/secret/env\""),
        ] {
            assert_eq!(hidden(text), shown);
            assert_eq!(hidden(text).len(), text.len());
        }
    }
}
