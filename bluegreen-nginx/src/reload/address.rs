//! What stands behind `set $service_url`: its parts, and how another address takes their place.

use std::{fmt, ops::Range};

use crate::setup::config::{self, Directive};

/// The variable of the article.
pub(super) const VARIABLE: &str = "$service_url";
/// Variables that begin a path, or are one: what stands before them is whole.
const PATHS: [&str; 4] = ["request_uri", "uri", "document_uri", "is_args"];

/// An address as somebody wrote it: `http://127.0.0.1:8081/`, or `blue` where `http://` stands in the `proxy_pass`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`.
    pub(super) scheme: Option<Scheme>,
    /// As `127.0.0.1:8081`, or the name of an upstream group.
    pub(super) authority: String,
    /// What follows, as a path.
    pub(super) rest: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const ALL: [(Self, &'static str); 2] = [(Self::Http, "http://"), (Self::Https, "https://")];

    /// With the rest of the text behind it.
    pub(super) fn split(text: &str) -> (Option<Self>, &str) {
        let found = Self::ALL.into_iter().find_map(|(scheme, mark)| {
            let start = text.get(..mark.len())?;
            start.eq_ignore_ascii_case(mark).then(|| (Some(scheme), &text[mark.len()..]))
        });
        found.unwrap_or((None, text))
    }

    pub(super) fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http://",
            Self::Https => "https://",
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scheme.map_or(Ok(()), |scheme| scheme.fmt(f))?;
        write!(f, "{}{}", self.authority, self.rest)
    }
}

impl Address {
    /// Why not, where it cannot be told what it leads to.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, address) = Scheme::split(text);
        if text.contains(['\\', '"', '\'']) || address.contains("://") {
            return Err(format!("`{text}` is no address of http or https"));
        }
        let end = address.find(['/', '?', '#', '$']).unwrap_or(address.len());
        let (authority, rest) = address.split_at(end);
        if address.starts_with("unix:") {
            return Err(format!("`{text}` is a socket in the file system, and whose it is cannot be told"));
        }
        if !is_behind(rest) {
            return Err(format!("`{text}` depends on a variable"));
        }
        if authority.is_empty() {
            return Err(format!("`{text}` has no host"));
        }
        Ok(Self { scheme, authority: authority.to_owned(), rest: rest.to_owned() })
    }
}

/// Whether a text that follows a host and a port leaves them alone: a path, or nothing.
pub(super) fn is_behind(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('$') else { return text.is_empty() || text.starts_with(['/', '?', '#']) };
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    PATHS.contains(&name)
}

/// `[::1]:8081` has a port, `[::1]` has none.
pub(super) fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Where an include file sends requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Says {
    /// To this address.
    To(Address),
    /// It has no whole `set $service_url`.
    Nothing,
    /// It has one, of which it cannot be told where it leads; the text says why.
    Unclear(String),
}

/// What the text of an include file says; the last `set $service_url` wins, as in nginx. A file that nginx could not read says
/// nothing.
pub(crate) fn parse(text: &str) -> Says {
    let Ok(directives) = config::parse(text) else { return Says::Nothing };
    if let Some(block) = directives.iter().find(|d| d.inner().iter().any(sets_somewhere)) {
        return Says::Unclear(format!("`set {VARIABLE}` stands in `{} {}`", block.name, block.args.join(" ")));
    }
    match directives.iter().rev().find(|d| sets(d)) {
        None => Says::Nothing,
        Some(set) => Address::parse(&set.args[1]).map_or_else(Says::Unclear, Says::To),
    }
}

/// The text with another value behind the `set` that wins, every other byte as it was. `None` where there is none.
pub(crate) fn rewrite(text: &str, value: &str) -> Option<String> {
    let directives = config::parse(text).ok()?;
    let set = directives.iter().rev().find(|d| sets(d))?;
    let Range { start, end } = config::words(text, set).into_iter().nth(2)?;
    let quote = text[start..end].chars().next().filter(|c| ['"', '\''].contains(c)).map_or(0, char::len_utf8);
    Some(format!("{}{value}{}", &text[..start + quote], &text[end - quote..]))
}

/// Whether it gives our variable a value.
pub(super) fn sets(directive: &Directive) -> bool {
    directive.name == "set" && directive.arg() == VARIABLE && directive.args.len() == 2
}

