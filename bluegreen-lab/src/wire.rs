//! The little of HTTP/1.1 that a tiny app and its load client need: messages with a `Content-Length` or no body.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const HEAD_LIMIT: usize = 16 << 10;
const BODY_LIMIT: usize = 1 << 20;

/// A request or a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) start: String,
    /// The sender closes the connection after this message, or wants it closed.
    pub(crate) close: bool,
    pub(crate) body: Vec<u8>,
}

/// Reads the next message; `buffer` carries what was read beyond it, and makes this safe to cancel.
///
/// `None` is an end between two messages; an end inside one is `UnexpectedEof`.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> io::Result<Option<Message>> {
    loop {
        if let Some((message, used)) = parse(buffer)? {
            buffer.drain(..used);
            return Ok(Some(message));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
    }
}

/// The message at the start of `bytes` and its length; `None` while more must come.
fn parse(bytes: &[u8]) -> io::Result<Option<(Message, usize)>> {
    let Some(head_end) = bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4) else {
        return if bytes.len() > HEAD_LIMIT { Err(invalid("the head is too long")) } else { Ok(None) };
    };
    let head = str::from_utf8(&bytes[..head_end]).map_err(|_| invalid("the head is not text"))?;
    let mut lines = head.split_terminator("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    let mut length = 0;
    let mut close = start.contains("HTTP/1.0");
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| invalid("not a length"))?,
            "connection" => close = value.trim().eq_ignore_ascii_case("close"),
            "transfer-encoding" => return Err(invalid("a chunked body")),
            _ => {}
        }
    }
    if length > BODY_LIMIT {
        return Err(invalid("the body is too long"));
    }
    let body = bytes[head_end..].get(..length).map(<[u8]>::to_vec);
    Ok(body.map(|body| (Message { start, close, body }, head_end + length)))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// A message is whole or not yet there, and what comes after it changes nothing.
#[cfg(any(test, fuzzing))]
pub fn message(bytes: &[u8]) {
    let Ok(Some((message, used))) = parse(bytes) else { return };
    assert!(message.body.len() < used && used <= bytes.len());
    assert_eq!(parse(&bytes[..used]).unwrap(), Some((message, used)));
    assert!(matches!(parse(&bytes[..used - 1]), Ok(None)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_one_message_after_the_other_whatever_the_pieces() {
        let text = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /a HTTP/1.1\r\nConnection: close\r\n\r\n";
        for size in 1..text.len() {
            let mut stream = in_pieces(text, size);
            let mut buffer = Vec::new();
            let first = read(&mut stream, &mut buffer).await.unwrap().unwrap();
            assert_eq!((first.body.as_slice(), first.close), (b"abc".as_slice(), false));
            let second = read(&mut stream, &mut buffer).await.unwrap().unwrap();
            assert_eq!((second.start.as_str(), second.close), ("GET /a HTTP/1.1", true));
            assert_eq!(read(&mut stream, &mut buffer).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn tells_a_cut_message_from_an_end() {
        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        let error = read(&mut cut.as_slice(), &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_message_is_whole_or_not_yet_there() {
        bluegreen_seeds::bytes("message", message);
    }

    #[tokio::test]
    async fn refuses_what_it_cannot_frame() {
        let endless = vec![b'a'; HEAD_LIMIT + 1];
        let huge = b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
        let chunked = b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for bad in [endless.as_slice(), huge, chunked] {
            let error = read(&mut &bad[..], &mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    /// A stream that gives `size` bytes at a time.
    fn in_pieces(text: &'static [u8], size: usize) -> impl AsyncRead + Unpin {
        let (mut writer, reader) = tokio::io::duplex(size);
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut writer, text).await });
        reader
    }
}
