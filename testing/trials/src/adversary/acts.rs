//! Parts that are played on the machine, by whoever is told to.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    net::{self, AddressFamily, SocketType},
};

/// Plays it until it is ended.
pub(super) fn play(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["listen", address, text] => listen(address.parse().expect("an address"), &[("/", "200", text)]),
        // an app that has a page of its own for each path: PATH=STATUS, and 000 answers nothing at all
        ["app", address, text, ref pages @ ..] => {
            let pages: Vec<_> = pages.iter().filter_map(|page| page.split_once('=')).collect();
            let all: Vec<_> = pages.into_iter().map(|(path, status)| (path, status, text)).collect();
            listen(address.parse().expect("an address"), &[&all[..], &[("/", "200", text)]].concat())
        }
        // the port is his, and nobody listens there
        ["bind", address] => {
            let _socket = bound(address.parse().expect("an address"));
            loop {
                thread::park();
            }
        }
        // the same, as the near end of a connection
        ["connect", address, to] => {
            let socket = bound(address.parse().expect("an address"));
            net::connect(&socket, &to.parse::<SocketAddr>().expect("an address")).expect("somebody listens there");
            loop {
                thread::park();
            }
        }
        ["listen6", port, text] => listen6(port.parse().expect("a port"), text),
        ["exchange", a, b] => exchange(a, b),
        _ => panic!("no such part: {words:?}"),
    }
}

fn listen(address: SocketAddr, pages: &[(&str, &str, &str)]) -> ! {
    serve(&TcpListener::bind(address).expect("it is free"), pages)
}

fn bound(address: SocketAddr) -> OwnedFd {
    let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    // also where the connections of who had it before are not forgotten yet
    net::sockopt::set_socket_reuseaddr(&socket, true).expect("an option of it");
    net::bind(&socket, &address).expect("it is free");
    net::sockopt::set_socket_reuseaddr(&socket, false).expect("an option of it");
    socket
}

/// On all addresses of the newer family, and on none of the other.
fn listen6(port: u16, text: &str) -> ! {
    let socket = net::socket(AddressFamily::INET6, SocketType::STREAM, None).expect("a socket");
    net::sockopt::set_ipv6_v6only(&socket, true).expect("an option of it");
    net::bind(&socket, &SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).expect("it is free");
    net::listen(&socket, 9).expect("it is bound");
    serve(&socket.into(), &[("/", "200", text)])
}

fn serve(listener: &TcpListener, pages: &[(&str, &str, &str)]) -> ! {
    loop {
        let Ok((stream, _)) = listener.accept() else { continue };
        let pages: Vec<_> = pages.iter().map(|(p, s, t)| (p.to_string(), s.to_string(), t.to_string())).collect();
        thread::spawn(move || answer(stream, &pages));
    }
}

/// How often its sick page was asked for.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// One request; who comes back connects again.
fn answer(mut stream: TcpStream, pages: &[(String, String, String)]) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&bytes);
    let path = head.split(' ').nth(1).unwrap_or("/");
    let Some((_, status, text)) = pages.iter().find(|(page, ..)| path.starts_with(page.as_str())) else { return };
    // one that falls sick while it runs
    let port = stream.local_addr().map_or(0, |address| address.port());
    let sick = std::fs::read_to_string(format!("/tmp/sick.{port}")).ok().filter(|_| path == "/page");
    let status = match sick.as_deref().map_or(status.as_str(), str::trim) {
        "half" if ASKED.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => "000",
        "half" => "200",
        status => status,
    };
    if status == "000" {
        return;
    }
    let length = text.len() + 1;
    let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}\n");
}

/// Two names that change places as fast as they can.
fn exchange(a: &str, b: &str) -> ! {
    loop {
        let _ = renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE);
        // most of the time the first is what it claims to be
        thread::sleep(Duration::from_micros(u64::from(fastrand::u8(..)) * 4));
    }
}
