//! Asking nginx what it does.

use std::fmt;

use bluegreen_core::{Name, Unhealthy};
use bluegreen_http::{Answer, Client, ClientError, Options};
use url::Url;

/// Where nginx proves what it does with the requests of an app: `/.well-known/bluegreen/APP` at the address that users
/// dial. Shown as what is dialled and asked for, as `127.0.0.1:443 (Host: shop.example)`.
#[derive(Debug, Clone)]
pub struct ProofLocation {
    client: Client,
    shown: String,
}

impl ProofLocation {
    /// The one of `app` at the front door `url`, of which only scheme, host and port are used; dialled as `options` say.
    ///
    /// # Errors
    /// The URL may not be asked, as [`bluegreen_http::Client::new`] says.
    pub fn new(url: &str, app: &Name, options: &Options) -> Result<Self, ClientError> {
        let location = Url::parse(url).and_then(|door| door.join(&path(app)));
        // what is no URL here is none for the client either, which says why
        let client = Client::new(location.as_ref().map_or(url, Url::as_str), options)?;
        let origin = location.map(|location| location.origin().ascii_serialization()).unwrap_or_default();
        let host = origin.split("://").last().unwrap_or_default();
        let shown = options.connect.map(|address| format!("{address} (Host: {host})"));
        Ok(Self { client, shown: shown.unwrap_or(origin) })
    }

    /// One GET over a fresh connection; follows no redirect.
    pub(super) async fn ask(&self) -> Result<Answer, Unhealthy> {
        self.client.get().await
    }
}

impl fmt::Display for ProofLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// The path of the proof location of `app`.
pub(super) fn path(app: &Name) -> String {
    format!("/.well-known/bluegreen/{app}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(url: &str, connect: Option<&str>) -> Result<String, ClientError> {
        let connect = connect.map(|address| address.parse().unwrap());
        let options = Options { connect, ..Options::default() };
        ProofLocation::new(url, &"shop".parse().unwrap(), &options).map(|location| location.to_string())
    }

    #[test]
    fn shows_what_is_dialled_and_asked_for() {
        let dialled = location("http://shop.example/health?x=1", Some("127.0.0.1:8080")).unwrap();
        assert_eq!(dialled, "127.0.0.1:8080 (Host: shop.example)");
        assert_eq!(location("http://127.0.0.1:8080/health", None).unwrap(), "http://127.0.0.1:8080");
    }

    #[test]
    fn takes_only_what_the_client_takes() {
        for bad in ["", "shop.example", "mailto:a@b", "http://a:b@127.0.0.1/", "http://10.0.0.5/"] {
            assert!(matches!(location(bad, None), Err(ClientError::Url { .. })), "{bad}");
        }
    }
}
