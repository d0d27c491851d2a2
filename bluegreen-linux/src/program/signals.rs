//! Signals, as a program expects them.

use std::{
    fs, io,
    sync::{Arc, atomic::AtomicBool},
};

/// What nobody can have a handler for: KILL and STOP, the two of the C library's own, and what a fault of the program is (ILL,
/// FPE, SEGV). PIPE is given back by `std` itself.
const WITHOUT: [i32; 8] = [4, 8, 9, 11, 13, 19, 32, 33];

/// An ignored signal (under nohup, or started by `sh` with `&`) stays ignored over exec, a handled one does not. So what
/// this process ignores gets a handler that does nothing: the same for us, and the default for the child.
pub(super) fn heed() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let mask = mask.ok_or_else(|| io::Error::other("/proc does not say which signals are ignored"))?;
    for signal in (1..=64).filter(|n| mask & (1 << (n - 1)) != 0 && !WITHOUT.contains(n)) {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}
