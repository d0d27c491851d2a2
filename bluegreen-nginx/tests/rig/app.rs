//! A tiny app.

use std::time::Duration;

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::client::read_message;

/// An app that answers on keep-alive connections: its name at `/profile`, the same after two seconds at `/slow`, and
/// elsewhere with the `Host` that it was asked for. Dropping it ends it at once.
pub(crate) struct App {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl App {
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, name));
            }
        });
        Self { port, task }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, name: &'static str) {
    let mut stream = BufReader::new(stream);
    while let Some((head, _)) = read_message(&mut stream).await {
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        if path == "/slow" {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let host = head.iter().filter(|l| l.to_ascii_lowercase().starts_with("host:")).cloned().collect::<Vec<_>>();
        let body = match path {
            "/profile" | "/slow" => name.to_owned(),
            _ => format!("{name} {}", host.join(",")),
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
