//! Doing what was planned, or undoing all of it.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use bluegreen_core::{ProfileResolver, Traffic};
use tokio::time::{Instant, sleep};

use super::{Goal, Plan, Setup, SetupError, write};
use crate::{
    drain::wait_until,
    master::{SETTLE, Workers},
    text::chain,
};

/// What [`Setup::apply`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Copies of the owner's files as they were.
    pub backups: Vec<PathBuf>,
    /// Whether nginx was reloaded; not when all was as it should be.
    pub reloaded: bool,
}

/// How long new workers may take to prove what they do.
const PROVEN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

impl Setup {
    /// Does what `plan` says: the route, the files, `nginx -t`, one reload, the proof. `yes`: the owner has seen the
    /// difference of their files and agrees. On an error everything is as before, unless it is
    /// [`SetupError::NotUndone`]; only the route directory, which nothing uses then, may be left.
    ///
    /// Not to be dropped half-way. One that was killed leaves files with which nginx starts; the next plan carries on.
    ///
    /// # Errors
    /// [`SetupError`]; what was written is put back first.
    pub async fn apply(&self, plan: &Plan, yes: bool) -> Result<Applied, SetupError> {
        let foreign: Vec<PathBuf> = plan.edits.iter().filter(|e| e.foreign).map(|e| e.path.clone()).collect();
        if !foreign.is_empty() && !yes {
            return Err(SetupError::NotAgreed(foreign));
        }
        for edit in &plan.edits {
            if write::read(&edit.path)? != edit.before {
                return Err(SetupError::Changed(edit.path.clone()));
            }
        }
        if plan.goal == Goal::SetUp {
            self.set_route(plan)?;
        }
        if plan.edits.is_empty() && self.is_read() && self.is_reached(plan.goal).await.is_ok() {
            return Ok(Applied::default());
        }
        let mut done = Applied::default();
        match self.change(plan, &mut done).await {
            Ok(()) => Ok(done),
            Err(error) => Err(self.undo(plan, &done, error).await),
        }
    }

    /// Before any file of nginx: whenever it begins to look, what serves now stays served.
    fn set_route(&self, plan: &Plan) -> Result<(), SetupError> {
        let owner = self.owner();
        self.route.create_for(&owner)?;
        self.check_place()?;
        let start = match &plan.start {
            Some(start) => start.clone(),
            None if self.route.read()?.is_none() => self.route.fallback(),
            None => return Ok(()),
        };
        let io = |source| SetupError::Io { action: "write", path: self.route.path().to_owned(), source };
        Ok(owner.act(|| self.route.point(&start)).map_err(io)??)
    }

    async fn change(&self, plan: &Plan, done: &mut Applied) -> Result<(), SetupError> {
        let old = self.master.workers()?;
        for edit in &plan.edits {
            done.backups.extend(write::back_up(edit, &self.nginx_dir.join("bluegreen"))?);
        }
        for edit in &plan.edits {
            write::put(&edit.path, edit.after.as_deref())?;
        }
        self.commands.test().await?;
        done.reloaded = true;
        let asked = SystemTime::now();
        self.commands.reload().await?;
        self.prove(plan.goal, &old, asked).await
    }

    /// Waits until none of the `old` workers takes connections: they too could prove a change that leaves the ports as they
    /// are. Then the new ones must prove it.
    async fn prove(&self, goal: Goal, old: &Workers, asked: SystemTime) -> Result<(), SetupError> {
        let replaced = || Ok(self.master.workers().is_ok_and(|now| now.replace(old, asked)));
        if !wait_until(SETTLE, replaced).await.is_ok_and(|replaced| replaced) {
            // who takes connections must be seen, before it is said that nothing came of it
            self.master.workers()?;
            return Err(SetupError::NotReloaded);
        }
        let deadline = Instant::now() + PROVEN;
        while let Err(error) = self.is_reached(goal).await {
            if Instant::now() >= deadline {
                return Err(error);
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Whether the workers are younger than our files. A set-up that was killed before its reload leaves files that they
    /// have not read.
    fn is_read(&self) -> bool {
        let Ok(workers) = self.master.workers() else { return false };
        let files = [self.http_file(), self.server_file(), self.location_file()];
        let mut written = files.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok());
        written.all(|modified| workers.started_after(modified))
    }

    async fn is_reached(&self, goal: Goal) -> Result<(), SetupError> {
        let resolver = self.resolver();
        match goal {
            Goal::SetUp => match resolver.resolve().await {
                Ok(Traffic::Ours(_)) => Ok(()),
                Ok(traffic) => Err(SetupError::NotProven(traffic.to_string())),
                Err(blind) => Err(SetupError::NotProven(blind.to_string())),
            },
            // whatever the app itself answers there
            Goal::Removed => match resolver.is_set_up().await {
                Ok(false) => Ok(()),
                Ok(true) => Err(SetupError::NotRemoved),
                Err(blind) => Err(SetupError::NotProven(blind.to_string())),
            },
        }
    }

    /// Puts everything back, the last thing first, so that nginx could be started at any moment here too.
    async fn undo(&self, plan: &Plan, done: &Applied, error: SetupError) -> SetupError {
        let back = async {
            for edit in plan.edits.iter().rev() {
                write::put(&edit.path, edit.before.as_deref())?;
            }
            if done.reloaded {
                self.commands.test().await?;
                self.commands.reload().await?;
            }
            done.backups.iter().try_for_each(|copy| write::put(copy, None))
        };
        match back.await {
            Ok(()) => error,
            Err(undo) => SetupError::NotUndone {
                reason: chain(&error),
                undo: chain(&undo),
                backups: self.nginx_dir.join("bluegreen"),
            },
        }
    }
}
