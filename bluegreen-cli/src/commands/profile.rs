//! `profile`: what profile.sh printed.

use bluegreen_core::Traffic;

use super::{Exit, Format, Halt, Session};
use crate::{
    advice::{for_traffic, said},
    documents::{self, SCHEMA},
    output,
};

/// Prints the idle profile, which is only ever what the proxy says and never a guess.
pub(super) async fn run(session: &Session, port: bool, active: bool) -> Result<Exit, Halt> {
    let profiles = &session.config.profiles;
    let seen = session.wired.deployer.look().await;
    let profile = match (&seen.traffic, seen.idle()) {
        (Ok(Traffic::Ours(route)), _) if active => route.active.clone(),
        (Ok(Traffic::Ours(_)), Some(idle)) => idle.clone(),
        (Ok(Traffic::Elsewhere(_)), _) if !active => profiles.first().clone(),
        (other, _) => {
            let what = said(other);
            return Err(Halt::new(Exit::Refused, what).next(for_traffic(other, &session.config)));
        }
    };
    if session.format == Format::Json {
        output::json(&documents::Chosen { schema: SCHEMA, profile: profile.name(), port: profile.port(), active });
    } else if port {
        output::line(profile.port());
    } else {
        output::line(&profile);
    }
    Ok(Exit::Done)
}
