//! Sockets from the kernel by netlink (`sock_diag(7)`): a tenth of a millisecond, where `/proc/net/tcp` takes ten because
//! it walks the table of all connections.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with, sockopt,
};

use super::{Listener, state::LISTEN};

/// The two families, both with IPPROTO_TCP.
const FAMILIES: [AddressFamily; 2] = [AddressFamily::INET, AddressFamily::INET6];
const TCP: u8 = 6;

/// From `linux/netlink.h` and `linux/sock_diag.h`.
const HEADER: usize = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301;

/// From `linux/inet_diag.h`: where things are in an answer, after the header; attributes follow.
const STATE: usize = 1;
const SOURCE_PORT: usize = 4;
const SOURCE: usize = 8;
const UID: usize = 64;
const INODE: usize = 68;
const LENGTH: usize = 72;
const V6_ONLY: u16 = 11;
const CGROUP: u16 = 21;

/// All sockets in one of `states`, with theirs.
pub(super) fn sockets(states: u32) -> io::Result<Vec<(u8, Listener)>> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(Duration::from_secs(1)))?;
    let (mut sockets, mut buffer) = (Vec::new(), vec![0; 32 << 10]);
    for family in FAMILIES {
        send(&socket, &request(family, states), SendFlags::empty())?;
        loop {
            let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            if read(&buffer[..length], &mut sockets)? {
                break;
            }
        }
    }
    Ok(sockets)
}

