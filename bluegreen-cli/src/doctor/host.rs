//! The machine: its kernel, its limits, and where we were started.

use bluegreen_process::{Unit, ends_with_us};
use rustix::process::{PidfdFlags, Resource, getpid, getrlimit, pidfd_open};

use super::Finding;
use crate::config::Config;

/// How what we start gets out of a cgroup that systemd ends.
const CGROUP_FIX: &str = "a service: `KillMode=process` in its unit; a login: `loginctl enable-linger`, then \
                          `systemd-run --user --scope bluegreen ...`";
/// Fewer open files than a web service with a few hundred connections needs.
const FILES: u64 = 1024;

pub(super) fn look(_config: &Config) -> Vec<Finding> {
    let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).is_ok();
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut findings = vec![kernel(pidfd, &release), files(getrlimit(Resource::Nofile).current)];
    findings
        .push(started_here().unwrap_or_else(|| Finding::good("cgroup", "what is started here outlives this session")));
    findings
}

/// What ends the app with the unit or the login that this runs in; asks systemd.
pub(crate) fn started_here() -> Option<Finding> {
    let unit = ends_with_us()?;
    let fix = match &unit {
        Unit::Service(name) if name.contains("codedeploy") => {
            "`KillMode=process` in the agent's unit: `sudo systemctl edit codedeploy-agent`"
        }
        Unit::Service(name) if name.contains("runner") => {
            "start it over ssh, or with `sudo systemd-run --uid=$USER bluegreen ...`: a CI runner ends what its jobs leave"
        }
        _ => CGROUP_FIX,
    };
    Some(Finding::warning("cgroup", unit.to_string(), fix))
}

fn kernel(pidfd: bool, release: &str) -> Finding {
    if pidfd {
        return Finding::good("kernel", format!("Linux {release} has pidfds"));
    }
    let what =
        format!("Linux {release} has no pidfds, or a sandbox forbids them: no process can be signalled for sure");
    Finding::fatal("kernel", what, "Linux 5.3 or newer; in a container, a seccomp profile that allows pidfd_open")
}

fn files(limit: Option<u64>) -> Finding {
    match limit {
        Some(limit) if limit < FILES => {
            let what = format!("the app would be started with at most {limit} open files: each connection is one");
            Finding::warning("open-files", what, "ulimit -n 65536 before bluegreen, or LimitNOFILE= in its unit")
        }
        _ => Finding::good("open-files", "enough files may be open"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    #[test]
    fn an_old_kernel_and_a_low_limit_are_named() {
        assert_eq!(kernel(true, "6.1").severity, Severity::Good);
        let old = kernel(false, "4.18.0");
        assert!(old.severity == Severity::Fatal && old.what.contains("Linux 4.18.0"), "{old:?}");
        assert_eq!(
            [Some(256), Some(1024), None].map(|n| files(n).severity),
            [Severity::Warning, Severity::Good, Severity::Good]
        );
    }
}
