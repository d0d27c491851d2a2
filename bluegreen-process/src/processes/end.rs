//! How a process ended.

use std::{io, os::unix::process::ExitStatusExt as _, process::ExitStatus};

use bluegreen_core::{Autopsy, Profile};
use bluegreen_linux::{
    ports::addresses_of,
    proc::{self, Birth, Seen},
};
use procfs::process::Stat;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::Inner;
use crate::{logs, record::Record};

impl Inner {
    pub(super) fn autopsy(&self, profile: &Profile) -> Autopsy {
        let Ok(Some(record)) = self.last(profile) else { return Autopsy::default() };
        // reaps it, if it is our child and just died
        let _ = self.live_leader(profile, &record);
        let exit = self.remember(profile, &record, |memory| memory.exit.clone());
        // who tells of an accident may know less, and does not fail
        let pids = record.family().map(|family| family.iter().map(Seen::pid).collect::<Vec<_>>());
        let listens = pids.and_then(|pids| addresses_of(&pids)).ok();
        Autopsy { exit, log: record.log.as_deref().map(logs::tail).unwrap_or_default(), listens }
    }

    /// The leader, if it lives. If it died as our child, it is reaped and its end remembered.
    pub(super) fn live_leader(&self, profile: &Profile, record: &Record) -> io::Result<Option<Seen>> {
        let Some(birth) = record.leader else { return Ok(None) };
        if let Some(live) = birth.look()? {
            return Ok(Some(live));
        }
        if let Some(end) = reap(birth)? {
            // a shell between us and it passes on 128 and the number of the signal
            let killed = end.ends_with("KILL") || end.ends_with("code 137");
            let end = if killed { format!("{end}, {}", record.kills.verdict(birth)) } else { end };
            self.remember(profile, record, |memory| memory.exit = Some(end));
        }
        Ok(None)
    }
}

/// Takes the end of a dead child of ours from the kernel, in words.
fn reap(birth: Birth) -> io::Result<Option<String>> {
    let stat = proc::stat(birth.pid)?;
    let is_our_child =
        |s: &Stat| s.starttime == birth.start && s.state == 'Z' && u32::try_from(s.ppid) == Ok(std::process::id());
    if !stat.as_ref().is_some_and(is_our_child) {
        return Ok(None);
    }
    let pid = i32::try_from(birth.pid).ok().and_then(Pid::from_raw);
    // ECHILD: another thread was faster, or the parent ignores its children
    let Ok(Some((_, status))) = waitpid(pid, WaitOptions::NOHANG) else {
        return Ok(None);
    };
    Ok(in_words(ExitStatus::from_raw(status.as_raw())))
}

/// How a process ended: `exited with code 1` or `killed by SIGKILL`. `None` when it has not.
pub fn in_words(status: ExitStatus) -> Option<String> {
    let code = status.code().map(|code| format!("exited with code {code}{}", meaning(code)));
    code.or_else(|| status.signal().map(|number| format!("killed by {}", signal_name(number))))
}

/// What an exit code tells besides its number.
fn meaning(code: i32) -> String {
    match code {
        0 => ": a program that goes to the background must be told to stay in the foreground".to_owned(),
        126 => ", which in a shell means: found, but not executable".to_owned(),
        127 => ", which in a shell means: there is no such program".to_owned(),
        129..=159 => format!(", which in a shell means {}", signal_name(code - 128)),
        _ => String::new(),
    }
}

fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        15 => "TERM",
        31 => "SYS",
        _ => return format!("signal {number}"),
    };
    format!("SIG{name}")
}