/// Asks for all sockets of a family in one of `states`. (No port is given: kernels differ in what a dump does with it.)
fn request(family: AddressFamily, states: u32) -> Vec<u8> {
    let family = u8::try_from(family.as_raw()).unwrap_or_default();
    let mut body = vec![family, TCP, 0, 0];
    body.extend(states.to_ne_bytes());
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
///
/// # Errors
/// It has another form, or says that the kernel does not answer.
pub(crate) fn read(mut datagram: &[u8], sockets: &mut Vec<(u8, Listener)>) -> io::Result<bool> {
    while !datagram.is_empty() {
        let length = usize::try_from(u32_at(datagram, 0)?).map_err(|_| broken())?;
        let message = datagram.get(..length).filter(|m| m.len() >= HEADER).ok_or_else(broken)?;
        let body = &message[HEADER..];
        match u16_at(message, 4)? {
            // both carry 0 or a negated errno
            DONE | ERROR => {
                let errno = u32_at(body, 0)?.cast_signed();
                return if errno < 0 { Err(io::Error::from_raw_os_error(errno.saturating_neg())) } else { Ok(true) };
            }
            BY_FAMILY => sockets.push(socket(body)?),
            _ => return Err(broken()),
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// One socket.
fn socket(body: &[u8]) -> io::Result<(u8, Listener)> {
    let v6 = match body.first() {
        Some(&family) if u16::from(family) == AddressFamily::INET.as_raw() => false,
        Some(&family) if u16::from(family) == AddressFamily::INET6.as_raw() => true,
        _ => return Err(broken()),
    };
    let [state] = bytes_at(body, STATE)?;
    let port = u16::from_be_bytes(bytes_at(body, SOURCE_PORT)?);
    let ip = if v6 {
        IpAddr::V6(Ipv6Addr::from(bytes_at::<16>(body, SOURCE)?))
    } else {
        IpAddr::V4(Ipv4Addr::from(bytes_at::<4>(body, SOURCE)?))
    };
    let (uid, inode) = (u32_at(body, UID)?, u32_at(body, INODE)?);
    let address = SocketAddr::new(ip.to_canonical(), port);
    let attributes = body.get(LENGTH..).ok_or_else(broken)?;
    // an old kernel does not say it: then the files must do, and a question. Of others than listeners it is not asked.
    let is_any = v6 && ip.is_unspecified();
    let dual = is_any && attribute(attributes, V6_ONLY)?.map_or_else(|| unsaid(state), |only| Ok(only == [0]))?;
    let cgroup = attribute(attributes, CGROUP)?.map(|value| bytes_at(value, 0).map(u64::from_ne_bytes)).transpose()?;
    Ok((state, Listener { address, dual, uid: Some(uid), inode: Some(inode.into()), cgroup, pids: Vec::new() }))
}

/// What is taken of a socket that does not say whether it is of IPv6 alone: who only has the port is as much in the way as he can be.
fn unsaid(state: u8) -> io::Result<bool> {
    if state == LISTEN { Err(broken()) } else { Ok(true) }
}

/// The value of the attribute `wanted`, when it is there.
fn attribute(mut attributes: &[u8], wanted: u16) -> io::Result<Option<&[u8]>> {
    while !attributes.is_empty() {
        let length = usize::from(u16_at(attributes, 0)?);
        let kind = u16_at(attributes, 2)?;
        let value = attributes.get(4..length).ok_or_else(broken)?;
        if kind == wanted {
            return Ok(Some(value));
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(None)
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "unknown form of sock_diag")
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> io::Result<[u8; N]> {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).ok_or_else(broken)
}

fn u32_at(bytes: &[u8], at: usize) -> io::Result<u32> {
    bytes_at(bytes, at).map(u32::from_ne_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> io::Result<u16> {
    bytes_at(bytes, at).map(u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEADER + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes
    }

    fn socket(family: AddressFamily, ip: &[u8]) -> Vec<u8> {
        let mut socket = vec![0; LENGTH];
        socket[0] = u8::try_from(family.as_raw()).unwrap();
        socket[STATE] = LISTEN;
        socket[SOURCE_PORT..][..2].copy_from_slice(&[0x1f, 0x91]);
        socket[SOURCE..][..ip.len()].copy_from_slice(ip);
        socket[UID..][..4].copy_from_slice(&1000u32.to_ne_bytes());
        socket[INODE..][..4].copy_from_slice(&77u32.to_ne_bytes());
        socket
    }

    fn with(mut socket: Vec<u8>, kind: u16, value: u8) -> Vec<u8> {
        for part in [5, kind] {
            socket.extend(part.to_ne_bytes());
        }
        socket.extend([value, 0, 0, 0]);
        socket
    }

    fn seen(bytes: &[u8]) -> io::Result<(bool, Vec<Listener>)> {
        let mut sockets = Vec::new();
        read(bytes, &mut sockets).map(|last| (last, sockets.into_iter().map(|(_, socket)| socket).collect()))
    }

    #[test]
    fn a_socket_has_an_address_an_owner_and_a_family_or_both() {
        let listener = |address: &str, dual| Listener {
            dual,
            uid: Some(1000),
            inode: Some(77),
            ..Listener::unseen(address.parse().unwrap())
        };
        let v4 = socket(AddressFamily::INET, &[127, 0, 0, 2]);
        let any = socket(AddressFamily::INET6, &[]);
        let mapped = socket(AddressFamily::INET6, &Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets());
        let all = [
            message(BY_FAMILY, &with(v4, 9, 1)),
            message(BY_FAMILY, &with(any.clone(), V6_ONLY, 1)),
            message(BY_FAMILY, &with(with(any, 9, 1), V6_ONLY, 0)),
            message(BY_FAMILY, &with(mapped, V6_ONLY, 0)),
            message(DONE, &[0; 4]),
        ];
        let wanted = vec![
            listener("127.0.0.2:8081", false),
            listener("[::]:8081", false),
            listener("[::]:8081", true),
            listener("127.0.0.1:8081", false),
        ];
        assert_eq!(seen(&all.concat()).unwrap(), (true, wanted));
    }

    #[test]
    fn a_socket_has_the_group_that_it_was_opened_in() {
        let mut socket = socket(AddressFamily::INET, &[127, 0, 0, 1]);
        for part in [12, CGROUP] {
            socket.extend(part.to_ne_bytes());
        }
        socket.extend(4711u64.to_ne_bytes());
        let (_, found) = seen(&message(BY_FAMILY, &socket)).unwrap();
        assert_eq!(found[0].cgroup, Some(4711));
        socket.truncate(socket.len() - 4);
        socket[LENGTH] = 8;
        assert!(seen(&message(BY_FAMILY, &socket)).is_err(), "half a number");
    }

    #[test]
    fn an_answer_that_is_not_one_is_an_error() {
        let (any, socket) = (socket(AddressFamily::INET6, &[]), socket(AddressFamily::INET, &[127, 0, 0, 1]));
        assert!(!seen(&message(BY_FAMILY, &socket)).unwrap().0);
        assert_eq!(seen(&message(ERROR, &(-2i32).to_ne_bytes())).unwrap_err().raw_os_error(), Some(2));
        let mut of_no_family = socket.clone();
        of_no_family[0] = 77;
        for broken in [
            &[1, 0, 0][..],
            &[0; 16],
            &message(BY_FAMILY, &socket[..60]),
            &message(BY_FAMILY, &of_no_family),
            &message(BY_FAMILY, &any),
            &message(BY_FAMILY, &[&any[..], &[9, 0, 11]].concat()),
            &message(BY_FAMILY, &[&any[..], &[0, 0, 0, 0]].concat()),
            &message(DONE, &[]),
            &message(99, &[]),
        ] {
            assert!(seen(broken).is_err(), "{broken:?}");
        }
    }
}
