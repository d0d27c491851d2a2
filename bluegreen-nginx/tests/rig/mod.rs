//! A private nginx, two tiny apps behind it, and clients that count what they lose.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

mod app;
mod article;
mod client;
mod machine;
mod nginx;
mod shop;

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use bluegreen_core::{Profile, Profiles};

pub(crate) use {
    app::App,
    article::Article,
    client::{Load, get, open_request},
    machine::{Machine, SITE},
    nginx::Nginx,
    shop::Shop,
};

/// The nginx binaries to try: the system's, and the newest, which is in `BLUEGREEN_TEST_NGINX` (several are separated by
/// `:`) or in `target/nginx-newest/nginx`.
pub(crate) fn binaries() -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/usr/sbin/nginx")];
    match std::env::var_os("BLUEGREEN_TEST_NGINX") {
        Some(more) => found.extend(std::env::split_paths(&more)),
        None => found.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nginx-newest/nginx")),
    }
    found.retain(|path| {
        let there = path.is_file();
        if !there {
            eprintln!("SKIPPED: there is no {}; BLUEGREEN_TEST_NGINX may name another nginx", path.display());
        }
        there
    });
    found
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory that nginx's workers, who are somebody else when we are root, can enter.
pub(crate) fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    home
}

pub(crate) fn free_port() -> u16 {
    bluegreen_process::free_port().unwrap()
}

pub(crate) fn profiles(first: u16, second: u16) -> Profiles {
    let profile = |name: &str, port| Profile::new(name.parse().unwrap(), port).unwrap();
    Profiles::new(profile("real1", first), profile("real2", second)).unwrap()
}
