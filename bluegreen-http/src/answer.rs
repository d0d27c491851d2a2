//! What a server answered.

use std::borrow::Cow;

use bluegreen_core::sanitize;
use reqwest::StatusCode;

/// How much of a foreign text is shown, in characters.
const SHOWN: usize = 100;

/// An answer, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The `Content-Type`, without parameters, in lower case.
    pub content_type: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The first [`BODY_LIMIT`](crate::BODY_LIMIT) bytes of the body.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Whether it sends the client elsewhere.
    pub fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status) && self.location.is_some()
    }

    /// Whether it is a page for a browser.
    pub fn is_html(&self) -> bool {
        let start = self.text().trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
        self.content_type == "text/html" || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// One short line for a person, free of control sequences: "503 Service Unavailable: database starting".
    pub fn describe(&self) -> String {
        let status = self.describe_status();
        if let Some(to) = self.location.as_ref().filter(|_| self.is_redirect()) {
            // what follows the question mark may be a secret
            return format!("{status}, redirects to {}", plain(to.split('?').next().unwrap_or(to)));
        }
        let text = if self.is_html() { "an HTML page".to_owned() } else { plain(&self.text()) };
        if text.is_empty() { status } else { format!("{status}: {text}") }
    }

    /// The status line of it, as `302 Found`.
    pub fn describe_status(&self) -> String {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|s| s.canonical_reason());
        reason.map_or_else(|| self.status.to_string(), |reason| format!("{} {reason}", self.status))
    }
}

/// `text` on one short line, without control and escape sequences.
pub(crate) fn plain(text: &str) -> String {
    let start: String = text.chars().take(SHOWN * 8).collect();
    let line = sanitize(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(SHOWN).collect();
    if cut.len() < line.len() { format!("{cut}...") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, content_type: String::new(), location: None, body: body.into(), truncated: false }
    }

    #[test]
    fn is_described_in_one_short_clean_line() {
        assert_eq!(answer(503, "database\r\n starting\n").describe(), "503 Service Unavailable: database starting");
        assert_eq!(answer(200, "").describe(), "200 OK");
        assert_eq!(answer(299, "x").describe(), "299: x");
        assert_eq!(answer(200, " <!DOCTYPE html><p>").describe(), "200 OK: an HTML page");
        assert_eq!(answer(500, "\u{1b}[31mred\u{1b}[0m\u{7}\u{202e}").describe(), "500 Internal Server Error: red");
        assert_eq!(answer(404, &"x".repeat(500)).describe().len(), "404 Not Found: ...".len() + SHOWN);
        let moved = Answer { location: Some("/login?state=secret".into()), ..answer(302, "moved") };
        assert_eq!(moved.describe(), "302 Found, redirects to /login");
    }
}
