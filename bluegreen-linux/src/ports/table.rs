//! Listeners from `/proc/net/tcp` and `tcp6`, where netlink is closed to us.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::Listener;

/// All listeners. Of `[::]` they do not say whether it takes IPv4 too.
pub(super) fn all() -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        match File::open(table) {
            Ok(file) => read(BufReader::new(file), &mut listeners)?,
            // a kernel without this family has no listeners of it
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(listeners)
}

/// Adds the listeners of one table.
///
/// # Errors
/// It cannot be read, or has another form.
pub(crate) fn read(table: impl BufRead, listeners: &mut Vec<Listener>) -> io::Result<()> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "unknown format of /proc/net/tcp");
    for line in table.lines().skip(1) {
        let line = line?;
        let fields: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [_, local, _, state, _, _, _, uid, _, inode] = fields[..] else {
            return Err(broken());
        };
        // the kernel lists all listeners (state 0A) before any connection, of which there may be thousands
        if state != "0A" {
            break;
        }
        let (uid, inode) = uid.parse().ok().zip(inode.parse().ok()).ok_or_else(broken)?;
        let (address, dual) = (address(local).ok_or_else(broken)?, false);
        listeners.push(Listener { address, dual, uid: Some(uid), inode: Some(inode), cgroup: None, pids: Vec::new() });
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
