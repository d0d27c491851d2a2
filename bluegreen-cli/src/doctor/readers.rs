//! Who may read releases and logs.

use super::Finding;
use crate::{access, config::Config, owner::User};

/// `user` is who deploys.
pub(super) fn look(config: &Config, user: &User) -> Option<Finding> {
    let group = config.access.group.as_ref()?;
    Some(match access::group(config, user) {
        Ok(_) => Finding::good("access", format!("of others only the group {group} may read releases and logs")),
        Err(why) => Finding::fatal("access", why.to_string(), why.fix()),
    })
}
