//! Who may read status, releases and logs.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use nix::unistd::{Gid, Group};

use super::Finding;
use crate::{access, config::Config, owner::User};

/// `user` is who deploys.
pub(super) fn look(config: &Config, user: &User) -> Option<Finding> {
    let Some(group) = config.access.group.as_ref() else { return left_open(config, user) };
    Some(match access::group(config, user) {
        Ok(Some(gid)) if is_closed(&config.state_dir.join("state.json"), gid) => {
            Finding::warning("access", format!("the group {group} cannot read the state yet"), "bluegreen recover")
        }
        Ok(_) => {
            Finding::good("access", format!("of others only the group {group} may read status, releases and logs"))
        }
        Err(why) => Finding::fatal("access", why.to_string(), why.fix()),
    })
}

/// What a group was given stays with it: only a person knows whether that was meant. The releases that are added since have their
/// own rights, and are reached by whoever may read them.
fn left_open(config: &Config, user: &User) -> Option<Finding> {
    let dir = config.state_dir.display();
    let releases = config.state_dir.join("releases").metadata().ok()?;
    let gid = releases.gid();
    if gid == user.gid || releases.mode() & 0o057 != 0o050 {
        return None;
    }
    let known = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    let group = known.map_or_else(|| gid.to_string(), |group| group.name);
    let fix = format!(
        "find {dir} -maxdepth 2 -group {group} ! -perm /007 ! -path '{dir}/shared*' -exec chmod g= {{}} + && chmod 755 {dir}/releases"
    );
    Some(Finding::warning(
        "access",
        format!("the group {group} may still read what was written for it: no `access.group` is set"),
        fix,
    ))
}

/// Whether it is there, and was written for another group or none.
fn is_closed(file: &Path, group: u32) -> bool {
    file.metadata().is_ok_and(|meta| meta.gid() != group || meta.mode() & 0o040 == 0)
}
