//! Which processes belong to a start: by the token in their environment, and by whom they descend from.

use std::{io, thread::sleep, time::Duration};

use bluegreen_linux::proc::{self, Seen, Sight};

use crate::record::Record;

/// The variable that marks what bluegreen started, and what that started in turn.
pub(crate) const TOKEN: &str = "BLUEGREEN_TOKEN";

/// That nobody is left is believed when it was seen so often: one that forks and ends, between the list of all and the look at
/// it, hides its child from the first look, and one that becomes another program has no environment for a moment.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(1);

impl Record {
    /// Every live process of ours, the leader first.
    pub(crate) fn family(&self) -> io::Result<Vec<Seen>> {
        for _ in 1..LOOKS {
            let family = self.living()?;
            if !family.is_empty() {
                return Ok(family);
            }
            sleep(PAUSE);
        }
        self.living()
    }

    fn living(&self) -> io::Result<Vec<Seen>> {
        let all = proc::everybody()?;
        let leader = self.live_leader()?;
        let mut family = match &self.token {
            Some(token) => self.marked(token, leader, &all)?,
            None => leader.map(|leader| related(leader, &all)).unwrap_or_default(),
        };
        // an app may well run a deploy: the deploy is not the app
        family.retain(|s| s.pid() > 1 && s.pid() != std::process::id());
        family.sort_by_key(|s| (Some(s.birth) != self.leader, s.session != s.pid(), s.birth.start));
        Ok(family)
    }

    /// Who carries the token, wherever it went, and the leader's session: some programs write over their environment. The
    /// session's number is trusted while the leader or a carrier is in it, for that long it is not given to another one.
    fn marked(&self, token: &str, leader: Option<Seen>, all: &[Seen]) -> io::Result<Vec<Seen>> {
        let mut carriers = Vec::new();
        for seen in all {
            if carries(seen.pid(), token)? {
                carriers.push(*seen);
            }
        }
        let session = match self.leader {
            Some(leader) => Some(leader.pid),
            None => carriers.iter().find(|s| s.session == s.pid()).map(Seen::pid),
        };
        let session = session.filter(|s| leader.is_some() || carriers.iter().any(|c| c.session == *s));
        Ok(all.iter().copied().filter(|s| carriers.contains(s) || session == Some(s.session)).collect())
    }
}

/// Whether this process got `token` from bluegreen. Where the environment is closed to us, it is another user's: no.
fn carries(pid: u32, token: &str) -> io::Result<bool> {
    Ok(match proc::environment(pid)? {
        Sight::Seen(environment) => environment.get(TOKEN) == Some(token),
        Sight::Hidden | Sight::Gone => false,
    })
}

/// An adopted process has no token: itself, who descends from it, and its process group when it leads one. (The group of
/// a script that started it with `&` is the script's.)
fn related(leader: Seen, all: &[Seen]) -> Vec<Seen> {
    let children = proc::descendants(leader.pid(), all);
    let leads = leader.group == leader.pid();
    let ours = |s: &Seen| *s == leader || children.contains(&s.pid()) || leads && s.group == leader.group;
    all.iter().copied().filter(ours).collect()
}
