//! Errors of the system in the real program.

use std::{collections::BTreeMap, time::Instant};

use bluegreen_rig::{Clients, say};
use clap::ValueEnum as _;
use nix::errno::Errno;

use super::{
    aftermath,
    fault::Fault,
    ground::Ground,
    story::{Scene, Story},
    sweep::{CLIENTS, at_least_one},
    trace::{Act, Side, Traced, trace},
};
use crate::crew;

/// Errors of the system at the calls of the real program, under load: it says so, traffic is right, and nothing stays
///
/// Each of its calls on files and processes fails once, with each error that can be there; and a disk that is full,
/// broken or read-only from one call on. The loader, before the program itself, is left alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this one; again for more [default: deploy, warm, recover-early, recover-late]
    #[arg(long, value_enum, hide_possible_values = true)]
    story: Vec<Story>,
    /// Only this fault; again for more [default: all]
    #[arg(long, value_enum, hide_possible_values = true)]
    fault: Vec<Fault>,
    /// Only this error, as ENOSPC
    #[arg(long, value_name = "E")]
    error: Option<String>,
    /// Only at the N-th of these calls
    #[arg(long, value_name = "N")]
    at: Option<usize>,
    /// Every K-th case
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = at_least_one)]
    every: usize,
    /// So many at a time, each with its own nginx
    #[arg(long, value_name = "J", default_value_t = 4)]
    jobs: usize,
}

/// One fault to meet.
#[derive(Debug, Clone, Copy)]
struct Case {
    fault: Fault,
    error: Errno,
    at: usize,
}

/// What came of one.
#[derive(Debug)]
struct Seen {
    code: i32,
    requests: usize,
}

/// Whether all held.
pub(crate) fn run(options: &Options) -> bool {
    let usual = [Story::Deploy, Story::Warm, Story::RecoverEarly, Story::RecoverLate];
    let stories = if options.story.is_empty() { &usual[..] } else { &options.story };
    // all of them, also after a failure
    stories.iter().filter(|story| !inject(**story, options)).count() == 0
}

fn inject(story: Story, options: &Options) -> bool {
    let began = Instant::now();
    let Some(cases) = cases(story, options) else { return true };
    let failed = |case: &Case, ground: Option<&Ground>, why: &str| {
        let Case { fault, error, at } = case;
        let (story, fault) = (story.word(), fault.word());
        let happened = ground.map(|ground| ground.happened.as_str()).unwrap_or_default();
        let replay = format!("errors --story {story} --fault {fault} --error {error:?} --at {at}");
        crew::show(&format!("{story}: {happened}"), why, &replay);
    };
    let seen = crew::each(&cases, options.jobs, || story.ground(), |ground, case| meet(story, ground, *case), failed);
    let mut codes = BTreeMap::<i32, usize>::new();
    for seen in &seen {
        *codes.entry(seen.code).or_default() += 1;
    }
    let codes = codes.iter().map(|(code, times)| format!("{times} x {code}")).collect::<Vec<_>>().join(", ");
    let (failures, requests) = (cases.len() - seen.len(), seen.iter().map(|seen| seen.requests).sum::<usize>());
    let (story, took) = (story.word(), began.elapsed());
    say(&format!(
        "{story:<14} {} cases, {failures} failed; exit codes {codes}; {requests} requests; {took:.0?}",
        cases.len()
    ));
    failures == 0
}

/// All that can happen to the story, in an order in which a sample has some of everything.
fn cases(story: Story, options: &Options) -> Option<Vec<Case>> {
    let mut ground = story.ground()?;
    let scene = story.begin(&mut ground);
    let mut calls = BTreeMap::<Fault, usize>::new();
    let whole = trace(&ground.command(&scene.words), &mut |stop| {
        if stop.side == Side::Entry {
            Fault::value_variants().iter().filter(|f| f.meets(stop)).for_each(|f| *calls.entry(*f).or_default() += 1);
        }
        Act::Go
    });
    assert_eq!(whole.code, Some(scene.code), "{story:?}: {whole}");
    let wanted = |fault: &Fault| options.fault.is_empty() || options.fault.contains(fault);
    let named = |error: &Errno| options.error.as_ref().is_none_or(|name| *name == format!("{error:?}"));
    let mut cases = Vec::new();
    for (fault, times) in calls.into_iter().filter(|(fault, _)| wanted(fault)) {
        let every = times.div_ceil(fault.enough()).max(1);
        let ats = options.at.map_or((1..=times).step_by(every), |at| (at..=at).step_by(1));
        let errors = || fault.errors().iter().copied().filter(named);
        cases.extend(ats.flat_map(|at| errors().map(move |error| Case { fault, error, at })));
    }
    Some(cases.into_iter().step_by(options.every).collect())
}

fn meet(story: Story, ground: &mut Ground, case: Case) -> Seen {
    let scene = story.begin(ground);
    ground.happened.clear();
    let clients = Clients::begin(&ground.stage, CLIENTS);
    let mut times = 0;
    let command = ground.command(&scene.words);
    let traced = trace(&command, &mut |stop| {
        if stop.side == Side::Exit || !case.fault.meets(stop) {
            return Act::Go;
        }
        times += 1;
        if times < case.at || (times > case.at && !case.fault.lasts()) {
            return Act::Go;
        }
        if ground.happened.is_empty() {
            ground.happened = format!("{:?} at the {stop}", case.error);
        }
        Act::Fail(case.error)
    });
    judge(ground, &scene, &traced, case);
    aftermath::check(ground, &scene);
    let tally = clients.stop();
    aftermath::losses(ground, &scene, &tally);
    Seen { code: traced.code.unwrap_or(-1), requests: tally.0.len() }
}

/// The exit codes that are promised.
const CODES: [i32; 12] = [0, 1, 2, 3, 10, 11, 12, 13, 20, 75, 130, 143];
/// Those that say that the traffic is where it was.
const UNMOVED: [i32; 7] = [2, 3, 10, 11, 12, 13, 75];

/// What it said is so, and it said enough.
fn judge(ground: &Ground, scene: &Scene, traced: &Traced, case: Case) {
    let code = traced.code.unwrap_or_else(|| panic!("it was killed: {traced}"));
    assert!(!traced.hung, "it does not end: {traced}");
    let panicked = ["panicked", "internal error"].iter().any(|word| traced.err.contains(word));
    assert!(!panicked, "a panic: {traced}");
    assert!(CODES.contains(&code), "an exit code that is not promised: {traced}");
    if case.error == Errno::EINTR {
        assert_eq!(code, scene.code, "an interrupted call was not done again: {traced}");
    }
    if code == 0 {
        return;
    }
    // a mistake in the configuration shows its place there
    assert!(code == 2 || traced.err.contains("next  "), "it does not say what to do: {traced}");
    let front = ground.stage.front();
    if let Some(before) = scene.versions.first().filter(|_| UNMOVED.contains(&code) && scene.moves) {
        assert!(
            front.starts_with(&format!("{before} ")),
            "the traffic was to be at {before}, and is at {front}: {traced}"
        );
    }
}
