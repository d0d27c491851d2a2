//! The HTTP client: one URL, one attempt at a time.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use bluegreen_core::{Unhealthy, took};
use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION},
};

use tokio::time::Instant;

use crate::{
    Answer, InvalidUrl, fault,
    url::{Target, is_forbidden},
};

/// The most that is read of a body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A timer that rings so much too late says that this process was absent, by SIGSTOP, a suspended machine or a busy one.
const ABSENT: Duration = Duration::from_millis(100);

/// How a [`Client`] asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Options {
    /// For one attempt: connection, TLS, headers and body together.
    pub timeout: Duration,
    /// Dialled instead of the URL's host and port; `Host`, SNI and certificate name still come from the URL.
    pub connect: Option<SocketAddr>,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether anything but loopback may be asked.
    pub allow_remote: bool,
}

impl Default for Options {
    /// 2 seconds, loopback only.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(2), connect: None, ca_file: None, allow_remote: false }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL may not be asked.
    #[error("the URL {url:?} cannot be used")]
    Url {
        /// As it was given.
        url: String,
        /// Why not.
        source: InvalidUrl,
    },
    /// The certificates could not be read, or the library refused to start.
    #[error("no HTTP client: {0}")]
    Build(String),
}

/// Asks one URL, over a new connection each time.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    target: Target,
    headers: HeaderMap,
    timeout: Duration,
}

impl Client {
    /// A client of `url`, which is checked here once and for all.
    ///
    /// # Errors
    /// The URL may not be asked, as one that is not loopback, or the certificates cannot be read.
    pub fn new(url: &str, options: &Options) -> Result<Self, ClientError> {
        let target = Target::parse(url, options.connect, options.allow_remote)
            .map_err(|source| ClientError::Url { url: url.to_owned(), source })?;
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .http1_only()
            .dns_resolver(Dial(options.connect))
            .user_agent(concat!("bluegreen/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "tls")]
        let builder = builder.tls_backend_preconfigured(
            crate::tls::config(target.url.scheme() == "https", options.ca_file.as_deref())
                .map_err(ClientError::Build)?,
        );
        let http = builder.build().map_err(|error| ClientError::Build(error.to_string()))?;
        let headers = [(HOST, target.host.clone()), (ACCEPT, HeaderValue::from_static("*/*"))].into_iter().collect();
        Ok(Self { http, target, headers, timeout: options.timeout })
    }

    /// The same, saying one thing more.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// One GET. Reads at most [`BODY_LIMIT`] bytes of the body and follows nothing; every answer is `Ok`, also a bad one.
    ///
    /// # Errors
    /// Nobody listens, or no whole answer came in time. What did not come while this process itself was stopped, or without
    /// a CPU, is asked for once more: the answer may have been there all the time.
    pub async fn get(&self) -> Result<Answer, Unhealthy> {
        let began = Instant::now();
        match self.attempt().await {
            Err(Unhealthy::NoAnswer(_)) if began.elapsed() > self.timeout + ABSENT => self.attempt().await,
            said => said,
        }
    }

    async fn attempt(&self) -> Result<Answer, Unhealthy> {
        let late = |_| Unhealthy::NoAnswer(format!("none within {}", took(self.timeout)));
        tokio::time::timeout(self.timeout, self.ask()).await.map_err(late)?.map_err(fault::unhealthy)
    }

    async fn ask(&self) -> Result<Answer, reqwest::Error> {
        let request = self.http.get(self.target.url.clone()).headers(self.headers.clone());
        let mut response = request.send().await?;
        let location = header(&response, &LOCATION);
        let content_type = header(&response, &CONTENT_TYPE).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut body = Vec::new();
        while body.len() <= BODY_LIMIT
            && let Some(chunk) = response.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        let truncated = body.len() > BODY_LIMIT;
        body.truncate(BODY_LIMIT);
        Ok(Answer { status: response.status().as_u16(), content_type, location, body, truncated })
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Names are looked up only when there is no address to dial, and never lead to a forbidden one.
#[derive(Debug)]
struct Dial(Option<SocketAddr>);

impl Resolve for Dial {
    fn resolve(&self, name: Name) -> Resolving {
        let given = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = match given {
                Some(address) => vec![address],
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.filter(|a| !is_forbidden(a.ip())).collect(),
            };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
