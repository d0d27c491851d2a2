//! Who listens on a port.

use bluegreen_process::{PortOwners, ProcPorts};

/// A port and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) port: u16,
    /// As `pid 812 (user deploy): java`.
    pub(crate) who: String,
}

/// The owners of those of `ports` that are taken.
pub(crate) fn owners(ports: &[u16]) -> Vec<Owner> {
    let who = |port: u16| {
        let found = ProcPorts.listeners(port, &[]).ok()?;
        let listener = found.first()?;
        Some(
            listener
                .pids
                .first()
                .map_or_else(|| "somebody who cannot be seen".to_owned(), |pid| bluegreen_process::describe(*pid)),
        )
    };
    ports.iter().filter_map(|port| who(*port).map(|who| Owner { port: *port, who })).collect()
}
