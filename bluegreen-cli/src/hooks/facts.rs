//! What a hook may know.

use bluegreen_core::{Profile, ReleaseId, StateStore as _};
use bluegreen_process::Release;

use crate::session::Session;

/// What a hook may know.
pub(super) struct Facts {
    /// By the names of the placeholders and a few more; each is also a variable, as `BLUEGREEN_PORT`.
    pub(super) values: Vec<(&'static str, String)>,
    /// The profile and the release that the deploy is about.
    pub(super) about: (Profile, Option<ReleaseId>),
}

/// `release` is what will be deployed, when no transaction is about it yet.
pub(super) async fn facts(session: &Session, release: Option<&Release>) -> Facts {
    let seen = session.wired.deployer.look().await;
    let open = session.wired.store.load().ok().and_then(|state| state.transaction).map(|tx| (tx.to, tx.release));
    // after its end, the transaction is what the events told of it
    let about = open.or_else(|| session.last_seen.about().filter(|_| release.is_none()));
    let active = seen.route().map(|route| route.active.clone());
    let profiles = &session.config.profiles;
    // where neither has the traffic a deploy goes to the first one; what is not known is left out
    let idle = active.as_ref().map_or(profiles.first(), |active| profiles.other(active));
    let to = about.as_ref().map_or_else(|| idle.clone(), |(to, _)| to.clone());

    let mut facts = vec![("app", session.config.app.to_string())];
    facts.push(("shared_dir", session.config.state_dir.join("shared").display().to_string()));
    facts.extend([("profile", to.to_string()), ("port", to.port().to_string())]);
    facts.push(("other_port", profiles.other(&to).port().to_string()));
    if seen.traffic.is_ok() {
        facts.extend([("idle", idle.to_string()), ("idle_port", idle.port().to_string())]);
    }
    if let Some(active) = active {
        facts.extend([("active", active.to_string()), ("active_port", active.port().to_string())]);
    }
    let releases = session.wired.processes.releases();
    let id = release.map(|release| release.id.clone()).or_else(|| about.as_ref().map(|(_, release)| release.clone()));
    let known = || about.and_then(|(_, release)| releases.get(&release).ok());
    if let Some(release) = release.cloned().or_else(known) {
        facts.push(("release", release.id.as_str().to_owned()));
        facts.push(("release_dir", releases.path(&release.id).display().to_string()));
        facts.extend(releases.artifact(&release).map(|path| ("artifact", path.display().to_string())));
        // as for the app: a release without a version is called by its id
        facts.push(("version", release.version.unwrap_or_else(|| release.id.to_string())));
    }
    Facts { values: facts, about: (to, id) }
}
