//! Who listens on a port.

use std::{fmt::Debug, io, net::SocketAddr};

use bluegreen_linux::ports::{self, find_holders, listening};
pub use bluegreen_linux::ports::{Hold, Listener, free_port};

pub(crate) mod lsof;

pub use lsof::LsofPorts;

/// Finds who listens on a TCP port.
///
/// # Contract
/// Every listening socket on the port, on any address of either family, and nothing else: a connection whose local or
/// remote port has that number is no listener. A listener whose owner cannot be seen is in the answer, without pids.
///
/// # Errors
/// When it cannot be told who listens; never an empty answer instead.
pub trait PortOwners: Debug + Send + Sync {
    /// The listeners on `port`: each can prevent a bind.
    ///
    /// # Errors
    /// It cannot be told who listens.
    fn listeners(&self, port: u16) -> io::Result<Vec<Listener>>;

    /// Those of them that receive what is dialled. When `likely` holds all of these, an implementation may skip looking for
    /// further holders.
    ///
    /// # Errors
    /// It cannot be told who listens.
    fn answering(&self, dialled: SocketAddr, likely: &[u32]) -> io::Result<Vec<Listener>> {
        let _ = likely;
        Ok(ports::answering(self.listeners(dialled.port())?, dialled))
    }
}

/// Asks the kernel for the sockets, by netlink or else through `/proc/net/tcp` and `tcp6`, and reads the descriptors of
/// processes. The default: nothing to install.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcPorts;

impl PortOwners for ProcPorts {
    fn listeners(&self, port: u16) -> io::Result<Vec<Listener>> {
        let mut listeners = listening(port)?;
        find_holders(&mut listeners, &[])?;
        Ok(listeners)
    }

    /// Somebody who listens elsewhere on the port costs no search for his processes.
    fn answering(&self, dialled: SocketAddr, likely: &[u32]) -> io::Result<Vec<Listener>> {
        let mut listeners = ports::answering(listening(dialled.port())?, dialled);
        find_holders(&mut listeners, likely)?;
        Ok(listeners)
    }
}
