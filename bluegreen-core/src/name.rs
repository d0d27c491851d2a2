//! Names that are safe in a path, an nginx configuration and a command line.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::checked::checked_text;

/// The name of an app or of a profile: `[a-z][a-z0-9-]{0,31}`.
///
/// The form is the largest that needs no quoting in a path, a shell, a systemd unit or an nginx group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// The text is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: a lower-case letter, then up to 31 lower-case letters, digits or hyphens")]
pub struct InvalidName(String);

impl Name {
    /// The form of a name, as a regular expression.
    pub const PATTERN: &str = "[a-z][a-z0-9-]{0,31}";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Name {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let valid = text.len() <= 32
            && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && text.as_bytes().iter().all(plain);
        if valid { Ok(Self(text.into())) } else { Err(InvalidName(text.chars().take(64).collect())) }
    }
}

checked_text!(Name, InvalidName);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_needs_no_quoting_and_nothing_else() {
        for good in ["a", "real1", "my-shop", "a23456789012345678901234567890ab"] {
            assert_eq!(Name::try_from(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "1a", "-a", "A", "a_b", "a.b", "a/b", "../a", "a b", "a;rm", "ä", "a234567890123456789012345678901234"]
        {
            assert!(Name::try_from(bad).is_err(), "{bad:?}");
        }
    }
}
