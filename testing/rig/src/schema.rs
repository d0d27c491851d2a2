//! JSON Schema, as far as ours go. The crates that know all of it bring some thirty others.

use std::{ffi::OsStr, fs, path::Path};

use serde_json::{Map, Value};

/// The commands that print a document of their own; the others print events.
const DOCUMENTS: [&str; 9] = ["status", "plan", "check", "history", "releases", "profile", "init", "config", "demo"];

/// The schema in `docs/schema` of what a command with these arguments prints; `None` when that is not for programs.
pub(crate) fn printed_by<'a>(words: impl Iterator<Item = &'a OsStr>) -> Option<&'static str> {
    let words: Vec<_> = words.filter_map(OsStr::to_str).collect();
    let json = words.windows(2).any(|pair| pair == ["--format", "json"]);
    // the findings of `setup --check` are those of `check`
    let words: Vec<_> = words.into_iter().map(|word| if word == "--check" { "check" } else { word }).collect();
    let document = DOCUMENTS.into_iter().find(|name| words.contains(name)).unwrap_or("events");
    let pruned = document == "releases" && words.contains(&"prune");
    json.then_some(if pruned { "pruned" } else { document })
}

/// Each line fits what is published.
///
/// # Panics
/// When one does not.
#[track_caller]
pub(crate) fn check(document: &str, lines: &str) {
    // who is killed may leave half a line
    for line in lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        // a command that fails says so with events, whatever it would have printed
        let name = if value.get("event").is_some() { "events" } else { document };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schema/{name}.json"));
        let schema = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        if let Some(complaint) = complaint(&schema, &value) {
            panic!("docs/schema/{name}.json: {complaint}\n{line}");
        }
    }
}

/// What `value` has that `schema` does not allow; `None` when it fits.
///
/// # Panics
/// On a keyword that is not known here: what is not looked at must not pass.
pub fn complaint(schema: &Value, value: &Value) -> Option<String> {
    Validator { root: schema }.complaint(schema, value, "it")
}

struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    fn complaint(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let Value::Object(keywords) = schema else { return (*schema == false).then(|| format!("{at} may not be")) };
        keywords.iter().find_map(|(keyword, wanted)| self.breaks(keyword, wanted, keywords, value, at))
    }

    fn breaks(
        &self,
        keyword: &str,
        wanted: &Value,
        all: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Option<String> {
        let wrong = || Some(format!("{at} is {value}: {keyword} wants {wanted}"));
        let fits = |schema: &Value| self.complaint(schema, value, at).is_none();
        let any_of = || wanted.as_array().into_iter().flatten();
        let holds = match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "format" => true,
            "$ref" => {
                let pointer = wanted.as_str()?.trim_start_matches('#');
                return self.complaint(self.root.pointer(pointer).expect("what is referred to"), value, at);
            }
            "type" => wanted.as_str().map_or_else(|| any_of().any(|t| is(t, value)), |_| is(wanted, value)),
            "const" => wanted == value,
            "enum" => any_of().any(|one| one == value),
            "not" => !fits(wanted),
            "anyOf" => any_of().any(fits),
            "oneOf" => any_of().filter(|one| fits(one)).count() == 1,
            "minimum" => value.as_f64().is_none_or(|n| wanted.as_f64().is_some_and(|least| n >= least)),
            "maximum" => value.as_f64().is_none_or(|n| wanted.as_f64().is_some_and(|most| n <= most)),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().unwrap_or(0))
            }
            "minProperties" => {
                value.as_object().is_none_or(|members| members.len() as u64 >= wanted.as_u64().unwrap_or(0))
            }
            "maxProperties" => {
                value.as_object().is_none_or(|members| members.len() as u64 <= wanted.as_u64().unwrap_or(0))
            }
            // the form of a name: nothing else of ours has one
            "pattern" => value.as_str().is_none_or(|text| bluegreen_core::Name::try_from(text).is_ok()),
            "required" => {
                value.is_object() <= any_of().all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
            }
            "items" => {
                let mut items = value.as_array()?.iter().enumerate();
                return items.find_map(|(n, one)| self.complaint(wanted, one, &format!("{at}[{n}]")));
            }
            "properties" => {
                return wanted
                    .as_object()?
                    .iter()
                    .find_map(|(name, schema)| self.complaint(schema, value.get(name)?, &format!("{at}.{name}")));
            }
            "propertyNames" => {
                return value
                    .as_object()?
                    .keys()
                    .find_map(|name| self.complaint(wanted, &Value::from(name.as_str()), name));
            }
            "additionalProperties" => {
                let known = |name: &String| all.get("properties").is_some_and(|known| known.get(name).is_some());
                let others = value.as_object()?.iter().filter(|(name, _)| !known(name));
                return others.into_iter().find_map(|(name, one)| self.complaint(wanted, one, &format!("{at}.{name}")));
            }
            unknown => panic!("the keyword {unknown} is not known here"),
        };
        if holds { None } else { wrong() }
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap_or_default() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}
