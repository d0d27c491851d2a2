//! Texts of others, and errors, on one line.

use std::error::Error;

use bluegreen_core::sanitize;

/// The longest line that is shown, in characters.
const SHOWN: usize = 300;

/// `text` on one line of at most 300 characters, none of which controls a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    sanitize(&start).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_controls_no_terminal() {
        assert_eq!(one_line(" a\tb\r\n\u{1b}[31mred\u{9b}0m\u{7} "), "a b red");
        assert_eq!(one_line(&"x".repeat(1000)).len(), SHOWN);
    }
}
