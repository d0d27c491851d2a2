//! As much of HTTP/1.1 as a load and a health check need: keep-alive, one thread for each connection.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

use super::Animal;

/// Requests that were read and not answered yet.
pub(crate) static IN_FLIGHT: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    close: bool,
}

/// Answers until the listener is shut down. An error of `answer` ends that connection.
pub(crate) fn serve<A>(listener: TcpListener, answer: A)
where
    A: Fn(&Request, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
{
    let answer = Arc::new(answer);
    while let Ok((stream, _)) = listener.accept() {
        let answer = answer.clone();
        thread::spawn(move || talk(stream, &*answer));
    }
    drop(listener);
    super::wait_for(|| IN_FLIGHT.load(Ordering::SeqCst) == 0);
}

fn talk(mut stream: TcpStream, answer: &dyn Fn(&Request, &mut TcpStream) -> io::Result<()>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader)? {
        IN_FLIGHT.fetch_add(1, Ordering::SeqCst);
        let answered = answer(&request, &mut stream);
        IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
        answered?;
        if request.close {
            break;
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let (mut path, mut length, mut close) = (None, 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        match (&path, line.strip_prefix("content-length:")) {
            (None, _) => path = line.split(' ').nth(1).map(ToOwned::to_owned),
            (_, Some(value)) => length = value.trim().parse().unwrap_or(0),
            _ if line == "connection: close" => close = true,
            (Some(path), _) if line.is_empty() => {
                let mut body = vec![0; length];
                reader.read_exact(&mut body)?;
                return Ok(Some(Request { path: path.clone(), body, close }));
            }
            _ => {}
        }
    }
}

/// A proper answer.
pub(crate) fn respond(stream: &mut TcpStream, status: &str, head: &str, body: &[u8]) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{head}\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat())
}

/// A listener that others may share.
pub(crate) fn shared(port: u16) -> TcpListener {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    sockopt::set_socket_reuseport(&socket, true).expect("to share it");
    // as servers do: what the kernel still has of ended connections is in nobody's way
    sockopt::set_socket_reuseaddr(&socket, true).expect("to follow others");
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("the port");
    listen(&socket, 64).expect("to listen");
    socket.into()
}

impl Animal {
    /// What a good app answers: its name on `/profile`, and elsewhere version, name and what was sent. `/slow/MS` takes
    /// its time.
    pub(crate) fn answer(&self) -> impl Fn(&Request, &mut TcpStream) -> io::Result<()> + Send + Sync + use<> {
        let Self { profile, version, .. } = self.clone();
        move |request, stream| {
            if request.path == "/profile" {
                return respond(stream, "200 OK", "", profile.as_bytes());
            }
            if let Some(ms) = request.path.strip_prefix("/slow/").and_then(|ms| ms.parse().ok()) {
                thread::sleep(Duration::from_millis(ms));
            }
            let label = format!("{version} {profile}\n");
            respond(stream, "200 OK", "", &[label.as_bytes(), &request.body].concat())
        }
    }
}
