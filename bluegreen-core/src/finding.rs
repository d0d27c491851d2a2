//! What somebody who looked has found.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How bad it is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A deploy would fail of it.
    Fatal,
    /// It may hurt later.
    Warning,
    /// As it should be.
    Good,
}

/// One thing that was looked at: before a deploy, at the set-up, or after a failure. Programs and tests read `id`, `severity`,
/// `place` and whether there is a `fix`; `what` is for people, and may have other words tomorrow.
///
/// A library names no command of a program that it does not know: its `Fix` is a type of its own, and who has a command line turns
/// that into words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(bound = "", rename = "Finding", description = "One thing that was looked at.")
)]
#[serde(bound(serialize = "Fix: AsRef<str>"))]
pub struct Finding<Fix = String> {
    /// The same for the same kind of thing, for programs.
    pub id: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// What is seen.
    pub what: String,
    /// The file, line or address.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do, a command where there is one; empty for a good one.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    #[serde(serialize_with = "or_empty")]
    pub fix: Option<Fix>,
}

#[expect(clippy::ref_option, reason = "serde gives the field")]
fn or_empty<F: AsRef<str>, S: Serializer>(fix: &Option<F>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(fix.as_ref().map_or("", AsRef::as_ref))
}

impl<Fix> Finding<Fix> {
    /// One without a place.
    pub fn new(id: &'static str, severity: Severity, what: impl Into<String>, fix: Option<Fix>) -> Self {
        Self { id: id.into(), severity, what: what.into(), place: None, fix }
    }

    /// One of which a deploy would fail.
    pub fn fatal(id: &'static str, what: impl Into<String>, fix: impl Into<Fix>) -> Self {
        Self::new(id, Severity::Fatal, what, Some(fix.into()))
    }

    /// One that may hurt later.
    pub fn warning(id: &'static str, what: impl Into<String>, fix: impl Into<Fix>) -> Self {
        Self::new(id, Severity::Warning, what, Some(fix.into()))
    }

    /// One that is as it should be.
    pub fn good(id: &'static str, what: impl Into<String>) -> Self {
        Self::new(id, Severity::Good, what, None)
    }

    /// One of an autopsy, where the damage is done.
    pub fn noted(id: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self { id: id.into(), severity: Severity::Warning, what: what.into(), place: None, fix: None }
    }

    /// The same, at a place.
    #[expect(clippy::needless_pass_by_value, reason = "a place is made for this, as a line of a file is")]
    #[must_use = "returns the finding"]
    pub fn at(self, place: impl ToString) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }

    /// The same, where a deploy may be what cures it.
    #[must_use = "returns the finding"]
    pub fn milder(self) -> Self {
        if self.severity == Severity::Fatal { Self { severity: Severity::Warning, ..self } } else { self }
    }

    /// The same, with the fix as `told`.
    pub fn fixed<Told>(self, told: impl FnOnce(Fix) -> Told) -> Finding<Told> {
        let Self { id, severity, what, place, fix } = self;
        Finding { id, severity, what, place, fix: fix.map(told) }
    }
}

/// What the fix of a finding is about, as one line of an autopsy.
const FIX: &str = "fix";

impl Finding {
    /// What to do; empty where there is nothing to do.
    pub fn fix(&self) -> &str {
        self.fix.as_deref().unwrap_or_default()
    }

    /// As the lines of an autopsy have it: what each is about, and what it says.
    pub fn told(&self) -> impl Iterator<Item = (&str, &str)> {
        [(&*self.id, &*self.what)].into_iter().chain(self.fix.as_deref().map(|fix| (FIX, fix)))
    }
}

/// The findings of an autopsy, as events and histories have them: `about` and `says`, with a line of its own for a fix.
pub mod told {
    use super::{Deserialize, Deserializer, FIX, Finding, Serialize, Serializer};

    /// One thing that an autopsy found.
    #[derive(Debug, Serialize, Deserialize)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Finding"))]
    pub struct Told {
        /// What it is about, in one word, as `memory`, `port` or `differs`.
        about: String,
        /// What was found, for a person.
        says: String,
    }

    /// Writes them.
    ///
    /// # Errors
    /// As `to` does.
    pub fn serialize<S: Serializer>(findings: &[Finding], to: S) -> Result<S::Ok, S::Error> {
        let line = |(about, says): (&str, &str)| Told { about: about.to_owned(), says: says.to_owned() };
        to.collect_seq(findings.iter().flat_map(Finding::told).map(line))
    }

    /// Reads them.
    ///
    /// # Errors
    /// As `from` does.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Finding>, D::Error> {
        let mut findings: Vec<Finding> = Vec::new();
        for Told { about, says } in Vec::deserialize(from)? {
            match findings.last_mut() {
                Some(fixed) if about == FIX && fixed.fix.is_none() => fixed.fix = Some(says),
                _ => findings.push(Finding::noted(about, says)),
            }
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_a_fix_and_may_have_no_place() {
        let json = |finding: &Finding| serde_json::to_string(finding).unwrap();
        let good = Finding::good("nginx", "runs");
        assert_eq!(json(&good), r#"{"id":"nginx","severity":"good","what":"runs","fix":""}"#);
        let bad = Finding::fatal("route", "none", "x").at("/etc/x:3");
        assert_eq!(json(&bad), r#"{"id":"route","severity":"fatal","what":"none","where":"/etc/x:3","fix":"x"}"#);
    }

    #[test]
    fn the_lines_of_an_autopsy_are_read_as_they_are_written() {
        #[derive(Serialize, Deserialize)]
        struct Lines(#[serde(with = "told")] Vec<Finding>);
        let text = r#"[{"about":"fix","says":"a"},{"about":"port","says":"b"},{"about":"fix","says":"c"},{"about":"fix","says":"d"}]"#;
        let lines: Lines = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&lines).unwrap(), text);
        assert_eq!((&*lines.0[1].id, lines.0[1].fix()), ("port", "c"));
    }
}
