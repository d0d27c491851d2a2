//! Reading an nginx configuration: enough to find a place in it, by the token rules of nginx itself.
//!
//! Nothing is ever written from what is parsed: a change replaces a range of bytes and leaves every other one alone.

use std::ops::Range;

/// One directive, with its block if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    /// From its name to behind its `;` or `}`.
    pub(crate) span: Range<usize>,
    pub(crate) block: Option<Block>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Behind the `{`.
    pub(crate) start: usize,
    pub(crate) directives: Vec<Directive>,
}

/// What is wrong, and where, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) at: usize,
    pub(crate) reason: &'static str,
}

impl Directive {
    /// The directives of its block.
    pub(crate) fn inner(&self) -> &[Directive] {
        self.block.as_ref().map_or(&[], |block| &block.directives)
    }

    /// The first argument, or nothing.
    pub(crate) fn arg(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }
}

/// The line, from 1, of a byte.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// Reads a whole file.
pub(crate) fn parse(text: &str) -> Result<Vec<Directive>, Syntax> {
    let mut reader = Reader { bytes: text.as_bytes(), text, at: 0 };
    let directives = reader.directives(0)?;
    if reader.at < text.len() { Err(Syntax { at: reader.at, reason: "unexpected }" }) } else { Ok(directives) }
}

/// Where the words of `directive`, which is one of `text`, stand; with their quotes.
pub(crate) fn words(text: &str, directive: &Directive) -> Vec<Range<usize>> {
    let mut reader = Reader { bytes: text.as_bytes(), text, at: directive.span.start };
    let mut found = Vec::new();
    loop {
        reader.skip();
        let start = reader.at;
        match reader.bytes.get(start) {
            None | Some(b';' | b'{' | b'}') => return found,
            Some(_) if reader.word().is_err() => return found,
            Some(_) => found.push(start..reader.at),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

/// Deeper than any configuration that a person wrote.
const DEPTH: usize = 32;

impl Reader<'_> {
    /// Up to the end of the file, or to a `}`.
    fn directives(&mut self, depth: usize) -> Result<Vec<Directive>, Syntax> {
        let mut found = Vec::new();
        loop {
            self.skip();
            if self.at == self.bytes.len() || self.bytes[self.at] == b'}' {
                return Ok(found);
            }
            found.push(self.directive(depth)?);
        }
    }

    fn directive(&mut self, depth: usize) -> Result<Directive, Syntax> {
        let start = self.at;
        let mut words = Vec::new();
        loop {
            self.skip();
            let wrong = |at, reason| Err(Syntax { at, reason });
            match self.bytes.get(self.at) {
                None => return wrong(start, "the directive has no end"),
                Some(b'}') => return wrong(start, "the directive has no ;"),
                Some(b';' | b'{') if words.is_empty() => return wrong(self.at, "a directive without a name"),
                Some(b';') => {
                    self.at += 1;
                    return Ok(directive(words, start..self.at, None));
                }
                Some(b'{') if depth == DEPTH => return wrong(self.at, "too many blocks in one another"),
                Some(b'{') => {
                    self.at += 1;
                    let start_of_block = self.at;
                    let directives = self.directives(depth + 1)?;
                    if self.at == self.bytes.len() {
                        return wrong(start, "the block has no }");
                    }
                    self.at += 1;
                    let block = Block { start: start_of_block, directives };
                    return Ok(directive(words, start..self.at, Some(block)));
                }
                Some(_) => words.push(self.word()?),
            }
        }
    }

    /// Past white space and comments.
    fn skip(&mut self) {
        while let Some(b) = self.bytes.get(self.at) {
            match b {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.bytes.len() - self.at),
                _ => return,
            }
        }
    }

    /// One word: quotes count only where a word begins, a backslash takes the next byte along, `${` is no block.
    fn word(&mut self) -> Result<String, Syntax> {
        let start = self.at;
        let quote = Some(self.bytes[start]).filter(|b| matches!(b, b'"' | b'\''));
        self.at += usize::from(quote.is_some());
        while let Some(&b) = self.bytes.get(self.at) {
            let before = self.bytes[self.at - usize::from(self.at > start)];
            match (quote, b) {
                (_, b'\\') => self.at += 1,
                (Some(q), b) if b == q => {
                    self.at += 1;
                    return Ok(self.text[start + 1..self.at - 1].to_owned());
                }
                (None, b'{') if before == b'$' => {}
                (None, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{') => return Ok(self.text[start..self.at].to_owned()),
                _ => {}
            }
            self.at += 1;
        }
        Err(Syntax { at: start, reason: "the word has no end" })
    }
}

fn directive(words: Vec<String>, span: Range<usize>, block: Option<Block>) -> Directive {
    let mut words = words.into_iter();
    Directive { name: words.next().unwrap_or_default(), args: words.collect(), span, block }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_by_the_rules_of_nginx() {
        let text = "# a { comment ;\nserver { listen 80; # }\n  location ~ \\.php$ { return 200 \"a;b}\\\"{\"; }\n  \
                    set $x ${y}z; add_header A 'it}s' always;\n}\nuser nobody;";
        let top = parse(text).unwrap();
        let [server, user] = &top[..] else { panic!("{top:?}") };
        assert_eq!((user.name.as_str(), user.arg()), ("user", "nobody"));
        let names: Vec<_> = server.inner().iter().map(|d| (d.name.as_str(), d.args.join("|"))).collect();
        let wanted =
            [("listen", "80"), ("location", "~|\\.php$"), ("set", "$x|${y}z"), ("add_header", "A|it}s|always")];
        assert_eq!(names, wanted.map(|(a, b)| (a, b.to_owned())));
        assert_eq!(server.inner()[1].inner()[0].args, ["200", "a;b}\\\"{"]);
        assert_eq!(&text[server.inner()[2].span.clone()], "set $x ${y}z;");
        assert_eq!(line_of(text, server.inner()[1].span.start), 3);
        let header = &server.inner()[3];
        let words: Vec<_> = words(text, header).into_iter().map(|word| &text[word]).collect();
        assert_eq!(words, ["add_header", "A", "'it}s'", "always"]);
    }

    #[test]
    fn says_where_it_makes_no_sense() {
        for (text, at) in [("a b", 2), ("x; a {", 3), ("a { b }", 4), ("}", 0), ("a 'b;", 2), (";", 0), ("a\\", 0)] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(parse(&"a {".repeat(10_000)).is_err());
    }
}
