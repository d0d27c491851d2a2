//! One round: commands that start at once.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Barrier,
    thread,
};

use bluegreen_rig::{Ended, Stage};

/// How many of its commands did what.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) worked: u64,
    pub(crate) refused: u64,
    pub(crate) busy: u64,
}

impl Round {
    /// Starts them, waits for all, and looks at what each said and what they left.
    pub(crate) fn run(stage: &Stage, seed: u64, number: u64, clis: u64) -> Result<Self, String> {
        let before = transactions(stage);
        let commands: Vec<Vec<String>> = (0..clis).map(|cli| words(stage, seed, number, cli)).collect();
        let barrier = Barrier::new(commands.len());
        let ends: Vec<(u32, &str, Ended)> = thread::scope(|scope| {
            let start = |words: &'_ [String]| {
                barrier.wait();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let running = stage.spawn(&words);
                (running.pid(), running.wait())
            };
            let threads: Vec<_> =
                commands.iter().map(|words| (words[0].as_str(), scope.spawn(move || start(words)))).collect();
            let join = |(command, thread): (_, thread::ScopedJoinHandle<'_, (u32, Ended)>)| {
                let (pid, ended) = thread.join().expect("a command ends");
                (pid, command, ended)
            };
            threads.into_iter().map(join).collect()
        });
        let round = Self::judge(&ends)?;
        let after = transactions(stage);
        let opened: u64 = ends.iter().map(|(_, _, ended)| opened(ended)).sum();
        if after - before != opened {
            return Err(format!("{opened} transactions were told of, {} are counted: two at once", after - before));
        }
        let status = stage.status();
        if status["active"]["healthy"] != true || !status["transaction"].is_null() || !status["lock"].is_null() {
            return Err(format!("afterwards: {status}"));
        }
        Ok(round)
    }

    fn judge(ends: &[(u32, &str, Ended)]) -> Result<Self, String> {
        let mut round = Self::default();
        let who: BTreeMap<u32, &str> = ends.iter().map(|(pid, command, _)| (*pid, *command)).collect();
        let mut named = Vec::new();
        for (pid, command, ended) in ends {
            match ended.code {
                Some(0) => round.worked += 1,
                Some(75) => {
                    round.busy += 1;
                    named.push(holder(ended, &who).ok_or_else(|| format!("`{command}` names nobody: {ended}"))?);
                }
                Some(3) if *command == "rollback" && ended.out.contains("no confirmed release") => round.refused += 1,
                _ => return Err(format!("`{command}` (pid {pid}): {ended}")),
            }
        }
        let idle = |pid: &u32| ends.iter().any(|(it, _, ended)| it == pid && ended.code == Some(75));
        match named.iter().find(|pid| idle(pid)) {
            Some(pid) => Err(format!("pid {pid} was named, and was not at work itself")),
            None if round.worked + round.refused == 0 => Err("nobody was at work".into()),
            None => Ok(round),
        }
    }
}

/// The command line of one of them.
fn words(stage: &Stage, seed: u64, number: u64, cli: u64) -> Vec<String> {
    let mut hasher = DefaultHasher::new();
    (seed, number, cli).hash(&mut hasher);
    let mut words = match hasher.finish() % 10 {
        0..6 => vec!["deploy".to_owned(), stage.artifact(&format!("v{number}-{cli}"))],
        6..8 => vec!["rollback".to_owned()],
        _ => vec!["recover".to_owned()],
    };
    words.extend(["--format".to_owned(), "json".to_owned()]);
    words
}

/// The pid that is named, if that is one of ours and the command is named with it.
fn holder(ended: &Ended, who: &BTreeMap<u32, &str>) -> Option<u32> {
    // the last thing that a deploy does
    let names = |command: &str| ended.out.contains(&format!("locked by `{command}` of "));
    let it = |(pid, command): (&u32, &&str)| {
        ((names(command) || names("releases prune")) && ended.out.contains(&format!("(pid {pid})"))).then_some(*pid)
    };
    who.iter().find_map(it)
}

/// How many transactions a command has opened, by its events: those that it only took up are another's.
fn opened(ended: &Ended) -> u64 {
    let opened = |event: &&serde_json::Value| event["event"] == "began" && event["resumed"] == false;
    ended.events().iter().filter(opened).count() as u64
}

/// How many transactions the app has had.
fn transactions(stage: &Stage) -> u64 {
    let text = fs::read(stage.state_dir().join("state.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    json["number"].as_u64().unwrap_or_default()
}
