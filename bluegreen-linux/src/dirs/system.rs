//! Directories that belong to the system, whoever asks.

use std::path::{Component, Path, PathBuf};

/// As in the Filesystem Hierarchy Standard 3.0, and what distributions added.
const TOP: [&str; 24] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "snap",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
    "nix",
];
/// Of these all that is below is the system's too.
const WHOLE: [&str; 13] =
    ["bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr", "nix"];
const VAR: [&str; 18] = [
    "account", "backups", "cache", "crash", "empty", "games", "lib", "local", "lock", "log", "mail", "opt", "run",
    "snap", "spool", "tmp", "www", "yp",
];

/// Whether `path`, which has no links in it, is a directory of the system: never a place to keep something in by itself.
pub fn is_system(path: &Path) -> bool {
    let names: Vec<&str> = path
        .components()
        .filter(|part| *part != Component::RootDir)
        .filter_map(|part| part.as_os_str().to_str())
        .collect();
    match names[..] {
        [] => true,
        [top] => TOP.contains(&top),
        ["var", name] => VAR.contains(&name),
        [top, ..] => WHOLE.contains(&top),
    }
}

/// What is below these is read by root, or run.
const READ_BY_ROOT: [&[&str]; 12] = [
    &["root"],
    &["run"],
    &["var", "spool"],
    &["var", "lib", "NetworkManager"],
    &["var", "lib", "apt"],
    &["var", "lib", "cloud"],
    &["var", "lib", "containerd"],
    &["var", "lib", "docker"],
    &["var", "lib", "dpkg"],
    &["var", "lib", "polkit-1"],
    &["var", "lib", "snapd"],
    &["var", "lib", "systemd"],
];

/// Whether a directory that root makes at `path`, which has no links in it, may not be given to another user.
pub(super) fn is_roots(path: &Path) -> bool {
    let below = |names: &&[&str]| path.starts_with(Path::new("/").join(names.iter().collect::<PathBuf>()));
    is_system(path) || READ_BY_ROOT.iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_systems_is_told_from_what_is_in_it() {
        for path in ["/", "/etc", "/srv", "/var/lib", "/usr/local/sbin", "/etc/nginx", "/home", "/root", "/boot/efi"] {
            assert!(is_system(Path::new(path)), "{path}");
        }
        for path in ["/srv/site", "/var/lib/bluegreen", "/home/deploy", "/data", "/opt/shop", "/var/www/shop"] {
            assert!(!is_system(Path::new(path)), "{path}");
        }
    }
    #[test]
    fn what_root_reads_is_given_to_nobody() {
        for path in ["/etc/cron.d/x", "/var/spool/cron/x", "/run/systemd/system/nginx.service.d", "/root/X", "/lib/x"] {
            assert!(is_roots(Path::new(path)), "{path}");
        }
        for path in ["/var/lib/bluegreen/shop", "/var/www/shop", "/srv/shop", "/opt/shop/state", "/rooted/x"] {
            assert!(!is_roots(Path::new(path)), "{path}");
        }
    }
}
