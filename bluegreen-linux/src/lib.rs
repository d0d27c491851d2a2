//! The ground that the crates of bluegreen stand on: what they all ask of Linux, once.
//!
//! Internal: it is published because the others need it, and promises no stable interface.

#![forbid(unsafe_code)]

pub mod dirs;
pub mod files;
pub mod ports;
pub mod proc;
pub mod program;
#[cfg(any(test, fuzzing))]
pub mod properties;
pub mod users;

/// Lets user 4711 write to `path`, beside what its mode says. For tests; `false` where the file system knows no such lists.
#[cfg(test)]
fn access_list(path: &std::path::Path) -> bool {
    use rustix::{fs::XattrFlags, io::Errno};
    // as in the kernel's linux/posix_acl_xattr.h: what, rights and whose, for the owner, a user, the group, the most, others
    let whole = u32::MAX;
    let entries = [(0x01_u16, 7_u16, whole), (0x02, 7, 4711), (0x04, 5, whole), (0x10, 7, whole), (0x20, 5, whole)];
    let entry = |(what, rights, whose): (u16, u16, u32)| {
        [&what.to_le_bytes()[..], &rights.to_le_bytes(), &whose.to_le_bytes()].concat()
    };
    let bytes: Vec<u8> = 2_u32.to_le_bytes().into_iter().chain(entries.into_iter().flat_map(entry)).collect();
    match rustix::fs::setxattr(path, c"system.posix_acl_access", &bytes, XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => {
            eprintln!("SKIPPED: this file system has no access lists");
            false
        }
        set => set.map(|()| true).expect("the file is ours"),
    }
}
