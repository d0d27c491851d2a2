//! Small facts about this machine.

use std::{fs, io};

/// The id of this boot: pids and start times mean nothing in another one.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// 122 random bits; the kernel makes new ones for each reader.
pub(crate) fn random_token() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned())
}
