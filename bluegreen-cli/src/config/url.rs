//! Addresses that are asked over HTTP.

use bluegreen_core::Template;
use url::{Host, Url};

use super::{problem::Problem, reader::At, value};

/// A URL that may have placeholders.
pub(super) fn template(at: &At<'_>) -> Result<Template, Problem> {
    let template = value::template(at)?;
    checked(&filled(&template), at)?;
    Ok(template)
}

/// A URL as it is.
pub(super) fn plain(at: &At<'_>) -> Result<Url, Problem> {
    checked(&value::string(at)?, at)
}

fn checked(text: &str, at: &At<'_>) -> Result<Url, Problem> {
    let url = parse(text).map_err(|why| {
        Problem::new("this is no URL that can be asked", at.span()).label(why).help("use http://127.0.0.1:8080/path")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        // not at its place: the line would be shown, with the password
        return Err(
            Problem::nowhere("a URL has a user or a password in it").help("leave it out: it would end up in logs")
        );
    }
    Ok(url)
}

/// The host of `url` when it is not a loopback address. A name is not one, `localhost` neither: what it means is decided
/// elsewhere, and may change.
pub(super) fn remote_host(url: &Url) -> Option<String> {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    (!loopback).then(|| url.host_str().unwrap_or_default().to_owned())
}

/// The same for a URL with placeholders.
pub(super) fn remote_host_of(template: &Template) -> Option<String> {
    parse(&filled(template)).ok().as_ref().and_then(remote_host)
}

/// The URL with something in place of its placeholders, to look at its form.
fn filled(template: &Template) -> String {
    template.render(|name| Some(if name.ends_with("port") { "1" } else { "x" }.to_owned()))
}

fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not http or https", url.scheme()));
    }
    Ok(url)
}
