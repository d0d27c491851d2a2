//! Text of others, made safe for a terminal.

/// `text` without what could act on a terminal or mislead its reader: escape sequences, C0 and C1 controls, bidirectional
/// and invisible formatting. A tab becomes a space; line feeds are kept.
pub fn sanitize(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => skip_csi(&mut chars),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut chars),
                // as `ESC ( B`, which chooses a character set
                Some(' '..='/') => drop(chars.find(|c| !(' '..='/').contains(c))),
                _ => {}
            },
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\t' => clean.push(' '),
            '\n' => clean.push(c),
            c if c.is_control() || misleads(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Control Sequence Introducer: parameters, then one final character.
fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// Title, clipboard and the like: up to BEL or ST. One without an end takes no more than its line.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next_if(|&c| c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// Bidirectional overrides, zero-width and tag characters.
fn misleads(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_and_takes_out_what_acts() {
        for (raw, clean) in [
            ("plain äöü 你好 🦀\nnext", "plain äöü 你好 🦀\nnext"),
            ("\u{1b}[31;1mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}a\u{1b}]52;c;x\u{1b}\\b", "ab"),
            ("a\u{1b}]no end\nb", "a\nb"),
            ("\u{9b}2Ja\u{9d}x\u{9c}b", "ab"),
            ("a\rb\u{8}\u{0}\tc\u{7f}\u{85}", "ab c"),
            ("\u{202e}txt.exe\u{2066}\u{200b}", "txt.exe"),
            ("end \u{1b}", "end "),
            ("\u{1b}cx", "x"),
        ] {
            assert_eq!(sanitize(raw), clean, "{raw:?}");
        }
    }
}
