//! Which URLs may be asked, and where the request goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{Url, header::HeaderValue};

/// A URL that will not be asked, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// Not a URL of `http` or `https`.
    #[error("not an http or https URL: {0}")]
    Syntax(String),
    /// A user or password in the URL would end up in logs.
    #[error("a URL must not carry a user or password")]
    Credentials,
    /// `https` in a build without the feature `tls`.
    #[error("this build has no https: build with the feature \"tls\", or use http")]
    NoTls,
    /// `localhost` may be `::1`, where an app on `127.0.0.1` does not listen.
    #[error("localhost may mean ::1: write 127.0.0.1")]
    Localhost,
    /// Not this machine.
    #[error(
        "{0} is not a loopback address: write 127.0.0.1, give the address to dial as connect, or set allow_remote = true"
    )]
    Remote(String),
    /// Link-local, multicast, unspecified or a cloud's metadata service.
    #[error("{0} is never asked: link-local, multicast, unspecified or a metadata service")]
    Forbidden(IpAddr),
    /// A certificate is checked against a name.
    #[error("https to an address cannot be dialled elsewhere: write the name of the certificate in the URL")]
    AddressOverTls,
}

/// A URL that passed, split into what is dialled and what is said.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// What the library is asked for: never needs DNS when an address to dial is given.
    pub(crate) url: Url,
    /// The `Host` header, from the URL as it was written.
    pub(crate) host: HeaderValue,
}

impl Target {
    /// Checks `text`; `connect` is dialled instead of its host and port.
    pub(crate) fn parse(text: &str, connect: Option<SocketAddr>, allow_remote: bool) -> Result<Self, InvalidUrl> {
        let syntax = |reason: &str| InvalidUrl::Syntax(reason.to_owned());
        if !is_plain(text) {
            return Err(syntax("write it in ASCII, without spaces; a name of other letters in its form with xn--"));
        }
        let mut url = Url::parse(text).map_err(|error| syntax(&error.to_string()))?;
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(InvalidUrl::NoTls),
            other => return Err(syntax(other)),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        let name = url.host_str().unwrap_or_default().to_owned();
        let literal = literal(&name);
        match connect.map(|address| address.ip()).or(literal) {
            Some(ip) if is_forbidden(ip) => return Err(InvalidUrl::Forbidden(ip)),
            Some(ip) if !allow_remote && !ip.to_canonical().is_loopback() => {
                return Err(InvalidUrl::Remote(ip.to_string()));
            }
            None if !allow_remote && name == "localhost" => return Err(InvalidUrl::Localhost),
            None if !allow_remote => return Err(InvalidUrl::Remote(name)),
            _ => {}
        }
        let authority = url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let host = HeaderValue::from_str(&authority).map_err(|error| syntax(&error.to_string()))?;
        if let Some(address) = connect {
            redirect(&mut url, address, literal)?;
        }
        url.set_fragment(None);
        Ok(Self { url, host })
    }
}

