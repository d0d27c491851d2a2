//! A load that counts what is lost: keep-alive connections, GET and POST in turn, and never a retry.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::net::{RecvFlags, recv};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    tally::{Loss, Sample, Tally},
    wire::{self, Message},
};

/// The longest pause of a client between two requests; the shortest is none.
const THINK: Duration = Duration::from_millis(20);

/// A load to put on a front door.
///
/// Each client sends one request at a time. A request is *lost* when it was sent and no whole, proper answer came; a
/// status below 500 is proper when a POST's body comes back on the lines after the first.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where the front door listens.
    pub address: SocketAddr,
    /// How many clients, each with one connection.
    pub clients: usize,
    /// Look whether the server has closed the connection just before each request. What is seen in time is a new
    /// connection and no loss; a client that does not look loses one request for each such end.
    pub polite: bool,
    /// How long a request is under way to the server after that look: half the round trip of a client that is not on
    /// the same machine. It counts neither as latency nor as waiting.
    pub air: Duration,
    /// A request that takes longer is lost.
    pub patience: Duration,
    /// Ends by itself after this many requests.
    pub limit: u64,
}

impl Load {
    /// 50 polite clients on the same machine with 10 s of patience, at most a million requests.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            clients: 50,
            polite: true,
            air: Duration::ZERO,
            patience: Duration::from_secs(10),
            limit: 1_000_000,
        }
    }

    /// Starts the clients on the current tokio runtime.
    pub fn start(self) -> Running {
        let shared = Arc::new(Shared { load: self, sent: 0.into(), stop: false.into(), seen: Mutex::default() });
        let clients = (0..shared.load.clients).map(|number| Client::new(number, shared.clone()).run()).collect();
        Running { shared, clients }
    }
}

/// A load under way. Dropping it ends it at once.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

impl Running {
    /// What was seen so far.
    pub fn tally(&self) -> Tally {
        self.shared.seen().clone()
    }

    /// Lets each client finish its request, then tells what was seen.
    pub async fn stop(mut self) -> Tally {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.end().await
    }

    /// Waits until the limit is reached, then tells what was seen.
    pub async fn finish(mut self) -> Tally {
        self.end().await
    }

    async fn end(&mut self) -> Tally {
        while self.clients.join_next().await.is_some() {}
        std::mem::take(&mut *self.shared.seen())
    }
}

#[derive(Debug)]
struct Shared {
    load: Load,
    sent: AtomicU64,
    stop: AtomicBool,
    seen: Mutex<Tally>,
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.sent.fetch_add(1, Ordering::Relaxed) < self.load.limit
    }
}

struct Client {
    shared: Arc<Shared>,
    connection: Option<TcpStream>,
    /// The last answer's first line, kept because the next one is almost always the same.
    label: Arc<str>,
    random: u64,
}

impl Client {
    fn new(number: usize, shared: Arc<Shared>) -> Self {
        let random = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { shared, connection: None, label: "".into(), random }
    }

    async fn run(mut self) {
        let mut post = self.random.is_multiple_of(2);
        loop {
            sleep(self.think()).await;
            if !self.shared.go_on() {
                return;
            }
            self.forget_what_has_ended();
            sleep(self.shared.load.air).await;
            let sent = Instant::now();
            let outcome = timeout(self.shared.load.patience, self.ask(post)).await.unwrap_or(Err(Loss::TimedOut));
            if outcome.is_err() {
                self.connection = None;
            }
            self.shared.seen().0.push(Sample { sent, done: Instant::now(), outcome });
            post = !post;
        }
    }

    /// A pause between none and [`THINK`]; xorshift, so that a run can be repeated.
    fn think(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        THINK * u32::try_from(self.random % 1001).unwrap_or_default() / 1000
    }

    /// Asks the kernel, not tokio, whose knowledge is that of its last turn of the event loop.
    fn forget_what_has_ended(&mut self) {
        let Some(stream) = self.connection.as_ref().filter(|_| self.shared.load.polite) else { return };
        let alive = matches!(
            recv(stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT),
            Err(rustix::io::Errno::AGAIN)
        );
        if !alive {
            self.connection = None;
        }
    }

    async fn ask(&mut self, post: bool) -> Result<Arc<str>, Loss> {
        let address = self.shared.load.address;
        let mut stream = match self.connection.take() {
            Some(stream) => stream,
            None => TcpStream::connect(address).await.map_err(|_| Loss::NotConnected)?,
        };
        let body = if post { format!("order {}", self.random) } else { String::new() };
        let method = if post { "POST" } else { "GET" };
        let request = format!("{method} / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.map_err(|_| Loss::Reset)?;
        let answer = wire::read(&mut stream, &mut Vec::new()).await.map_err(|e| why(&e))?.ok_or(Loss::Closed)?;
        let label = first_line(&answer, &body)?;
        if *self.label != *label {
            self.label = label.into();
        }
        if !answer.close {
            self.connection = Some(stream);
        }
        Ok(self.label.clone())
    }
}

/// Who answered, when the answer is proper and brings `body` back.
fn first_line<'a>(answer: &'a Message, body: &str) -> Result<&'a str, Loss> {
    let status: u16 = answer.start.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or(Loss::Garbled)?;
    if status >= 500 {
        return Err(Loss::Status(status));
    }
    let text = str::from_utf8(&answer.body).map_err(|_| Loss::Garbled)?;
    let (label, rest) = text.split_once('\n').unwrap_or((text, ""));
    if rest == body { Ok(label) } else { Err(Loss::Garbled) }
}

fn why(error: &io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Loss::Closed,
        io::ErrorKind::InvalidData => Loss::Garbled,
        _ => Loss::Reset,
    }
}

#[cfg(test)]
mod tests;
