//! `adopt`: what the scripts left.

use bluegreen_core::{Occupant, Profile, StateStore as _};

use super::{Exit, Format, Halt, Session};
use crate::{doctor, output, session::holder};

pub(super) async fn run(session: &Session, profile: Option<&str>, pid: Option<u32>) -> Result<Exit, Halt> {
    let _lease = session.wired.store.lock(&holder("adopt"))?;
    session.mend().await;
    let seen = session.sight().await;
    if let Some(finding) = doctor::no_door(&session.config, &seen).await {
        return Err(Halt::new(Exit::Refused, finding.what).next(finding.fix.unwrap_or_default()));
    }
    let profiles = &session.config.profiles;
    let foreign = |p: &&Profile| matches!(seen.on(p), Ok(Occupant::Stranger { .. }));
    let chosen = match profile {
        Some(name) => profiles.named(name).ok_or_else(|| {
            let [first, second] = profiles.both();
            Halt::new(Exit::Usage, format!("no profile {name:?}: it is {first} or {second}")).next("bluegreen status")
        })?,
        None => profiles.both().into_iter().find(foreign).ok_or_else(|| {
            let unseen = profiles.both().into_iter().find_map(|profile| seen.on(profile).err());
            let what = unseen.map_or("no profile is held by a foreign process".to_owned(), ToString::to_string);
            Halt::new(Exit::Refused, what).next("bluegreen status")
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
