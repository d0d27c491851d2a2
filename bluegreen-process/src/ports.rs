//! Who listens on a port.

use std::{fmt::Debug, io};

use bluegreen_core::Stranger;

use crate::{host, seen};

pub(crate) mod diag;
pub(crate) mod free;
pub(crate) mod lsof;
pub(crate) mod proc;

pub use free::free_port;
pub use lsof::LsofPorts;
pub use proc::ProcPorts;

/// One listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The user that opened it, when known.
    pub uid: Option<u32>,
    /// The processes that hold it, as far as this user can see; none when they are hidden.
    pub pids: Vec<u32>,
}

impl Listener {
    /// Who holds it, as far as this user may see.
    pub fn stranger(&self) -> Stranger {
        let pid = self.pids.first().copied();
        let mut stranger = pid.map_or_else(Stranger::new, seen::stranger);
        stranger.user = stranger.user.or(self.uid.map(host::user));
        stranger
    }
}

/// Finds who listens on a TCP port.
///
/// # Contract
/// Every listening socket on the port, on any address of either family, and nothing else: a connection whose local or
/// remote port has that number is no listener. A listener whose owner cannot be seen is in the answer, without pids.
///
/// # Errors
/// When it cannot be told who listens; never an empty answer instead.
pub trait PortOwners: Debug + Send + Sync {
    /// The listeners on `port`. When `likely` holds all of them, an implementation may skip looking for further holders.
    ///
    /// # Errors
    /// It cannot be told who listens.
    fn listeners(&self, port: u16, likely: &[u32]) -> io::Result<Vec<Listener>>;
}
