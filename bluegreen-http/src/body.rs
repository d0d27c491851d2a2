//! What a good answer's body looks like.

use bluegreen_core::Template;
use regex::Regex;
use serde_json::Value;

use crate::{Answer, answer::plain};

/// What the body of a healthy answer must be like.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Body {
    /// Anything.
    #[default]
    Any,
    /// It contains this text; `{profile}`, `{port}`, `{other_port}` and `{app}` are filled in.
    Text(Template),
    /// The expression matches somewhere in it.
    Regex(Regex),
    /// It is JSON that contains this: objects may have more members, everything else is equal. Texts in it are filled in as
    /// those of [`Body::Text`].
    Json(Value),
}

impl Body {
    /// What is wrong with `answer`; `None` when it matches.
    pub(crate) fn complaint(&self, answer: &Answer, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Text(wanted) => {
                let wanted = wanted.render(value);
                (!answer.text().contains(&wanted))
                    .then(|| format!("{} (expected the text {wanted:?})", answer.describe()))
            }
            Self::Regex(wanted) => {
                let matches = wanted.is_match(&answer.text());
                (!matches).then(|| format!("{} (expected a match of /{wanted}/)", answer.describe()))
            }
            Self::Json(wanted) => match serde_json::from_slice(&answer.body) {
                Ok(seen) => difference(&seen, &filled(wanted, &value), ""),
                Err(_) if answer.truncated => Some("the JSON is longer than 64 KiB".to_owned()),
                Err(_) => Some(format!("{} (expected JSON)", answer.describe())),
            },
        }
    }
}

/// `wanted` with its placeholders filled in.
fn filled(wanted: &Value, value: &impl Fn(&str) -> Option<String>) -> Value {
    match wanted {
        // what is no template is meant as it is
        Value::String(text) => Template::parse(text).map_or_else(|_| wanted.clone(), |t| t.render(value).into()),
        Value::Array(items) => items.iter().map(|item| filled(item, value)).collect(),
        Value::Object(members) => members.iter().map(|(name, item)| (name.clone(), filled(item, value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => wanted.clone(),
    }
}

/// The first place where `seen` does not contain `wanted`; `at` is the path to it.
fn difference(seen: &Value, wanted: &Value, at: &str) -> Option<String> {
    let (Value::Object(seen_members), Value::Object(wanted_members)) = (seen, wanted) else {
        let at = if at.is_empty() { "the answer" } else { at };
        return (seen != wanted).then(|| format!("{at} is {} (expected {wanted})", plain(&seen.to_string())));
    };
    wanted_members.iter().find_map(|(name, wanted)| {
        let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let Some(seen) = seen_members.get(name) else { return Some(format!("{at} is missing (expected {wanted})")) };
        difference(seen, wanted, &at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaint(body: &Body, text: &str) -> Option<String> {
        let answer =
            Answer { status: 200, content_type: String::new(), location: None, body: text.into(), truncated: false };
        body.complaint(&answer, |name| (name == "profile").then(|| "real2".to_owned()))
    }

    #[test]
    fn text_is_a_template() {
        let body = Body::Text(Template::parse("I am {profile}").unwrap());
        assert_eq!(complaint(&body, "hello, I am real2!"), None);
        assert_eq!(complaint(&body, "I am real1").unwrap(), "200 OK: I am real1 (expected the text \"I am real2\")");
    }

    #[test]
    fn regex_matches_somewhere() {
        let body = Body::Regex(Regex::new("v[0-9]{2}$").unwrap());
        assert_eq!(complaint(&body, "app v12"), None);
        assert_eq!(complaint(&body, "app v1").unwrap(), "200 OK: app v1 (expected a match of /v[0-9]{2}$/)");
    }

    #[test]
    fn texts_in_json_are_templates() {
        let body = Body::Json(json!({"profile": "{profile}", "tags": ["on {profile}", "{nobody}"]}));
        assert_eq!(complaint(&body, r#"{"profile":"real2","tags":["on real2","{nobody}"]}"#), None);
        let other = complaint(&body, r#"{"profile":"real1","tags":["on real2","{nobody}"]}"#).unwrap();
        assert_eq!(other, "profile is \"real1\" (expected \"real2\")");
    }

    #[test]
    fn json_contains_the_wanted_members() {
        let body = Body::Json(json!({"status": "UP", "components": {"db": {"status": "UP"}}}));
        let seen = r#"{"status":"UP","x":1,"components":{"db":{"status":"UP","y":2},"z":{}}}"#;
        assert_eq!(complaint(&body, seen), None);
        assert_eq!(
            complaint(&body, r#"{"status":"DOWN"}"#).unwrap(),
            "components is missing (expected {\"db\":{\"status\":\"UP\"}})"
        );
        let down = r#"{"status":"UP","components":{"db":{"status":"DOWN"}}}"#;
        assert_eq!(complaint(&body, down).unwrap(), "components.db.status is \"DOWN\" (expected \"UP\")");
        assert_eq!(complaint(&body, "[]").unwrap().split(" is ").next(), Some("the answer"));
        assert_eq!(complaint(&body, "<html>").unwrap(), "200 OK: an HTML page (expected JSON)");
    }
}
