//! From TOML values to domain values.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use bluegreen_core::{Failover, Name, PLACEHOLDERS, Previous, Profile, Profiles, Template};
use bluegreen_http::{Body, StatusRanges};
use bluegreen_process::{SignalTo, StopSignal};
use jiff::fmt::friendly::SpanParser;
use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeValue, ValueDeserializer},
};

use super::{
    HookCommand, ProxyMode, ResolveKind,
    problem::Problem,
    reader::{At, a, in_order},
};

/// What a parser of this module returns.
type Parsed<T> = Result<T, Problem>;

fn wrong<T>(at: &At<'_>, expected: &str) -> Parsed<T> {
    let found = a(at.get_ref().type_str());
    Err(Problem::new(format!("expected {expected}, found {found}"), at.span()))
}

fn text<'t>(at: &'t At<'_>, expected: &str) -> Parsed<&'t str> {
    match at.get_ref().as_str() {
        Some(text) => Ok(text),
        None => wrong(at, expected),
    }
}

fn integer(at: &At<'_>, expected: &str) -> Parsed<i64> {
    let Some(number) = at.get_ref().as_integer() else { return wrong(at, expected) };
    i64::from_str_radix(number.as_str(), number.radix())
        .map_err(|_| Problem::new(format!("`{number}` is too large"), at.span()))
}

/// One of the words of `table`.
fn word<T: Copy>(at: &At<'_>, table: &[(&str, T)]) -> Parsed<T> {
    let found = text(at, "a word in quotes")?;
    let known = table.iter().find(|(word, _)| *word == found);
    known.map(|(_, value)| *value).ok_or_else(|| {
        Problem::new(format!("unknown value `{found}`"), at.span()).suggest(found, table.iter().map(|(w, _)| *w))
    })
}

/// The words that a key takes, where those are all.
pub(super) fn words(key: &str) -> Option<Vec<&'static str>> {
    fn of<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(word, _)| *word).collect()
    }
    Some(match key {
        "stop.signal" => of(SIGNALS),
        "stop.to" => of(TARGETS),
        "proxy.nginx.mode" => of(MODES),
        "resolve.kind" => of(KINDS),
        "after_switch.failover" => of(FAILOVERS),
        "after_switch.previous" => of(PREVIOUS),
        _ => return None,
    })
}

pub(super) fn flag(at: &At<'_>) -> Parsed<bool> {
    at.get_ref().as_bool().map_or_else(|| wrong(at, "`true` or `false`"), Ok)
}

/// A number that is at least 1.
pub(super) fn count(at: &At<'_>) -> Parsed<u32> {
    let number = integer(at, "a number")?;
    u32::try_from(number)
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| Problem::new(format!("{number} is not a count"), at.span()).help("use 1 or more"))
}

pub(super) fn name(at: &At<'_>) -> Parsed<Name> {
    let found = text(at, "a name in quotes")?;
    named(found, at.span())
}

fn named(found: &str, span: std::ops::Range<usize>) -> Parsed<Name> {
    Name::try_from(found).map_err(|_| {
        Problem::new(format!("`{found}` is not a name"), span)
            .help("a lower-case letter first, then up to 31 lower-case letters, digits or hyphens")
    })
}

pub(super) fn user(at: &At<'_>) -> Parsed<String> {
    account(at, "a user's name")
}

pub(super) fn group(at: &At<'_>) -> Parsed<String> {
    account(at, "a group's name")
}

