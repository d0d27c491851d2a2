//! Sockets from `/proc/net/tcp` and `tcp6`, where netlink is closed to us.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{Listener, state::LISTENING};

/// All sockets in one of `states`, with theirs. Of `[::]` they do not say whether it takes IPv4 too.
pub(super) fn sockets(states: u32) -> io::Result<Vec<(u8, Listener)>> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match File::open(table) {
            Ok(file) => read(BufReader::new(file), states, &mut sockets)?,
            // a kernel without this family has no sockets of it
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(sockets)
}

/// The two ends of each connection, the near one first.
pub(super) fn connections() -> io::Result<Vec<(SocketAddr, SocketAddr)>> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = match std::fs::read_to_string(table) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        let ends = text.lines().skip(1).map(|line| line.split_ascii_whitespace().skip(1));
        found.extend(ends.filter_map(|mut ends| Some((address(ends.next()?)?, address(ends.next()?)?))));
    }
    Ok(found)
}

/// Adds those of one table that are in one of `states`.
///
/// # Errors
/// It cannot be read, or has another form.
pub(crate) fn read(table: impl BufRead, states: u32, sockets: &mut Vec<(u8, Listener)>) -> io::Result<()> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "unknown format of /proc/net/tcp");
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, local, _, state, _, _, _, uid, _, inode] = fields[..] else {
            return Err(broken());
        };
        // the kernel lists all listeners (state 0A) before any connection, of which there may be thousands
        let state = u8::from_str_radix(state, 16).ok().filter(|state| *state < 32).ok_or_else(broken)?;
        if states & 1 << state == 0 {
            if states == LISTENING {
                break;
            }
            continue;
        }
        let (uid, inode) = uid.parse().ok().zip(inode.parse().ok()).ok_or_else(broken)?;
        let (address, dual) = (address(local).ok_or_else(broken)?, false);
        sockets.push((state, Listener { dual, uid: Some(uid), inode: Some(inode), ..Listener::unseen(address) }));
    }
    Ok(())
}

/// Reads `0100007F:1F91`.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    Some(SocketAddr::new(ip(host)?.to_canonical(), u16::from_str_radix(port, 16).ok()?))
}

/// Words of four bytes, each in the order of this machine.
fn ip(hex: &str) -> Option<IpAddr> {
    let words = (0..hex.len()).step_by(8).map(|at| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let v4 = || <[u8; 4]>::try_from(&bytes[..]).map(|four| Ipv4Addr::from(four).into());
    let v6 = || <[u8; 16]>::try_from(&bytes[..]).map(|six| Ipv6Addr::from(six).into());
    v4().or_else(|_| v6()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_the_kernel_writes_them() {
        for (text, wanted) in [
            ("0100007F:1F91", Some("127.0.0.1:8081")),
            ("00000000:0050", Some("0.0.0.0:80")),
            ("00000000000000000000000001000000:1F91", Some("[::1]:8081")),
            ("0000000000000000FFFF00000100007F:1F91", Some("127.0.0.1:8081")),
            ("zz:1F91", None),
            ("0100007F", None),
            ("0100007F0100007F:1F91", None),
            (":", None),
        ] {
            // the kernel's words are in the order of the machine; these are of a little one
            if cfg!(target_endian = "little") {
                assert_eq!(address(text), wanted.map(|it| it.parse().unwrap()), "{text}");
            }
        }
    }
}
