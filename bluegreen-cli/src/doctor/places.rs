//! The two profiles: who is there, and what is wrong with their ports.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use bluegreen_core::{Occupant, Profile, Seen, StateStore as _};

use super::Finding;
use crate::{halt::LISTENERS, init::Ephemeral, session::Session};

pub(super) fn look(session: &Session, seen: &Seen) -> Vec<Finding> {
    let deployed = session.wired.store.load().is_ok_and(|state| state.last_good().is_some());
    judge(seen, deployed)
}

/// The same before there is a state; who listens is all that can be seen.
pub(super) fn judge(seen: &Seen, deployed: bool) -> Vec<Finding> {
    let mut findings = occupants(seen, deployed);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let ports = seen.profiles.both().map(Profile::port);
    findings.extend(ephemeral(ports, &Ephemeral::read()));
    let tables = read("/proc/net/tcp") + &read("/proc/net/tcp6");
    for profile in seen.profiles.both().into_iter().filter(|profile| seen.listens(profile)) {
        findings.extend(reach(profile, &listening(&tables, profile.port())));
    }
    findings
}

fn occupants(seen: &Seen, deployed: bool) -> Vec<Finding> {
    let active = seen.route().map(|route| &route.active);
    let look = |profile: &Profile| match seen.on(profile) {
        Err(blind) => Finding::fatal("unseen", blind.to_string(), format!("{LISTENERS}, to see who it is")),
        Ok(Occupant::Stranger { who, .. }) => {
            let fix = if who.pid.is_none() {
                format!("{LISTENERS}, to see who it is; end it, or change the port")
            } else {
                format!("bluegreen adopt {profile}, if it is this app; else end it, or change the port")
            };
            let what = format!("{profile}: port {} is held by {who}", profile.port());
            // the one with the traffic is not touched by the next deploy
            if active == Some(profile) {
                Finding::warning("port-taken", what, fix)
            } else {
                Finding::fatal("port-taken", what, fix)
            }
        }
        Ok(Occupant::Nobody) if active == Some(profile) && deployed => Finding::warning(
            "nobody",
            format!("{profile} has the traffic, and nothing runs there"),
            "bluegreen recover",
        ),
        Ok(Occupant::Nobody) => Finding::good("port-free", format!("port {} of {profile} is free", profile.port())),
        Ok(Occupant::Ours { .. }) => Finding::good("running", format!("{profile} runs a release of ours")),
    };
    seen.profiles.both().map(look).into()
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

/// Whether nginx reaches it, and who else does.
fn reach(profile: &Profile, addresses: &[IpAddr]) -> Option<Finding> {
    let any = |wanted: &[IpAddr]| addresses.iter().any(|address| wanted.contains(address));
    let everywhere = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let port = profile.port();
    if addresses.is_empty() {
        return None;
    }
    if any(&everywhere) {
        let what = format!("{profile} listens on every address: who reaches port {port} goes past nginx");
        let fix = "let it listen on 127.0.0.1, as with `--server.address=127.0.0.1`; or close the port in the firewall";
        return Some(Finding::warning("open-port", what, fix));
    }
    if any(&[Ipv4Addr::LOCALHOST.into()]) {
        return Some(Finding::good("listens", format!("{profile} listens on 127.0.0.1 only")));
    }
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let what = format!("{profile} listens on {} only, and nginx dials 127.0.0.1:{port}", list.join(" and "));
    Some(Finding::fatal(
        "listens",
        what,
        "let it listen on 127.0.0.1, as with `--server.address=127.0.0.1` or HOST=127.0.0.1",
    ))
}

/// The addresses of the listeners on `port`, as `/proc/net/tcp` and `tcp6` write them.
fn listening(tables: &str, port: u16) -> Vec<IpAddr> {
    let address = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (host, number) = fields.next()?.split_once(':')?;
        let listens = fields.nth(1)? == "0A" && u16::from_str_radix(number, 16) == Ok(port);
        listens.then(|| parse(host)).flatten()
    };
    let mut found: Vec<IpAddr> = tables.lines().filter_map(address).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Words of four bytes, each in the order of this machine.
fn parse(hex: &str) -> Option<IpAddr> {
    let words = (0..hex.len()).step_by(8).map(|at| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    if let Ok(four) = <[u8; 4]>::try_from(&bytes[..]) {
        return Some(Ipv4Addr::from(four).into());
    }
    let six = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..]).ok()?);
    Some(six.to_ipv4_mapped().map_or(IpAddr::V6(six), IpAddr::V4))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::doctor::Severity;

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
        let fixes: Vec<_> = occupants(&seen, false).into_iter().map(|finding| finding.fix).collect();
        assert!(!fixes[0].contains("adopt") && fixes[0].contains("ss -ltnp"), "{fixes:?}");
        assert!(fixes[1].starts_with("bluegreen adopt real2"), "{fixes:?}");
    }

    #[test]
    fn a_port_of_the_kernel_is_reserved_by_one_command() {
        let look = |ports, reserved| ephemeral(ports, &Ephemeral::parse("32768\t60999\n", reserved)).unwrap();
        assert_eq!(look([8081, 8082], "\n").severity, Severity::Good);
        assert_eq!(look([40000, 8082], "\n").fix, "sudo sysctl net.ipv4.ip_local_reserved_ports=40000");
        assert_eq!(
            look([40000, 40001], "39000,40001-40002\n").fix,
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
        let judged = |addresses: &[&str]| {
            let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
            reach(&profile, &addresses).map(|f| (f.severity, f.id))
        };
        assert_eq!(judged(&["127.0.0.1"]), Some((Severity::Good, "listens")));
        assert_eq!(judged(&["0.0.0.0"]), Some((Severity::Warning, "open-port")));
        assert_eq!(judged(&["::"]), Some((Severity::Warning, "open-port")));
        assert_eq!(judged(&["::1"]), Some((Severity::Fatal, "listens")));
        assert_eq!(judged(&["::1", "127.0.0.1"]), Some((Severity::Good, "listens")));
        assert_eq!(judged(&[]), None);
    }

    #[test]
    fn reads_the_kernels_tables() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tables = fs::read_to_string("/proc/net/tcp").unwrap();
        assert_eq!(listening(&tables, listener.local_addr().unwrap().port()), [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        assert_eq!(parse("00000000000000000000000001000000"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(parse("0000000000000000FFFF00000100007F"), Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(parse("zz"), None);
    }
}
