//! Who is on a profile.

use std::{io, thread::sleep, time::Duration};

use bluegreen_core::{Occupant, Profile, Stranger};

use super::Inner;
use crate::{Listener, record::Record, seen};

impl Inner {
    /// Looks up to three times before it cries stranger: a process may end, or fork, between two reads of `/proc`.
    pub(super) fn inspect(&self, profile: &Profile) -> io::Result<Occupant> {
        let mut occupant = self.look(profile)?;
        for _ in 0..2 {
            if !matches!(occupant, Occupant::Stranger { .. }) {
                break;
            }
            sleep(Duration::from_millis(2));
            occupant = self.look(profile)?;
        }
        Ok(occupant)
    }

    fn look(&self, profile: &Profile) -> io::Result<Occupant> {
        let record = self.load(profile)?.filter(|r| !r.is_over().unwrap_or(false));
        let leader = record.as_ref().map(|r| self.live_leader(profile, r)).transpose()?.flatten();
        let likely: Vec<u32> = leader.iter().map(seen::Seen::pid).collect();
        let listeners = self.ports.listeners(profile.port(), &likely)?;
        let Some(record) = record else { return Ok(nobody_of_ours(&listeners)) };
        let ours = |listening| Occupant::Ours { process: record.process(), listening };
        let held_by = |pids: &[u32]| listeners.iter().all(|l| l.pids.iter().any(|pid| pids.contains(pid)));
        if leader.is_some() && held_by(&likely) {
            return Ok(ours(!listeners.is_empty()));
        }
        let family = self.members(profile, &record)?;
        if family.is_empty() {
            Ok(nobody_of_ours(&listeners))
        } else if held_by(&family) {
            Ok(ours(!listeners.is_empty()))
        } else {
            let foreign = listeners.iter().find(|l| !l.pids.iter().any(|pid| family.contains(pid)));
            let who = foreign.map_or_else(Stranger::new, Listener::stranger);
            Ok(Occupant::Stranger { who, beside: Some(record.process()) })
        }
    }

    /// The pids of the family, without a search when it is known to be over.
    fn members(&self, profile: &Profile, record: &Record) -> io::Result<Vec<u32>> {
        if self.remember(profile, record, |memory| memory.over) {
            return Ok(Vec::new());
        }
        let family = record.family().map_err(io::Error::other)?;
        // a start under way has no leader yet: that one may still come
        let over = family.is_empty() && record.leader.is_some();
        self.remember(profile, record, |memory| memory.over = over);
        Ok(family.iter().map(seen::Seen::pid).collect())
    }
}

fn nobody_of_ours(listeners: &[Listener]) -> Occupant {
    listeners.first().map_or(Occupant::Nobody, |l| Occupant::stranger(l.stranger()))
}
