//! A tiny app.

use std::sync::Arc;

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

use super::client::read_message;

/// An app that answers on keep-alive connections: its name at `/profile`, the same at `/slow` once it is let
/// go, and
/// elsewhere with the `Host` that it was asked for. Dropping it ends it at once.
pub(crate) struct App {
    pub(crate) port: u16,
    task: JoinHandle<()>,
    asked: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

impl App {
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let slow = (asked.clone(), gate.clone());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, name, slow.clone()));
            }
        });
        Self { port, task, asked, gate }
    }

    /// Returns when somebody has asked for `/slow`.
    pub(crate) async fn asked(&self) {
        self.asked.acquire().await.unwrap().forget();
    }

    /// Answers it.
    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, name: &'static str, (asked, gate): (Arc<Semaphore>, Arc<Semaphore>)) {
    let mut stream = BufReader::new(stream);
    while let Some((head, _)) = read_message(&mut stream).await {
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        if path == "/slow" {
            asked.add_permits(1);
            gate.acquire().await.unwrap().forget();
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
