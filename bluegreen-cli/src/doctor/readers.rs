//! Who may read status, releases and logs.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use super::Finding;
use crate::{access, config::Config, owner::User};

/// `user` is who deploys.
pub(super) fn look(config: &Config, user: &User) -> Option<Finding> {
    let group = config.access.group.as_ref()?;
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

/// Whether it is there, and was written for another group or none.
fn is_closed(file: &Path, group: u32) -> bool {
    file.metadata().is_ok_and(|meta| meta.gid() != group || meta.mode() & 0o040 == 0)
}
