//! Whether what is started here lives as long as it should.

/// What to tell a person when this process sits in a cgroup that systemd kills as a whole; `None` when it does not.
///
/// An own session does not leave a cgroup: a process started from a service ends with that service (`KillMode=`), one
/// started from a login may end with it (`KillUserProcesses=` in logind.conf).
pub fn cgroup_warning() -> Option<String> {
    warning(&std::fs::read_to_string("/proc/self/cgroup").ok()?)
}

fn warning(cgroups: &str) -> Option<String> {
    // version 2 has one line `0::PATH`; in version 1 systemd's own hierarchy is named
    let path = cgroups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        matches!(controllers, "" | "name=systemd").then_some(path)
    })?;
    path.rsplit('/').find_map(|unit| match unit.rsplit_once('.')? {
        (_, "service") => {
            Some(format!("started inside {unit}: when that unit stops, systemd also ends what is started here"))
        }
        (name, "scope") if name.starts_with("session-") => Some(format!(
            "started inside the login {unit}: with KillUserProcesses=yes, logging out ends what is started here"
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_unit_that_kills() {
        let unit = |text: &str| warning(text).map(|w| w.split([':', ',']).next().unwrap_or_default().to_owned());
        assert_eq!(unit("0::/"), None);
        assert_eq!(unit("0::/init.scope"), None);
        assert_eq!(unit("0::/user.slice/user-1000.slice/run-1.scope"), None);
        assert_eq!(unit("0::/system.slice/cron.service"), Some("started inside cron.service".into()));
        assert_eq!(unit("0::/system.slice/agent.service/sub"), Some("started inside agent.service".into()));
        let login = "0::/user.slice/user-1000.slice/session-3.scope";
        assert_eq!(unit(login), Some("started inside the login session-3.scope".into()));
        let v1 = "5:memory:/system.slice/a.service\n1:name=systemd:/system.slice/b.service\n";
        assert_eq!(unit(v1), Some("started inside b.service".into()));
    }
}
