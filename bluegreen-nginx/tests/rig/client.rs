//! Clients that count what they lose.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinHandle,
};

use super::App;

/// The lines of the head, and the body.
pub(super) async fn read_message(stream: &mut BufReader<TcpStream>) -> Option<(Vec<String>, String)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

/// One request over a fresh connection: status and body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    Client { address, stream: None }.ask("GET", path).await
}

/// A request that `app` has and does not answer, until what is returned is dropped.
pub(crate) async fn open_request(address: SocketAddr, app: &App) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: shop.example\r\n\r\n").await.unwrap();
    app.asked().await;
    stream
}

struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    async fn ask(&mut self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.address).await.ok()?),
        };
        let body = if method == "POST" { "x=1" } else { "" };
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.ok()?;
        let (head, body) = read_message(&mut stream).await?;
        let status = head.first()?.split(' ').nth(1)?.parse().ok()?;
        // as nginx says after keepalive_requests
        if !head.iter().any(|l| l.eq_ignore_ascii_case("connection: close")) {
            self.stream = Some(stream);
        }
        Some((status, body))
    }
}

/// Keep-alive clients, every third request a POST, until told to stop.
pub(crate) struct Load(Vec<JoinHandle<(usize, usize)>>, tokio::sync::watch::Sender<bool>);

impl Load {
    pub(crate) fn start(address: SocketAddr, clients: usize) -> Self {
        let stop = tokio::sync::watch::Sender::new(false);
        let client = |stop: tokio::sync::watch::Receiver<bool>| async move {
            let (mut sent, mut lost) = (0, 0);
            let mut client = Client { address, stream: None };
            while !*stop.borrow() && sent < 100_000 {
                sent += 1;
                let method = if sent % 3 == 0 { "POST" } else { "GET" };
                let good = matches!(client.ask(method, "/").await, Some((200, body)) if body.starts_with("real"));
                lost += usize::from(!good);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            (sent, lost)
        };
        let tasks = (0..clients).map(|_| tokio::spawn(client(stop.subscribe()))).collect();
        Self(tasks, stop)
    }

    /// How many were sent, and how many got no good answer.
    pub(crate) async fn stop(self) -> (usize, usize) {
        self.1.send_replace(true);
        let mut all = (0, 0);
        for task in self.0 {
            let (sent, lost) = task.await.unwrap();
            all = (all.0 + sent, all.1 + lost);
        }
        all
    }
}
