//! Who is on a profile.

use std::{io, net::SocketAddr, thread::sleep, time::Duration};

use bluegreen_core::{Occupant, Profile, Stranger};
use bluegreen_linux::{
    ports::{self, answers},
    proc::Seen,
    users,
};

use super::{Inner, dialled};
use crate::{InTheWay, Listener, record::Record, stranger, stranger::USUAL};

impl Inner {
    /// Who is on `profile`, when it is dialled at `dialled`. Looks up to three times before it cries stranger, or says that it
    /// cannot see: a process may end, or fork, between two reads of `/proc`.
    pub(super) fn inspect(&self, profile: &Profile, dialled: SocketAddr) -> io::Result<Occupant> {
        let mut occupant = self.look(profile, dialled);
        for _ in 0..2 {
            if let Ok(Occupant::Nobody | Occupant::Ours { .. }) = occupant {
                break;
            }
            sleep(Duration::from_millis(2));
            occupant = self.look(profile, dialled);
        }
        occupant
    }

    fn look(&self, profile: &Profile, dialled: SocketAddr) -> io::Result<Occupant> {
        let record = self.live(profile)?;
        let leader = record.as_ref().map(|r| self.live_leader(profile, r)).transpose()?.flatten();
        let likely: Vec<u32> = leader.iter().map(Seen::pid).collect();
        let listeners = self.ports.answering(dialled, &likely)?;
        let held_by =
            |pids: &[u32]| listeners.iter().all(|l| self.is_hidden(l) || l.pids.iter().any(|pid| pids.contains(pid)));
        let ours = |record: &Record| Occupant::Ours { process: record.process(), listening: !listeners.is_empty() };
        if let Some(record) = record.as_ref().filter(|_| leader.is_some() && held_by(&likely)) {
            return Ok(ours(record));
        }
        if listeners.iter().any(|listener| self.is_hidden(listener)) {
            let owner = users::shown(self.owner);
            return Err(io::Error::other(format!(
                "which process of {owner} listens there, only that user sees, and root"
            )));
        }
        let Some(record) = record else { return Ok(nobody_of_ours(dialled, &listeners)) };
        let family = self.members(profile, &record)?;
        if family.is_empty() {
            Ok(nobody_of_ours(dialled, &listeners))
        } else if held_by(&family) {
            Ok(ours(&record))
        } else {
            let foreign = listeners.iter().find(|l| !l.pids.iter().any(|pid| family.contains(pid)));
            let who = foreign.map_or_else(Stranger::new, stranger);
            Ok(Occupant::Stranger { who, beside: Some(record.process()) })
        }
    }

    /// The pids of the family, without a search when it is known to be over.
    fn members(&self, profile: &Profile, record: &Record) -> io::Result<Vec<u32>> {
        if self.remember(profile, record, |memory| memory.over) {
            return Ok(Vec::new());
        }
        let family = record.family()?;
        // a start under way has no leader yet: that one may still come
        let over = family.is_empty() && record.leader.is_some();
        self.remember(profile, record, |memory| memory.over = over);
        Ok(family.iter().map(Seen::pid).collect())
    }

    /// Who has the port of `profile`, and neither answers at `dialled` nor is ours.
    pub(super) fn in_the_way(&self, profile: &Profile, dialled: SocketAddr) -> io::Result<Vec<InTheWay>> {
        let answering = self.ports.answering(dialled, &[])?;
        let family = match self.live(profile)? {
            Some(record) => self.members(profile, &record)?,
            None => Vec::new(),
        };
        let is_ours = |listener: &Listener| listener.pids.iter().any(|pid| family.contains(pid));
        let all = self.ports.listeners(profile.port())?;
        let others =
            all.iter().filter(|it| !is_ours(it) && answering.iter().all(|answers| answers.address != it.address));
        let mut in_the_way: Vec<InTheWay> = others.map(InTheWay::listens).collect();
        // as long as something of ours lives there it may be about to bind, and is what has the port
        if family.is_empty() {
            in_the_way.extend(ports::silent(profile.port(), &all, &USUAL)?.iter().map(InTheWay::silent));
        }
        Ok(in_the_way)
    }
}

/// Who keeps whatever is started on `profile` from listening where it is dialled. That nobody listens there is known.
pub(super) fn keeps_out(profile: &Profile) -> io::Result<Option<InTheWay>> {
    let silent = ports::silent(profile.port(), &[], &[dialled(profile).ip()])?;
    Ok(silent.iter().map(InTheWay::silent).find(|it| it.keeps_out() && it.lasts()))
}

/// Somebody else, or nobody. Without a listener it is asked: the firewall may lead the port into another network, and what
/// answers there would get the health checks, and the traffic, of whatever is started here.
fn nobody_of_ours(dialled: SocketAddr, listeners: &[Listener]) -> Occupant {
    match listeners.first() {
        Some(listener) => Occupant::stranger(stranger(listener)),
        None if answers(dialled) => Occupant::stranger(Stranger::new()),
        None => Occupant::Nobody,
    }
}
