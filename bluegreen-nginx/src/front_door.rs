//! Asking nginx over a fresh connection.

use std::{io, net::SocketAddr, time::Duration};

use bluegreen_core::Unhealthy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Where users reach nginx: the address to dial and the name to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontDoor {
    address: SocketAddr,
    host: String,
}

/// What came back, with the body cut at 4 KiB.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

const WITHIN: Duration = Duration::from_secs(2);
const LIMIT: u64 = 4096;

impl FrontDoor {
    /// The server that answers for `host` at `address`.
    pub fn new(address: SocketAddr, host: impl Into<String>) -> Self {
        Self { address, host: host.into() }
    }

    /// GET `path` over a fresh connection, within 2 s; follows no redirect.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Unhealthy> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bluegreen\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            self.host
        );
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(LIMIT).read_to_end(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let late = |_| Unhealthy::NoAnswer(format!("none within {WITHIN:?}"));
        match tokio::time::timeout(WITHIN, exchange).await.map_err(late)? {
            Ok(answer) => parse(&answer).ok_or_else(|| Unhealthy::NoAnswer("it is not HTTP".to_owned())),
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => Err(Unhealthy::Refused(e.to_string())),
            Err(e) => Err(Unhealthy::NoAnswer(e.to_string())),
        }
    }
}

impl std::fmt::Display for FrontDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (Host: {})", self.address, self.host)
    }
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    };
    Some(Answer { status, location: lines.find_map(header), body: answer[end + 4..].to_owned() })
}
