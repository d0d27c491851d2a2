//! The lock on disk and children. Alone in its program: until a child has become another one, it holds what other tests hold.
#![cfg(feature = "file-store")]

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use bluegreen_core::{FileStore, Holder, StateStore};

#[test]
fn no_child_inherits_the_lock() {
    let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    let lease = store.lock(&Holder::default()).unwrap();
    let mut child = Command::new("sleep").arg("30").spawn().unwrap();
    drop(lease);
    // the kernel lets the parent go on a moment before it closes what the new program shall not have
    let free = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        store.lock(&Holder::default()).is_ok()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(free, "the lock is free although a child of its holder lives");
}
