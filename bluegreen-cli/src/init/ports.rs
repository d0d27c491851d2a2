//! Ports that are not free: who listens there, and who else counts on them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bluegreen_core::Stranger;
use bluegreen_process::{PortOwners, stranger};

use super::texts::Texts;

/// A port and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) port: u16,
    pub(crate) who: Stranger,
}

/// The owners of those of `ports` that are taken.
///
/// # Errors
/// It cannot be seen who listens: none of them is known to be free.
pub(crate) fn owners(from: &impl PortOwners, ports: &[u16]) -> io::Result<Vec<Owner>> {
    let mut owners = Vec::new();
    for port in ports {
        owners.extend(from.listeners(*port)?.first().map(|who| Owner { port: *port, who: stranger(who) }));
    }
    Ok(owners)
}

/// Ports from which the kernel takes one for any outgoing connection: then an app cannot have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ephemeral {
    /// The first and the last.
    pub(crate) range: Option<(u16, u16)>,
    /// Those that it leaves alone all the same, as `8081,9000-9009`.
    pub(crate) reserved: String,
}

impl Ephemeral {
    /// Those of this machine.
    pub(crate) fn read() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        Self::parse(&read("ip_local_port_range"), &read("ip_local_reserved_ports"))
    }

    pub(crate) fn parse(range: &str, reserved: &str) -> Self {
        let bounds: Vec<u16> = range.split_whitespace().filter_map(|bound| bound.parse().ok()).collect();
        let range = if let [low, high] = bounds[..] { Some((low, high)) } else { None };
        Self { range, reserved: reserved.trim().to_owned() }
    }

    pub(crate) fn has(&self, port: u16) -> bool {
        let is_reserved = self.reserved.split(',').any(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            from.parse().is_ok_and(|from: u16| from <= port) && to.parse().is_ok_and(|to: u16| port <= to)
        });
        self.range.is_some_and(|(low, high)| (low..=high).contains(&port)) && !is_reserved
    }
}

/// A port of another app of bluegreen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) port: u16,
    pub(crate) app: String,
    /// Its configuration.
    pub(crate) file: PathBuf,
}

/// The ports of the apps that have a configuration in `/etc/bluegreen`, or in a directory beside `dir`; and what could not be read of
/// them.
pub(crate) fn neighbours(dir: &Path) -> (Vec<Neighbour>, Vec<String>) {
    let texts = Texts::default();
    let shared = texts.entries(Path::new("/etc/bluegreen")).into_iter();
    let mut files: Vec<PathBuf> = shared.filter(|path| path.extension() == Some("toml".as_ref())).collect();
    let beside = dir.parent().map(|parent| texts.entries(parent)).into_iter().flatten().filter(|path| path != dir);
    files.extend(beside.take(ENTRIES).map(|path| path.join("bluegreen.toml")));
    let found = files.iter().filter_map(|file| ports_in(file, &texts)).flatten().collect();
    (found, texts.unread())
}

/// A directory with more than so many entries is no place of apps.
const ENTRIES: usize = 1000;

/// What `file` says, if it is there, also where it has mistakes that are no business of ours.
fn ports_in(file: &Path, texts: &Texts) -> Option<Vec<Neighbour>> {
    let unread = |error: toml::de::Error| texts.cannot_read(file, &error.message());
    let table: toml::Table = texts.of(file)?.parse().map_err(unread).ok()?;
    let app = table.get("app").and_then(toml::Value::as_str).unwrap_or_default();
    let profiles = table.get("profiles").and_then(toml::Value::as_table);
    let ports = profiles.into_iter().flatten().filter_map(|(_, port)| port.as_integer()?.try_into().ok());
    Some(ports.map(|port| Neighbour { port, app: app.to_owned(), file: file.to_owned() }).collect())
}

#[cfg(test)]
mod tests {
    use bluegreen_process::Listener;

    use super::*;

    #[test]
    fn the_apps_of_the_directories_beside_have_their_ports() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            fs::create_dir_all(home.path().join(name)).unwrap();
            fs::write(home.path().join(name).join("bluegreen.toml"), text).unwrap();
        };
        put("shop", "app = 'shop'\nno_such_key = 1\n[profiles]\nreal1 = 8081\nreal2 = 8082\n");
        put("web", "app = 'web'\n[profiles]\nreal1 = 8083\nreal2 = 99999\n");
        put("broken", "app = ");
        let beside = |name: &str| -> Vec<(u16, String)> {
            let (all, _) = neighbours(&home.path().join(name));
            all.into_iter().filter(|n| n.file.starts_with(home.path())).map(|n| (n.port, n.app)).collect()
        };
        assert_eq!(beside("web"), [(8081, "shop".to_owned()), (8082, "shop".to_owned())]);
        assert_eq!(beside("new").len(), 3);
        let (_, unread) = neighbours(&home.path().join("new"));
        let file = home.path().join("broken/bluegreen.toml");
        let said = format!("{} cannot be read: ", file.display());
        assert!(unread.iter().any(|why| why.starts_with(&said)), "{unread:?}");
    }

    #[test]
    fn a_look_that_failed_makes_no_port_free() {
        #[derive(Debug)]
        struct Blind;

        impl PortOwners for Blind {
            fn listeners(&self, _: u16) -> io::Result<Vec<Listener>> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        assert!(owners(&Blind, &[8081]).is_err());
        assert_eq!(owners(&Blind, &[]).unwrap(), []);
    }
}
