//! Small servers that answer, or do not, byte by byte.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bluegreen_core::{Profile, Profiles};
use bluegreen_http::Options;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Patient: a busy machine takes its time. Tests of silence have their own.
pub(crate) fn options() -> Options {
    Options { timeout: Duration::from_secs(60), ..Options::default() }
}

/// Answers every connection with what `answer` makes of the request and the number of the connection, then closes.
pub(crate) async fn serve(answer: impl Fn(&str, usize) -> String + Send + Sync + 'static) -> SocketAddr {
    let answer = Arc::new(answer);
    let count = Arc::new(AtomicUsize::new(0));
    serve_raw(move |mut stream| {
        let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
        async move {
            let request = read_request(&mut stream).await;
            let text = answer(&request, count.fetch_add(1, Ordering::SeqCst));
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            // until the client closes, so that no reset eats the answer
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0; 64])).await;
        }
    })
    .await
}

/// Gives every connection to `handle`.
pub(crate) async fn serve_raw<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// The head of a request.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (Vec::new(), [0; 1024]);
    while !text.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => text.extend_from_slice(&buffer[..n]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// An answer of `status`, as `503 Service Unavailable`.
pub(crate) fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    bluegreen_process::free_port().unwrap()
}

/// `real1` and `real2` on these ports.
pub(crate) fn profiles(first: u16, second: u16) -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", first), profile("real2", second)).unwrap()
}
