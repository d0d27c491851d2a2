//! The two profiles: who is there, and what is wrong with their ports.

use std::net::{IpAddr, SocketAddr};

use bluegreen_core::{Occupant, ProcessManager as _, Profile, Seen, StateStore as _};
use bluegreen_process::{Hold, InTheWay, Processes};

use super::Finding;
use crate::{
    advice::ON_LOOPBACK,
    app::App,
    init::Ephemeral,
    report::{LISTENERS, shows},
};

/// The finding that it cannot be seen who is on a profile.
pub(super) const UNSEEN: &str = "unseen";
/// The finding that somebody else has the port of a profile.
pub(super) const PORT_TAKEN: &str = "port-taken";
/// The finding that nothing can listen on the port of a profile, though nobody else listens there.
const PORT_KEPT: &str = "port-kept";
/// The finding that the active profile is dead.
pub(super) const NOBODY: &str = "nobody";

pub(super) async fn look(app: &App, seen: &Seen) -> Vec<Finding> {
    // a state that cannot be read is told as such, and no reason to keep quiet about a dead profile
    let deployed = app.wired.store.load().map_or(true, |state| state.last_good().is_some());
    judge(&app.wired.processes, seen, deployed).await
}

/// The same before there is a state; who listens is all that can be seen.
pub(super) async fn judge(processes: &Processes, seen: &Seen, deployed: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ports = seen.profiles.both().map(Profile::port);
    findings.extend(ephemeral(ports, &Ephemeral::read()));
    for profile in seen.profiles.both() {
        let others = processes.in_the_way(profile).await;
        let is_kept = others.as_ref().is_ok_and(|others| others.iter().any(InTheWay::keeps_out));
        findings.extend(occupant(seen, profile, deployed, is_kept));
        // one that cannot be read is the `unseen` of its profile
        if let Ok(Some(damage)) = processes.damage(profile) {
            findings.push(Finding::warning("record", damage, "bluegreen recover"));
        }
        let listens = processes.autopsy(profile).await.listens;
        findings
            .extend(seen.on(profile).as_ref().ok().and_then(|occupant| reach(profile, occupant, listens.as_deref())));
        match others {
            Ok(others) => findings.extend(others.iter().map(|other| in_the_way(seen, profile, other))),
            Err(error) => {
                let what = format!("cannot see who has port {} of {profile}: {error}", profile.port());
                findings.push(Finding::fatal(UNSEEN, what, format!("{LISTENERS}, to see who it is")));
            }
        }
    }
    findings
}

/// Somebody who gets no request, and beside whom a release may not be able to listen, or cannot.
fn in_the_way(seen: &Seen, profile: &Profile, other: &InTheWay) -> Finding {
    let what = format!("{profile}: {other}");
    let keeps_out = other.keeps_out();
    let fix = match other.hold {
        Hold::Ends => "wait a minute, and look again".to_owned(),
        Hold::Connected if keeps_out => "end that process (sudo ss -tanp shows it), or change the port".to_owned(),
        _ if keeps_out => "end who has it, or change the port".to_owned(),
        _ => format!("{ON_LOOPBACK}; or end that process"),
    };
    // the next deploy goes to the other profile
    if keeps_out && other.lasts() && !is_active(seen, profile) {
        return Finding::fatal(PORT_KEPT, what, fix);
    }
    Finding::warning("port-shared", what, fix)
}

fn is_active(seen: &Seen, profile: &Profile) -> bool {
    seen.route().is_some_and(|route| route.active == *profile)
}

fn occupant(seen: &Seen, profile: &Profile, deployed: bool, is_kept: bool) -> Option<Finding> {
    let active = is_active(seen, profile);
    Some(match seen.on(profile) {
        Err(blind) => Finding::fatal(UNSEEN, blind.to_string(), format!("{LISTENERS}, to see who it is")),
        Ok(Occupant::Stranger { who, .. }) => {
            let fix = if who.pid.is_none() {
                format!("{}, to see who it is; end it, or change the port", shows(who))
            } else {
                format!("bluegreen adopt {profile}, if it is this app; else end it, or change the port")
            };
            let what = format!("{profile}: port {} is held by {who}", profile.port());
            // the one with the traffic is not touched by the next deploy
            if active { Finding::warning(PORT_TAKEN, what, fix) } else { Finding::fatal(PORT_TAKEN, what, fix) }
        }
        Ok(Occupant::Nobody) if active && deployed => {
            Finding::warning(NOBODY, format!("{profile} has the traffic, and nothing runs there"), "bluegreen recover")
        }
        Ok(Occupant::Nobody) if is_kept => return None,
        Ok(Occupant::Nobody) => Finding::good("port-free", format!("port {} of {profile} is free", profile.port())),
        Ok(Occupant::Ours { .. }) => Finding::good("running", format!("{profile} runs a release of ours")),
    })
}

/// Whether the kernel may give one of `ports` away.
fn ephemeral(ports: [u16; 2], kernel: &Ephemeral) -> Option<Finding> {
    let (low, high) = kernel.range?;
    let at_risk: Vec<String> = ports.iter().filter(|port| kernel.has(**port)).map(ToString::to_string).collect();
    if at_risk.is_empty() {
        return Some(Finding::good("ephemeral-port", "both ports are outside the kernel's own range"));
    }
    let list = at_risk.join(",");
    let (ports, are) = if at_risk.len() == 1 { ("port", "is") } else { ("ports", "are") };
    let what = format!(
        "{ports} {} {are} among those ({low}-{high}) that the kernel gives to outgoing connections",
        at_risk.join(" and ")
    );
    let all = if kernel.reserved.is_empty() { list } else { format!("{},{list}", kernel.reserved) };
    Some(Finding::warning("ephemeral-port", what, format!("sudo sysctl net.ipv4.ip_local_reserved_ports={all}")))
}

