//! Text for a terminal: clean, and no wider than it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` as one harmless line: no escape sequences, no control characters, nothing that reverses the direction of reading.
/// Line breaks and tabs become spaces.
pub fn sanitize(text: &str) -> String {
    bluegreen_core::sanitize(text).replace('\n', " ").trim_end().to_owned()
}

/// Control characters, and the marks that change the direction of text.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// JSON on one line, with escapes where a terminal would obey: JSON itself leaves control characters beyond ASCII as they are.
pub(crate) fn escape(line: &str) -> String {
    let safe = |c: char| if is_unsafe(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    line.chars().map(safe).collect()
}

/// `text`, cut with an ellipsis where it would be wider than `width` columns.
pub(crate) fn truncate(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    let head: String = text.chars().take_while(fits).collect();
    if width == 0 { head } else { head.trim_end().to_owned() + "…" }
}

/// `text` in lines of at most `width` columns, broken at spaces. A longer word, as a path, has lines of its own, broken
/// behind a slash where it has one.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= width) {
            Some(line) => line.extend([" ", word]),
            None => lines.extend(pieces(word, width.max(LEAST))),
        }
    }
    lines
}

/// Where there is less room, a word is left as it is.
const LEAST: usize = 16;

fn pieces(mut word: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    while word.width() > width {
        let mut used = 0;
        let mut fits = |c: char| {
            used += c.width().unwrap_or(0);
            used <= width
        };
        let most = word.find(|c| !fits(c)).unwrap_or(word.len());
        let at = word[..most].rfind('/').map_or(most, |slash| slash + 1);
        pieces.push(word[..at].to_owned());
        word = &word[at..];
    }
    pieces.push(word.to_owned());
    pieces
}

/// A mark and a text behind it, broken to `width` columns; 0 leaves it on one line.
pub fn marked(mark: &str, text: &str, width: usize) -> String {
    hanging(&format!("{mark} "), 2, text, width)
}

/// A label of so many `columns`, indented, and a text behind it, broken to `width` columns; 0 leaves it on one line.
pub fn indented(label: &str, columns: usize, text: &str, width: usize) -> String {
    hanging(&format!("    {label}"), 4 + columns, text, width)
}

/// A label of so many `columns` and a text behind it, broken to `width` columns; 0 leaves it on one line.
pub(crate) fn hanging(label: &str, columns: usize, text: &str, width: usize) -> String {
    let width = if width == 0 { usize::MAX } else { width };
    let lines = wrap(&sanitize(text), width.saturating_sub(columns));
    format!("{label}{}\n", lines.join(&format!("\n{}", " ".repeat(columns))))
}

/// `text` filled up with spaces to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(text.width()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_is_left() {
        for (dirty, clean) in [
            ("plain ä 漢", "plain ä 漢"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c", "abc"),
            ("a\u{1b}]never ends", "a"),
            ("\u{9b}2Jc1\u{9d}t\u{9c}x", "c1x"),
            ("\u{1b}(Bx\u{1b}cy\u{1b}", "xy"),
            ("back\u{8}\r\u{0}space\tend\nline", "backspace end line"),
            ("evil\u{202e}txt.exe\u{2066}", "eviltxt.exe"),
        ] {
            assert_eq!(sanitize(dirty), clean, "{dirty:?}");
        }
    }

    #[test]
    fn is_cut_to_columns_not_to_characters() {
        assert_eq!(truncate("short", 5), "short");
        assert_eq!(truncate("a longer one", 8), "a longe…");
        assert_eq!(truncate("漢字漢字", 5), "漢字…");
        assert_eq!((truncate("ab", 1), truncate("ab", 0)), ("…".into(), String::new()));
    }

    #[test]
    fn is_broken_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible word", 5), ["incomprehensible", "word"]);
        let path = "see /var/lib/bluegreen/shop/releases/3f2a91c0de12aa now";
        assert_eq!(wrap(path, 30), ["see", "/var/lib/bluegreen/shop/", "releases/3f2a91c0de12aa now"]);
        assert_eq!(wrap(&"漢".repeat(20), 17), ["漢".repeat(8), "漢".repeat(8), "漢".repeat(4)]);
        assert_eq!(wrap(&format!("/{}", "x".repeat(40)), 20).concat().len(), 41);
    }
}
