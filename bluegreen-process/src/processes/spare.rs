//! Who must not be ended with what is stopped: what answers on the other profile.

use std::{collections::BTreeSet, io};

use bluegreen_core::{Profile, Stranger};
use bluegreen_linux::proc::{self, Seen, Sight};

use super::{Inner, dialled};
use crate::{Listener, stranger};

impl Inner {
    /// Who answers on `other` and would be ended with `family`: because he is of it, or descends from it, as the workers of one
    /// daemon do that serves both profiles. `None` also when others go on answering there: then he is one too many.
    pub(super) fn ended_with(&self, family: &[Seen], other: &Profile) -> io::Result<Option<Stranger>> {
        let answering = self.ports.answering(dialled(other), &[])?;
        if answering.is_empty() || family.is_empty() {
            return Ok(None);
        }
        let doomed = with_descendants(family)?;
        let doomed_listeners = answering.iter().filter(|it| it.pids.iter().any(|pid| doomed.contains(pid)));
        let doomed_listeners: Vec<&Listener> = doomed_listeners.collect();
        let [first, ..] = doomed_listeners[..] else { return hidden(&answering, &doomed) };
        let theirs = match self.live(other)? {
            Some(record) => record.family()?,
            None => Vec::new(),
        };
        let is_theirs = |it: &&Listener| theirs.iter().any(|seen| it.pids.contains(&seen.pid()));
        let ends = doomed_listeners.len() == answering.len() || doomed_listeners.iter().any(is_theirs);
        Ok(ends.then(|| stranger(first)))
    }

    /// Whether all that is left on `profile` is there for `other`: no member can be ended without who answers there, and nobody
    /// answers on `profile` any more. Then its release has ended, whoever ended it.
    pub(super) fn is_only_for(&self, other: &Profile, profile: &Profile, family: &[Seen]) -> io::Result<bool> {
        for member in family {
            if self.ended_with(&[*member], other)?.is_none() {
                return Ok(false);
            }
        }
        Ok(self.ports.answering(dialled(profile), &[])?.is_empty())
    }
}

fn with_descendants(family: &[Seen]) -> io::Result<BTreeSet<u32>> {
    let all = proc::everybody()?;
    let mut doomed: BTreeSet<u32> = family.iter().map(Seen::pid).collect();
    for seen in family {
        doomed.extend(proc::descendants(seen.pid(), &all));
    }
    Ok(doomed)
}

/// Nobody of `doomed` is seen to hold any of `answering`. That is no answer where one of them does not let us see.
fn hidden(answering: &[Listener], doomed: &BTreeSet<u32>) -> io::Result<Option<Stranger>> {
    let Some(unknown) = answering.iter().find(|listener| listener.pids.is_empty()) else { return Ok(None) };
    for &pid in doomed {
        if proc::sockets(pid)? == Sight::Hidden {
            return Ok(Some(stranger(unknown)));
        }
    }
    Ok(None)
}