/// Whether nginx reaches it, and who else does. `listens` is where ours does, as far as that can be seen.
fn reach(profile: &Profile, occupant: &Occupant, listens: Option<&[SocketAddr]>) -> Option<Finding> {
    let port = profile.port();
    let here = |listens: &[SocketAddr]| -> Vec<IpAddr> {
        listens.iter().filter(|at| at.port() == port).map(SocketAddr::ip).collect()
    };
    let everywhere = match occupant {
        Occupant::Nobody => return None,
        Occupant::Ours { listening: true, .. } => here(listens?).iter().any(IpAddr::is_unspecified),
        Occupant::Ours { listening: false, .. } => {
            let here = here(listens?);
            // it may still come
            if here.is_empty() {
                return None;
            }
            let list: Vec<String> = here.iter().map(ToString::to_string).collect();
            let what = format!("{profile} listens on {} only, and nginx dials 127.0.0.1:{port}", list.join(" and "));
            // the next release may do better
            return Some(Finding::warning("listens", what, format!("{ON_LOOPBACK} or HOST=127.0.0.1")));
        }
        Occupant::Stranger { who, .. } => who.address?.ip().is_unspecified(),
    };
    if everywhere {
        let what = format!("{profile} listens on every address: who reaches port {port} goes past nginx");
        return Some(Finding::warning("open-port", what, format!("{ON_LOOPBACK}; or close the port in the firewall")));
    }
    Some(Finding::good("listens", format!("{profile} listens on 127.0.0.1 only")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Severity, kind};

    #[test]
    fn who_cannot_be_seen_cannot_be_adopted() {
        let two = ["real1", "real2"].map(|name| Profile::new(name.parse().unwrap(), 8081).unwrap());
        let [first, second] = two.map(|profile| profile);
        let second = Profile::new(second.name().clone(), 8082).unwrap();
        let stranger = |pid| {
            let mut who = bluegreen_core::Stranger::new();
            who.pid = pid;
            Ok(Occupant::stranger(who))
        };
        let seen = Seen {
            profiles: bluegreen_core::Profiles::new(first, second).unwrap(),
            traffic: Ok(bluegreen_core::Traffic::NotSetUp(String::new())),
            occupants: [stranger(None), stranger(Some(7))],
            now: bluegreen_core::Stamp { boot: String::new(), since_boot: std::time::Duration::ZERO },
            interrupt: None,
            last: None,
        };
        let look = |profile| occupant(&seen, profile, false, false).unwrap().fix.unwrap();
        let fixes = seen.profiles.both().map(look);
        // nobody at all listens there
        assert!(!fixes[0].contains("adopt") && fixes[0].starts_with("sudo nft list ruleset"), "{fixes:?}");
        assert!(fixes[1].starts_with("bluegreen adopt real2"), "{fixes:?}");
    }

    #[test]
    fn a_port_of_the_kernel_is_reserved_by_one_command() {
        let look = |ports, reserved| ephemeral(ports, &Ephemeral::parse("32768\t60999\n", reserved)).unwrap();
        assert_eq!(look([8081, 8082], "\n").severity, Severity::Good);
        assert_eq!(look([40000, 8082], "\n").fix(), "sudo sysctl net.ipv4.ip_local_reserved_ports=40000");
        assert_eq!(
            look([40000, 40001], "39000,40001-40002\n").fix(),
            "sudo sysctl net.ipv4.ip_local_reserved_ports=39000,40001-40002,40000"
        );
        assert!(look([40000, 8082], "").what.starts_with("port 40000 is among"));
        assert!(look([40000, 40001], "").what.starts_with("ports 40000 and 40001 are among"));
        assert_eq!(look([40000, 40001], "39999-40001\n").severity, Severity::Good);
        assert_eq!(ephemeral([1, 2], &Ephemeral::default()), None);
    }

    #[test]
    fn who_listens_where() {
        let profile = Profile::new("real1".parse().unwrap(), 8081).unwrap();
        let judged = |listening, listens: &[&str]| {
            let listens: Vec<SocketAddr> = listens.iter().map(|at| at.parse().unwrap()).collect();
            let listens = Some(listens);
            let process = bluegreen_core::Process::new("v1".parse().unwrap(), "1");
            reach(&profile, &Occupant::Ours { process, listening }, listens.as_deref()).map(|f| kind(&f))
        };
        assert_eq!(judged(true, &["127.0.0.1:8081", "0.0.0.0:9000"]), Some((Severity::Good, "listens")));
        assert_eq!(judged(true, &["0.0.0.0:8081"]), Some((Severity::Warning, "open-port")));
        assert_eq!(judged(true, &["[::]:8081"]), Some((Severity::Warning, "open-port")));
        assert_eq!(judged(false, &["[::1]:8081"]), Some((Severity::Warning, "listens")));
        assert_eq!(judged(true, &["[::1]:8081", "127.0.0.1:8081"]), Some((Severity::Good, "listens")));
        assert_eq!(judged(false, &[]), None);
        assert_eq!(judged(false, &["127.0.0.1:9000"]), None);
        let mut who = bluegreen_core::Stranger::new();
        who.address = Some("[::]:8081".parse().unwrap());
        let stranger = reach(&profile, &Occupant::stranger(who), None).map(|f| kind(&f).1);
        assert_eq!(stranger, Some("open-port"));
    }
}
