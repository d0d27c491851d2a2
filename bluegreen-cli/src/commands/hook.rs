//! `hook`: AWS CodeDeploy's life cycle.

use std::path::{Path, PathBuf};

use bluegreen_core::Step;

use super::{Exit, Halt, Release, Run, Session, check, deploy};
use crate::output;

/// AfterInstall looks, ApplicationStart prepares, ValidateService gives the traffic; every other event is not ours.
pub(super) async fn run(session: &Session) -> Result<Exit, Halt> {
    let event = std::env::var("LIFECYCLE_EVENT").unwrap_or_default();
    match event.as_str() {
        "AfterInstall" => {
            artifact(session)?;
            check::run_plain(session).await
        }
        "ApplicationStart" => {
            let version = std::env::var("DEPLOYMENT_ID").ok();
            // the one before may have been stopped between its hooks
            let release = Release { artifact: artifact(session)?, version, replace: true, ..Release::default() };
            let prepared = deploy::until(session, release, Step::Health, "prepare").await;
            // the agent types none
            prepared.map_err(|halt| match halt.exit {
                Exit::Usage => halt.next("add `artifact = \"build/libs/*.jar\"` to [hook]"),
                _ => halt,
            })
        }
        "ValidateService" => Box::pin(deploy::promote(session, None, &Run::default(), false)).await,
        "" => Err(Halt::new(Exit::Usage, "LIFECYCLE_EVENT is not set: `bluegreen hook` is for CodeDeploy's hooks")
            .next("bluegreen deploy ARTIFACT")),
        other => {
            output::line(format!("nothing to do in {other}"));
            Ok(Exit::Done)
        }
    }
}

/// The one file that `[hook] artifact` matches, relative to the configuration; none when it is not set.
fn artifact(session: &Session) -> Result<Option<PathBuf>, Halt> {
    let Some(pattern) = &session.config.hook.artifact else { return Ok(None) };
    let base = session.config.file().parent().unwrap_or(Path::new("."));
    let pattern = base.join(pattern).display().to_string();
    let bad = |what: String| Halt::new(Exit::Process, what).next("bluegreen config");
    let found = glob::glob(&pattern).map_err(|error| bad(format!("{pattern}: {error}")))?;
    let found: Result<Vec<PathBuf>, _> = found.collect();
    let found = found.map_err(|error| bad(format!("cannot look for {pattern}: {error}")))?;
    match &found[..] {
        [one] => Ok(Some(one.clone())),
        [] => Err(bad(format!("no file matches {pattern}"))),
        many => {
            let names: Vec<String> = many.iter().take(5).map(|path| path.display().to_string()).collect();
            Err(bad(format!("{} files match {pattern}: {}", many.len(), names.join(", "))))
        }
    }
}
