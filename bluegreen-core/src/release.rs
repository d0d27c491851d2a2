//! What is deployed.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::checked::checked_text;

/// The id of a release: 1 to 64 of `[a-z0-9-]`, not starting with a hyphen, so that it is a file name everywhere.
///
/// The engine never looks inside; the release store of `bluegreen-process` uses a digest over artifact, command and version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId(Arc<str>);

/// The text is not a [`ReleaseId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a release id: 1 to 64 lower-case letters, digits or hyphens")]
pub struct InvalidReleaseId(String);

impl ReleaseId {
    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve characters, for people; without a hyphen at the end.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0).trim_end_matches('-')
    }
}

impl TryFrom<&str> for ReleaseId {
    type Error = InvalidReleaseId;

    fn try_from(text: &str) -> Result<Self, InvalidReleaseId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let valid = (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(plain);
        if valid { Ok(Self(text.into())) } else { Err(InvalidReleaseId(text.chars().take(80).collect())) }
    }
}

checked_text!(ReleaseId, InvalidReleaseId);

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_file_name_or_nothing() {
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(ReleaseId::try_from(digest).unwrap().to_string(), "e3b0c44298fc");
        assert_eq!(ReleaseId::try_from("v1").unwrap().to_string(), "v1");
        for bad in ["", ".", "..", "a/b", "-x", "A", &format!("{digest}0")] {
            assert!(ReleaseId::try_from(bad).is_err(), "{bad:?}");
        }
    }
}
