//! Those whose answers are wrong.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::exit,
    sync::atomic::{AtomicUsize, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::net::sockopt::set_socket_linger;

use super::{
    Animal, LIFE,
    server::{Request, respond, serve},
};

const KINDS: [&str; 26] = [
    "warms-up",
    "wakes-up",
    "flaps",
    "flaps-later",
    "sick-later",
    "hangs-later",
    "mute",
    "dies-proven",
    "endless",
    "drips",
    "redirects",
    "html",
    "misnamed",
    "down",
    "up",
    "informs",
    "garbage",
    "resets",
    "closes",
    "gzip",
    "bomb",
    "big-head",
    "binary",
    "cut-short",
    "empty",
    "shy",
];

/// Lives as `kind`, if that is one of these.
pub(crate) fn live(me: &Animal, kind: &str) -> bool {
    if !KINDS.contains(&kind) {
        return false;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, me.port)).expect("the port");
    let (me, kind, good, born) = (me.clone(), kind.to_owned(), me.answer(), Instant::now());
    let asked = AtomicUsize::new(0);
    serve(listener, move |request, stream| {
        let checks = if request.path == "/profile" { asked.fetch_add(1, Ordering::SeqCst) } else { 0 };
        let cued = || me.cue().exists();
        match kind.as_str() {
            "warms-up" if born.elapsed() < Duration::from_secs(1) => unavailable(stream),
            "wakes-up" if born.elapsed() < Duration::from_secs(1) => silence(),
            "flaps" if checks % 2 == 1 => unavailable(stream),
            "flaps-later" if cued() && checks % 2 == 1 => unavailable(stream),
            "sick-later" if cued() => unavailable(stream),
            "hangs-later" if cued() => silence(),
            "mute" => silence(),
            // only where it is asked how it is
            "up" if request.path != "/profile" => good(request, stream),
            // proven healthy by two answers, and gone before the proof right before the switch
            "dies-proven" if checks == 2 => exit(4),
            "warms-up" | "wakes-up" | "flaps" | "flaps-later" | "sick-later" | "hangs-later" | "dies-proven" => {
                good(request, stream)
            }
            other => wrong(other, &me, request, stream),
        }
    });
    true
}

fn unavailable(stream: &mut TcpStream) -> io::Result<()> {
    respond(stream, "503 Service Unavailable", "", b"not now")
}

fn silence() -> io::Result<()> {
    sleep(LIFE);
    Err(io::ErrorKind::TimedOut.into())
}

/// Never a good answer.
fn wrong(kind: &str, me: &Animal, request: &Request, stream: &mut TcpStream) -> io::Result<()> {
    let ended = || Err(io::ErrorKind::ConnectionAborted.into());
    match kind {
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        // a byte at a time
        "drips" => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreal2".iter().try_for_each(|byte| {
            sleep(Duration::from_secs(1));
            stream.write_all(&[*byte])
        }),
        "redirects" => respond(stream, "302 Found", "Location: /login?state=s3cret\r\n", b"real2"),
        "html" => respond(stream, "200 OK", "Content-Type: text/html\r\n", b"<!doctype html><title>real1</title>"),
        "misnamed" => respond(stream, "200 OK", "", if me.profile == "real1" { b"real2" } else { b"real1" }),
        "down" => respond(stream, "200 OK", "", br#"{"status":"DOWN","db":"refused"}"#),
        "up" => respond(stream, "200 OK", "", br#"{"status":"UP","groups":["liveness"]}"#),
        "informs" => loop {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")?;
            sleep(Duration::from_millis(5));
        },
        "garbage" => {
            stream.write_all(b"\x16\x03\x01\x00 SSH-2.0-\x1b[31mred\x1b[0m\r\n\r\n")?;
            ended()
        }
        "resets" => {
            set_socket_linger(&*stream, Some(Duration::ZERO))?;
            ended()
        }
        "closes" => ended(),
        "gzip" => {
            respond(stream, "200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\x03+JM\xcc1\x02\0")
        }
        // says gzip, and would be 10 GB if anybody believed it
        "bomb" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10000000000\r\n\r\n")?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
        "big-head" => respond(stream, "200 OK", &format!("X-Big: {}\r\n", "x".repeat(2 << 20)), b"real2"),
        "binary" => respond(stream, "200 OK", "", &(0..=255).collect::<Vec<u8>>()),
        "cut-short" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nreal2")?;
            ended()
        }
        "empty" => respond(stream, "204 No Content", "", b""),
        "shy" => respond(stream, "401 Unauthorized", "WWW-Authenticate: Basic\r\n", b"who are you?"),
        other => unreachable!("{other} at {}", request.path),
    }
}
