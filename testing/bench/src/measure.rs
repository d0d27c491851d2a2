//! Rounds of deploy and rollback under load, the contenders in turn.

use std::{
    fs::{self, File},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail};
use bluegreen_lab::{Tally, load::Load};
use tokio::time::{sleep, timeout};

use crate::{Bed, Contender, Figures, Switch};

/// The load before a command begins and after it has ended: a reload is true only some 150 ms after it has returned.
const MARGIN: Duration = Duration::from_millis(500);
/// No command of a deploy takes longer; the scripts give up after 110 s.
const PATIENCE: Duration = Duration::from_secs(180);

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Deploys and rollbacks of each contender.
    pub rounds: usize,
    /// Keep-alive clients.
    pub clients: usize,
    /// Whether they look for an end before they write.
    pub polite: bool,
    /// How long their requests are under way.
    pub air: Duration,
    /// Pause between a switch and the next deploy, so that no deploy waits for the profile that just lost its traffic.
    pub pause: Duration,
}

/// Runs the plan with each contender in turn. One that fails takes no further part, and its figures say why.
pub async fn measure(contenders: &[(String, Box<dyn Contender>)], plan: Plan, progress: fn(&str)) -> Vec<Figures> {
    let mut all = Vec::new();
    for (name, contender) in contenders {
        progress(&format!("{name}: first deploy"));
        let first = run(contender.bed(), contender.deploy("v0")).await;
        let failure = first.err().map(|error| format!("{error:#}"));
        all.push(Figures { name: name.clone(), failure, ..Figures::default() });
    }
    for round in 1..=plan.rounds {
        for (figures, (name, contender)) in all.iter_mut().zip(contenders).filter(|(f, _)| f.failure.is_none()) {
            progress(&format!("{name}: round {round} of {}", plan.rounds));
            sleep(plan.pause).await;
            if let Err(error) = one_round(contender.as_ref(), plan, round, figures).await {
                figures.failure = Some(format!("{error:#}"));
            }
        }
    }
    all
}

/// A deploy of the next version, then back to the one before, which each round leaves live.
async fn one_round(contender: &dyn Contender, plan: Plan, round: usize, figures: &mut Figures) -> Result<()> {
    let (old, new) = ("v0 ".to_owned(), format!("v{round} "));
    let seen = under_load(contender.bed(), plan, contender.deploy(new.trim())).await?;
    let process = contender.bed().live()?;
    let live = seen.tally.first_from(&new).context("the deploy ended well and nobody saw the new release")?;
    let boot = process.listens.duration_since(process.began).unwrap_or_default();
    let since_ready = |at: Instant| at.saturating_duration_since(seen.instant(process.listens));
    figures.deploys.push(Switch {
        boot: Some(boot),
        ready_to_live: Some(since_ready(live)),
        switch: contender.switch_time(&seen.output),
        ..seen.switch(&old)
    });
    let seen = under_load(contender.bed(), plan, Ok(contender.rollback())).await?;
    if seen.tally.answered_by_after(&old, seen.end) == 0 {
        bail!("the rollback ended well and nobody saw the release before");
    }
    figures.rollbacks.push(seen.switch(&new));
    Ok(())
}

/// What the clients saw while commands ran.
struct Seen {
    tally: Tally,
    start: Instant,
    started: SystemTime,
    end: Instant,
    output: String,
}

impl Seen {
    fn switch(&self, old: &str) -> Switch {
        Switch {
            requests: self.tally.0.len(),
            lost: self.tally.lost(),
            stale: self.tally.answered_by_after(old, self.end),
            whole: self.end - self.start,
            boot: None,
            ready_to_live: None,
            switch: None,
        }
    }

    /// A time of the wall clock on ours; both were read at the start.
    fn instant(&self, time: SystemTime) -> Instant {
        self.start + time.duration_since(self.started).unwrap_or_default()
    }
}

async fn under_load(bed: &Bed, plan: Plan, commands: Result<Vec<Command>>) -> Result<Seen> {
    let load =
        Load { clients: plan.clients, polite: plan.polite, air: plan.air, ..Load::new(bed.nginx.address()) }.start();
    sleep(MARGIN).await;
    let (start, started) = (Instant::now(), SystemTime::now());
    let output = run(bed, commands).await?;
    let end = Instant::now();
    sleep(MARGIN).await;
    let tally = load.stop().await.during(start..Instant::now());
    Ok(Seen { tally, start, started, end, output })
}

/// Runs the commands and returns what they wrote. They write to a file: a pipe would be kept open by an app that
/// inherits it.
async fn run(bed: &Bed, commands: Result<Vec<Command>>) -> Result<String> {
    let path = bed.path("output");
    let file = File::create(&path)?;
    for mut command in commands? {
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?);
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let status = timeout(PATIENCE, child.wait()).await.context("a command takes too long")??;
        if !status.success() {
            bail!("{status}, and the last it wrote was:\n{}", last_lines(&fs::read_to_string(&path)?, 20));
        }
    }
    Ok(fs::read_to_string(&path)?)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
