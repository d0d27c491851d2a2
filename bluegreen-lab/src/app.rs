//! A tiny HTTP/1.1 app that stops the way an app should: what is in flight is answered, then it is gone.
//!
//! | request | answer |
//! |---|---|
//! | `GET /profile` | the profile's name, as the seed article's controller does |
//! | `GET /health` | `{"status":"UP"}` |
//! | `GET /process` | `PID BEGAN LISTENS`: when it began, and since when it listens, in Unix microseconds |
//! | `GET /slow/MS` | as `/`, after MS milliseconds (at most 60 000) |
//! | anything else | `v1 real1`, and on the lines after it the body of the request |

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::wire::{self, Message};

/// How long requests in flight may take after the order to stop.
const GRACE: Duration = Duration::from_secs(60);

/// What to be.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// TCP port on 127.0.0.1
    #[arg(long, env = "PORT")]
    pub port: u16,
    /// Name of the profile
    #[arg(long, env = "PROFILE", default_value = "default")]
    pub profile: String,
    /// Version to answer with
    #[arg(long = "release", env = "RELEASE", default_value = "v1")]
    pub version: String,
    /// File whose first line is the version and, after a blank, an optional fault
    #[arg(long)]
    pub artifact: Option<PathBuf>,
    /// Milliseconds from the start until it listens
    #[arg(long, env = "BOOT_MS", default_value_t = 0)]
    pub boot_ms: u64,
    /// What is wrong with it
    #[arg(long, value_enum)]
    pub fault: Option<Fault>,
}

/// Ways for a release to be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// Prints why and exits with 1 instead of listening.
    Exits,
    /// Answers everything with status 500.
    Errors,
    /// Runs, and never listens.
    Deaf,
}

/// Runs the app until SIGTERM or SIGINT, then answers what is in flight and returns.
///
/// # Errors
/// The port is taken, the artifact is unreadable or names an unknown fault, or the fault is [`Fault::Exits`].
pub async fn serve(options: Options) -> io::Result<()> {
    let born = SystemTime::now();
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    };
    tokio::pin!(stop);
    let app = App::new(options, born)?;
    println!("{} on port {} is starting", app.label(), app.options.port);
    if app.options.fault == Some(Fault::Exits) {
        return Err(io::Error::other("cannot reach the database \"orders\": connection refused"));
    }
    let deaf = app.options.fault == Some(Fault::Deaf);
    let boot = if deaf { Duration::MAX } else { Duration::from_millis(app.options.boot_ms) };
    tokio::select! {
        () = &mut stop => return Ok(()),
        () = sleep(boot) => {}
    }
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, app.options.port))).await?;
    app.run(listener, stop).await
}

#[derive(Debug)]
struct App {
    options: Options,
    born: SystemTime,
    /// The answer of `/process`; empty until it listens.
    process: String,
}

impl App {
    fn new(mut options: Options, born: SystemTime) -> io::Result<Self> {
        if let Some(path) = &options.artifact {
            let bytes = fs::read(path)?;
            let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            let mut words = line.split_whitespace();
            words.next().unwrap_or("unnamed").clone_into(&mut options.version);
            if let Some(fault) = words.next() {
                let fault = clap::ValueEnum::from_str(fault, true);
                options.fault = Some(fault.map_err(|why: String| io::Error::new(io::ErrorKind::InvalidData, why))?);
            }
        }
        Ok(Self { options, born, process: String::new() })
    }

    fn label(&self) -> String {
        format!("{} {}", self.options.version, self.options.profile)
    }

    async fn run(mut self, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
        self.process = format!("{} {} {}", std::process::id(), micros(self.born), micros(SystemTime::now()));
        println!("{} listens on {}", self.label(), listener.local_addr()?);
        let app = Arc::new(self);
        let (stopping, watched) = watch::channel(false);
        let mut connections = JoinSet::new();
        let serve = |stream| {
            let (app, stopping) = (app.clone(), watched.clone());
            async move { app.talk(stream, stopping).await }
        };
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                    // The client is gone again, or we are out of descriptors: neither is a reason to end.
                    Err(_) => sleep(Duration::from_millis(5)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        // Who is connected already must not be reset: what waits in the kernel's queue is answered as well.
        while let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
            connections.spawn(serve(stream));
        }
        drop(listener);
        stopping.send_replace(true);
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, all).await.is_err() {
            eprintln!("requests in flight cut off after {} s", GRACE.as_secs());
        }
        Ok(())
    }

    /// One connection. An error means that the client went away: nobody is left to tell.
    async fn talk(&self, mut stream: TcpStream, stopping: watch::Receiver<bool>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::new();
        // A connection that came just before the order to stop may have its first request still on the way.
        let mut patience = Duration::from_millis(200);
        loop {
            let request = tokio::select! {
                biased;
                request = wire::read(&mut stream, &mut buffer) => request?,
                () = stopped_for(stopping.clone(), patience) => return Ok(()),
            };
            let Some(request) = request else { return Ok(()) };
            patience = Duration::ZERO;
            let (status, body) = self.answer(&request).await;
            let close = request.close || *stopping.borrow();
            let connection = if close { "close" } else { "keep-alive" };
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: {connection}\r\n");
            let length = format!("Content-Length: {}\r\n\r\n", body.len());
            let answer = [head.as_bytes(), length.as_bytes(), &body].concat();
            stream.write_all(&answer).await?;
            if close {
                return stream.shutdown().await;
            }
        }
    }

    async fn answer(&self, request: &Message) -> (&'static str, Vec<u8>) {
        if self.options.fault == Some(Fault::Errors) {
            return ("500 Internal Server Error", b"broken\n".to_vec());
        }
        let path = request.start.split(' ').nth(1).unwrap_or("/");
        let body = match path {
            "/profile" => self.options.profile.clone().into_bytes(),
            "/health" => br#"{"status":"UP"}"#.to_vec(),
            "/process" => self.process.clone().into_bytes(),
            _ => {
                if let Some(ms) = path.strip_prefix("/slow/").and_then(|ms| ms.parse().ok()) {
                    sleep(Duration::from_millis(u64::min(ms, 60_000))).await;
                }
                [self.label().as_bytes(), b"\n", &request.body].concat()
            }
        };
        ("200 OK", body)
    }
}

/// Ends this long after the order to stop.
async fn stopped_for(mut stopping: watch::Receiver<bool>, time: Duration) {
    let _ = stopping.wait_for(|stop| *stop).await;
    sleep(time).await;
}

fn micros(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}

#[cfg(test)]
mod tests;
