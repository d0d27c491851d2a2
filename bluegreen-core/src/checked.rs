//! What all texts have that are checked once, when they are made.

/// Gives a text that holds `Arc<str>` and is made by `TryFrom<&str>` its other conversions, and a `Debug` that is the text.
macro_rules! checked_text {
    ($text:ident, $invalid:ident) => {
        impl TryFrom<String> for $text {
            type Error = $invalid;

            fn try_from(text: String) -> Result<Self, $invalid> {
                Self::try_from(text.as_str())
            }
        }

        impl std::str::FromStr for $text {
            type Err = $invalid;

            fn from_str(text: &str) -> Result<Self, $invalid> {
                Self::try_from(text)
            }
        }

        impl From<$text> for String {
            fn from(text: $text) -> Self {
                text.0.as_ref().to_owned()
            }
        }

        impl std::fmt::Debug for $text {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

pub(crate) use checked_text;
