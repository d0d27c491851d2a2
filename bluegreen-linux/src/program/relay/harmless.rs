//! What may be said to a terminal by somebody whose terminal it is not.

const ESCAPE: u8 = 0x1b;
/// The first byte of the control characters beyond ASCII, in UTF-8.
const BEYOND: u8 = 0xc2;
/// No order of ours is longer.
const MOST: usize = 32;

/// Lets through text, colours, and how our own lines and pages are drawn: nothing that a terminal answers, remembers or runs.
#[derive(Debug, Default)]
pub(super) struct Harmless {
    /// What is not whole yet.
    held: Vec<u8>,
}

impl Harmless {
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            self.hear(*byte, &mut passed);
        }
        passed
    }

    fn hear(&mut self, byte: u8, passed: &mut Vec<u8>) {
        match (&self.held[..], byte) {
            ([], ESCAPE | BEYOND) | ([ESCAPE], b'[') => self.held.push(byte),
            ([], b'\n' | b'\r' | b'\t' | b' '..=b'~' | 0x80..) => passed.push(byte),
            ([], _) => {}
            ([BEYOND], 0xa0..=0xbf) => passed.extend([self.held.remove(0), byte]),
            // the words of another order are shown as the text that they are
            ([BEYOND], 0x80..=0x9f) | ([ESCAPE], b' '..=b'Z' | b'\\'..=b'~') => self.held.clear(),
            ([ESCAPE, b'[', ..], b' '..=b'?') if self.held.len() < MOST => self.held.push(byte),
            ([ESCAPE, b'[', rest @ ..], b'@'..=b'~') => {
                if is_drawing(rest, byte) {
                    passed.extend(&self.held);
                    passed.push(byte);
                }
                self.held.clear();
            }
            _ => {
                self.held.clear();
                self.hear(byte, passed);
            }
        }
    }
}

/// Colours, the end of a line, the page, the cursor.
fn is_drawing(parameters: &[u8], order: u8) -> bool {
    match order {
        b'm' | b'K' | b'J' | b'H' => parameters.iter().all(|byte| byte.is_ascii_digit() || *byte == b';'),
        b'h' | b'l' => [&b"?25"[..], b"?1049"].contains(&parameters),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_but_what_is_to_be_shown() {
        for (said, shown) in [
            ("a\r\x1b[Kb\x1b[1;32m✓\x1b[0m\tc\n", "a\r\x1b[Kb\x1b[1;32m✓\x1b[0m\tc\n"),
            ("\x1b[?1049h\x1b[H\x1b[J\x1b[?25l", "\x1b[?1049h\x1b[H\x1b[J\x1b[?25l"),
            ("a\x1b]0;title\x07b\x1b[6nc\x1b[cd\x1b[?1000he", "a0;titlebcde"),
            ("a\x1bPq\x1b\\b\x1bc\x1b(0d\x1b[2Ge\x0ef\x7f", "aqb0def"),
            ("\x1b\x1b[6n\x1b[31\x1b[6nx", "x"),
            ("\u{9b}6n\u{9d}0;t\u{9c} é ü\u{a0}", "6n0;t é ü\u{a0}"),
        ] {
            assert_eq!(String::from_utf8(Harmless::default().pass(said.as_bytes())).unwrap(), shown, "{said:?}");
            let mut slow = Harmless::default();
            let passed = said.bytes().flat_map(|byte| slow.pass(&[byte])).collect();
            assert_eq!(String::from_utf8(passed).unwrap(), shown, "byte by byte: {said:?}");
        }
        let endless = format!("\x1b[{}", "1;".repeat(1000));
        assert!(Harmless::default().pass(endless.as_bytes()).len() < endless.len());
    }
}
