//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use procfs::{FromRead as _, process::Stat};

use crate::ports::{diag, table};

/// A table is read to its end or refused; at most one socket in each row, and none in the header.
pub fn tcp_table(text: &str) {
    for states in [u32::MAX, 1 << 10] {
        let mut sockets = Vec::new();
        if table::read(text.as_bytes(), states, &mut sockets).is_ok() {
            assert!(sockets.len() < text.lines().count().max(1));
        }
    }
}

/// A datagram is read, or refused; what is cut off is never taken for whole.
pub fn sock_diag(datagram: &[u8]) {
    let mut sockets = Vec::new();
    let read = diag::read(datagram, &mut sockets);
    assert!(sockets.len() * 88 <= datagram.len(), "{read:?}");
    // one that takes both families is none of IPv4
    assert!(sockets.iter().all(|(_, socket)| !socket.dual || socket.address.is_ipv6()));
}

/// A program chooses its own name (up to 15 bytes), and cannot lie about anything else with it: not about its pid, its
/// parent, its group or its start. `procfs` reads that line; here is what we rely on.
pub fn proc_stat(comm: &[u8]) {
    let comm: Vec<u8> = comm.iter().copied().filter(|b| *b != 0).take(15).collect();
    let rest = b") S 41 42 43 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 7654321 1000 100 18446744073709551615 1 1 1 0 0 0 0 4096 0 0 \
                 0 0 17 1 0 0 0 0 0 1 1 1 1 1 1 1 0\n";
    let line = [b"77 (", &comm[..], &rest[..]].concat();
    let stat = Stat::from_read(&line[..]).expect("a line as the kernel writes it");
    assert_eq!((stat.pid, stat.state, stat.ppid, stat.pgrp, stat.session), (77, 'S', 41, 42, 43));
    assert_eq!((stat.num_threads, stat.starttime), (1, 7_654_321));
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use bluegreen_seeds::{
        bytes,
        proptest::{collection::vec, prelude::*},
        texts,
    };

    use super::*;

    #[test]
    fn of_what_the_kernel_says() {
        texts("tcp_table", tcp_table);
        bytes("sock_diag", sock_diag);
        bytes("proc_stat", proc_stat);
    }

    proptest! {
        #![proptest_config(bluegreen_seeds::config())]

        #[test]
        fn the_listeners_of_a_table_are_its_first_rows(rows in vec((any::<[u8; 4]>(), any::<u16>(), any::<u64>(), any::<u32>()), 0..9)) {
            let row = |(n, (ip, port, inode, uid)): (usize, &([u8; 4], u16, u64, u32))| format!(
                "{n:4}: {:08X}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0 100 0 0 10 0\n",
                u32::from_ne_bytes(*ip)
            );
            let mut text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_owned();
            text.extend(rows.iter().enumerate().map(row));
            // a connection to the port is no listener
            text += "   9: 0100007F:1F91 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
            let mut listeners = Vec::new();
            table::read(text.as_bytes(), 1 << 10, &mut listeners).unwrap();
            let found: Vec<_> = listeners.into_iter().map(|(_, it)| (it.address, it.inode, it.uid)).collect();
            let at = |ip, port| SocketAddr::from((Ipv4Addr::from(ip), port));
            let wanted: Vec<_> = rows.iter().map(|(ip, port, inode, uid)| (at(*ip, *port), Some(*inode), Some(*uid))).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
