//! Signals, as a program expects them.

use std::{
    fs, io,
    sync::{Arc, atomic::AtomicBool},
};

/// Signals that a program expects to have an effect, where the number is the same on every Linux we run on. SIGPIPE is not
/// among them: `std` gives it back by itself.
const EXPECTED: [i32; 13] = [1, 2, 3, 10, 12, 14, 15, 17, 20, 21, 22, 24, 25];

/// An ignored signal (under nohup, or started by `sh` with `&`) stays ignored over exec, a handled one does not. So what
/// this process ignores gets a handler that does nothing: the same for us, and the default for the child.
pub(super) fn heed() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let mask = mask.ok_or_else(|| io::Error::other("/proc does not say which signals are ignored"))?;
    for signal in EXPECTED.into_iter().filter(|n| mask & (1 << (n - 1)) != 0) {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}
