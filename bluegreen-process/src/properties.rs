//! What holds for each parser of this crate, whatever it is given. Held by `cargo test` against samples and mutations of
//! them, and by `testing/fuzz/run`.

use crate::{Release, environment, ports::lsof, record::Record};

/// Each process is there once for a socket.
pub fn lsof(output: &str) {
    let Ok(listeners) = lsof::parse(output) else { return };
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
    use bluegreen_seeds::texts;

    use super::*;

    #[test]
    fn of_other_programs() {
        texts("lsof", lsof);
    }

    #[test]
    fn of_files() {
        texts("env_file", env_file);
        texts("record", record);
    }
}
