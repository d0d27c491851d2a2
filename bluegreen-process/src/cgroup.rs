//! Whether what is started here lives as long as it should.

use std::{fmt, time::Duration};

use bluegreen_linux::program::Program;

/// The unit or the login whose end ends what is started here too; `None` when there is none, or systemd says that it spares us.
///
/// An own session does not leave a cgroup: a process started from a service ends with that service (`KillMode=`), one
/// started from a login may end with it (`KillUserProcesses=` in logind.conf).
pub fn ends_with_us() -> Option<Unit> {
    let unit = Unit::of(&std::fs::read_to_string("/proc/self/cgroup").ok()?)?;
    (!unit.spares()).then_some(unit)
}

/// Either program answers within milliseconds, or does not reach systemd at all.
const WITHIN: Duration = Duration::from_secs(5);

/// Where we were started, by systemd's name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A service, as that of an agent of CI.
    Service(String),
    /// The session of a login.
    Login(String),
}

impl Unit {
    /// The innermost one of a `/proc/PID/cgroup`.
    fn of(cgroups: &str) -> Option<Self> {
        // version 2 has one line `0::PATH`; in version 1 systemd's own hierarchy is named
        let path = cgroups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            matches!(controllers, "" | "name=systemd").then_some(path)
        })?;
        path.rsplit('/').find_map(|unit| match unit.rsplit_once('.')? {
            (_, "service") => Some(Self::Service(unit.to_owned())),
            (name, "scope") if name.starts_with("session-") => Some(Self::Login(unit.to_owned())),
            _ => None,
        })
    }

    /// Whether systemd says that it lets us live; both programs give up by themselves when it does not answer.
    fn spares(&self) -> bool {
        match self {
            Self::Service(unit) => {
                matches!(
                    ask("systemctl", &["show", "--property=KillMode", "--value", "--", unit]).as_str(),
                    "process" | "none"
                )
            }
            Self::Login(_) => {
                let logind = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"];
                let property = [&["get-property"], &logind[..], &["KillUserProcesses"]].concat();
                ask("busctl", &property) == "b false"
            }
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(unit) => {
                write!(f, "started inside {unit}: when that unit stops, systemd also ends what is started here")
            }
            Self::Login(unit) => write!(
                f,
                "started inside the login {unit}: with KillUserProcesses=yes, logging out ends what is started here"
            ),
        }
    }
}

/// What a program prints; nothing, when it is not there, and the warning stays then.
fn ask(program: &str, arguments: &[&str]) -> String {
    let words = [&[program], arguments].concat();
    Program::new(words).run_blocking(WITHIN).map(|said| said.out.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_unit_that_kills() {
        let unit =
            |text: &str| Unit::of(text).map(|u| u.to_string().split([':', ',']).next().unwrap_or_default().to_owned());
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