fn account(at: &At<'_>, of: &str) -> Parsed<String> {
    let found = text(at, &format!("{of} in quotes"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
    if found.chars().all(plain) && !found.is_empty() && !found.starts_with('-') {
        return Ok(found.to_owned());
    }
    Err(Problem::new(format!("`{found}` is not {of}"), at.span()))
}

pub(super) fn profiles(at: &At<'_>) -> Parsed<Profiles> {
    let Some(table) = at.get_ref().as_table() else { return wrong(at, "a section with two names and their ports") };
    let entries = in_order(table);
    let [(first, one), (second, two)] = entries.as_slice() else {
        let (at, label) = match entries.get(2) {
            Some((third, _)) => (third.span(), "one too many"),
            None => (at.span(), ""),
        };
        let n = entries.len();
        return Err(Problem::new(format!("expected exactly two profiles, found {n}"), at)
            .label(label)
            .help("blue-green needs two places: `real1 = 8081` and `real2 = 8082`"));
    };
    let second = profile(second, two)?;
    Profiles::new(profile(first, one)?, second)
        .map_err(|e| Problem::new(e.to_string(), two.span()).help("give each its own port"))
}

fn profile(name: &Spanned<std::borrow::Cow<'_, str>>, port: &At<'_>) -> Parsed<Profile> {
    let number = integer(port, "a port number")?;
    let bad = || Problem::new(format!("{number} is not a port"), port.span()).help("use a number from 1 to 65535");
    let valid = u16::try_from(number).map_err(|_| bad())?;
    Profile::new(named(name.get_ref(), name.span())?, valid).map_err(|_| bad())
}

/// A duration, as `5s`, `1m30s` or `500ms`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    static PARSER: SpanParser = SpanParser::new();
    PARSER.parse_unsigned_duration(text).map_err(|_| DURATION.to_owned())
}

const DURATION: &str = "use 5s, 1m30s or 500ms";

pub(super) fn duration(at: &At<'_>) -> Parsed<Duration> {
    if at.get_ref().is_integer() {
        return wrong(at, "a duration").map_err(|p: Problem| p.help("use 5s, 1m30s or 500ms, in quotes"));
    }
    let found = text(at, "a duration")?;
    parse_duration(found).map_err(|help| Problem::new(format!("`{found}` is not a duration"), at.span()).help(help))
}

/// A duration that is not zero.
pub(super) fn some_time(at: &At<'_>) -> Parsed<Duration> {
    match duration(at)? {
        Duration::ZERO => Err(Problem::new("this may not be zero", at.span()).help("use 5s, 1m30s or 500ms")),
        time => Ok(time),
    }
}

/// An absolute path: commands run from any directory.
pub(super) fn path(at: &At<'_>) -> Parsed<PathBuf> {
    let path = PathBuf::from(text(at, "a path in quotes")?);
    if path.is_absolute() {
        return Ok(path.components().collect());
    }
    Err(Problem::new(format!("`{}` is not an absolute path", path.display()), at.span()).help("start it with `/`"))
}

pub(super) fn string(at: &At<'_>) -> Parsed<String> {
    match text(at, "a text in quotes")? {
        "" => Err(Problem::new("this may not be empty", at.span())),
        found => Ok(found.to_owned()),
    }
}

pub(super) fn template(at: &At<'_>) -> Parsed<Template> {
    let found = text(at, "a text in quotes")?;
    Template::parse(found).map_err(|error| {
        // the quote in front; a string with escapes before the place may be off by a few
        let from = at.span().start + 1 + error.at;
        let to = from + error.name.len() + 2;
        let span = if to < at.span().end { from..to } else { at.span() };
        Problem::new(error.to_string(), span).suggest(&error.name, PLACEHOLDERS)
    })
}

fn items<T>(at: &At<'_>, parse: fn(&At<'_>) -> Parsed<T>, expected: &str) -> Parsed<Vec<T>> {
    let Some(list) = at.get_ref().as_array() else { return wrong(at, expected) };
    list.iter().map(parse).collect()
}

