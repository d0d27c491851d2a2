//! Listeners from the kernel by netlink (`sock_diag(7)`): a tenth of a millisecond, where `/proc/net/tcp` takes ten because
//! it walks the table of all connections.

use std::{io, time::Duration};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with, sockopt,
};

/// The two families, both with IPPROTO_TCP.
const FAMILIES: [AddressFamily; 2] = [AddressFamily::INET, AddressFamily::INET6];
const TCP: u8 = 6;
const LISTEN: u32 = 10;

/// From `linux/netlink.h` and `linux/sock_diag.h`.
const HEADER: usize = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301;

/// From `linux/inet_diag.h`: where things are in an answer, after the header.
const SOURCE_PORT: usize = 4;
const UID: usize = 64;
const INODE: usize = 68;

/// A listening socket: inode and user.
pub(crate) type Socket = (u64, u32);

/// The listeners on `port`.
pub(super) fn listening(port: u16) -> io::Result<Vec<Socket>> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(1)))?;
    let (mut sockets, mut buffer) = (Vec::new(), vec![0; 32 << 10]);
    for family in FAMILIES {
        send(&socket, &request(family), SendFlags::empty())?;
        loop {
            let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            if read(&buffer[..length], port, &mut sockets)? {
                break;
            }
        }
    }
    Ok(sockets)
}

/// Asks for all listeners of a family. (The port is not given: kernels differ in what a dump does with it.)
fn request(family: AddressFamily) -> Vec<u8> {
    let family = u8::try_from(family.as_raw()).unwrap_or_default();
    let mut body = vec![family, TCP, 0, 0];
    body.extend((1u32 << LISTEN).to_ne_bytes());
    // a socket id that matches any
    body.extend([0; 48]);
    let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST_DUMP.to_ne_bytes());
    // sequence number and our address: one question at a time needs neither
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Reads one datagram of an answer; `true` when it was the last.
pub(crate) fn read(mut datagram: &[u8], port: u16, sockets: &mut Vec<Socket>) -> io::Result<bool> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "unknown form of sock_diag");
    while !datagram.is_empty() {
        let length = usize::try_from(u32_at(datagram, 0).ok_or_else(broken)?).map_err(|_| broken())?;
        let message = datagram.get(..length).filter(|m| m.len() >= HEADER).ok_or_else(broken)?;
        let body = &message[HEADER..];
        match u16::from_ne_bytes([message[4], message[5]]) {
            // both carry 0 or a negated errno
            DONE | ERROR => {
                let errno = u32_at(body, 0).ok_or_else(broken)?.cast_signed();
                return if errno < 0 { Err(io::Error::from_raw_os_error(errno.saturating_neg())) } else { Ok(true) };
            }
            BY_FAMILY => {
                let source = body.get(SOURCE_PORT..SOURCE_PORT + 2).ok_or_else(broken)?;
                let (uid, inode) = u32_at(body, UID).zip(u32_at(body, INODE)).ok_or_else(broken)?;
                if source == port.to_be_bytes() {
                    sockets.push((inode.into(), uid));
                }
            }
            _ => return Err(broken()),
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_one_is_an_error() {
        let message = |kind: u16, body: &[u8]| {
            let mut bytes = u32::try_from(HEADER + body.len()).unwrap().to_ne_bytes().to_vec();
            bytes.extend(kind.to_ne_bytes());
            bytes.extend([0; 10]);
            bytes.extend(body);
            bytes
        };
        let read = |bytes: &[u8]| {
            let mut sockets = Vec::new();
            read(bytes, 0x1f91, &mut sockets).map(|last| (last, sockets))
        };
        let mut socket = [0; 72];
        socket[4..6].copy_from_slice(&[0x1f, 0x91]);
        socket[64..68].copy_from_slice(&1000u32.to_ne_bytes());
        socket[68..].copy_from_slice(&77u32.to_ne_bytes());
        assert_eq!(read(&message(BY_FAMILY, &socket)).unwrap(), (false, vec![(77, 1000)]));
        socket[5] = 0x92;
        let two = [message(BY_FAMILY, &socket), message(DONE, &[0; 4])].concat();
        assert_eq!(read(&two).unwrap(), (true, vec![]));
        assert_eq!(read(&message(ERROR, &(-2i32).to_ne_bytes())).unwrap_err().raw_os_error(), Some(2));
        for broken in
            [&[1, 0, 0][..], &[0; 16], &message(BY_FAMILY, &socket[..60]), &message(DONE, &[]), &message(99, &[])]
        {
            assert!(read(broken).is_err(), "{broken:?}");
        }
    }
}
