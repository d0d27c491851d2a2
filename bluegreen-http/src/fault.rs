//! What a failed request means.

use std::{error::Error, io};

use bluegreen_core::Unhealthy;

use crate::answer::plain;

/// Sorts an error of the HTTP library: nobody listens, no answer, or something that is not a good answer.
pub(crate) fn unhealthy(error: reqwest::Error) -> Unhealthy {
    let secure = error.url().is_some_and(|url| url.scheme() == "https");
    let error = error.without_url();
    let chain = || std::iter::successors(Some(&error as &(dyn Error + 'static)), |&e| e.source());
    // the innermost cause says most: "Connection refused", "invalid peer certificate: ..."
    let text = plain(&chain().last().map(ToString::to_string).unwrap_or_default());
    if chain().filter_map(|e| e.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse) {
        return Unhealthy::Sick(format!("not a proper HTTP/1.1 answer: {text}"));
    }
    let io = chain().find_map(|e| e.downcast_ref::<io::Error>()).map(innermost);
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::InvalidData) if io.is_some_and(is_no_tls) => {
            Unhealthy::Sick("an answer that is not TLS, as of a port for plain http".to_owned())
        }
        Some(io::ErrorKind::ConnectionRefused) => Unhealthy::Refused(text),
        // the certificate or the protocol
        Some(io::ErrorKind::InvalidData) if secure => Unhealthy::Sick(format!("TLS failed: {}", in_words(&text))),
        Some(io::ErrorKind::InvalidData) => Unhealthy::Sick(format!("not a proper HTTP/1.1 answer: {text}")),
        _ => Unhealthy::NoAnswer(text),
    }
}

/// The last part of what TLS says, which is the name of a type in Rust, as words: `Other(OtherError(CaUsedAsEndEntity))` is "ca used as
/// end entity".
fn in_words(text: &str) -> String {
    let (before, last) = text.rsplit_once(' ').map_or(("", text), |(before, last)| (before, last));
    let name = last.trim_end_matches(')');
    let name = name.rsplit_once('(').map_or(name, |(_, inner)| inner);
    if name.is_empty() || !name.chars().all(char::is_alphanumeric) {
        return text.to_owned();
    }
    let mut words = before.to_owned();
    for (n, c) in name.chars().enumerate() {
        if c.is_uppercase() || n == 0 {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words.trim_start().to_owned()
}

/// The TLS connector wraps one I/O error in another, where `source` does not see it.
fn innermost(error: &io::Error) -> &io::Error {
    error.get_ref().and_then(|inner| inner.downcast_ref()).map_or(error, innermost)
}

/// Whether what came is no record of TLS at all.
#[cfg(feature = "tls")]
fn is_no_tls(error: &io::Error) -> bool {
    use rustls::{Error, InvalidMessage};
    let said = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(said, Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)))
}

/// Without TLS nobody asks for it.
#[cfg(not(feature = "tls"))]
fn is_no_tls(_: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_has_no_names_of_types() {
        let said = |text: &str| in_words(text);
        let other = "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))";
        assert_eq!(said(other), "invalid peer certificate: ca used as end entity");
        assert_eq!(said("invalid peer certificate: UnknownIssuer"), "invalid peer certificate: unknown issuer");
        assert_eq!(said("not for \"x.example\""), "not for \"x.example\"");
    }
}