pub(super) fn strings(at: &At<'_>) -> Parsed<Vec<String>> {
    items(at, string, r#"a list, as ["JAVA_HOME"]"#)
}

/// Program and arguments, as texts.
pub(super) fn command(at: &At<'_>) -> Parsed<Vec<String>> {
    not_empty(at, items(at, string, COMMAND)?)
}

/// Program and arguments, with placeholders.
pub(super) fn command_template(at: &At<'_>) -> Parsed<Vec<Template>> {
    not_empty(at, items(at, template, COMMAND)?)
}

/// Program and arguments, or a table with them and a `timeout`.
pub(super) fn hook(at: &At<'_>) -> Parsed<HookCommand> {
    let Some(table) = at.get_ref().as_table() else {
        return Ok(HookCommand { command: command_template(at)?, timeout: None });
    };
    let (mut command, mut timeout) = (None, None);
    for (name, value) in in_order(table) {
        match name.get_ref().as_ref() {
            "command" => command = Some(command_template(value)?),
            "timeout" => timeout = Some(some_time(value)?),
            other => {
                let problem = Problem::new(format!("unknown key `{other}` of a hook"), name.span());
                return Err(problem.suggest(other, ["command", "timeout"]));
            }
        }
    }
    let missing = || Problem::new("a hook needs a `command`", at.span()).help(format!("write {COMMAND}"));
    Ok(HookCommand { command: command.ok_or_else(missing)?, timeout })
}

const COMMAND: &str = r#"a list, as ["java", "-jar", "{artifact}"]"#;

fn not_empty<T>(at: &At<'_>, list: Vec<T>) -> Parsed<Vec<T>> {
    if list.is_empty() {
        return Err(Problem::new("a command needs a program", at.span()).help(format!("write {COMMAND}")));
    }
    Ok(list)
}

pub(super) fn env(at: &At<'_>) -> Parsed<BTreeMap<String, Template>> {
    let Some(table) = at.get_ref().as_table() else { return wrong(at, r#"a table, as { NAME = "value" }"#) };
    let entry = |(name, value): &(&Spanned<std::borrow::Cow<'_, str>>, &At<'_>)| {
        let key = name.get_ref();
        if key.is_empty() || key.contains(['=', '\0']) {
            return Err(Problem::new(format!("`{key}` is not the name of a variable"), name.span()));
        }
        Ok((key.to_string(), template(value)?))
    };
    in_order(table).iter().map(entry).collect()
}

/// `200`, `"200-299"` or `"200-299, 401"`.
pub(super) fn statuses(at: &At<'_>) -> Parsed<StatusRanges> {
    let found = match at.get_ref().as_integer() {
        Some(number) => number.to_string(),
        None => text(at, "a status or a range of them")?.to_owned(),
    };
    // blanks after commas are for people
    found.replace(' ', "").parse().map_err(|_| {
        Problem::new(format!("`{found}` is no list of HTTP statuses"), at.span())
            .help(r#"use "200", "200-299" or "200-299, 401""#)
    })
}

/// A text, `{ regex = "..." }` or `{ json = { ... } }`.
pub(super) fn body(at: &At<'_>) -> Parsed<Body> {
    if at.get_ref().is_str() {
        return template(at).map(Body::Text);
    }
    let expected = r#"a text, { regex = "..." } or { json = { "status" = "UP" } }"#;
    let entries = at.get_ref().as_table().map(in_order);
    let Some([(kind, value)]) = entries.as_deref() else { return wrong(at, expected) };
    match kind.get_ref().as_ref() {
        "regex" => pattern(value),
        "json" if value.get_ref().is_table() => json(value),
        "json" => wrong(value, r#"a table, as { "status" = "UP" }"#),
        other => {
            Err(Problem::new(format!("unknown kind of body `{other}`"), kind.span()).suggest(other, ["regex", "json"]))
        }
    }
}

fn pattern(at: &At<'_>) -> Parsed<Body> {
    let found = text(at, "a regular expression in quotes")?;
    match regex::Regex::new(found) {
        Ok(pattern) => Ok(Body::Regex(pattern)),
        Err(error) => {
            let why = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Problem::new("this is no regular expression", at.span()).label(why))
        }
    }
}

fn json(at: &At<'_>) -> Parsed<Body> {
    templates(at)?;
    let value = serde_json::Map::deserialize(ValueDeserializer::from(at.clone()));
    value.map(|object| Body::Json(object.into())).map_err(|e| Problem::new(e.message(), at.span()))
}

/// All texts in it have known placeholders only.
fn templates(at: &At<'_>) -> Parsed<()> {
    match at.get_ref() {
        DeValue::String(_) => template(at).map(drop),
        DeValue::Array(items) => items.iter().try_for_each(templates),
        DeValue::Table(table) => table.iter().try_for_each(|(_, value)| templates(value)),
        _ => Ok(()),
    }
}

const SIGNALS: &[(&str, StopSignal)] = &[
    ("TERM", StopSignal::Term),
    ("INT", StopSignal::Int),
    ("QUIT", StopSignal::Quit),
    ("HUP", StopSignal::Hup),
    ("USR1", StopSignal::Usr1),
    ("USR2", StopSignal::Usr2),
];

pub(super) fn signal(at: &At<'_>) -> Parsed<StopSignal> {
    word(at, SIGNALS)
}

const TARGETS: &[(&str, SignalTo)] = &[("group", SignalTo::Group), ("main", SignalTo::Main)];

pub(super) fn signal_target(at: &At<'_>) -> Parsed<SignalTo> {
    word(at, TARGETS)
}

const MODES: &[(&str, ProxyMode)] = &[("marker", ProxyMode::Marker), ("reload", ProxyMode::Reload)];

pub(super) fn proxy_mode(at: &At<'_>) -> Parsed<ProxyMode> {
    word(at, MODES)
}

const KINDS: &[(&str, ResolveKind)] = &[("proxy", ResolveKind::Proxy), ("http", ResolveKind::Http)];

pub(super) fn resolve_kind(at: &At<'_>) -> Parsed<ResolveKind> {
    word(at, KINDS)
}

const FAILOVERS: &[(&str, Failover)] =
    &[("bake", Failover::Bake), ("always", Failover::Always), ("never", Failover::Never)];

pub(super) fn failover(at: &At<'_>) -> Parsed<Failover> {
    word(at, FAILOVERS)
}

const PREVIOUS: &[(&str, Previous)] = &[("warm", Previous::Warm), ("stop", Previous::Stop)];

pub(super) fn previous(at: &At<'_>) -> Parsed<Previous> {
    word(at, PREVIOUS)
}

pub(super) fn address(at: &At<'_>) -> Parsed<SocketAddr> {
    let found = text(at, "an address in quotes")?;
    found.parse().ok().filter(|a: &SocketAddr| a.port() != 0).ok_or_else(|| {
        Problem::new(format!("`{found}` is not an address with a port"), at.span()).help(r#"use "127.0.0.1:443""#)
    })
}
