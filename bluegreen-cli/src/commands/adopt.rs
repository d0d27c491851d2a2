//! `adopt`: what the scripts left.

use bluegreen_core::{Occupant, Profile, StateStore as _};

use super::{Exit, Format, Halt, Session};
use crate::{output, session::holder};

pub(super) async fn run(session: &Session, profile: Option<&str>, pid: Option<u32>) -> Result<Exit, Halt> {
    let _lease = session.wired.store.lock(&holder("adopt"))?;
    session.mend().await;
    let seen = session.wired.deployer.look().await;
    let profiles = &session.config.profiles;
    let foreign = |p: &&Profile| matches!(seen.on(p), Ok(Occupant::Stranger { .. }));
    let chosen = match profile {
        Some(name) => profiles.named(name).ok_or_else(|| {
            let [first, second] = profiles.both();
            Halt::new(Exit::Usage, format!("no profile {name:?}: it is {first} or {second}")).next("bluegreen status")
        })?,
        None => profiles.both().into_iter().find(foreign).ok_or_else(|| {
            Halt::new(Exit::Refused, "no profile is held by a foreign process").next("bluegreen status")
        })?,
    };
    let process = session.wired.processes.adopt(chosen, pid).await?;
    let shown = session.wired.processes.main_pid(chosen).map(|pid| format!(", pid {pid}")).unwrap_or_default();
    if session.format == Format::Human {
        output::line(format!("{chosen} is ours now{shown} ({})", process.release.as_str()));
    }
    let active = seen.route().map(|route| route.active.to_string());
    Ok(session.finish_plain("adopted", Exit::Done, active))
}
