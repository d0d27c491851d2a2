//! Addresses that are asked over HTTP.

use std::net::{IpAddr, SocketAddr};

use bluegreen_core::{Name, Profile, Profiles, Template};
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

/// The URL that is asked about `profile`; placeholders of a release stay as they are.
pub(super) fn of_profile(template: &Template, app: &Name, profiles: &Profiles, profile: &Profile) -> String {
    template.render(|name| match name {
        "app" => Some(app.to_string()),
        "profile" => Some(profile.to_string()),
        "port" => Some(profile.port().to_string()),
        "other_port" => Some(profiles.other(profile)?.port().to_string()),
        _ => None,
    })
}

/// The address of this machine that is dialled for `url`; `None` for a name, and for another machine.
pub(super) fn loopback(url: &str) -> Option<SocketAddr> {
    let url = Url::parse(url).ok()?;
    let ip: IpAddr = match url.host()? {
        Host::Ipv4(address) => address.into(),
        Host::Ipv6(address) => address.into(),
        Host::Domain(_) => return None,
    };
    ip.is_loopback().then_some(SocketAddr::new(ip, url.port_or_known_default()?))
}

/// Why two profiles that are asked at `urls` cannot be told apart by their answers: both are asked at one place, or each at the
/// port of the other.
pub(super) fn confuses(urls: &[String; 2], profiles: &Profiles) -> Option<String> {
    let [first, second] = urls;
    let (a, b) = (loopback(first), loopback(second));
    if first == second || (a.is_some() && a == b) {
        let place = a.map_or_else(|| first.clone(), |address| address.to_string());
        return Some(format!("{place} is asked about both profiles, and one of them may answer for the other"));
    }
    let of_the_other =
        |address: Option<SocketAddr>, other: &Profile| address.is_some_and(|it| it.port() == other.port());
    let crossed = of_the_other(a, profiles.second()) || of_the_other(b, profiles.first());
    crossed.then(|| "a profile is asked at the port of the other one".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_profiles_are_asked_at_two_places_of_their_own() {
        let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
        let profiles = Profiles::new(profile("real1", 8081), profile("real2", 8082)).unwrap();
        let judged = |template: &str| {
            let template = Template::parse(template).unwrap();
            let url = |profile| of_profile(&template, &"shop".parse().unwrap(), &profiles, profile);
            confuses(&[url(profiles.first()), url(profiles.second())], &profiles)
        };
        for sound in [
            "http://127.0.0.1:{port}/",
            "http://[::1]:{port}/health",
            "http://127.0.0.1:1{port}/health",
            "https://{profile}.shop.example/health",
            "https://gateway.example/{profile}/health",
        ] {
            assert_eq!(judged(sound), None, "{sound}");
        }
        for confused in [
            "http://127.0.0.1:9000/health",
            "http://127.0.0.1:9000/{profile}",
            "http://127.0.0.1/",
            "http://127.0.0.1:{other_port}/",
            "https://shop.example/health",
            "http://127.0.0.1:8081/",
        ] {
            assert!(judged(confused).is_some(), "{confused}");
        }
    }
}
