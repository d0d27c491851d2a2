//! `profile`: what profile.sh printed.

use bluegreen_core::ResolveError;

use super::{Exit, Format, Halt, Session};
use crate::{
    documents::{self, SCHEMA},
    halt::for_route,
    output,
};

/// Prints the idle profile, which is only ever what the proxy says and never a guess.
pub(super) async fn run(session: &Session, port: bool, active: bool) -> Result<Exit, Halt> {
    let profiles = &session.config.profiles;
    let profile = match session.wired.deployer.look().await.route {
        Ok(route) if active => route.active,
        Ok(route) => profiles.other(&route.active).clone(),
        Err(ResolveError::Unmanaged(_)) if !active => profiles.first().clone(),
        Err(error) => return Err(Halt::error(Exit::Refused, &error).next(for_route(&error, &session.config))),
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
