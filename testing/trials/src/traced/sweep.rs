//! SIGKILL at the system calls of the real program.

use std::{fmt, fmt::Write as _, process, time::Instant};

use bluegreen_rig::{Clients, say};
use clap::ValueEnum as _;

use super::{
    aftermath,
    ground::Ground,
    story::Story,
    trace::{Act, Traced, trace},
};
use crate::crew;

/// So few, as there are several stages at a time.
pub(super) const CLIENTS: usize = 3;

/// SIGKILL at the system calls of the real program, under load: then nothing is lost and one `recover` sets it right
///
/// A stop is the edge of a system call of any thread, and of a child before its exec. Without --all, only stops count at
/// calls that may change something outside the tool: between two of them a kill leaves the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this one; again for more [default: all]
    #[arg(long, value_enum, hide_possible_values = true)]
    story: Vec<Story>,
    /// Every stop, also where nothing changes
    #[arg(long)]
    all: bool,
    /// At every K-th stop
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = at_least_one)]
    every: usize,
    /// The first of them [default: 1, or any when K is above 1]
    #[arg(long, value_name = "N")]
    from: Option<usize>,
    /// Only at this stop
    #[arg(long, value_name = "N", conflicts_with_all = ["every", "from"])]
    stop: Option<usize>,
    /// Kill the recovery too, at its M-th stop
    #[arg(long, value_name = "M", requires = "stop")]
    then: Option<usize>,
    /// Kill the recovery too, at every K-th of its stops
    #[arg(long, value_name = "K", conflicts_with = "then", value_parser = at_least_one)]
    twice: Option<usize>,
    /// So many at a time, each with its own nginx
    #[arg(long, value_name = "J", default_value_t = 4)]
    jobs: usize,
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a number above 0".to_owned())
}

/// Where the tool is killed, and perhaps the recovery after it.
#[derive(Debug, Clone, Copy)]
struct Point {
    stop: usize,
    then: Option<usize>,
}

/// What came of one point.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    stop: usize,
    killed: bool,
    requests: usize,
    /// By nginx, in reload mode.
    dropped: usize,
    /// How many stops the recovery had, when it was traced.
    recovery: usize,
}

/// Whether all held.
pub(crate) fn run(options: &Options) -> bool {
    let stories = if options.story.is_empty() { Story::value_variants() } else { &options.story };
    // all of them, also after a failure
    stories.iter().filter(|story| !sweep(**story, options)).count() == 0
}

fn sweep(story: Story, options: &Options) -> bool {
    let began = Instant::now();
    let Some(stops) = count(story, options.all) else { return true };
    let from = options.from.unwrap_or_else(|| 1 + usize::try_from(process::id()).unwrap_or(0) % options.every);
    let chosen = options.stop.map_or((from..=stops).step_by(options.every).collect(), |stop| vec![stop]);
    // a recovery that shall be killed at each so-manieth stop has to be counted first
    let then = options.then.or(options.twice.map(|_| usize::MAX));
    let points: Vec<Point> = chosen.into_iter().map(|stop| Point { stop, then }).collect();
    let mut done = walk(story, options, &points);
    if let Some(every) = options.twice {
        let thens = |seen: &Seen| (1 + seen.stop % every..=seen.recovery).step_by(every);
        let point = |seen: Seen| thens(&seen).map(move |then| Point { stop: seen.stop, then: Some(then) });
        let twice: Vec<Point> = done.seen.iter().copied().flat_map(point).collect();
        done = done.and(walk(story, options, &twice));
    }
    say(&format!("{:<14} {stops} stops from {from}; {done}; {:.0?}", story.word(), began.elapsed()));
    done.failures == 0
}

/// How many stops the story has when nothing happens.
fn count(story: Story, all: bool) -> Option<usize> {
    let mut ground = story.ground()?;
    let scene = story.begin(&mut ground);
    let (whole, stops) = killed_at(&mut ground, &scene.words, usize::MAX, all);
    assert_eq!(whole.code, Some(scene.code), "{story:?}: {whole}");
    Some(stops)
}

/// What came of many points.
#[derive(Debug, Default)]
struct Done {
    points: usize,
    failures: usize,
    seen: Vec<Seen>,
}

impl Done {
    fn and(mut self, other: Self) -> Self {
        self.seen.extend(other.seen);
        Self { points: self.points + other.points, failures: self.failures + other.failures, seen: self.seen }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Seen) -> usize| self.seen.iter().map(of).sum::<usize>();
        let (killed, requests, dropped) = (sum(|s| s.killed.into()), sum(|s| s.requests), sum(|s| s.dropped));
        let Self { points, failures, .. } = self;
        write!(f, "{points} points, {killed} killed, {failures} failed; {requests} requests")?;
        if dropped > 0 { write!(f, ", {dropped} dropped by nginx's reloads") } else { Ok(()) }
    }
}

fn walk(story: Story, options: &Options, points: &[Point]) -> Done {
    let failed = |at: &Point, ground: Option<&Ground>, why: &str| {
        let then = at.then.filter(|then| *then != usize::MAX).map(|then| format!(" --then {then}")).unwrap_or_default();
        let all = if options.all { " --all" } else { "" };
        let (story, happened) = (story.word(), ground.map(|ground| ground.happened.as_str()).unwrap_or_default());
        crew::show(
            &format!("{story}: {happened}"),
            why,
            &format!("sweep --story {story}{all} --stop {}{then}", at.stop),
        );
    };
    let one = |ground: &mut Ground, at: &Point| point(story, ground, *at, options.all);
    let seen = crew::each(points, options.jobs, || story.ground(), one, failed);
    Done { points: points.len(), failures: points.len() - seen.len(), seen }
}

fn point(story: Story, ground: &mut Ground, at: Point, all: bool) -> Seen {
    let scene = story.begin(ground);
    ground.happened.clear();
    let clients = Clients::begin(&ground.stage, CLIENTS);
    let (killed, _) = killed_at(ground, &scene.words, at.stop, all);
    let mut seen = Seen { stop: at.stop, killed: killed.code.is_none(), ..Seen::default() };
    if let Some(then) = at.then {
        (_, seen.recovery) = killed_at(ground, &["recover".to_owned()], then, all);
    }
    aftermath::check(ground, &scene);
    let tally = clients.stop();
    seen.dropped = aftermath::losses(ground, &scene, &tally);
    Seen { requests: tally.0.len(), ..seen }
}

/// Runs `words` and kills them at this stop. Gives back how many stops there were.
fn killed_at(ground: &mut Ground, words: &[String], at: usize, all: bool) -> (Traced, usize) {
    let mut stops = 0;
    let command = ground.command(words);
    let traced = trace(&command, &mut |stop| {
        if !all && !stop.matters() {
            return Act::Go;
        }
        stops += 1;
        if stops != at {
            return Act::Go;
        }
        let then = if ground.happened.is_empty() { "" } else { ", then " };
        let _ = write!(ground.happened, "{then}`{}` killed at {stop}", words[0]);
        Act::Kill
    });
    assert!(!traced.hung, "it does not end: {traced}");
    (traced, stops)
}
