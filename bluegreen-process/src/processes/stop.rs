//! Ending what runs on a profile.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::fd::OwnedFd,
    thread::sleep,
    time::{Duration, Instant},
};

use bluegreen_core::{Process, ProcessError, Profile};
use bluegreen_linux::proc::{Birth, Seen};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::{Inner, dialled};
use crate::{SignalTo, record::Record};

/// After KILL a process is gone at once, unless the kernel has it in a read from a broken disk.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// A port is free when its last holder is gone; more only for what the kernel has to tidy up.
const PORT_LIMIT: Duration = Duration::from_secs(5);
/// How often new members of the family are looked for; the end of a known one is noticed at once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

type Reason = String;

/// Processes held by a pidfd, so that no other can take their place.
#[derive(Default)]
struct Family {
    held: BTreeMap<Birth, OwnedFd>,
    told: BTreeSet<Birth>,
}

impl Inner {
    pub(super) fn stop(&self, profile: &Profile, process: &Process, grace: Duration) -> Result<(), ProcessError> {
        let failed = |reason: Reason| ProcessError::Stop { profile: profile.to_string(), reason };
        let unseen = |e: io::Error| failed(e.to_string());
        let Some(mut record) = self.live(profile).map_err(unseen)? else { return Ok(()) };
        if record.process().start != process.start {
            return Ok(());
        }
        let family = record.family().map_err(unseen)?;
        let other = self.config.profiles.other(profile).ok_or_else(|| failed("it is none of the two".to_owned()))?;
        let shared = self.ended_with(&family, other).map_err(unseen)?;
        if let Some(who) = shared {
            if !self.is_only_for(other, profile, &family).map_err(unseen)? {
                let (profile, other, who) = (profile.to_string(), other.to_string(), Box::new(who));
                return Err(ProcessError::Shared { profile, other, who });
            }
        } else if !family.is_empty() {
            self.end(&record, grace).map_err(failed)?;
            self.wait_for_port(profile).map_err(unseen)?;
        }
        // reaps it, if it was our child
        let _ = self.live_leader(profile, &record);
        record.stopped = true;
        self.save(profile, &record).map_err(unseen)
    }

    /// Asks, waits, kills; returns when nothing of the family lives.
    pub(super) fn end(&self, record: &Record, grace: Duration) -> Result<(), Reason> {
        let mut family = Family::default();
        let launch = &self.config.launch;
        let signal = launch.signal.signal();
        // when the main process is gone already, what it left behind is asked itself
        let main = record.leader.filter(|leader| matches!(leader.look(), Ok(Some(_))));
        let asked = |birth: &Birth| launch.to == SignalTo::Group || main.is_none_or(|main| main == *birth);
        if family.drive(record, signal, &asked, grace)? {
            return Ok(());
        }
        family.told.clear();
        if family.drive(record, Signal::KILL, &|_| true, KILL_LIMIT)? {
            return Ok(());
        }
        let pids: Vec<String> = family.held.keys().map(|birth| birth.pid.to_string()).collect();
        Err(format!("pid {} survived SIGKILL for {} s", pids.join(", "), KILL_LIMIT.as_secs()))
    }

    /// The family is over by then: who still has the port at the end is somebody else, whom the next look names.
    fn wait_for_port(&self, profile: &Profile) -> io::Result<()> {
        let deadline = Instant::now() + PORT_LIMIT;
        loop {
            if self.ports.answering(dialled(profile), &[])?.is_empty() || Instant::now() >= deadline {
                return Ok(());
            }
            sleep(Duration::from_millis(10));
        }
    }
}

impl Family {
    /// Sends `signal` once to each member that `wanted` picks, also to those that appear later, and waits until all are
    /// gone (`true`) or `limit` has passed.
    fn drive(
        &mut self,
        record: &Record,
        signal: Signal,
        wanted: &dyn Fn(&Birth) -> bool,
        limit: Duration,
    ) -> Result<bool, Reason> {
        let deadline = Instant::now() + limit;
        loop {
            for seen in record.family().map_err(|e| e.to_string())? {
                self.hold(seen)?;
            }
            if self.held.is_empty() {
                return Ok(true);
            }
            for (birth, pidfd) in self.held.iter().filter(|(birth, _)| wanted(birth)) {
                if self.told.insert(*birth) {
                    tell(*birth, pidfd, signal)?;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.forget_the_dead(left.min(LOOK_AGAIN))?;
            if left.is_zero() && !self.held.is_empty() {
                return Ok(false);
            }
        }
    }

    /// First the pidfd, then the look: what is seen after it was opened is what it refers to.
    fn hold(&mut self, seen: Seen) -> Result<(), Reason> {
        if self.held.contains_key(&seen.birth) {
            return Ok(());
        }
        let number = i32::try_from(seen.pid()).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw);
        let number = number.ok_or_else(|| format!("{} is no pid to signal", seen.pid()))?;
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => {
                if seen.birth.look().map_err(|e| e.to_string())?.is_some() {
                    self.held.insert(seen.birth, pidfd);
                }
                Ok(())
            }
            Err(Errno::SRCH) => Ok(()),
            Err(e) => Err(format!("cannot get hold of pid {number:?}: {e}")),
        }
    }

    /// Waits up to `timeout` for the end of any member, and lets go of all that ended.
    fn forget_the_dead(&mut self, timeout: Duration) -> Result<(), Reason> {
        let mut fds: Vec<PollFd<'_>> = self.held.values().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(timeout).map_err(|e| e.to_string())?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.to_string()),
        }
        let dead: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut dead = dead.into_iter();
        self.held.retain(|_, _| !dead.next().unwrap_or_default());
        Ok(())
    }
}

fn tell(birth: Birth, pidfd: &OwnedFd, signal: Signal) -> Result<(), Reason> {
    match pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(e) => Err(format!("cannot signal pid {}: {e}", birth.pid)),
    }
}
