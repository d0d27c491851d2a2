//! Who somebody is that is not ours, as far as this user may see. Never his arguments: they may hold secrets, and what is said
//! of him goes into the state and the history.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bluegreen_core::{Stranger, sanitize};
use bluegreen_linux::{
    ports::{Hold, Silent},
    proc::{self, Sight},
    users,
};

use crate::Listener;

/// Where programs listen when they are not told.
pub(crate) const USUAL: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// Somebody who answers nobody that dials a profile, and beside whom the app may still not be able to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InTheWay {
    /// Who.
    pub who: Stranger,
    /// In what way he has the port.
    pub hold: Hold,
    /// The addresses on which nobody else can listen with that port, of those that programs listen on.
    pub prevents: Vec<IpAddr>,
}

impl InTheWay {
    pub(crate) fn listens(listener: &Listener) -> Self {
        Self::new(Hold::Listens, listener)
    }

    pub(crate) fn silent(silent: &Silent) -> Self {
        Self::new(silent.hold, &silent.socket)
    }

    fn new(hold: Hold, socket: &Listener) -> Self {
        let prevents = USUAL.into_iter().filter(|wanted| socket.prevents(*wanted)).collect();
        Self { who: stranger(socket), hold, prevents }
    }

    /// Whether no release at all can be reached where a profile is dialled as long as he is there.
    pub fn keeps_out(&self) -> bool {
        self.prevents.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// Whether he may stay as long as he likes. What the kernel forgets by itself is no reason to refuse a release.
    pub fn lasts(&self) -> bool {
        self.hold != Hold::Ends
    }
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (who, Some(at)) = (&self.who, self.who.address) else { return write!(f, "{}", self.who) };
        match self.hold {
            Hold::Listens => write!(f, "{who} listens on {at}"),
            Hold::Bound => write!(f, "{who} has {at} without listening on it"),
            Hold::Connected => write!(f, "{who} has a connection from {at}"),
            Hold::Ends => write!(f, "a connection from {at} has ended, and the kernel keeps it for a minute or so"),
            Hold::Unseen => write!(f, "somebody who cannot be seen has {at} without listening on it"),
        }?;
        let prevented: Vec<String> =
            self.prevents.iter().map(|ip| SocketAddr::new(*ip, at.port()).to_string()).collect();
        write!(f, ", so that nothing else can listen on {}", prevented.join(" or "))
    }
}

/// Who holds `listener`.
pub fn stranger(listener: &Listener) -> Stranger {
    let mut who = listener.pids.first().map_or_else(Stranger::new, |pid| process(*pid));
    who.user = who.user.or(listener.uid.map(users::name));
    who.address = Some(listener.address);
    who
}

/// A process for a person to read: pid, user, program.
pub fn describe(pid: u32) -> String {
    process(pid).to_string()
}

fn process(pid: u32) -> Stranger {
    let user = match proc::uids(pid) {
        Ok(Sight::Seen(uids)) => Some(users::name(uids.effective)),
        _ => None,
    };
    let program = proc::name(pid).ok().flatten().map(|name| sanitize(&name).replace('\n', " "));
    let mut who = Stranger::new();
    who.pid = Some(pid);
    who.user = user;
    who.program = program.filter(|program| !program.is_empty());
    who
}
