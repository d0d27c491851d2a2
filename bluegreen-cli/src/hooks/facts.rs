//! What a hook may know.

use bluegreen_core::{Profile, ReleaseId, Seen};
use bluegreen_process::Releases;

use crate::config::Config;

/// What a hook may know.
pub(super) struct Facts {
    /// By the names of the placeholders and a few more; each is also a variable, as `BLUEGREEN_PORT`.
    pub(super) values: Vec<(&'static str, String)>,
    /// The profile and the release that the deploy is about.
    pub(super) about: (Profile, Option<ReleaseId>),
}

/// What is so, and what the deploy is about, where there is one.
pub(super) fn facts(config: &Config, releases: &Releases, seen: &Seen, about: Option<(&Profile, &ReleaseId)>) -> Facts {
    let active = seen.route().map(|route| &route.active);
    let profiles = &config.profiles;
    // where neither has the traffic a deploy goes to the first one; what is not known is left out
    let idle = seen.idle().unwrap_or(profiles.first());
    let to = about.map_or(idle, |(to, _)| to);

    let mut facts = vec![("app", config.app.to_string())];
    facts.push(("shared_dir", config.state_dir.join("shared").display().to_string()));
    facts.extend([("profile", to.to_string()), ("port", to.port().to_string())]);
    facts.extend(profiles.other(to).map(|other| ("other_port", other.port().to_string())));
    if seen.traffic.is_ok() {
        facts.extend([("idle", idle.to_string()), ("idle_port", idle.port().to_string())]);
    }
    if let Some(active) = active {
        facts.extend([("active", active.to_string()), ("active_port", active.port().to_string())]);
    }
    if let Some((_, id)) = about {
        facts.push(("release", id.as_str().to_owned()));
        // of one whose record cannot be read, no more than its id is known
        if let Ok(release) = releases.get(id) {
            facts.push(("release_dir", releases.path(id).display().to_string()));
            facts.extend(releases.artifact(&release).map(|path| ("artifact", path.display().to_string())));
            // as for the app: a release without a version is called by its id
            facts.push(("version", release.version.unwrap_or_else(|| id.to_string())));
        }
    }
    Facts { values: facts, about: (to.clone(), about.map(|(_, id)| id.clone())) }
}
