//! The JSON Schema of `bluegreen.toml`, for editors: made of the table that the reader uses.

use bluegreen_core::Name;
use serde_json::{Map, Value, json};

use super::{
    keys::{Absent, KEYS, Key},
    value,
};

/// The schema, as taplo and Even Better TOML read it.
pub fn schema() -> Value {
    let mut root = table();
    for key in KEYS {
        let (sections, leaf) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        let mut at = &mut root;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            if key.absent == Absent::Required {
                require(at, section);
            }
            at = members(at).entry(section).or_insert_with(table);
        }
        members(at).insert(leaf.to_owned(), entry(key));
        if key.absent == Absent::Required {
            require(at, leaf);
        }
    }
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("bluegreen.toml");
    root
}

fn table() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": {}, "required": [] })
}

fn members(table: &mut Value) -> &mut Map<String, Value> {
    table["properties"].as_object_mut().unwrap_or_else(|| unreachable!("a table has properties"))
}

fn require(table: &mut Value, name: &str) {
    let required = table["required"].as_array_mut().unwrap_or_else(|| unreachable!("a table has required ones"));
    if !required.iter().any(|known| known == name) {
        required.push(json!(name));
    }
}

fn entry(key: &Key) -> Value {
    let mut entry = form(key);
    entry["description"] = json!(key.doc);
    match key.absent {
        // `<app>` stands for a value that only the file has
        Absent::Default(text) if !text.contains('<') => entry["default"] = parsed(text),
        Absent::Default(_) => {}
        Absent::Required | Absent::Unset(_) => entry["examples"] = json!([parsed(key.example)]),
    }
    entry
}

/// What a value looks like: as the example does, unless there are several ways.
fn form(key: &Key) -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let words = json!({ "type": "array", "items": { "type": "string" } });
    let name = format!("^{}$", Name::PATTERN);
    match key.name {
        "app" => json!({ "type": "string", "pattern": name }),
        "profiles" => json!({
            "type": "object", "minProperties": 2, "maxProperties": 2, "propertyNames": { "pattern": name },
            "additionalProperties": { "type": "integer", "minimum": 1, "maximum": 65535 },
        }),
        "start.env" => texts,
        "health.status" => json!({ "type": ["string", "integer"] }),
        "health.body" => json!({ "anyOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": false, "required": ["regex"],
              "properties": { "regex": { "type": "string" } } },
            { "type": "object", "additionalProperties": false, "required": ["json"],
              "properties": { "json": { "type": "object" } } },
        ] }),
        "hooks.before_start" | "hooks.before_switch" | "hooks.after_switch" | "hooks.after_failure" => {
            json!({ "anyOf": [
            words,
            { "type": "object", "additionalProperties": false, "required": ["command"],
              "properties": { "command": words, "timeout": { "type": "string", "minLength": 1 } } },
        ] })
        }
        _ => match (value::words(key.name), parsed(key.example)) {
            (Some(words), _) => json!({ "enum": words }),
            (None, Value::Bool(_)) => json!({ "type": "boolean" }),
            (None, Value::Number(_)) => json!({ "type": "integer", "minimum": 1 }),
            (None, Value::Array(_)) => words,
            (None, Value::String(_)) => json!({ "type": "string", "minLength": 1 }),
            (None, other) => unreachable!("`{}` is like {other}, of which nothing is known", key.name),
        },
    }
}

/// A TOML value of the table of keys.
fn parsed(text: &str) -> Value {
    let table: toml::Table =
        toml::from_str(&format!("value = {text}")).unwrap_or_else(|e| unreachable!("{text} in the table of keys: {e}"));
    json!(table["value"])
}