/// The same, or a block in which that stands.
pub(super) fn sets_somewhere(directive: &Directive) -> bool {
    sets(directive) || directive.inner().iter().any(sets_somewhere)
}

/// An include file with this address, as the article writes it.
pub(crate) fn render(address: &str) -> String {
    format!("set {VARIABLE} {address};\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> String {
        match parse(text) {
            Says::To(address) => address.to_string(),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn reads_the_articles_form_and_its_cousins() {
        for text in [
            "set $service_url http://127.0.0.1:8081;",
            "set $service_url http://127.0.0.1:8081;\n",
            "# managed\nset $x 1;set $service_url \"http://127.0.0.1:8081\";",
            "set $service_url http://127.0.0.1:8080;\nset $service_url http://127.0.0.1:8081;\n",
            "if ($x) { return 403; } set $service_url HTTP://127.0.0.1:8081;",
        ] {
            assert_eq!(to(text), "http://127.0.0.1:8081", "{text:?}");
        }
        let text = "\t set   $service_url\n http://localhost:8081/ ; # set $service_url http://127.0.0.1:9;\n";
        assert_eq!(to(text), "http://localhost:8081/");
        assert_eq!(to(&render("http://127.0.0.1:8082")), "http://127.0.0.1:8082");
    }

    #[test]
    fn an_address_has_parts() {
        let parts = |text: &str| {
            let Address { scheme, authority, rest } = Address::parse(text).unwrap();
            (scheme.map_or(0, Scheme::port), authority, rest)
        };
        for (text, scheme, authority, rest) in [
            ("blue", 0, "blue", ""),
            ("http://blue", 80, "blue", ""),
            ("https://127.0.0.1:8081/app?x", 443, "127.0.0.1:8081", "/app?x"),
            ("127.0.0.1:8081$request_uri", 0, "127.0.0.1:8081", "$request_uri"),
            ("http://[::1]:8081${uri}$is_args$args", 80, "[::1]:8081", "${uri}$is_args$args"),
            ("http://blue/$host", 80, "blue", "/$host"),
        ] {
            assert_eq!(parts(text), (scheme, authority.to_owned(), rest.to_owned()), "{text}");
        }
        assert_eq!(host_and_port("[::1]"), ("[::1]", None));
        assert_eq!(host_and_port("[::1]:80"), ("[::1]", Some("80")));
    }

    #[test]
    fn never_guesses() {
        let torn = "set $service_url http://127.0.0.1:8080;\nset $service_url http";
        for text in [
            torn,
            "",
            "# set $service_url http://127.0.0.1:8081;",
            "set $service_ur",
            "set $service_url http://127.0.0.1:8081",
            "map $host $service_url { default http://127.0.0.1:8081; }",
        ] {
            assert_eq!(parse(text), Says::Nothing, "{text:?}");
        }
        for value in [
            "$other",
            "http://$other",
            "http://127.0.0.1:$port",
            "http://127.0.0.1:80$x",
            "http://unix:/x.sock",
            "http://",
            "grpc://127.0.0.1:8081",
            "''",
        ] {
            assert!(matches!(parse(&format!("set $service_url {value};")), Says::Unclear(_)), "{value}");
        }
        let text = "set $service_url http://127.0.0.1:8081; if ($cookie_x) { set $service_url http://127.0.0.1:8082; }";
        assert!(matches!(parse(text), Says::Unclear(why) if why.contains("if ($cookie_x)")));
    }

    #[test]
    fn every_other_byte_stays() {
        for (before, after) in [
            ("set $service_url http://127.0.0.1:8081;\n", "set $service_url NEW;\n"),
            (
                "# blue\r\n set  $service_url\t'blue' ;# blue\nset $x blue;",
                "# blue\r\n set  $service_url\t'NEW' ;# blue\nset $x blue;",
            ),
            (
                "set $service_url blue;\nset $service_url \"green\";",
                "set $service_url blue;\nset $service_url \"NEW\";",
            ),
        ] {
            assert_eq!(rewrite(before, "NEW").as_deref(), Some(after));
        }
        assert_eq!(rewrite("set $service_url blu", "NEW"), None);
    }
}
