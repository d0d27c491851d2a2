//! The configuration in effect, and where each value comes from.

use std::path::Path;

use toml::Value;

use super::secrets::is_secret;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it.
    Default,
    /// This line of the file, from 1.
    Line(usize),
}

/// One value in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The dotted path, as `stop.grace`.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// Comments further to the right than this start right after their value.
const COLUMN: usize = 48;

/// The settings as a TOML file that would have the same effect; the origin of each value is a comment.
pub(super) fn to_toml(file: &Path, settings: &[Setting]) -> String {
    let section = |setting: &Setting| setting.key.rsplit_once('.').map(|(at, _)| at.to_owned());
    let block = |same: &[Setting]| {
        let title = section(&same[0]).map(|at| format!("\n[{at}]\n")).unwrap_or_default();
        title + &same.iter().map(|s| line(file, s)).collect::<String>()
    };
    settings.chunk_by(|a, b| section(a) == section(b)).map(block).collect()
}

fn line(file: &Path, Setting { key, value, origin }: &Setting) -> String {
    let leaf = key.rsplit('.').next().unwrap_or(key);
    let line = format!("{leaf} = {}", shown(key, value));
    format!("{line:COLUMN$} # {}\n", said(file, *origin))
}

/// The same for programs: the key, the value, and where it comes from.
pub(super) fn entries(file: &Path, settings: &[Setting]) -> impl Iterator<Item = (String, Value, String)> {
    settings.iter().map(|s| (s.key.clone(), shown(&s.key, &s.value), said(file, s.origin)))
}

/// Without what looks like a secret: this is printed into logs of CI.
fn shown(key: &str, value: &Value) -> Value {
    match value {
        Value::Table(table) => {
            let entry = |(name, value): (&String, &Value)| (name.clone(), shown(name, value));
            Value::Table(table.iter().map(entry).collect())
        }
        Value::String(_) if is_secret(key.rsplit('.').next().unwrap_or(key)) => Value::String("***".into()),
        other => other.clone(),
    }
}

fn said(file: &Path, origin: Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::Line(line) => {
            format!("{}:{line}", file.file_name().unwrap_or(file.as_os_str()).display())
        }
    }
}
