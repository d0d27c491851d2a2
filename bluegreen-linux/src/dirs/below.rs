//! One step down from a directory that is held.

use std::{
    ffi::OsStr,
    os::fd::{AsFd, OwnedFd},
};

use rustix::io::retry_on_intr;
use rustix::{
    fs::{self as sys, Mode, OFlags, ResolveFlags},
    io::Errno,
};

/// How the kernel is asked. Kernels before 5.6 have no `openat2`, and the filters of some containers deny it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `openat2`, with `openat` where it is not to be had.
    Best,
    /// `openat` alone.
    #[cfg(test)]
    Plain,
}

/// What `name` is in `dir`: a link is the link itself, and nothing is opened but for its place.
pub(super) fn look(way: Way, dir: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if way == Way::Best {
        // the name of one thing in this directory, and never a way out of it
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
        match retry_on_intr(|| sys::openat2(&dir, name, flags, Mode::empty(), beneath)) {
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return opened,
        }
    }
    retry_on_intr(|| sys::openat(&dir, name, flags, Mode::empty()))
}
