//! Where a host and a port lead: to one of the two profiles, provably to neither, or nobody can tell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use bluegreen_core::{Profile, Profiles};

use super::address::host_and_port;

/// What is known of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leads {
    /// To this profile, and to nobody else.
    To(Profile),
    /// To neither profile, for sure; where, in words.
    Elsewhere(String),
    /// It may be either; why, in words.
    Unclear(String),
}

/// Where `authority` leads, by `default` when it names no port. Who says `localhost` or `[::1]` means this machine as well.
pub(super) fn of_host(authority: &str, default: u16, profiles: &Profiles) -> Leads {
    let (host, port) = host_and_port(authority);
    let Ok(port) = port.map_or(Ok(default), str::parse::<u16>) else {
        return Leads::Unclear(format!("`{authority}` has no port that is a number"));
    };
    let address = address(host);
    if address.is_none() && !is_loopback(host) && host_and_port(authority).1.is_none() {
        return Leads::Unclear(format!("`{authority}` is no address, and no upstream group of this name is known"));
    }
    let Some(profile) = profiles.on_port(port) else {
        return Leads::Elsewhere(if is_loopback(host) { format!("port {port}") } else { format!("{host}:{port}") });
    };
    if is_loopback(host) {
        return Leads::To(profile.clone());
    }
    match address.map(is_of_this_machine) {
        Some(Ok(false)) => Leads::Elsewhere(format!("{host}:{port}")),
        Some(Ok(true)) => Leads::Unclear(format!(
            "`{authority}` is an address of this machine with the port of {profile}: write 127.0.0.1:{port}"
        )),
        Some(Err(_)) | None => Leads::Unclear(format!(
            "`{authority}` has the port of {profile}, and it cannot be told whether it is this machine: write 127.0.0.1:{port}"
        )),
    }
}

/// Where a group leads that has these servers.
pub(super) fn of_all(name: &str, servers: Vec<Leads>) -> Leads {
    let mut found: Vec<Leads> = Vec::new();
    for leads in servers {
        if let Leads::Unclear(why) = leads {
            return Leads::Unclear(format!("the upstream group {name}: {why}"));
        }
        if !found.contains(&leads) {
            found.push(leads);
        }
    }
    let words = |leads: &Leads| match leads {
        Leads::To(profile) => profile.to_string(),
        Leads::Elsewhere(to) | Leads::Unclear(to) => to.clone(),
    };
    let all = found.iter().map(words).collect::<Vec<_>>().join(" and ");
    match &found[..] {
        [] => Leads::Unclear(format!("the upstream group {name} has no server that is up")),
        [Leads::To(profile)] => Leads::To(profile.clone()),
        _ if found.iter().all(|leads| matches!(leads, Leads::Elsewhere(_))) => {
            Leads::Elsewhere(format!("the upstream group {name} ({all})"))
        }
        _ => Leads::Unclear(format!("the upstream group {name} leads to {all}: only to one of them it may")),
    }
}

/// As people write this machine, seen from nginx.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || address(host).is_some_and(|ip| ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST)
}

fn address(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Who can bind an address has it.
fn is_of_this_machine(address: IpAddr) -> std::io::Result<bool> {
    match UdpSocket::bind((address, 0)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::profiles;

    fn leads(authority: &str) -> String {
        match of_host(authority, 80, &profiles()) {
            Leads::To(profile) => profile.to_string(),
            Leads::Elsewhere(to) => format!("elsewhere: {to}"),
            Leads::Unclear(why) => format!("unclear: {why}"),
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        for host in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
            assert_eq!(leads(&format!("{host}:8082")), "real2", "{host}");
            assert_eq!(leads(&format!("{host}:8080")), "elsewhere: port 8080", "{host}");
            assert_eq!(leads(host), "elsewhere: port 80", "{host}");
        }
    }

    #[test]
    fn only_what_is_provably_not_ours_is_elsewhere() {
        // of a network for documentation
        assert_eq!(leads("192.0.2.1:8081"), "elsewhere: 192.0.2.1:8081");
        assert_eq!(leads("192.0.2.1"), "elsewhere: 192.0.2.1:80");
        assert_eq!(leads("app.example:9000"), "elsewhere: app.example:9000");
        for unclear in ["127.0.0.2:8081", "0.0.0.0:8081", "app.example:8081", "blue", "app.example", "127.0.0.1:x"] {
            assert!(leads(unclear).starts_with("unclear: "), "{unclear}: {}", leads(unclear));
        }
    }

    #[test]
    fn a_group_leads_where_all_of_its_servers_do() {
        let of = |servers: &[&str]| of_all("blue", servers.iter().map(|it| of_host(it, 80, &profiles())).collect());
        assert_eq!(of(&["127.0.0.1:8081", "localhost:8081"]), Leads::To(profiles().first().clone()));
        assert_eq!(
            of(&["127.0.0.1:8080", "192.0.2.1:8081"]),
            Leads::Elsewhere("the upstream group blue (port 8080 and 192.0.2.1:8081)".into())
        );
        for unclear in [&["127.0.0.1:8081", "127.0.0.1:8082"][..], &["127.0.0.1:8081", "127.0.0.1:8080"], &[], &["x"]] {
            assert!(matches!(of(unclear), Leads::Unclear(why) if why.contains("group blue")), "{unclear:?}");
        }
    }
}