/// Whether no host of other letters is in it, not even percent-encoded: this build has no tables to check one.
fn is_plain(text: &str) -> bool {
    let behind = text.split_once(':').map_or("", |(_, behind)| behind.trim_start_matches(['/', '\\']));
    let host = behind.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    host.is_ascii() && !host.contains('%') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Makes `url` go to `address`. Plain http is sent to the address itself; https keeps its name for SNI and the certificate,
/// and the resolver answers with the address (a port in the URL would win over it).
fn redirect(url: &mut Url, address: SocketAddr, literal: Option<IpAddr>) -> Result<(), InvalidUrl> {
    if url.scheme() == "http" {
        let moved = url.set_ip_host(address.ip()).and_then(|()| url.set_port(Some(address.port())));
        return moved.map_err(|()| InvalidUrl::Syntax("it has no host".to_owned()));
    }
    if literal.is_some() {
        return Err(InvalidUrl::AddressOverTls);
    }
    url.set_port(None).map_err(|()| InvalidUrl::Syntax("it has no host".to_owned()))
}

/// The address that a URL's host is, without the brackets of IPv6.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Addresses that no health check has a reason to ask (SSRF).
pub(crate) fn is_forbidden(ip: IpAddr) -> bool {
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_link_local()
                || ip.is_multicast()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || METADATA.contains(&ip)
        }
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_multicast() || ip.is_unspecified() || ip == METADATA_V6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_other_letters_is_refused_in_words() {
        for url in [
            "https://oAshspC\u{5c8}0/",
            "https:bücher.example",
            "http:\\\\b%C3%BCcher.example/",
            "http:/\t/bücher/",
            "http://a b/",
        ] {
            let InvalidUrl::Syntax(text) = refused(url, None, true) else { panic!("{url}") };
            assert!(text.contains("xn--"), "{url}: {text}");
        }
        assert!(Target::parse("https://xn--bcher-kva.example/ü?a=%20", None, true).is_ok());
    }

    fn refused(url: &str, connect: Option<&str>, allow_remote: bool) -> InvalidUrl {
        Target::parse(url, connect.map(|c| c.parse().unwrap()), allow_remote).unwrap_err()
    }

    #[test]
    fn only_loopback_literals_unless_remote_is_allowed() {
        for good in ["http://127.0.0.1/", "http://127.1:8081/x?y", "http://[::1]:80/", "http://127.9.9.9/"] {
            assert!(Target::parse(good, None, false).is_ok(), "{good}");
        }
        assert_eq!(refused("http://localhost:8081/", None, false), InvalidUrl::Localhost);
        assert_eq!(refused("http://shop.example/", None, false), InvalidUrl::Remote("shop.example".into()));
        assert_eq!(refused("http://10.0.0.5/", None, false), InvalidUrl::Remote("10.0.0.5".into()));
        assert!(matches!(refused("http://127.0.0.1/", Some("10.0.0.5:80"), false), InvalidUrl::Remote(_)));
        assert!(Target::parse("http://shop.example/", None, true).is_ok());
    }

    #[test]
    fn metadata_services_are_never_asked() {
        for ip in
            ["169.254.169.254", "0.0.0.0", "100.100.100.200", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]"]
        {
            assert!(matches!(refused(&format!("http://{ip}/"), None, true), InvalidUrl::Forbidden(_)), "{ip}");
        }
    }

    #[test]
    fn odd_urls_are_refused() {
        for bad in ["ftp://127.0.0.1/", "127.0.0.1:80", "http://", "/profile", "file:///etc/passwd"] {
            assert!(matches!(refused(bad, None, true), InvalidUrl::Syntax(_)), "{bad}");
        }
        assert_eq!(refused("http://a:b@127.0.0.1/", None, true), InvalidUrl::Credentials);
    }

    #[test]
    fn dialling_elsewhere_keeps_the_name() {
        let at = "127.0.0.1:9000".parse().ok();
        let target = Target::parse("http://shop.example:8080/health?x=1#y", at, false).unwrap();
        assert_eq!(target.url.as_str(), "http://127.0.0.1:9000/health?x=1");
        assert_eq!(target.host, "shop.example:8080");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn dialling_elsewhere_over_tls_keeps_the_name_in_the_url() {
        let at = "127.0.0.1:9000".parse().ok();
        let target = Target::parse("https://shop.example:8443/", at, false).unwrap();
        assert_eq!(
            (target.url.as_str(), target.host.to_str().unwrap()),
            ("https://shop.example/", "shop.example:8443")
        );
        assert_eq!(Target::parse("https://10.0.0.5/", at, false).unwrap_err(), InvalidUrl::AddressOverTls);
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn https_says_that_it_is_not_built_in() {
        assert_eq!(refused("https://127.0.0.1/", None, false), InvalidUrl::NoTls);
    }
}
