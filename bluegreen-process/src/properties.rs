//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `fuzz/run`.

use procfs::{FromRead as _, process::Stat};

use crate::{
    Release, environment,
    ports::{diag, lsof, proc},
    record::Record,
};

/// The port of the samples.
const PORT: u16 = 8081;

/// A table is read to its end or refused; at most one listener in each row, and none in the header.
pub fn tcp_table(text: &str) {
    let mut sockets = Vec::new();
    if proc::read_table(text.as_bytes(), PORT, &mut sockets).is_ok() {
        assert!(sockets.len() < text.lines().count().max(1));
    }
}

/// A datagram is read, or refused; what is cut off is never taken for whole.
pub fn sock_diag(datagram: &[u8]) {
    let mut sockets = Vec::new();
    let read = diag::read(datagram, PORT, &mut sockets);
    assert!(sockets.len() * 88 <= datagram.len(), "{read:?}");
}

/// Each process is there once for a socket.
pub fn lsof(output: &str) {
    let listeners = lsof::parse(output);
    assert!(listeners.len() <= output.lines().count());
    for listener in listeners {
        let mut pids = listener.pids.clone();
        pids.sort_unstable();
        pids.dedup();
        assert_eq!(pids.len(), listener.pids.len(), "{output:?}");
    }
}

/// A file of variables gives only such as `exec` takes, or names a line; written in double quotes they are read again.
pub fn env_file(text: &str) {
    match environment::parse(text) {
        Ok(pairs) => {
            assert!(
                pairs
                    .iter()
                    .all(|(name, value)| !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0'))
            );
            let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let lines: Vec<String> =
                pairs.iter().map(|(name, value)| format!("{name}=\"{}\"\n", escape(value))).collect();
            assert_eq!(environment::parse(&lines.concat()), Ok(pairs), "{lines:?}");
        }
        Err(line) => assert!((1..=text.lines().count()).contains(&line)),
    }
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

/// A record and a release that are read say the same once written.
pub fn record(text: &str) {
    if let Ok(record) = serde_json::from_str::<Record>(text) {
        let _ = record.process();
        assert_eq!(serde_json::from_slice::<Record>(&serde_json::to_vec(&record).unwrap()).unwrap(), record);
    }
    if let Ok(release) = serde_json::from_str::<Release>(text) {
        assert_eq!(serde_json::from_slice::<Release>(&serde_json::to_vec(&release).unwrap()).unwrap(), release);
    }
}

#[cfg(test)]
mod tests {
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
        texts("lsof", lsof);
        bytes("proc_stat", proc_stat);
    }

    #[test]
    fn of_files() {
        texts("env_file", env_file);
        texts("record", record);
    }

    proptest! {
        #![proptest_config(bluegreen_seeds::config())]

        #[test]
        fn the_listeners_of_a_table_are_those_on_the_port(rows in vec((prop_oneof![Just(PORT), any::<u16>()], any::<u64>(), any::<u32>()), 0..9)) {
            let row = |(n, (port, inode, uid)): (usize, &(u16, u64, u32))| format!(
                "{n:4}: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0 100 0 0 10 0\n"
            );
            let mut text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_owned();
            text.extend(rows.iter().enumerate().map(row));
            // a connection to the port is no listener
            text += "   9: 0100007F:1F91 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
            let mut sockets = Vec::new();
            proc::read_table(text.as_bytes(), PORT, &mut sockets).unwrap();
            let wanted: Vec<_> = rows.iter().filter(|row| row.0 == PORT).map(|row| (row.1, row.2)).collect();
            prop_assert_eq!(sockets, wanted);
        }
    }
}
